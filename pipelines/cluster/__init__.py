"""What is done on a cluster through the Kubeflow Pipelines API: runs submitted and watched, schedules kept.

`client.py` calls the API server, `kubernetes.py` asks the cluster for what that API does not tell, `submitting.py`
brings pipelines and starts runs, `runs.py` lists, awaits and ends them, `tasks.py` tells their stages from Kubeflow's
own tasks, `logs.py` reads what stages wrote, `schedule_files.py` reads schedules' files and `schedules.py` makes
recurring runs match them.
"""
