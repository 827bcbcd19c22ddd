"""`quillflow artifacts`: list, show, fetch, verify, export and clean up what runs made."""

import argparse
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.artifacts import storage
from components.artifacts.as_json import as_json
from components.artifacts.champion import read
from components.artifacts.errors import ArtifactError
from components.command import log
from components.command.stage import add_common_flags
from components.prune import command
from pipelines.commands.cluster import add_root_flags, champion_at, environment_of, root_of
from pipelines.commands.output import print_result

if TYPE_CHECKING:
    from pipelines.results.finding import Artifact

CHAMPION = "champion"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    text = "List, show, fetch, verify, export and clean up artifacts, on disk or in a bucket."
    actions = commands.add_parser("artifacts", help=text, description=text).add_subparsers(
        metavar="ACTION", required=True
    )
    for name, run, text in (
        ("ls", _ls, "List all artifacts below a root, newest first."),
        ("show", _show, "Show the manifest, metrics and lineage of an artifact, or of all artifacts of a run."),
        ("pull", _pull, "Fetch an artifact or a whole run; continue a fetch that broke off."),
        (
            "verify",
            _verify,
            "Check artifacts against the sizes and digests in their manifests; exit 1 if one is damaged.",
        ),
        ("export", _export, "Make a model of the checkpoint of an epoch, which train.keep_every keeps."),
        (
            "prune",
            _prune,
            "Remove old runs' artifacts, but never the champion's run, nor what anything that stays was made from.",
        ),
    ):
        action = actions.add_parser(name, help=text, description=text)
        if name == "prune":
            command.add_flags(action)
        elif name == "export":
            action.add_argument(
                "name", metavar="CHECKPOINTS", help="the checkpoints' URI or RUN/PATH, or a run's URI or name"
            )
            action.add_argument("--epoch", type=int, required=True, metavar="N", help="the epoch, counted from 1")
            action.add_argument("model", metavar="MODEL", help="where to write the model")
        elif name != "ls":
            action.add_argument(
                "name", metavar="WHAT", help="an artifact's URI or RUN/PATH, a run's URI or name, or champion"
            )
        if name == "pull":
            action.add_argument("directory", type=Path, metavar="DIR", help="the directory to write to")
        add_root_flags(action)
        add_common_flags(action)
        action.set_defaults(run=run)


def _ls(arguments: argparse.Namespace) -> int:
    from pipelines.results import finding

    root = root_of(arguments)
    found = finding.find(root)
    return print_result(arguments, {"artifacts": [one.as_dict() for one in found]}, _as_table(found, root))


def _named(arguments: argparse.Namespace) -> "list[Artifact]":
    """The artifacts that a command line names; `champion` is the model that the pointer points at."""
    from pipelines.results import finding

    if arguments.name != CHAMPION:
        return finding.resolve(arguments.name, root_of(arguments))
    place = champion_at(arguments)
    pointer = read(place)
    found = finding.resolve(pointer.model, root_of(arguments))
    if [one.digest for one in found] != [pointer.digest]:
        raise ArtifactError(f"{pointer.model}: no longer the model that {place} was pointed at; promote another")
    return found


def _show(arguments: argparse.Namespace) -> int:
    from pipelines.results import finding

    shown = [finding.show(one, root_of(arguments)) for one in _named(arguments)]
    return print_result(arguments, {"artifacts": shown}, [line for one in shown for line in _as_lines(one)])


def _pull(arguments: argparse.Namespace) -> int:
    from pipelines.results.fetching import pull

    paths = pull(_named(arguments), arguments.directory)
    return print_result(arguments, {"pulled": paths}, paths)


def _verify(arguments: argparse.Namespace) -> int:
    from pipelines.results.fetching import verify_all

    verdicts = verify_all(_named(arguments))
    print_result(
        arguments, {"verdicts": verdicts}, [f"whole  {uri}" for uri, verdict in verdicts.items() if not verdict]
    )
    for verdict in filter(None, verdicts.values()):
        log.error(verdict)
    return 1 if any(verdicts.values()) else 0


def _export(arguments: argparse.Namespace) -> int:
    from pipelines.results import exporting

    root = root_of(arguments)
    checkpoint = exporting.find_checkpoint(arguments.name, arguments.epoch, root)
    exporting.refuse_existing(arguments.model, checkpoint)
    dataset = exporting.dataset_of(checkpoint, root)
    from components.train.exporting import export  # brings TensorFlow

    made = export(checkpoint, dataset=dataset, model=arguments.model)
    return print_result(arguments, made, [made["model"]])


def _prune(arguments: argparse.Namespace) -> int:
    root, known = root_of(arguments), environment_of(arguments).cluster.champion
    return command.run(arguments, root, command.rules_of(arguments, root, known))


def _as_table(artifacts: "Sequence[Artifact]", root: str) -> list[str]:
    """One line per artifact: time, kind, size, run, and its path in the run or below the root."""
    if not artifacts:
        return ["no artifacts"]
    above = f"{storage.place_of(root).key.rstrip('/')}/"
    width = max(len("run"), *(len(found.run) for found in artifacts))
    rows = [
        f"{datetime.fromtimestamp(found.updated, UTC):%Y-%m-%d %H:%M:%S}  {found.manifest.kind:<9} "
        f"{log.size(found.size):>9}  {found.run or '-':<{width}}  {found.in_run or found.place.key.removeprefix(above)}"
        for found in artifacts
    ]
    return [f"written (UTC)        kind           size  {'run':<{width}}  where", *rows]


def _as_lines(shown: Mapping[str, Any]) -> list[str]:
    """The result of `show` as lines for a person."""
    manifest = shown["manifest"]
    return [
        f"{manifest['kind']} at {_cleaned(shown['uri'])}",
        *([f"  run       {shown['run']}"] if shown["run"] else []),
        f"  written   {shown['updated']} by {manifest['producer']['stage']} {manifest['producer']['version']}",
        f"  digest    {shown['digest']}",
        *(
            f"  made from {step['kind']:<8} {step['digest'][:16]}  {_cleaned(step['uri'] or 'not found')}"
            for step in shown["lineage"]
        ),
        *(f"  file      {name}  {log.size(entry['bytes'])}" for name, entry in manifest["files"].items()),
        *(f"  count     {name} {value:,}" for name, value in manifest["counts"].items()),
        *(f"  metric    {name} {_rounded(value)}" for name, value in (shown.get("metrics") or {}).items()),
        *(f"  setting   {name} {as_json(value, ensure_ascii=False)}" for name, value in manifest["config"].items()),
    ]


def _cleaned(uri: str) -> str:
    """A path without detours such as a/../b."""
    return os.path.realpath(uri) if "://" not in uri and ".." in uri.split("/") else uri


def _rounded(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
