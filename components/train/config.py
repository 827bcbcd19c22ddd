"""What train can be told."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from components.command.settings import NamedPlace, Only, Settings, setting
from components.generator.cells import CellName
from components.generator.temperature import Temperature

UNCHANGED_BY = frozenset(
    {"epochs", "train_steps", "minutes", "device", "checkpoint_steps", "checkpoint_seconds", "keep_checkpoints"}
    | {"start_anew", "init_from"}
    | {"export", "sample_every", "sample_at", "sample_times", "sample_length", "sample_temperatures"}
)
"""Settings that may differ when training resumes: they leave the steps already taken as they are."""


class TrainConfig(Settings):
    """The network, how it is fitted, and what is kept."""

    either: ClassVar[tuple[tuple[str, ...], ...]] = (("epochs", "train_steps", "minutes"),)

    only: ClassVar[tuple[Only, ...]] = (
        Only(
            names=("embedding_size", "ngrams", "input_dropout"),
            decided_by=("input",),
            where="input=embedding",
            holds=lambda config: config.input == "embedding",
        ),
        Only(
            names=("ngram_buckets", "ngram_rate", "ngram_decay"),
            decided_by=("ngrams",),
            where="ngrams above 1",
            holds=lambda config: config.ngrams > 1,
        ),
        Only(
            names=("dropout_placement",),
            decided_by=("dropout",),
            where="dropout above 0",
            holds=lambda config: config.dropout > 0,
        ),
        Only(
            names=("warm_up_steps",),
            decided_by=("schedule",),
            where="schedule=cosine",
            holds=lambda config: config.schedule == "cosine",
        ),
        Only(
            names=("beta_2",),
            decided_by=("optimizer", "ngrams"),
            where="optimizer=muon, adamw or adam, or ngrams above 1",
            holds=lambda config: config.optimizer in {"muon", "adamw", "adam"} or config.ngrams > 1,
        ),
        Only(
            names=("weight_decay",),
            decided_by=("optimizer",),
            where="optimizer=adamw",
            holds=lambda config: config.optimizer == "adamw",
        ),
        Only(
            names=("momentum",),
            decided_by=("optimizer",),
            where="optimizer=sgd",
            holds=lambda config: config.optimizer == "sgd",
        ),
        Only(
            names=("epochs",),
            decided_by=("train_steps", "minutes"),
            where="train_steps=0 and minutes=0",
            holds=lambda config: not (config.train_steps or config.minutes),
        ),
        Only(
            names=("sample_length", "sample_temperatures"),
            decided_by=("sample_every", "sample_at", "sample_times"),
            where="sample_every, sample_at or sample_times",
            holds=lambda config: bool(config.sample_every or config.sample_at or config.sample_times),
        ),
    )
    """Not carry_state=false with objective=next: there it says what is done."""

    cell: CellName = setting("lstm", "the cell of the recurrent layers")
    layers: int = setting(1, "recurrent layers", ge=1, le=16)
    units: int = setting(256, "units of each recurrent layer", ge=1)
    dropout: float = setting(
        0.0, "share of a recurrent layer's outputs dropped in training", unit="fraction", ge=0, lt=1
    )
    dropout_placement: Literal["after_each", "between"] = setting(
        "after_each", "where dropout goes: after each layer, or between layers (after a single one)"
    )
    input: Literal["one_hot", "scaled", "embedding"] = setting(
        "embedding", "how a token enters the network: one-hot, id / vocabulary size, or a learned embedding"
    )
    embedding_size: int = setting(64, "width of the embedding", ge=1)
    ngrams: int = setting(
        1, "input embedding: runs of up to this many tokens have embeddings too; 1 for none", unit="tokens", ge=1, le=8
    )
    ngram_buckets: int = setting(
        16381, "rows of each length's table of such runs, shared by hashing; a prime spreads best", ge=1
    )
    ngram_rate: float = setting(1.0, "learning rate of those tables, as a multiple of learning_rate", gt=0)
    ngram_decay: float = setting(
        0.0, "weight decay of those tables: what a run taught fades unless the text repeats it", ge=0
    )
    input_dropout: float = setting(
        0.0, "input embedding: share of what enters the network dropped in training", unit="fraction", ge=0, lt=1
    )
    weight_drop: float = setting(
        0.0,
        "share of the recurrent layers' recurrent weights dropped in training, anew each step",
        unit="fraction",
        ge=0,
        lt=1,
    )

    objective: Literal["next", "sequence"] = setting(
        "sequence", "one target after the window, as the tutorials, or a target at every position"
    )
    carry_state: bool = setting(
        True,
        "objective sequence: go through the text in order and carry the state on; else windows in random order",
    )
    label_smoothing: float = setting(
        0.0,
        "part of each target's probability spread over all tokens; 0 is plain cross-entropy",
        unit="fraction",
        ge=0,
        lt=1,
    )

    optimizer: Literal["muon", "adamw", "adam", "rmsprop", "sgd"] = setting(
        "adamw", "the optimizer; muon is for the recurrent layers' matrices, with adam for the rest"
    )
    learning_rate: float = setting(4e-3, "learning rate, the highest where a schedule changes it", gt=0)
    schedule: Literal["constant", "cosine"] = setting("cosine", "learning rate over time: constant, or falling to 0")
    warm_up_steps: int = setting(
        100, "schedule cosine: rise to the learning rate over this long", unit="train steps", ge=0
    )
    beta_2: float = setting(0.99, "muon, adam, adamw, ngrams: decay of the squared gradients' average", ge=0, lt=1)
    weight_decay: float = setting(0.01, "adamw: weight decay", ge=0)
    momentum: float = setting(0.0, "sgd: momentum", ge=0, lt=1)
    clip_norm: float = setting(1.0, "the gradients' highest joint norm; 0 for no limit", ge=0)

    batch: int = setting(32, "windows, or lanes of text, a train step", ge=1)
    epochs: int = setting(5, "passes over the training text", unit="epochs", ge=1)
    train_steps: int = setting(
        0, "train this long whatever the text's length; 0 to go by minutes or epochs", unit="train steps", ge=0
    )
    minutes: float = setting(
        0.0,
        "train for about this long: the machine's speed sets how many train steps; 0 to go by those or by epochs",
        unit="minutes",
        ge=0,
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32", "what the layers compute in; weights, their updates and losses are float32 in any case"
    )
    seed: int = setting(1, "seed of the weights, the order of the data and dropout", ge=0, lt=2**31)
    device: Literal["auto", "cpu", "gpu"] = setting("auto", "where to compute; auto is the GPU where there is one")

    evaluate_tokens: int = setting(
        500_000,
        "score at most this much of the held-out text, evenly spread; 0 for all of it",
        unit="tokens",
        ge=0,
    )
    best_by: Literal["auto", "validation_loss", "training_loss"] = setting(
        "auto", "what makes a checkpoint the best; auto is the held-out loss where text is held out"
    )
    export: Literal["best", "last"] = setting("best", "which checkpoint becomes the model")
    checkpoint_steps: int = setting(
        0, "save a checkpoint this often, besides at each epoch's end; 0 for never", unit="train steps", ge=0
    )
    checkpoint_seconds: float = setting(60.0, "save a checkpoint at least this often", unit="seconds", gt=0)
    keep_checkpoints: int = setting(2, "how many of the newest checkpoints stay, besides the best", ge=1)
    start_anew: bool = setting(False, "begin at step 0 even where checkpoints are; they are removed")
    init_from: str = setting(
        "",
        "where there are no checkpoints yet, go on from the newest at this URI",
        place=NamedPlace(of="checkpoints", digest="init_digest"),
    )

    sample_every: int = setting(0, "write samples after every so many epochs; 0 for never", unit="epochs", ge=0)
    sample_at: tuple[int, ...] = setting((), "write samples after these epochs too", unit="epochs")
    sample_times: int = setting(
        0, "write samples about this many times, spread over training, after an epoch each; 0 for never", ge=0
    )
    sample_length: int = setting(400, "length of those samples", unit="tokens", ge=1)
    sample_temperatures: tuple[Temperature, ...] = setting(
        (0.2, 0.5, 1.0, 1.2), "temperatures of those samples, one sample each; 0 is greedy"
    )

    @model_validator(mode="after")
    def _values_make_sense(self) -> Self:
        if self.minutes and self.train_steps:
            raise ValueError("train_steps and minutes can't both count; set one of them to 0")
        if self.learning_rate * self.ngram_decay >= 1:
            raise ValueError("learning_rate times ngram_decay must be below 1")
        return self

    @property
    def carries_state(self) -> bool:
        """Whether the state is carried from one step to the next."""
        return self.carry_state and self.objective == "sequence"
