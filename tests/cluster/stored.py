"""What Kubeflow stores of a task, as it was seen: a log per attempt, with the stage's lines among the launcher's."""

import json

from components.artifacts import storage
from components.artifacts.version import VERSION

_BEFORE = [f'I0102 03:04:05.{number:06d}       1 launcher_v2.go:{number}] "of the launcher"' for number in range(30)]
_AFTER = [
    "{",
    *(f'  "outputs-{number}": {{}},' for number in range(12)),
    "}",
    "I0102 03:04:09.000000 1 publish success",
]


def store_log(task: str, *messages: str, attempt: int = 0, plain: tuple[int, ...] = (), as_json: bool = False) -> None:
    """Store what a task at `<run>/<task>/<id>` wrote; of the messages that `plain` counts no stage's line is made."""
    stage = task.split("/")[-2].partition("-")[0]
    lines = [
        message if number in plain else _line(stage, message, as_json=as_json)
        for number, message in enumerate(messages)
    ]
    text = "\n".join([*_BEFORE, *lines, *_AFTER]) + "\n"
    storage.write_file(f"{task}/executor-logs-{attempt}", text.encode())


def _line(stage: str, message: str, *, as_json: bool) -> str:
    """A stage's line, in a pod for a person by default."""
    if as_json:
        return json.dumps({"quillflow": VERSION, "severity": "INFO", "stage": stage, "message": message})
    return f"{stage:<10} {message}"
