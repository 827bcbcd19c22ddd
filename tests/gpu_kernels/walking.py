"""Where the operations of a graph run when there is a GPU, by the kernels that are registered, and what crosses.

An operation that nobody placed runs on the GPU where it has a kernel there for its dtypes, else on the CPU, as
TensorFlow's placer has it; one that uses a variable runs where the variable is. A loop that nobody placed takes the
tensors that its body reads to the GPU, whoever reads them there, but variables by their handles.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from components.artifacts.tensorflow import tf

Device = Literal["CPU", "GPU"]
Registry = Callable[[str], Iterable[Any]]
"""From an operation's name to its KernelDefs."""

LOOPS = {"While", "StatelessWhile", "If", "StatelessIf", "Case", "StatelessCase"}
CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def registered(operation: str) -> Iterable[Any]:
    """The KernelDefs of an operation in the TensorFlow that is installed."""
    from tensorflow.python.framework import kernels

    return kernels.get_registered_kernels_for_op(operation).kernel


@dataclass(frozen=True, order=True)
class Use:
    """An operation with some dtypes, where it runs, and whether a GPU has a kernel for it."""

    operation: str
    dtypes: str
    device: Device
    has_kernel: bool
    computes: bool
    """Whether a result is a floating-point number."""


@dataclass(frozen=True, order=True)
class Crossing:
    """A tensor that one device makes and an operation on the other takes; -1 is a size that is not known."""

    maker: str
    taker: str
    to: Device
    dtype: str
    shape: tuple[int, ...] | None

    @property
    def numbers(self) -> float:
        """How many there are at least, sizes that are not known taken for 1; infinite where no axis is known."""
        if self.shape is None:
            return float("inf")
        return float(np.prod([max(size, 1) for size in self.shape]))


@dataclass
class Walk:
    """Walks graphs with all functions that they call.

    Attributes:
        registry: of the kernels.
        is_on_cpu: whether a tensor or variable's handle from outside the graph was put on the CPU on purpose.
        uses, crossings: what was found.
    """

    registry: Registry
    is_on_cpu: Callable[[Any], bool]
    uses: set[Use] = field(default_factory=set)
    crossings: set[Crossing] = field(default_factory=set)

    def graph(self, graph: Any) -> None:
        """Walk a function's graph, called with its arguments on the GPU."""
        captured = {inside.name: outside for outside, inside in graph.captures}
        on_cpu = [tensor.name in captured and self.is_on_cpu(captured[tensor.name]) for tensor in graph.inputs]
        self._function(graph, ["CPU" if is_on_cpu else "GPU" for is_on_cpu in on_cpu])

    def _function(self, graph: Any, inputs: Sequence[Device]) -> list[Device]:
        """Walk a function whose inputs are on these devices; the devices of its outputs."""
        made: dict[str, tuple[str, Device]] = {
            tensor.name: ("input", device) for tensor, device in zip(graph.inputs, inputs, strict=True)
        }
        for operation in graph.get_operations():
            if operation.type == "Placeholder":
                continue
            devices = self._operation(graph, operation, [made[tensor.name] for tensor in operation.inputs])
            names = [tensor.name for tensor in operation.outputs]
            made |= {name: (operation.type, device) for name, device in zip(names, devices, strict=True)}
        return [made[tensor.name][1] for tensor in graph.outputs]

    def _operation(self, graph: Any, operation: Any, inputs: list[tuple[str, Device]]) -> list[Device]:
        """Note an operation and what it takes; the devices of its outputs."""
        has_kernel = any(map(_matcher(operation), self.registry(operation.type)))
        device = _device_of(operation, [device for _, device in inputs], has_kernel=has_kernel)
        computes = any(tensor.dtype.is_floating for tensor in operation.outputs)
        self.uses.add(Use(operation.type, dtypes_of(operation), device, has_kernel, computes))
        if operation.type in CALLS:
            (called,) = _functions(graph, operation)
            return self._function(called, [device for _, device in inputs])
        taken: list[Device] = []
        for tensor, (maker, source) in zip(operation.inputs, inputs, strict=True):
            is_handle = tensor.dtype == tf.resource
            taken.append(source if is_handle else device)
            if source != device and not is_handle:
                shape = None if tensor.shape.rank is None else tuple(size or -1 for size in tensor.shape.as_list())
                self.crossings.add(Crossing(maker, operation.type, device, tensor.dtype.name, shape))
        if operation.type in LOOPS:
            passed = taken[len(taken) - len(operation.outputs) :] if "While" in operation.type else []
            for called in _functions(graph, operation):
                self._function(called, taken[len(taken) - len(called.inputs) :])
            return passed or [device] * len(operation.outputs)
        return [device] * len(operation.outputs)


def dtypes_of(operation: Any) -> str:
    """The attributes of an operation that are dtypes, such as `T=float32`."""
    return ", ".join(f"{name}={'/'.join(dict.fromkeys(names))}" for name, names in sorted(_types_of(operation).items()))


def _types_of(operation: Any) -> dict[str, list[str]]:
    attributes = operation.node_def.attr.items()
    types = {name: list(value.list.type) or [value.type] for name, value in attributes if not name.startswith("_")}
    return {name: [tf.dtypes.as_dtype(kind).name for kind in kinds] for name, kinds in types.items() if all(kinds)}


def _matcher(operation: Any) -> Callable[[Any], bool]:
    """Tells whether a KernelDef is a GPU's for the operation's dtypes."""
    types = _types_of(operation)

    def matches(kernel: Any) -> bool:
        if kernel.device_type not in {"GPU", "DEFAULT"} or kernel.label:
            return False
        for constraint in kernel.constraint:
            allowed = {tf.dtypes.as_dtype(kind).name for kind in constraint.allowed_values.list.type}
            if not types.get(constraint.name) or not allowed.issuperset(types[constraint.name]):
                return False
        return True

    return matches


def _device_of(operation: Any, inputs: Sequence[Device], *, has_kernel: bool) -> Device:
    if operation.device:
        return "CPU" if "CPU" in operation.device else "GPU"
    handles = [device for tensor, device in zip(operation.inputs, inputs, strict=True) if tensor.dtype == tf.resource]
    if operation.type in LOOPS | CALLS:
        return "GPU"
    return "CPU" if "CPU" in handles or not has_kernel else "GPU"


def _functions(graph: Any, operation: Any) -> list[Any]:
    """The graphs of the functions that an operation calls."""
    attributes = operation.node_def.attr.values()
    names = [value.func.name for value in attributes if value.func.name]
    names += [function.name for value in attributes for function in value.list.func]
    return [graph._get_function(name).graph for name in names]
