"""The stages wired into Kubeflow pipelines, the recipes that set them up, and the command `quillflow`.

`run`, `load_model`, `complete` and `compare` do from Python what the commands of these names do; see `pipelines.api`.
"""

from pipelines.api import compare, complete, load_model, run

__all__ = ["compare", "complete", "load_model", "run"]
