"""Choosing the next token: small rules over logits [B, V], and the settings that ask for them."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from components.generator.ops import Ops

_NEVER = float("-inf")


class Strategy(BaseModel):
    """Which tokens may be drawn: a field for each rule, whose default rules nothing out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top_k: int = Field(
        0,
        description="draw from this many of the likeliest tokens only; 0 for all",
        json_schema_extra={"unit": "tokens"},
        ge=0,
    )
    top_p: float = Field(
        1.0,
        description="draw from the nucleus only: the fewest likeliest tokens with this probability together",
        json_schema_extra={"unit": ""},
        gt=0,
        le=1,
    )
    min_p: float = Field(
        0.0,
        description="draw from tokens with at least this share of the likeliest one's probability only; 0 for all",
        json_schema_extra={"unit": "fraction"},
        ge=0,
        le=1,
    )

    def keep(self, ops: Ops, logits: Any) -> Any:
        """The logits with all that may not be drawn ruled out; they are divided by the temperature already."""
        logits = keep_top_k(ops, logits, self.top_k)
        return keep_min_p(ops, keep_nucleus(ops, logits, self.top_p), self.min_p)

    def strategy_at(self, temperature: float) -> str:
        """The strategy's name at a temperature, as it stands beside each text."""
        if temperature == 0:
            return "greedy"
        values = {rule: getattr(self, rule) for rule, field in RULES.items() if getattr(self, rule) != field.default}
        limits = [
            f"{rule}={value:g}" if isinstance(value, float) else f"{rule}={value}" for rule, value in values.items()
        ]
        return "+".join(limits) or "temperature"


RULES = Strategy.model_fields
"""The settings that rule tokens out, by name."""


def choose(ops: Ops, logits: Any, uniform: Any, temperature: Any, strategy: Strategy) -> Any:
    """The next token of every text.

    Args:
        ops: of the arrays that follow.
        logits: float32 [B, V].
        uniform: one number in [0, 1) for each text, float32 [B]: all the chance there is.
        temperature: float32 [B]; a text with temperature 0 takes the likeliest token.
        strategy: which tokens may be drawn.

    Returns:
        int32 ids [B].
    """
    above_zero = ops.where(temperature > 0, temperature, 1.0)
    return ops.where(temperature > 0, choose_at(ops, logits, uniform, above_zero, strategy), ops.argmax(logits))


def choose_at(ops: Ops, logits: Any, uniform: Any, temperature: Any, strategy: Strategy) -> Any:
    """As `choose`, at temperatures above 0, in NumPy also of one text's [V], with numbers for the others."""
    return draw(ops, strategy.keep(ops, logits / ops.column(temperature)), uniform)


def keep_top_k(ops: Ops, logits: Any, top_k: int) -> Any:
    """The logits with all but the `top_k` highest ruled out; equals of the k-th stay."""
    if not 0 < top_k < logits.shape[-1]:
        return logits
    return ops.where(logits >= ops.column(ops.kth_highest(logits, top_k)), logits, _NEVER)


def keep_nucleus(ops: Ops, logits: Any, top_p: float) -> Any:
    """The logits with all but the nucleus ruled out: the fewest tokens whose probability reaches `top_p`."""
    if top_p >= 1:
        return logits
    descending = ops.descending(logits)
    kept = ops.count(ops.sum_before(ops.softmax(descending)) < top_p)
    lowest_kept = ops.pick(descending, ops.maximum(kept - 1, 0))
    return ops.where(logits >= ops.column(lowest_kept), logits, _NEVER)


def keep_min_p(ops: Ops, logits: Any, min_p: float) -> Any:
    """The logits with all ruled out but what has `min_p` times the likeliest token's probability or more.

    After Nguyen et al., "Turning up the heat: min-p sampling", arXiv 2407.01082.
    """
    if min_p <= 0:
        return logits
    return ops.where(logits >= ops.column(ops.highest(logits)) + math.log(min_p), logits, _NEVER)


def draw(ops: Ops, logits: Any, uniform: Any) -> Any:
    """A token from softmax(logits), by inverting the cumulative distribution at `uniform`; int32 [B]."""
    weights = ops.exp(logits - ops.column(ops.highest(logits)))
    cumulative = ops.cumulative(weights)
    reached = ops.count(cumulative <= ops.column(uniform * cumulative[..., -1]))
    # Rounding can carry u times the sum up to the sum itself; the last possible token is meant then.
    last_possible = logits.shape[-1] - 1 - ops.argmax(weights[..., ::-1] > 0)
    return ops.minimum(reached, last_possible)
