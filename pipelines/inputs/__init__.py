"""What a run is given.

`settings.py` reads a recipe and puts what was set on top, `yaml_files.py` reads YAML that people write, `digests.py`
names what the cache must notice, `arguments.py` makes the pipeline's arguments of all of them.
"""
