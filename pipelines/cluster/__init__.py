"""What is done on a cluster through the Kubeflow Pipelines API: runs submitted and watched, schedules kept.

`client.py` calls the API server, `submitting.py` brings pipelines and starts runs, `runs.py` lists and awaits them,
`tasks.py` tells their stages from Kubeflow's own tasks, `logs.py` reads what stages wrote, `schedule_files.py` reads
schedules' files and `schedules.py` makes recurring runs match them.
"""
