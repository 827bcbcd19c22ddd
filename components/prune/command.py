"""The flags of prune, and its conversation: it lists what goes, asks, and removes it."""

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from components.artifacts import champion, storage
from components.artifacts.errors import UsageError
from components.command import log
from components.command.printing import is_terminal, visible, write
from components.command.stage import print_json
from components.prune.pruning import OldRun, Plan, Rules, plan, prune

NO_CHAMPION = "none"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what stays, and whether to ask."""
    parser.add_argument(
        "--keep-last",
        metavar="N",
        type=_number(0),
        required=True,
        help="keep the last N runs that made a model, and all runs since",
    )
    parser.add_argument(
        "--keep-days",
        metavar="D",
        type=_number(1),
        required=True,
        help="keep runs that wrote an artifact in the last D days, at least 1: choose more than a run takes",
    )
    parser.add_argument(
        "--champion",
        metavar="URI",
        help=f"the champion's pointer, or {NO_CHAMPION} (default: the environment's, or next to the runs)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    parser.add_argument("--yes", action="store_true", help="remove without asking")


def rules_of(arguments: argparse.Namespace, root: str, known: str = "") -> Rules:
    """What stays according to a command line; `known` is the champion's pointer according to an environment.

    Raises:
        ArtifactError: there is no champion where `--champion` says.
        UsageError: for a bucket nothing says where the champion's pointer is.
    """
    place, given = storage.place_of(root), arguments.champion
    near = [place / "champion", place.above / "champion"]
    beside = [str(one) for one in near if one.local is None or not one.local.is_dir()]
    if given is not None and given != NO_CHAMPION:
        champion.read(given)
    champions = tuple(dict.fromkeys(filter(None, [known, *beside, "" if given == NO_CHAMPION else given])))
    if given is None and not known and place.local is None and not any(map(storage.read_file, champions)):
        raise UsageError(
            f"no champion's pointer at {' or '.join(champions)}; name it with --champion URI, or the environment with "
            f"--environment, or say --champion {NO_CHAMPION}"
        )
    return Rules(last=arguments.keep_last, days=arguments.keep_days, champions=champions)


def run(arguments: argparse.Namespace, root: str, rules: Rules) -> int:
    """List what goes, ask on a terminal, remove it; return the exit code.

    Raises:
        UsageError: there is no terminal to ask on, and neither --yes nor --dry-run is given.
    """
    if not (arguments.yes or arguments.dry_run or _has_terminal()):
        raise UsageError("prune: there is no terminal to ask on; give --yes to remove, or --dry-run to list")
    found = plan(root, rules)
    goes: Sequence[OldRun] = found.goes
    if goes and not arguments.dry_run:
        goes = prune(root, rules, found) if arguments.yes or _is_agreed(found) else ()
    values = {"removed": not arguments.dry_run, "runs": [one.as_dict() for one in goes], "runs_kept": found.stay}
    if arguments.json:
        print_json(values)
    else:
        _print([*(_table(goes) if arguments.dry_run else []), _total(goes, found, dry_run=arguments.dry_run)])
    return 0


def _has_terminal() -> bool:
    """Whether there is somebody to ask; standard input may be closed."""
    return all(stream is not None and is_terminal(stream) for stream in (sys.stdin, sys.stderr))


def _is_agreed(found: Plan) -> bool:
    for line in [*_table(found.goes), f"{_stay(found.stay)}."]:
        write(f"{visible(line, one_line=True)}\n", sys.stderr)
    write(f"Remove {_counted(found.goes)}? [y/N] ", sys.stderr)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _table(goes: Sequence[OldRun]) -> list[str]:
    """A line per run: when it wrote the last of what goes, how many artifacts and how much, and where."""
    if not goes:
        return []
    lines = ["written (UTC)        artifacts       size  run"]
    for one in goes:
        written = datetime.fromtimestamp(one.updated, UTC)
        lines.append(f"{written:%Y-%m-%d %H:%M:%S}  {len(one.artifacts):>9}  {log.size(one.size):>9}  {one.place}")
    return lines


def _total(goes: Sequence[OldRun], found: Plan, *, dry_run: bool) -> str:
    what = _counted(goes) if goes else "nothing"
    stay = found.stay + len(found.goes) * (not goes)
    return f"{'Would remove' if dry_run else 'Removed'} {what}; {_stay(stay)}"


def _counted(goes: Sequence[OldRun]) -> str:
    artifacts = _number_of(sum(len(one.artifacts) for one in goes), "artifact")
    return f"{artifacts} of {_number_of(len(goes), 'run')}, {log.size(sum(one.size for one in goes))}"


def _stay(runs: int) -> str:
    return f"{_number_of(runs, 'run')} {'stays' if runs == 1 else 'stay'}"


def _number_of(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _print(lines: Sequence[str]) -> None:
    write("".join(f"{visible(line, one_line=True)}\n" for line in lines))


def _number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a number of at least {least}, not {text!r}")
        return int(text)

    return parse
