"""Sampling as part of a pipeline: one task, or a task per shard and one that gathers the shards."""

from typing import Any

from kfp import dsl

from components.sample.component import sample, sample_gather, sample_shard
from pipelines.build.environment import Environment
from pipelines.build.placement import equip


def samples_of(model: Any, environment: Environment, **arguments: Any) -> Any:
    """Write texts with a model in as many tasks as the environment has shards; the samples, the same for any number.

    `arguments` are the tasks' own, except for the shard. The loop reads only pipeline parameters and an artifact:
    kfp.local would replace a task's parameter by the loop's item.
    """
    shards = environment.sample.shards
    if shards == 1:
        return equip(sample(model=model, **arguments), "sample", environment).outputs["samples"]
    with dsl.ParallelFor(list(range(shards)), name="shards") as number:
        one = equip(sample_shard(shard_number=number, shards=shards, model=model, **arguments), "sample", environment)
    whole = sample_gather(shards=dsl.Collected(one.outputs["shard"]), version=arguments["version"])
    return equip(whole, "sample", environment).outputs["samples"]
