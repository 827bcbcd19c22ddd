"""TensorFlow and Keras, imported quietly; everything that needs them imports them from here.

The import takes seconds, so a module that imports this one is itself imported only when work begins.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def _standard_error_closed() -> Iterator[None]:
    """Hide what TensorFlow's C++ prints before its log level takes effect; Python errors still raise."""
    saved = os.dup(2)
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(silent)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
with _standard_error_closed():
    import keras
    import tensorflow as tf

__all__ = ["keras", "one_thread_an_operation", "tf", "use_device"]


def use_device(device: str) -> str:
    """Choose the device that this process computes on, and return its name for people.

    Args:
        device: `auto` (the GPUs if there are any), `cpu` or `gpu`.

    Raises:
        RuntimeError: `gpu` was asked for and TensorFlow sees none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if device == "gpu" and not gpus:
        raise RuntimeError("TensorFlow sees no GPU here; use device auto or cpu")
    if device == "cpu" or not gpus:
        tf.config.set_visible_devices([], "GPU")
        return f"CPU ({os.cpu_count()} cores)"
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, enable=True)
    name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return f"{len(gpus)} x {name}" if len(gpus) > 1 else str(name)


def one_thread_an_operation() -> None:
    """Run each operation on one thread, and several operations at once.

    A train step is many small products. Split among threads, each product waits for the slowest thread, most of all
    on a busy machine. Call this before TensorFlow computes; later it changes nothing.
    """
    with suppress(RuntimeError):  # TensorFlow's threads exist already
        tf.config.threading.set_intra_op_parallelism_threads(1)
