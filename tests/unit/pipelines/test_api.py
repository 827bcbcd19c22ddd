"""The functions of `pipelines`, as another program calls them."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import pipelines
from components.artifacts.errors import ArtifactError, UsageError
from components.generator.light.generator import Writing
from pipelines import api
from pipelines.commands.main import main
from tests.unit.pipelines.conftest import VOCABULARY, MakeRun

ROOT = Path(__file__).parents[3]


def test_importing_it_imports_nothing_slow() -> None:
    code = (
        "import sys, pipelines; pipelines.run, pipelines.complete;"
        "slow = {'tensorflow', 'keras', 'kfp', 'numpy', 'pydantic', 'yaml'} & set(sys.modules);"
        "sys.exit(f'imported: {slow}' if slow else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_everything_it_offers_says_what_it_takes_gives_and_raises() -> None:
    for name in pipelines.__all__:
        document = getattr(pipelines, name).__doc__
        assert all(f"{part}:" in document for part in ("Args", "Returns", "Raises")), name


def test_the_tutorial_shows_the_documented_example() -> None:
    example = textwrap.dedent("\n".join(line for line in (api.__doc__ or "").splitlines() if line.startswith("    ")))
    assert example.replace("import pipelines\n", "import pipelines\n\n") in (ROOT / "docs" / "tutorial.md").read_text()


def test_complete_writes_what_the_command_writes(
    make_run: MakeRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("one")
    assert main(["complete", "once ", "--root", str(root), "--n", "2", "--seed", "3", "--length", "20", "--json"]) == 0
    printed = [text["text"] for text in json.loads(capsys.readouterr().out)["texts"]]
    assert pipelines.complete("once ", root=str(root), n=2, seed=3, length=20) == printed
    generator = pipelines.load_model("one", root=str(root))
    assert pipelines.complete("once ", model=generator, n=2, seed=3, length=20) == printed


def test_a_loaded_model_gives_logits_and_tokens_with_their_cost(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    generator = pipelines.load_model(root=str(root))
    logits = generator.logits("once ")
    assert (logits.shape, logits.dtype) == ((len(VOCABULARY),), np.float32)
    (token,) = generator.stream("once ", Writing(length=1, temperature=0))
    assert token.text == VOCABULARY.tokens[int(np.argmax(logits))]
    assert token.nats == pytest.approx(float(np.log(np.exp(logits).sum()) - logits.max()), abs=1e-5)


def test_compare_gives_what_the_command_prints(
    make_run: MakeRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_run("one", train={"epochs": 1})
    make_run("two", train={"epochs": 2})
    assert main(["compare", "one", "two", "--root", str(root), "--json"]) == 0
    assert pipelines.compare(["one", "two"], root=str(root)) == json.loads(capsys.readouterr().out)


def test_what_is_wrong_is_raised_before_anything_starts(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    with pytest.raises(UsageError, match="no recipe 'quik'; did you mean quick"):
        pipelines.run("tale.txt", recipe="quik")
    with pytest.raises(UsageError, match=r"unknown setting train\.epoch"):
        pipelines.run("tale.txt", settings={"train.epoch": 3})
    with pytest.raises(UsageError, match="recipe nietzsche has no text of its own"):
        pipelines.run(recipe="nietzsche")
    with pytest.raises(UsageError, match=r"complete\.temperature"):
        pipelines.complete("once", root=str(root), temperature=-1)
    with pytest.raises(UsageError, match="the prompt has 'X'"):
        pipelines.complete("X", root=str(root))
    with pytest.raises(ArtifactError, match="no model there"):
        pipelines.load_model(root=str(root / "none"))


def test_how_runs_learned_and_what_they_wrote_are_tables(make_run: MakeRun, root: Path) -> None:
    make_run("one")
    make_run("two")
    table = pipelines.history(["one", "two"], root=str(root))
    assert table.groupby("run")["validation_loss_nats"].min().to_dict() == {"one": 2.0, "two": 2.0}
    assert list(table.columns[:3]) == ["run", "epoch", "train_step"]
    assert (len(table), table["tokens_per_second"].isna().all()) == (4, True)

    rows = [json.loads(line) for path in root.glob("one/**/samples-*.jsonl") for line in path.read_text().splitlines()]
    written = pipelines.samples("one", root=str(root))
    assert list(written.index) == [row["id"] for row in rows]
    assert list(written["text"]) == [row["text"] for row in rows]


def test_a_run_without_samples_has_no_table(make_run: MakeRun, root: Path) -> None:
    make_run("one", without=["samples"])
    with pytest.raises(ArtifactError, match=r"^one: has no samples$"):
        pipelines.samples("one", root=str(root))
