"""Sample as a Kubeflow component."""

from typing import Any

from kfp import dsl

from components.artifacts.version import VERSION


@dsl.component(base_image=f"quillflow/sample:{VERSION}", packages_to_install=[], install_kfp_package=False)
def sample(
    model: dsl.Input[dsl.Model],
    settings: dict[str, Any],
    prompts_digest: str,
    corpus_digest: str,
    version: str,
    samples: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Write new text in bulk with a model.

    Args:
        model: the model to write with.
        settings: SampleConfig's fields.
        prompts_digest: a digest of the prompts file's bytes, so that a change to them misses the cache.
        corpus_digest: the digest of no_copy's corpus, likewise.
        version: the suite's version, so that the cache never reuses another version's results.
        samples: the texts, as JSON lines and as a page to read.
        page: that page, for Kubeflow's UI.
        metrics: how many texts there are, and their mean nats per token at each temperature.
    """
    from components.command.stage import input_uri, output_uri, stage_task
    from components.sample.config import SampleConfig
    from components.sample.sampling import sample as work
    from components.sample.views import show_samples

    with stage_task("sample"):
        config = SampleConfig.parse(settings, "sample")
        digests = {"prompts_digest": prompts_digest, "corpus_digest": corpus_digest}
        done = work(config, model=input_uri(model), samples=output_uri(samples, "sample"), **digests)
        show_samples(done, metrics, page)


@dsl.component(base_image=f"quillflow/sample:{VERSION}", packages_to_install=[], install_kfp_package=False)
def sample_shard(
    model: dsl.Input[dsl.Model],
    settings: dict[str, Any],
    prompts_digest: str,
    corpus_digest: str,
    version: str,
    shard_number: int,
    shards: int,
    shard: dsl.Output[dsl.Dataset],
) -> None:
    """Write one shard of the texts that `sample` would write.

    Args:
        model: the model to write with.
        settings: SampleConfig's fields, without those about shards.
        prompts_digest: a digest of the prompts file's bytes, so that a change to them misses the cache.
        corpus_digest: the digest of no_copy's corpus, likewise.
        version: the suite's version, so that the cache never reuses another version's results.
        shard_number: which of the shards this one is, counted from 0.
        shards: how many there are.
        shard: the shard's texts.
    """
    from components.artifacts.errors import UsageError
    from components.command.stage import input_uri, output_uri, stage_task
    from components.sample.config import SampleConfig
    from components.sample.sampling import sample as work

    with stage_task("sample"):
        if settings.get("shards", 1) != 1:
            raise UsageError(
                f"sample.shards: the pipeline already divides the work into {shards} shards; leave this at 1"
            )
        config = SampleConfig.parse({**settings, "shard": shard_number, "shards": shards}, "sample")
        digests = {"prompts_digest": prompts_digest, "corpus_digest": corpus_digest}
        work(config, model=input_uri(model), samples=output_uri(shard, f"sample-shard-{shard_number}"), **digests)


@dsl.component(base_image=f"quillflow/sample:{VERSION}", packages_to_install=[], install_kfp_package=False)
def sample_gather(
    shards: dsl.Input[list[dsl.Dataset]],
    version: str,
    samples: dsl.Output[dsl.Dataset],
    page: dsl.Output[dsl.HTML],
    metrics: dsl.Output[dsl.Metrics],
) -> None:
    """Gather the shards into the samples that `sample` would have written.

    Args:
        shards: all shards, in any order.
        version: the suite's version, so that the cache never reuses another version's results.
        samples: the texts, as JSON lines and as a page to read.
        page: that page, for Kubeflow's UI.
        metrics: how many texts there are, and their mean nats per token at each temperature.
    """
    from components.command.stage import input_uri, output_uri, stage_task
    from components.sample.gathering import gather as work
    from components.sample.views import show_samples

    with stage_task("sample"):
        uris = [input_uri(shard) for shard in shards]
        show_samples(work(uris, samples=output_uri(samples, "sample")), metrics, page)
