"""What the stages' images are called."""

from components.artifacts.version import VERSION


def image(stage: str, *, registry: str = "", tag: str = VERSION, gpu: bool = False) -> str:
    """The image a stage runs in, such as registry.example/quillflow/train-gpu:0.1.0-3f2a91c."""
    name = f"quillflow/{stage}{'-gpu' if gpu else ''}:{tag}"
    return f"{registry}/{name}" if registry else name
