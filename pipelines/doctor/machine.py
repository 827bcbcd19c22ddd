"""Checks of this machine: what is installed, the devices, and room."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from components.artifacts import machine, storage
from components.artifacts.version import VERSION
from components.command import log
from pipelines.doctor.check import Check, missing, shown
from pipelines.local.home import cache_directory

NEEDED = ("pydantic", "numpy", "keras", "h5py", "kfp", "pandas", "matplotlib", "google-cloud-storage", "boto3")
TENSORFLOWS = ("tensorflow", "tensorflow-cpu")
SHOWN = (*TENSORFLOWS, "keras", "kfp", "numpy", "pandas")
LITTLE_MEMORY_BYTES = 2e9
LITTLE_DISK_BYTES = 2e9
_SEEN_BY_TENSORFLOW = """
from components.artifacts.tensorflow import tf
print(len(tf.config.list_physical_devices("GPU")), tf.sysconfig.get_build_info().get("cudnn_version", "of its own"))
"""


def python() -> Check:
    """Python and the suite."""
    found = f"{sys.version.split()[0]}, quillflow {VERSION}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check(name="python", verdict="ok", found=found)
    return missing("python", found, "use Python 3.11 to 3.13: make PYTHON=/path/to/python3.11 setup", asked=True)


def packages() -> Check:
    """The packages that the stages import, checked without importing them."""
    versions = {name: _version(name) for name in (*TENSORFLOWS, *NEEDED)}
    found = ", ".join(f"{name} {versions[name]}" for name in SHOWN if versions.get(name))
    lacking = [name for name in NEEDED if not versions[name]]
    if not any(versions[name] for name in TENSORFLOWS):
        lacking.insert(0, "tensorflow")
    if lacking:
        return missing("packages", f"{', '.join(lacking)} not installed; {found}", "run make setup", asked=True)
    return Check(name="packages", verdict="ok", found=found)


def devices(*, asked: bool) -> Iterator[Check]:
    """The GPUs, and whether the LSTM layers will use cuDNN on them; TensorFlow is asked only if there is a GPU."""
    gpus = _gpus()
    if not gpus:
        found, advice = "none, so no cuDNN: training computes on the CPU", "if there is one, install NVIDIA's driver"
        yield missing("gpu", found, advice, asked=asked)
        return
    yield Check(name="gpu", verdict="ok", found=", ".join(gpus))
    if not _version("tensorflow"):
        found, advice = "not used: this TensorFlow is only for CPUs", "install quillflow[train-gpu]"
        yield missing("cudnn", found, advice, asked=asked)
        return
    command = [sys.executable, "-c", _SEEN_BY_TENSORFLOW]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own code
    count, _, cudnn = answer.stdout.strip().rpartition("\n")[2].partition(" ")
    if count in {"", "0"}:
        found = "not used: TensorFlow sees no GPU"
        yield missing("cudnn", found, "reinstall quillflow[train-gpu]; check the driver's version", asked=asked)
    else:
        yield Check(name="cudnn", verdict="ok", found=f"version {cudnn}, used by the LSTM layers on {count} GPU(s)")


def cores_and_memory() -> Check:
    """Cores that this process may use, and free memory."""
    cores, memory = machine.cores(), machine.free_memory()
    found = f"{cores} cores, {log.size(memory)} of memory free" if memory else f"{cores} cores"
    if memory and memory < LITTLE_MEMORY_BYTES:
        advice = "training needs 2 GB: close other programs, or lower train.batch and train.units"
        return missing("cores", found, advice, asked=False)
    return Check(name="cores", verdict="ok", found=found)


def disk(root: str) -> Check:
    """Free space where runs are stored, or for runs in a bucket where their temporary files are."""
    path = (storage.local_path(root or "runs") or cache_directory()).absolute()
    there = next(above for above in (path, *path.parents) if above.exists())
    free = shutil.disk_usage(there).free
    found = f"{log.size(free)} free at {shown(there)}"
    if free < LITTLE_DISK_BYTES:
        return missing("disk", found, "make room, or store runs elsewhere with --root", asked=False)
    return Check(name="disk", verdict="ok", found=found)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _gpus() -> list[str]:
    """The names of NVIDIA's GPUs, as its own tool lists them."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 -- fixed
    except (OSError, subprocess.SubprocessError):
        return []
    return answer.stdout.split("\n")[:-1]
