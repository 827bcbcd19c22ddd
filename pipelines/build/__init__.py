"""What turns the pipelines into those of an environment.

`environment.py` is what a file in `environments/` says, `placement.py` gives it to each task, `images.py` names the
images, `shards.py` shares sampling among tasks, `compile.py` writes a pipeline as YAML.
"""
