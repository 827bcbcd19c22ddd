"""Quillflow from Python: a few functions that do what the commands do.

    import pipelines

    done = pipelines.run("tale.txt", recipe="quick", settings={"train.epochs": 2})
    print(done.metrics["validation_loss_nats"])
    for text in pipelines.complete("Once upon a time", model=done.artifacts["model"], n=3, temperature=0.7):
        print(text)

Every error is a `components.artifacts.errors.QuillflowError` with a one-line message; a wrong argument raises its
subclass `UsageError`. TensorFlow and Kubeflow are imported by the first call that needs them.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components.artifacts.as_json import as_json

if TYPE_CHECKING:
    from pandas import DataFrame

    from components.generator.light.generator import TextGenerator
    from pipelines.local.running import Run


_LOSSES = ["train_loss_nats", "validation_loss_nats"]
_HISTORY = ["run", "epoch", "train_step", *_LOSSES, "tokens_per_second", "seconds"]


def run(
    source: str | Sequence[str] = "",
    *,
    recipe: str = "default",
    settings: Mapping[str, Any] | None = None,
    root: str = "runs",
) -> "Run":
    """Run ingest, vectorize, train and sample here; the cache provides what was made before from the same inputs.

    Args:
        source: the text: a path or URI or several, or `builtin:python-docs`; empty for the recipe's own.
        recipe: named settings, as `quillflow recipes` lists them.
        settings: changes to the recipe, by `stage.setting`, such as `{"train.epochs": 3}`.
        root: a directory or a bucket's URI where runs are stored.

    Returns:
        The run: its `name`, the URIs of its `artifacts` by kind (corpus, dataset, checkpoints, model, samples), the
        model's `metrics` (losses in nats per token, `validation_bits_per_char` in bits, `wall_seconds`), and by
        stage whether it was `executed` or `cached`.

    Raises:
        UsageError: a setting, the recipe or the source is wrong; nothing was started.
        QuillflowError: a stage failed, with its own message.
    """
    from pipelines.build.environment import environment
    from pipelines.inputs.settings import recipe as recipe_of
    from pipelines.inputs.settings import settings_of, source_of
    from pipelines.local.running import run_pipeline

    chosen = recipe_of(recipe)
    checked = settings_of(chosen, [f"{name}={_as_text(value)}" for name, value in (settings or {}).items()])
    text = source_of(chosen, source, named="with source")
    return run_pipeline(text, checked, root, environment=environment("local"))


def load_model(model: str = "", *, root: str = "runs") -> "TextGenerator":
    """A trained model, ready to write; it needs no TensorFlow and loads in well under a second.

    Args:
        model: a model's URI, or a run's URI or name; empty for the newest model below `root`.
        root: where runs are stored.

    Returns:
        A generator with `logits(text)`, float32 [vocabulary], of the token that follows a text;
        `stream(prompt, writing)`, the tokens of a text as they are written, each with its nats, according to a
        `components.generator.light.generator.Writing`; `encode(text)`, int64 ids [tokens]; its `vocabulary` and its
        `description`.

    Raises:
        ArtifactError: there is no such model, or it is damaged or foreign.
        StorageError: the store fails after all retries.
    """
    from pipelines.results.completing import load
    from pipelines.results.finding import find_model

    return load(str(find_model(model, root).place))


def complete(
    prompt: str,
    *,
    model: "str | TextGenerator" = "",
    root: str = "runs",
    n: int = 1,
    length: int = 200,
    temperature: float = 0.5,
    top_k: int = 0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    seed: int = 1,
) -> list[str]:
    """Complete a text.

    Args:
        prompt: the beginning of the text; may be empty for a model that writes documents.
        model: as in `load_model`, or what that returned.
        root: where runs are stored.
        n: texts to write.
        length: tokens of each text, without the prompt; the most, for a model that writes documents.
        temperature: 0 always takes the likeliest token, higher values vary more.
        top_k: draw only from this many likeliest tokens; 0: from all.
        top_p: nucleus sampling: draw only from the fewest likeliest tokens whose probabilities add up to this.
        min_p: draw only from tokens with at least this fraction of the likeliest token's probability; 0: from all.
        seed: of the random numbers: the same seed gives the same texts.

    Returns:
        The n texts, without the prompt.

    Raises:
        UsageError: the prompt is empty or has tokens that the model does not know, or a setting is wrong.
        ArtifactError: as `load_model`.
    """
    from pipelines.results.completing import CompleteConfig

    rules = {"top_k": top_k, "top_p": top_p, "min_p": min_p}
    how = {"n": n, "length": length, "temperature": temperature, "seed": seed, **rules}
    config = CompleteConfig.parse(how, "complete")
    generator = load_model(model, root=root) if isinstance(model, str) else model
    return ["".join(token.text for token in generator.stream(prompt, config, number)) for number in range(config.n)]


def compare(runs: Sequence[str], *, root: str = "runs") -> dict[str, Any]:
    """Compare runs side by side.

    Args:
        runs: their names or URIs, or models' URIs.
        root: where runs are stored.

    Returns:
        `runs` (name and artifacts), `settings` that differ and `metrics`, each a list with one entry per run;
        `history`, each run's rows, one per epoch (losses in nats per token), and `samples`, each run's first text at
        each temperature.

    Raises:
        ArtifactError: there is no such run.
        UsageError: a name means more than one run.
    """
    from pipelines.results.comparison import as_dict, look_at

    return as_dict(look_at(runs, root))


def history(runs: Sequence[str], *, root: str = "runs") -> "DataFrame":
    """The training histories of runs as a table.

    Args:
        runs: as `compare`.
        root: where runs are stored.

    Returns:
        A row for each epoch of each run: `run`, `epoch`, `train_step`, `train_loss_nats` and `validation_loss_nats` per
        token (NaN if nothing is held out), `tokens_per_second` and wall time in `seconds`.

    Raises:
        ArtifactError: there is no such run.
        UsageError: a name means more than one run.
    """
    from pandas import DataFrame

    from pipelines.results.comparison import look_at

    rows = [{"run": run.name, **row} for run in look_at(runs, root) for row in run.history]
    return DataFrame(rows, columns=_HISTORY)


def samples(run: str, *, root: str = "runs") -> "DataFrame":
    """All texts that a run wrote, as a table.

    Args:
        run: its name or URI, or the samples' URI.
        root: where runs are stored.

    Returns:
        A row for each text by its `id`: `prompt`, `temperature`, `strategy`, `seed`, `text` and its nats per token;
        `ended`, if texts may end before their full length: by the `end` of a document, a `stop` string or `length`.

    Raises:
        ArtifactError: there is no such run, or it has no samples.
    """
    from pandas import DataFrame

    from pipelines.results.comparison import texts
    from pipelines.results.finding import resolve

    return DataFrame(texts(run, resolve(run, root))).set_index("id")


def _as_text(value: Any) -> str:
    """A setting's value in the form that `--set` takes."""
    return value if isinstance(value, str) else as_json(list(value) if isinstance(value, tuple) else value)
