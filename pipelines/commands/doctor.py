"""`quillflow doctor`: what is available here, and what to do about what is not."""

import argparse
from typing import TYPE_CHECKING, Any

from components.command.printing import Colour, visible, write
from components.command.stage import print_json
from pipelines.commands.cluster import add_cluster_flags, environment_of

if TYPE_CHECKING:
    from pipelines.doctor.check import Check, Verdict


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "Check what is installed, the devices, the container engine, credentials and stores; say what to do."
    command = commands.add_parser(
        "doctor", help=text, description=text + " If a check that was asked for fails, the exit code is 1."
    )
    command.add_argument(
        "--root", default="", metavar="URI", help="require this place to be writable, with conditional writes"
    )
    command.add_argument("--docker", action="store_true", help="require a container engine with the images")
    command.add_argument("--gpu", action="store_true", help="require a GPU that training can use")
    add_cluster_flags(command)
    command.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from pipelines.doctor import examine

    environment = environment_of(arguments)
    checks = []
    for check in examine(root=arguments.root, environment=environment, docker=arguments.docker, gpu=arguments.gpu):
        checks.append(check)
        if not arguments.json:
            _print(check)
    failed = any(check.verdict == "fail" for check in checks)
    if arguments.json:
        print_json({"ok": not failed, "checks": [check.as_dict() for check in checks]})
    return 1 if failed else 0


def _print(check: "Check") -> None:
    colours: dict[Verdict, Colour] = {"ok": "green", "warn": "yellow", "fail": "red"}
    write(f"{check.verdict:<4}", colour=colours[check.verdict])
    advice = f"\n{'':<24} {visible(check.advice, one_line=True)}" if check.advice else ""
    write(f"  {check.name:<18} {visible(check.found, one_line=True)}{advice}\n")
