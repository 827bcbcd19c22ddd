"""What a killed process left is removed by the next one; nothing of anybody else is."""

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.artifacts import scratch
from components.artifacts.scratch import PREFIX, make_scratch, scratch_directory

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "SWEPT_AFTER_SECONDS", 0.0)
    return tmp_path


def left_behind(temporary: Path, ending: str) -> Path:
    """The directory of a process that ended so."""
    code = (
        "import os, signal, sys; from components.artifacts.scratch import make_scratch; path = make_scratch(); "
        f"(path / 'file').write_text('a'); print(path, flush=True); {ending}"
    )
    environment = {**os.environ, "TMPDIR": str(temporary)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False)
    return Path(done.stdout.decode().strip())


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)"])
def test_what_a_killed_process_left_is_removed_by_the_next(temporary: Path, ending: str) -> None:
    left = left_behind(temporary, ending)
    assert (left / "file").is_file()
    with scratch_directory() as own:
        assert list(temporary.iterdir()) == [own]
    assert not list(temporary.iterdir())


def test_what_a_process_holds_stays(temporary: Path) -> None:
    held = make_scratch()
    code = "from components.artifacts import scratch\nscratch.SWEPT_AFTER_SECONDS = 0\n"
    code += "with scratch.scratch_directory() as own: print(own)"
    environment = {**os.environ, "TMPDIR": str(temporary)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    assert list(temporary.iterdir()) == [held]
    held.rmdir()


def test_what_is_young_stays_as_its_process_is_about_to_hold_it(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "SWEPT_AFTER_SECONDS", 60.0)
    left = left_behind(temporary, "os._exit(1)")
    with scratch_directory():
        assert left.is_dir()


def test_what_is_anybody_elses_stays(temporary: Path) -> None:
    home = temporary / "home"
    foreign = [
        temporary / "quillflow",
        temporary / "quillflow-run-abcdefgh",
        temporary / f"{PREFIX}Abcdefgh",
        temporary / f"{PREFIX}abcdefgh.old",
        temporary / f"{PREFIX}notes",
        home,
    ]
    for directory in foreign:
        directory.mkdir()
        (directory / "file").write_text("mine")
    (temporary / f"{PREFIX}a_file_0").write_text("mine")
    (temporary / f"{PREFIX}a_link_0").symlink_to(home)
    before = sorted(temporary.rglob("*"))
    with scratch_directory():
        pass
    assert sorted(temporary.rglob("*")) == before


def test_locks_are_dropped_with_their_directories() -> None:
    def files() -> int:
        return len(list(Path("/dev/fd").iterdir()))

    before = files()
    for _ in range(20):
        with scratch_directory():
            pass
        make_scratch().rmdir()
    assert files() <= before + 1


def test_where_no_lock_can_be_held_work_continues_and_nothing_is_swept(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_behind(temporary, "os._exit(1)")

    def refuse(*_: object) -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with scratch_directory() as own:
        assert own.is_dir()
    assert list(temporary.iterdir()) == [left]


def test_threads_make_and_remove_directories_at_once() -> None:
    directories, held = 4, len(scratch._held)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def make_and_remove(_: int) -> None:
        for _ in range(20):
            with ExitStack() as stack:
                for _ in range(directories):
                    stack.enter_context(scratch_directory())

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(make_and_remove, range(8)))
    finally:
        sys.setswitchinterval(before)
    assert len(scratch._held) <= held
