"""The pipelines as KFP YAML, for a cluster."""

from pathlib import Path

from kfp import compiler

from pipelines import stages
from pipelines.text_generation import text_generation

PIPELINES = {
    "text-generation": text_generation,
    "ingest": stages.ingest,
    "vectorize": stages.vectorize,
    "train": stages.train,
    "sample": stages.sample,
}


def compile_all(directory: Path) -> list[Path]:
    """Write the whole pipeline and each stage's own as `<name>.yaml` into `directory`; the files' paths."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, pipeline in PIPELINES.items():
        path = directory / f"{name}.yaml"
        compiler.Compiler().compile(pipeline, str(path))
        paths.append(path)
    return paths
