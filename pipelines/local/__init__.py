"""What runs a pipeline on this machine.

`running.py` is one run, `engine.py` what surrounds Kubeflow's engine, `engine_hooks.py` what is put in place of its own
functions, `containers.py` runs stages as containers, `ending.py` says how to resume a run that failed, `home.py`
is where the user's files are.
"""
