"""The stages wired into Kubeflow pipelines, the recipes that set them up, and the command `quillflow`."""
