"""Runs benchmark modules and prints their figures.

Each module runs in a process of its own: what one sets in TensorFlow (deterministic operations, precision,
threads) must not reach the next.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.measure import Budget, Figure

LINE = "{what:<40} {measured:>18} {target:>10} {verdict:<6}  {conditions}"


class ModuleError(Exception):
    """A module ended without its figures."""


def run(modules: Sequence[str], budget: Budget, report: Path) -> int:
    """Run modules by their full names, print a table and write the report; 1 where anything fell short, else 0."""
    report.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    failures: list[str] = []
    print(LINE.format(what="what", measured="measured", target="target", verdict="", conditions="conditions"))
    took: dict[str, float] = {}
    for module in modules:
        name, began = module.rpartition(".")[2], time.monotonic()
        try:
            figures = figures_of(module, budget, report.parent / f"{name}.log")
        except ModuleError as error:
            print(error, flush=True)
            failures.append(f"{module} failed")
            continue
        finally:
            took[name] = round(time.monotonic() - began, 1)
        for figure in figures:
            print(line(figure), flush=True)
            rows.append({"module": module, **asdict(figure), "is_met": figure.is_met})
        failures += [f"missed: {figure.what}" for figure in figures if not figure.is_met]
    machine = {**machine_facts(), "budget": budget}
    print("\n" + ", ".join(f"{name} {value}" for name, value in machine.items()))
    print(f"{sum(took.values()):.0f} s: " + ", ".join(f"{name} {seconds:.0f}" for name, seconds in took.items()))
    for failure in failures:
        print(failure)
    report.write_text(
        json.dumps({"machine": machine, "seconds": took, "figures": rows, "failures": failures}, indent=2) + "\n"
    )
    return 1 if failures else 0


def figures_of(module: str, budget: Budget, log: Path) -> list[Figure]:
    """A module's figures, computed in a process of its own; what that prints goes to the log.

    Raises:
        ModuleError: it crashed, or had no figures; the message ends with the log's end.
    """
    result = log.with_suffix(".json")
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.child", module, budget, str(result)]
    with log.open("wb") as stream:
        code = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False).returncode
    if code or not result.exists():
        last = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise ModuleError(f"{module} FAILED with exit code {code}; the end of {log}:\n{last}")
    figures = [Figure(**values) for values in json.loads(result.read_bytes())]
    result.unlink()
    if not figures:
        raise ModuleError(f"{module} FAILED: it measured nothing")
    return figures


def line(figure: Figure) -> str:
    """A figure as a line of the table."""
    target, verdict = "", ""
    if figure.target is not None:
        target = f"{'>=' if figure.better == 'higher' else '<='} {number(figure.target)}"
        verdict = "met" if figure.is_met else "MISSED"
    measured = f"{number(figure.measured)} {figure.unit}"
    return LINE.format(
        what=figure.what, measured=measured, target=target, verdict=verdict, conditions=figure.conditions
    )


def number(value: float) -> str:
    """Four digits that matter, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def machine_facts() -> dict[str, Any]:
    """What the figures depend on besides the code."""
    return {
        "CPU": _cpu_name(),
        "cores": os.cpu_count(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "TensorFlow": _version_of("tensorflow", "tensorflow-cpu"),
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    names = [row.partition(":")[2].strip() for row in lines if row.startswith("model name")]
    return names[0] if names else "unknown"


def _version_of(*distributions: str) -> str:
    """The version of the first of these that is installed; read so that TensorFlow need not start."""
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"
