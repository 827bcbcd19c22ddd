"""Training that has diverged: numbers that are no longer finite."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.artifacts.errors import DivergedError
from components.train.config import TrainConfig


def check_finite(number: float, what: str, config: TrainConfig, *, saved: int) -> None:
    """Stop if `number`, which is `what`, is not finite; `saved` is the newest checkpoint's train step.

    Raises:
        DivergedError: it is not finite; the message names the settings to change.
    """
    if math.isfinite(number):
        return
    changes = [f"a lower train.learning_rate ({config.learning_rate:g})"]
    changes.append(f"a lower train.clip_norm ({config.clip_norm:g})" if config.clip_norm else "train.clip_norm=1")
    changes += ["train.precision=float32"] * (config.precision != "float32")
    kept = f"what was saved up to train step {saved:,} is kept" if saved else "nothing was saved before"
    raise DivergedError(f"{what} is {number}: training has diverged; start over with {' or '.join(changes)}; {kept}")


def worst_of(values: Sequence[NDArray[Any]]) -> float:
    """A number among the values that is not finite, or 0 if there is none."""
    return next((float(array[~np.isfinite(array)].flat[0]) for array in values if not np.isfinite(array).all()), 0.0)
