"""The settings of each stage."""

from components.command.settings import Settings
from components.ingest.config import IngestConfig
from components.sample.config import SampleConfig
from components.train.config import TrainConfig
from components.vectorize.config import VectorizeConfig
from pipelines.results.completing import CompleteConfig

STAGES: dict[str, type[Settings]] = {
    "ingest": IngestConfig,
    "vectorize": VectorizeConfig,
    "train": TrainConfig,
    "sample": SampleConfig,
    "complete": CompleteConfig,
}
