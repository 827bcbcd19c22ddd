"""The settings of train."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from components.command.settings import NamedPlace, Only, Settings, setting
from components.generator.cells import CellName
from components.generator.temperature import Temperature

UNCHANGED_BY = frozenset(
    {"epochs", "train_steps", "minutes", "device", "start_anew", "init_from"}
    | {"checkpoint_steps", "checkpoint_seconds", "keep_checkpoints", "keep_every"}
    | {"export", "sample_every", "sample_at", "sample_times", "sample_length", "sample_temperatures"}
)
"""Settings that may differ when training resumes: they do not affect the steps already taken."""


class TrainConfig(Settings):
    """The network, how it is trained, and what is saved."""

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
    """Except carry_state=false with objective=next: it describes what is done there."""

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
        "embedding", "the network's input for a token: one-hot, id / vocabulary size, or a learned embedding"
    )
    embedding_size: int = setting(64, "width of the embedding", ge=1)
    ngrams: int = setting(
        1,
        "input embedding: n-grams of up to this many tokens have embeddings too; 1 for none",
        unit="tokens",
        ge=1,
        le=8,
    )
    ngram_buckets: int = setting(
        16381, "rows of the embedding table for each length of n-gram, shared by hashing; best a prime", ge=1
    )
    ngram_rate: float = setting(1.0, "learning rate of the n-gram tables, as a multiple of learning_rate", gt=0)
    ngram_decay: float = setting(
        0.0, "weight decay of the n-gram tables, for n-grams that the text does not repeat", ge=0
    )
    input_dropout: float = setting(
        0.0, "input embedding: share of the embeddings dropped in training", unit="fraction", ge=0, lt=1
    )
    weight_drop: float = setting(
        0.0,
        "share of the recurrent weights dropped in training, drawn at random for each train step",
        unit="fraction",
        ge=0,
        lt=1,
    )

    objective: Literal["next", "sequence"] = setting(
        "sequence", "one target after the window, as in the tutorials, or a target at every position"
    )
    carry_state: bool = setting(
        True,
        "objective sequence: read the text in order and carry the state along; otherwise windows in random order",
    )
    label_smoothing: float = setting(
        0.0,
        "part of each target's probability spread over all tokens; 0 is plain cross-entropy",
        unit="fraction",
        ge=0,
        lt=1,
    )

    optimizer: Literal["muon", "adamw", "adam", "rmsprop", "sgd"] = setting(
        "adamw", "the optimizer; muon trains the recurrent layers' matrices, with adam for all other weights"
    )
    learning_rate: float = setting(4e-3, "learning rate; with a schedule, its maximum", gt=0)
    schedule: Literal["constant", "cosine"] = setting("cosine", "learning rate over time: constant, or falling to 0")
    warm_up_steps: int = setting(
        100, "schedule cosine: length of the rise to the learning rate", unit="train steps", ge=0
    )
    beta_2: float = setting(0.99, "muon, adam, adamw, ngrams: decay of the squared gradients' average", ge=0, lt=1)
    weight_decay: float = setting(0.01, "adamw: weight decay", ge=0)
    momentum: float = setting(0.0, "sgd: momentum", ge=0, lt=1)
    clip_norm: float = setting(1.0, "maximum joint norm of the gradients; 0 for no limit", ge=0)

    batch: int = setting(32, "windows, or lanes of text, per train step", ge=1)
    epochs: int = setting(5, "passes over the training text", unit="epochs", ge=1)
    train_steps: int = setting(
        0, "total number of train steps; 0: given by minutes or epochs", unit="train steps", ge=0
    )
    minutes: float = setting(
        0.0,
        "train for about this long, in as many train steps as the machine's speed allows; 0: by train_steps or epochs",
        unit="minutes",
        ge=0,
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32", "number format of the layers; weights, their updates and losses are always float32"
    )
    seed: int = setting(1, "seed of the initial weights, the data order and dropout", ge=0, lt=2**31)
    device: Literal["auto", "cpu", "gpu"] = setting("auto", "where to compute; auto uses a GPU if there is one")

    evaluate_tokens: int = setting(
        500_000,
        "score at most this much of the held-out text, spread evenly; 0 for all of it",
        unit="tokens",
        ge=0,
    )
    best_by: Literal["auto", "validation_loss", "training_loss"] = setting(
        "auto", "which loss makes a checkpoint the best; auto: the held-out loss if text is held out"
    )
    export: Literal["best", "last"] = setting("best", "which checkpoint becomes the model")
    checkpoint_steps: int = setting(
        0,
        "save a checkpoint after this many train steps, in addition to each epoch's end; 0 for never",
        unit="train steps",
        ge=0,
    )
    checkpoint_seconds: float = setting(60.0, "save a checkpoint at least this often", unit="seconds", gt=0)
    keep_checkpoints: int = setting(2, "how many of the newest checkpoints to keep, in addition to the best", ge=1)
    keep_every: int = setting(
        0, "also keep the checkpoint of each time this many epochs have ended; 0 for none", unit="epochs", ge=0
    )
    start_anew: bool = setting(False, "remove existing checkpoints and start at step 0")
    init_from: str = setting(
        "",
        "if there are no checkpoints yet, resume from the newest at this URI",
        place=NamedPlace(of="checkpoints", digest="init_digest"),
    )
    start_from: str = setting(
        "",
        "begin a new training with the weights of the model at this URI, or of the champion whose pointer is there",
        place=NamedPlace(of="model", digest="start_digest"),
    )

    sample_every: int = setting(0, "write samples after each time this many epochs; 0 for never", unit="epochs", ge=0)
    sample_at: tuple[int, ...] = setting((), "also write samples after these epochs", unit="epochs")
    sample_times: int = setting(0, "write samples about this many times, spread over the epochs; 0 for never", ge=0)
    sample_length: int = setting(400, "length of these samples", unit="tokens", ge=1)
    sample_temperatures: tuple[Temperature, ...] = setting(
        (0.2, 0.5, 1.0, 1.2), "temperatures of these samples, one sample each; 0 is greedy"
    )

    @model_validator(mode="after")
    def _values_make_sense(self) -> Self:
        if self.minutes and self.train_steps:
            raise ValueError("train_steps and minutes exclude each other; set one of them to 0")
        if self.learning_rate * self.ngram_decay >= 1:
            raise ValueError("learning_rate times ngram_decay must be below 1")
        return self

    @property
    def carries_state(self) -> bool:
        """Whether the state is carried from one step to the next."""
        return self.carry_state and self.objective == "sequence"
