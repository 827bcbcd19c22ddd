"""The settings of the mirror of TensorBoard's logs."""

from components.command.settings import Settings, setting


class TensorboardConfig(Settings):
    """How often to look for models' logs, and how much of them to keep."""

    every: float = setting(60.0, "how long to wait before listing the roots again", unit="seconds", gt=0)
    megabytes: int = setting(500, "keep at most this much of logs, the newest models' first", unit="MB", ge=1)
