"""The champion as a place to start from."""

from collections.abc import Mapping

from components.artifacts.errors import UsageError
from components.command.settings import Settings
from pipelines.build.environment import Environment


def with_champion(settings: Mapping[str, Settings], environment: Environment) -> dict[str, Settings]:
    """The stages' settings, with the champion's place where `train.start_from` says `champion`.

    Raises:
        UsageError: the environment has no champion.
    """
    train = settings["train"]
    if getattr(train, "start_from", "") != "champion":
        return dict(settings)
    if not environment.cluster.champion:
        raise UsageError(
            f"train.start_from=champion: the environment {environment.name} has none; set cluster.champion, or name a "
            "model"
        )
    return {**settings, "train": train.model_copy(update={"start_from": environment.cluster.champion})}
