"""The temperatures that a text can be written at."""

from typing import Annotated

from pydantic import AfterValidator

LOWEST, HIGHEST = 1e-30, 1e30
"""Logits are divided by the temperature in float32; beyond these limits it or the result is 0 or infinite."""


def _is_possible(temperature: float) -> float:
    if temperature and not LOWEST <= temperature <= HIGHEST:
        raise ValueError(f"must be 0, or from {LOWEST:g} to {HIGHEST:g}")
    return temperature


Temperature = Annotated[float, AfterValidator(_is_possible)]
