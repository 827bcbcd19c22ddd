"""What is done on a cluster through the Kubeflow Pipelines API: runs submitted and watched, schedules kept.

`client.py` calls the API server, `submitting.py` brings pipelines and starts runs, `runs.py` lists, awaits and reads
them, `reruns.py` does one stage of a run again, `schedules.py` makes recurring runs match files.
"""
