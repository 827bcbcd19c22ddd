"""The stages wired into Kubeflow pipelines, the recipes that set them up, and the command `quillflow`.

`run`, `load_model`, `complete` and `compare` do in Python what the commands of these names do; `history` and `samples`
return pandas tables. See `pipelines.api`.
"""

from pipelines.api import compare, complete, history, load_model, run, samples

__all__ = ["compare", "complete", "history", "load_model", "run", "samples"]
