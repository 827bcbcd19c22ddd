"""Whole runs on a store that refuses, goes away or is late, and under a clock that jumps, end as undisturbed ones."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.storage import whole_runs
from tests.storage.faults import Faults
from tests.storage.test_bad_days import refuse
from tests.storage.whole_runs import command, outcome, run, verify, when

AWAY_SECONDS = 60.0
TOLD_SECONDS = 15.0
LATE_SECONDS = 10.0


@pytest.fixture(params=["gs", "s3"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "tale.txt"
    path.write_text("".join(f"The {n} foxes jump over {n % 7} dogs. " for n in range(100)))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[bytes]]:
    """What a run on a disk ends with."""
    return outcome(run(str(tmp_path_factory.mktemp("undisturbed")), source))


@pytest.mark.slow("a run, of whose requests many are made again")
def test_a_run_of_which_30_percent_of_the_answers_are_503(
    root: str,
    faults: Faults,
    source: Path,
    undisturbed: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert faults is not None
    draws = random.Random(7)
    with monkeypatch.context() as patch:
        decided = refuse(patch, lambda: draws.random() < 0.3)
        done = run(root, source)
    assert sum(decided) >= 20
    verify(done, root)
    assert outcome(done) == undisturbed


@pytest.mark.slow("the store is away for two minutes")
def test_a_store_that_is_away_for_a_minute_while_training_saves_and_again_while_samples_are_published(
    root: str, faults: Faults, source: Path, undisturbed: tuple[str, list[bytes]]
) -> None:
    left: list[float] = []

    def leave() -> None:
        left.append(time.monotonic())
        faults.go_away(AWAY_SECONDS)

    for happens in ("^(POST|PUT) .*LATEST", "^(POST|PUT) .*samples-"):
        when(lambda happens=happens: faults.count(happens), leave)  # type: ignore[misc]
    done = run(root, source)
    assert len(left) == 2
    for at in left:
        warnings = done.printed(r"warning: \S+: can't be reached \(.*\); trying again for up to 120 s", after=at)
        assert warnings
        assert warnings[0] - at < TOLD_SECONDS
        assert done.printed(r"answers again, after \d+ s", after=at + AWAY_SECONDS)
    verify(done, root)
    assert outcome(done) == undisturbed


@pytest.mark.slow("each answer takes 10 s")
def test_a_stage_whose_store_answers_after_10_s_each_time(root: str, faults: Faults, source: Path) -> None:
    command("ingest", "--source", str(source), "--corpus", f"{root}/corpus")
    faults.be_late(LATE_SECONDS)
    began = time.monotonic()
    done = command("vectorize", "--corpus", f"{root}/corpus", "--dataset", f"{root}/dataset", "--length", "16")
    assert time.monotonic() - began > 3 * LATE_SECONDS
    assert len(done.printed("can't be reached")) <= 2, "a server that is always slow is no news"
    faults.be_late(0)
    command("artifacts", "verify", f"{root}/dataset")


# --- a clock that jumps ---

JUMPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
/* Every second the time of day is another: as it is, five hours ahead, three behind. */
static int (*get)(clockid_t, struct timespec *);
int clock_gettime(clockid_t id, struct timespec *t) {
    static const int hours[] = {0, 5, -3};
    if (!get) get = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = get(id, t);
    if (failed || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return failed;
    struct timespec steady;
    get(CLOCK_MONOTONIC, &steady);
    t->tv_sec += 3600 * hours[steady.tv_sec % 3];
    return 0;
}
struct seconds { time_t whole; long millionths; };
int gettimeofday(struct seconds *t, char *zone) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    t->whole = now.tv_sec;
    t->millionths = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


@pytest.fixture(scope="module")
def jumping(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What a command is wrapped in so that its time of day jumps by hours, for all that it starts too."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    library = tmp_path_factory.mktemp("clock") / "jumping.so"
    code = library.with_suffix(".c")
    code.write_text(JUMPING)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, code, "-ldl"], check=True)
    return ("env", f"LD_PRELOAD={library}")


def test_the_clock_of_these_tests_jumps(jumping: tuple[str, ...]) -> None:
    program = "import time; print([time.time() for _ in range(40) if not time.sleep(0.1)])"
    done = subprocess.run([*jumping, "python3", "-c", program], capture_output=True, text=True, check=True)
    times = [float(text) for text in done.stdout.strip("[]\n").split(", ")]
    assert max(times) - min(times) > 7.9 * 3600


@pytest.mark.slow("a run")
def test_a_run_while_the_time_of_day_jumps_by_hours(
    root: str, faults: Faults, source: Path, undisturbed: tuple[str, list[bytes]], jumping: tuple[str, ...]
) -> None:
    assert faults is not None
    done = run(root, source, wrapped_in=jumping)
    verify(done, root)
    assert outcome(done) == undisturbed
    assert done.result["metrics"]["wall_seconds"] < whole_runs.MAXIMUM_SECONDS
