"""What the processor can do at most, and how much of it a network asks for: what shares of the peak are made of."""

from pathlib import Path

from components.artifacts import machine
from components.artifacts.tensorflow import tf
from components.generator.architecture import Architecture
from tests.benchmarks.measure import seconds_of

_SIDE = 2048


def sgemm_peak() -> float:
    """FLOP/s of TensorFlow's products of large float32 matrices, one on each core; the largest of three times."""
    cores = machine.cores()
    matrices = [tf.fill([_SIDE, _SIDE], float(core)) for core in range(cores)]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def products() -> list[tf.Tensor]:
        return [matrix @ matrix for matrix in matrices]

    products()
    return cores * 2.0 * _SIDE**3 / min(seconds_of(products) for _ in range(3))


def forward_flop(architecture: Architecture, *, is_looked_up: bool = False) -> int:
    """FLOP of the products for one token: of the LSTM layers and the output, a multiplication and an addition each.

    With `is_looked_up` the first layer's input product is a table's row, as when a text is written.
    """
    weights = architecture.weight_shapes
    kernels = [
        kernel for name, (*kernels, _) in weights.items() if not name.startswith("embedding") for kernel in kernels
    ]
    if is_looked_up:
        kernels.remove(weights["lstm_1"][0])
    return sum(2 * rows * columns for rows, columns in kernels)


def has_avx512() -> bool:
    """Whether the processor has AVX-512, by which some targets differ."""
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
