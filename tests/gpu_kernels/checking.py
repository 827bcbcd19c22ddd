"""What a walk over graphs has to show, and what is known to fall outside it."""

from collections.abc import Iterable, Iterator

from tests.gpu_kernels.walking import Crossing, Use

WITHOUT_KERNEL = {
    (
        "RandomIndexShuffle",
        "int64",
    ): "the places of a train step's windows, a number each; TensorFlow has it on CPUs alone",
    ("PadV2", "int64"): "widens RandomIndexShuffle's seed by a number",
    ("Const", "string"): "what an assertion says where it fails",
}
"""Operations by one of their dtypes that may run on the CPU for lack of a kernel, and why they take no time there."""

REFUSED_BY_DETERMINISM = {
    "AdjustContrast", "AdjustContrastv2", "Bincount", "CropAndResizeGradBoxes", "CropAndResizeGradImage",
    "DebugNumericSummaryV2", "DenseBincount", "DepthwiseConv2dNativeBackpropFilter", "Dilation2DBackpropFilter",
    "Dilation2DBackpropInput", "FakeQuantWithMinMaxVarsGradient", "FakeQuantWithMinMaxVarsPerChannelGradient",
    "FusedBatchNormGrad", "FusedBatchNormGradV2", "FusedBatchNormGradV3", "MaxPoolGradWithArgmax",
    "ResizeNearestNeighborGrad", "ScatterAdd", "ScatterDiv", "ScatterMax", "ScatterMin", "ScatterMul", "ScatterSub",
    "ScatterUpdate", "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits",
    "SparseTensorDenseMatMul", "Svd", "Timestamp",
}  # fmt: skip
"""Operations whose GPU kernel refuses to run under op determinism, by the messages in TensorFlow 2.21's library. It has
one for segment sums too, which its kernels do not reach any more: they have a deterministic way for every dtype."""

ON_THE_CPU_BY_DETERMINISM = {
    "ScatterNd", "TensorScatterAdd", "TensorScatterSub", "TensorScatterUpdate", "ResourceScatterAdd",
    "ResourceScatterDiv", "ResourceScatterMul", "ResourceScatterNdAdd", "ResourceScatterNdSub",
    "ResourceScatterNdUpdate", "ResourceScatterSub", "ResourceScatterUpdate",
}  # fmt: skip
"""Operations whose GPU kernel copies all they take to the CPU and back under op determinism (TensorFlow's
scatter_nd_op.cc and resource_variable_ops.cc)."""

UNSEEDED = {
    "Multinomial", "ParameterizedTruncatedNormal", "RandomGamma", "RandomPoissonV2", "RandomShuffle",
    "RandomStandardNormal", "RandomUniform", "RandomUniformInt", "TruncatedNormal",
}  # fmt: skip
"""Operations with a state of their own, which op determinism refuses without a seed and a checkpoint would not hold."""


def findings(uses: Iterable[Use], crossings: Iterable[Crossing], tokens: int) -> Iterator[str]:
    """One line for each thing that falls short, where the text has so many tokens."""
    for use in sorted(uses):
        what = f"{use.operation} ({use.dtypes})"
        if not use.has_kernel and not reason_of(use):
            yield f"{what}: has no GPU kernel, and no reason is in WITHOUT_KERNEL"
        elif use.device == "CPU" and use.computes and not reason_of(use):
            yield f"{what}: computes on the CPU"
        if use.device == "GPU" and use.operation in REFUSED_BY_DETERMINISM | UNSEEDED:
            yield f"{what}: op determinism refuses it"
        if use.device == "GPU" and use.operation in ON_THE_CPU_BY_DETERMINISM:
            yield f"{what}: op determinism moves it to the CPU"
    for crossing in sorted(crossings, key=str):
        if crossing.numbers >= tokens:
            yield f"{line_of(crossing)}: the whole text crosses"


def reason_of(use: Use) -> str:
    """Why an operation may run on the CPU for lack of a kernel; nothing where no reason is known."""
    dtypes = {dtype for pair in use.dtypes.split(", ") for dtype in pair.partition("=")[2].split("/")}
    return next((why for (name, dtype), why in WITHOUT_KERNEL.items() if name == use.operation and dtype in dtypes), "")


def line_of(crossing: Crossing) -> str:
    """What crosses, as a line."""
    sizes = ["?" if size < 0 else f"{size:,}" for size in crossing.shape] if crossing.shape is not None else ["..."]
    shape = " x ".join(sizes) or "a number"
    return f"to the {crossing.to}: {crossing.dtype}, {shape}, from {crossing.maker} to {crossing.taker}"
