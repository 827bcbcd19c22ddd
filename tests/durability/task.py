"""Train's component as Kubeflow's pod runs it, below a launcher that does not pass signals on.

python -m tests.durability.task train DATASET PLACE SETTINGS   the component's function, its outputs in PLACE
python -m tests.durability.task launch DATASET PLACE SETTINGS  that in a shell, read by this process
"""

import json
import subprocess
import sys

from components.train import ownership


def train(dataset: str, place: str, settings: str) -> None:
    from kfp import dsl

    from components.train.component import train as component

    ownership.BEAT_SECONDS, ownership.TAKEOVER_SECONDS = 0.5, 8.0
    outputs = {
        "checkpoints": dsl.Artifact(uri=f"{place}/checkpoints"),
        "model": dsl.Model(uri=f"{place}/model"),
        "metrics": dsl.Metrics(uri=f"{place}/metrics"),
        "page": dsl.HTML(uri=f"{place}/page"),
        "card": dsl.Markdown(uri=f"{place}/card"),
    }
    component.python_func(
        dataset=dsl.Dataset(uri=dataset),
        settings=json.loads(settings),
        init_digest="",
        start_digest="",
        version="",
        **outputs,
    )


def launch(*arguments: str) -> None:
    """As Kubeflow's launcher: a shell that ends with Python, its output read; no signal is heeded."""
    command = ["sh", "-ec", '"$0" -m tests.durability.task train "$@"; true', sys.executable, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as shell:
        for line in shell.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()


if __name__ == "__main__":
    {"train": train, "launch": launch}[sys.argv[1]](*sys.argv[2:])
