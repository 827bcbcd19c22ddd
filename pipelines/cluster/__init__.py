"""Work on a cluster through the Kubeflow Pipelines API: submitting and watching runs, maintaining schedules.

`client.py` calls the API server, `kubernetes.py` asks the cluster for what that API does not provide, `submitting.py`
uploads pipelines and starts runs, `runs.py` lists, awaits and ends them, `tasks.py` distinguishes their stages from
Kubeflow's own tasks, `logs.py` reads what stages wrote, `schedule_files.py` reads schedules' files and `schedules.py`
makes recurring runs match them.
"""
