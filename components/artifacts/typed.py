"""The records that artifacts' JSON files hold: metrics.json, rows of history.jsonl and of samples-*.jsonl."""

from typing import Literal, NotRequired, TypedDict


class Metrics(TypedDict):
    """metrics.json: losses in nats per token of the exported checkpoint, and how it was reached.

    `held_out` names the tokens that the held-out loss is of, and `held_out_text` their text; losses in bits per
    character of one text can be compared, whatever its tokens are. `validation_tokens_scored` is how many tokens the
    loss is the mean of, and `validation_tokens` how many are held out. `tokens_per_second` counts input tokens over the
    time of train steps alone; `train_steps` is how many training had in all, `steps` those that the exported checkpoint
    has behind it; perplexity is of the held-out loss where text is held out, else of the training loss.
    """

    train_loss_nats: float
    validation_loss_nats: float | None
    validation_bits_per_char: float | None
    validation_protocol: str
    validation_tokens_scored: int
    validation_tokens: int
    held_out: str | None
    held_out_text: NotRequired[str | None]
    perplexity: float
    tokens_per_second: float
    steps: int
    train_steps: int
    epochs: float
    wall_seconds: float
    device: str


class Point(TypedDict):
    """A point of the training curve: the loss since the point before, nats per token; the speed where it was timed."""

    train_step: int
    train_loss_nats: float
    learning_rate: float
    tokens_per_second: float | None
    seconds: float


class Live(TypedDict):
    """progress.json at a place of checkpoints: how far training was at the newest, `saved_at` (RFC 3339).

    Losses in nats per token, the training's of the epoch so far; `train_steps` is 0 until the number is known, and
    `seconds_left` None; `resumed_at` are the train steps at which training resumed.
    """

    train_step: int
    train_steps: int
    train_loss_nats: float | None
    validation_loss_nats: float | None
    tokens_per_second: float
    seconds: float
    seconds_left: float | None
    resumed_at: list[int]
    saved_at: str


class Sample(TypedDict):
    """A text that was written while training."""

    temperature: float
    prompt: str
    text: str


class Epoch(TypedDict):
    """A row of history.jsonl; losses in nats per token, wall time in seconds.

    `curve` is the epoch's part of the training curve, `resumed_at` the train steps at which training resumed in it,
    `samples` what was written at its end where samples were due.
    """

    epoch: int
    train_step: int
    train_loss_nats: float
    validation_loss_nats: float | None
    tokens_per_second: float
    seconds: float
    curve: list[Point]
    resumed_at: list[int]
    samples: NotRequired[list[Sample]]


class WrittenText(TypedDict):
    """A row of samples-*.jsonl.

    If texts may end before their full length, `ended` says what this one ended by: `end` of a document, `stop` for a
    string of sample.stop, or `length`.
    """

    id: int
    prompt: str
    temperature: float
    strategy: str
    seed: int
    text: str
    nats_per_token: float
    ended: NotRequired[Literal["end", "stop", "length"]]
