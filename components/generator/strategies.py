"""Choosing the next token: small rules over logits [B, V], and their settings."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from components.generator.ops import Ops

_NEVER = float("-inf")


def option(default: Any, description: str, *, unit: str = "", **limits: Any) -> Any:
    """A field that a person sets; `limits` are pydantic's."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


class Strategy(BaseModel):
    """Which tokens may be drawn: a field per rule; by default none excludes anything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    top_k: int = option(0, "draw only from this many likeliest tokens; 0: from all", unit="tokens", ge=0)
    top_p: float = option(
        1.0,
        "nucleus sampling: draw only from the fewest likeliest tokens whose probabilities add up to this",
        gt=0,
        le=1,
    )
    min_p: float = option(
        0.0,
        "draw only from tokens with at least this fraction of the highest probability; 0: from all",
        unit="fraction",
        ge=0,
        le=1,
    )

    def keep(self, ops: Ops, logits: Any) -> Any:
        """The logits, already divided by the temperature, with all excluded tokens at -inf."""
        logits = keep_top_k(ops, logits, self.top_k)
        return keep_min_p(ops, keep_nucleus(ops, logits, self.top_p), self.min_p)

    def strategy_at(self, temperature: float) -> str:
        """The strategy's name at a temperature, as shown next to each text."""
        if temperature == 0:
            return "greedy"
        values = {rule: getattr(self, rule) for rule, field in RULES.items() if getattr(self, rule) != field.default}
        limits = [
            f"{rule}={value:g}" if isinstance(value, float) else f"{rule}={value}" for rule, value in values.items()
        ]
        return "+".join(limits) or "temperature"


RULES = Strategy.model_fields
"""The settings that exclude tokens, by name."""


def choose(ops: Ops, logits: Any, uniform: Any, temperature: Any, strategy: Strategy) -> Any:
    """The next token of every text.

    Args:
        ops: the operations for the arrays below.
        logits: float32 [B, V].
        uniform: a random number in [0, 1) for each text, float32 [B]; nothing else here is random.
        temperature: float32 [B]; at temperature 0 the likeliest token is taken.
        strategy: which tokens may be drawn.

    Returns:
        int32 ids [B].
    """
    above_zero = ops.where(temperature > 0, temperature, 1.0)
    return ops.where(temperature > 0, choose_at(ops, logits, uniform, above_zero, strategy), ops.argmax(logits))


def choose_at(ops: Ops, logits: Any, uniform: Any, temperature: Any, strategy: Strategy) -> Any:
    """As `choose`, at temperatures above 0; in NumPy also for one text's [V], with scalars for the others."""
    return draw(ops, strategy.keep(ops, logits / ops.column(temperature)), uniform)


def keep_top_k(ops: Ops, logits: Any, top_k: int) -> Any:
    """The logits with all but the `top_k` highest excluded; ties with the k-th stay."""
    if not 0 < top_k < logits.shape[-1]:
        return logits
    return ops.where(logits >= ops.column(ops.kth_highest(logits, top_k)), logits, _NEVER)


def keep_nucleus(ops: Ops, logits: Any, top_p: float) -> Any:
    """The logits with all but the nucleus excluded: the fewest tokens whose probability reaches `top_p`."""
    if top_p >= 1:
        return logits
    descending = ops.descending(logits)
    kept = ops.count(ops.sum_before(ops.softmax(descending)) < top_p)
    lowest_kept = ops.pick(descending, ops.maximum(kept - 1, 0))
    return ops.where(logits >= ops.column(lowest_kept), logits, _NEVER)


def keep_min_p(ops: Ops, logits: Any, min_p: float) -> Any:
    """The logits with all tokens excluded that have less than `min_p` times the likeliest token's probability.

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
    # Rounding can make u times the sum equal to the sum; the last possible token is meant then.
    last_possible = logits.shape[-1] - 1 - ops.argmax(weights[..., ::-1] > 0)
    return ops.minimum(reached, last_possible)
