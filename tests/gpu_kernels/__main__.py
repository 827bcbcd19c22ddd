"""`make check-gpu-kernels`: what is known of Quillflow on a GPU without having one.

Traces train step, evaluation and writer of every recipe, and of settings that no recipe has, as they are traced where
there is a GPU; says where each operation would run, and what would cross between CPU and GPU. The exit code is 1 where
something falls short, or where the TensorFlow that is installed has no GPU kernels.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from components.artifacts.tensorflow import tf
from tests.gpu_kernels.checking import findings, line_of, reason_of
from tests.gpu_kernels.recipes import settings_by_recipe
from tests.gpu_kernels.tracing import TOKENS, as_on_a_gpu, graphs_of
from tests.gpu_kernels.walking import Crossing, Use, Walk, registered

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "quick in bfloat16": ("quick", {"precision": "bfloat16"}),
    "best in bfloat16": ("best", {"precision": "bfloat16"}),
    "nietzsche in bfloat16": ("nietzsche", {"precision": "bfloat16"}),
    "windows, adamw": ("quick", {"optimizer": "adamw", "carry_state": False, "label_smoothing": 0.1}),
    "gru": ("quick", {"cell": "gru"}),
    "two layers, adam": ("quick", {"optimizer": "adam", "layers": 2}),
    "scaled ids, sgd": ("nietzsche", {"input": "scaled", "optimizer": "sgd", "momentum": 0.9, "dropout": 0.1}),
}
"""Settings of train that no recipe has: by name, a recipe and what differs from it."""
OF_SEVERAL_GPUS = "NcclAllReduce"
"""How MirroredStrategy sums gradients. It is not traced, since that takes GPUs."""


def main() -> int:
    """Trace, walk and report; return the exit code."""
    if not any(kernel.device_type == "GPU" for kernel in registered("CudnnRNNV3")):
        print("error: the TensorFlow installed here has no GPU kernels; make check-gpu-kernels makes an environment")
        return 1
    # The CPU twice: the second plays the GPU, so that what was put on the CPU on purpose can be distinguished.
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    uses: dict[Use, set[str]] = defaultdict(set)
    crossings: dict[Crossing, set[str]] = defaultdict(set)
    short = {}
    for name, settings in _cases(settings_by_recipe()):
        print(f"tracing {name} ...", file=sys.stderr, flush=True)
        with as_on_a_gpu(), tf.device("CPU:1"):
            graphs = {f"{name}, {part}": graph for part, graph in graphs_of(settings)}
        for title, graph in graphs.items():
            walk = Walk(registered, lambda tensor: tensor.device.endswith("CPU:0"))
            walk.graph(graph)
            short |= dict.fromkeys([f"{title}: {line}" for line in findings(walk.uses, walk.crossings, TOKENS)])
            if "writer" not in title and not any("CudnnRNN" in use.operation for use in walk.uses):
                short[f"{title}: does not use cuDNN"] = None
            for use in walk.uses:
                uses[use].add(title)
            for crossing in walk.crossings:
                crossings[crossing].add(title)
    if not any(kernel.device_type == "GPU" for kernel in registered(OF_SEVERAL_GPUS)):
        short[f"several GPUs: {OF_SEVERAL_GPUS} has no GPU kernel"] = None
    _report(uses, crossings)
    print(f"\n{len(uses)} operations by dtype in {len(set.union(*uses.values()))} graphs, {len(short)} fall short")
    print("\n".join(short))
    return 1 if short else 0


def _cases(recipes: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from recipes.items()
    for name, (base, changes) in VARIANTS.items():
        yield name, {**recipes[base], "train": {**recipes[base]["train"], **changes}}
    rules = {"top_k": 10, "top_p": 0.9, "min_p": 0.05}
    yield "quick, writing by every rule", {**recipes["quick"], "sample": rules}


def _report(uses: Mapping[Use, set[str]], crossings: Mapping[Crossing, set[str]]) -> None:
    print(f"{'operation':<32} {'dtypes':<46} {'runs on':<8} {'graphs':>6}  why not on the GPU")
    for use, graphs in sorted(uses.items()):
        why = reason_of(use) if not use.has_kernel else "placed there" if use.device == "CPU" else ""
        print(f"{use.operation:<32} {use.dtypes:<46} {use.device:<8} {len(graphs):>6}  {why}".rstrip())
    print("\nwhat crosses")
    for crossing, graphs in sorted(crossings.items(), key=str):
        print(f"  {line_of(crossing)} ({len(graphs)} graphs)")


if __name__ == "__main__":
    sys.exit(main())
