"""What the mirror of TensorBoard's logs can be told."""

from components.command.settings import Settings, setting


class TensorboardConfig(Settings):
    """How often models' logs are looked for, and how much of them is kept."""

    every: float = setting(60.0, "how long to wait between two looks at the roots", unit="seconds", gt=0)
    megabytes: int = setting(500, "keep logs of this size in all, the newest models' first", unit="MB", ge=1)
