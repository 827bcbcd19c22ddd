"""A kept checkpoint becomes a model by one command, on a disk and in buckets, with its lineage."""

import json
from pathlib import Path

import pytest

from components.artifacts import storage
from components.ingest.config import IngestConfig
from components.ingest.ingesting import ingest
from components.train.config import TrainConfig
from components.train.training import train
from components.vectorize.config import VectorizeConfig
from components.vectorize.vectorizing import vectorize
from pipelines.commands.main import main
from tests.shorter import without_page


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that kept the checkpoints of epochs 2 and 4 of 5."""
    run = tmp_path_factory.mktemp("runs") / "one"
    (run.parent / "tale.txt").write_text("".join(f"The {n} foxes jump over {n % 7} dogs. " for n in range(30)))
    corpus, dataset = f"{run}/ingest/corpus", f"{run}/vectorize/dataset"
    ingest(IngestConfig(), source=f"{run.parent}/tale.txt", corpus=corpus)
    vectorize(VectorizeConfig(length=16), corpus=corpus, dataset=dataset)
    config = TrainConfig(units=8, batch=8, epochs=5, keep_every=2, keep_checkpoints=1, best_by="training_loss")
    with without_page():
        train(config, dataset=dataset, checkpoints=f"{run}/train/checkpoints", model=f"{run}/train/model")
    return run


def test_a_model_of_a_checkpoint(trained: Path, root: str, capsys: pytest.CaptureFixture[str]) -> None:
    for path in trained.rglob("*"):
        if path.is_file():
            storage.write_file(f"{root}/one/{path.relative_to(trained).as_posix()}", path.read_bytes())
    model, rooted = f"{root}/of-2", ["--root", root]
    with without_page():
        assert main(["artifacts", "export", "one", "--epoch", "2", model, "--json", *rooted]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["model"], made["metrics"]["epochs"]) == (model, 2.0)
    assert main(["artifacts", "verify", model]) == 0
    assert capsys.readouterr().out.split() == ["whole", model]
    assert main(["artifacts", "show", model, "--json", *rooted]) == 0
    shown = json.loads(capsys.readouterr().out)["artifacts"][0]
    assert [step["kind"] for step in shown["lineage"]] == ["checkpoint", "dataset", "corpus", "source"]
    assert all(str(step["uri"]).startswith(f"{root}/one/") for step in shown["lineage"] if step["kind"] != "source")
    with pytest.raises(SystemExit):
        main(["artifacts", "export", "one", "--epoch", "4", model, *rooted])
    assert f"{model}: holds a model already" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["artifacts", "export", "one", "--epoch", "3", f"{root}/of-3", *rooted])
    assert "no checkpoint of epoch 3; there is 2, 4, 5;" in capsys.readouterr().err
