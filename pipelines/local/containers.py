"""Runs stages as containers of their images, through kfp.local's DockerRunner."""

import codecs
import copy
import os
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
from docker import errors
from docker.types import DeviceRequest, Mount

from components.artifacts import champion, storage
from components.artifacts.errors import QuillflowError, UsageError
from components.artifacts.storage.buckets import KINDS
from components.command import log
from components.steps import STAGES
from pipelines.build.images import checkout_tag, image
from pipelines.local.engine import STOP_SECONDS
from pipelines.local.home import home

_PASSED_ON = re.compile(
    "|".join(kind.variables for kind in KINDS) + "|QUILLFLOW_.*|TMPDIR|"
    "(HTTPS?|NO)_PROXY|(https?|no)_proxy|SSL_CERT_FILE|REQUESTS_CA_BUNDLE"
)
_CREDENTIALS = {name: path for kind in KINDS for name, path in kind.files.items()}
"""The default places, below the home directory, of the files that these name; a container's home differs."""


class Containers:
    """Stages as containers of this checkout's images, as the calling user and without capabilities.

    Args:
        device: train's setting of where to compute.

    Raises:
        QuillflowError: no engine responds, or images are missing.
    """

    def __init__(self, *, device: str) -> None:
        self.killed = False
        self._client = _engine()
        gpu = device != "cpu" and _has_gpu(self._client)
        tag = checkout_tag()
        self._images = {stage: image(stage, tag=tag, gpu=gpu and stage == "train") for stage in STAGES}
        self._uses_gpu = self._images["train"] if gpu else ""
        self._running: list[Any] = []
        self._stopped_by = 0
        for name in self._images.values():
            _require(self._client, name)

    def start(self, pipeline: Any, arguments: Mapping[str, Any], root: Path) -> Any:
        """Run a pipeline with the directory `root` for Kubeflow's engine; return its outputs."""
        from kfp import local

        environment = _environment()
        mounts = _mounts([*_read_by_stages(arguments), *environment.values()], root)
        _refuse_links_out(arguments["source"], [*(Path(mount["Source"]) for mount in mounts), root])
        runner = local.DockerRunner(
            entrypoint="",  # the image's entrypoint would read the engine's command as arguments
            user=f"{os.getuid()}:{os.getgid()}",
            environment=environment,
            mounts=mounts,
            network_mode="host",  # so that an endpoint on this machine has the same address inside
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 -- the container's own
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        )
        local.init(runner, pipeline_root=str(root), enable_caching=True)
        with self._in_charge():
            return self._in_images(pipeline)(**arguments).outputs

    def stop(self, number: int, *, at_once: bool) -> bool:
        """Stop running containers with a signal, which a terminal does not send them; False if none run."""
        self._stopped_by = number
        for container in self._running:
            threading.Thread(target=_stop, args=(container.id, number, at_once), daemon=True).start()
        return bool(self._running)

    def _in_images(self, pipeline: Any) -> Any:
        """The pipeline with each stage in this run's image."""
        copied = copy.deepcopy(pipeline)
        for executor in copied.pipeline_spec.deployment_spec["executors"].values():
            if "container" in executor and (found := re.search(r"quillflow/([a-z]+)", executor["container"]["image"])):
                executor["container"]["image"] = self._images[found[1]]
        return copied

    @contextmanager
    def _in_charge(self) -> Iterator[None]:
        """Run the engine's containers with `_run`: the engine itself counts a failed container that is gone as done."""
        from kfp.local import docker_task_handler

        theirs = docker_task_handler.run_docker_container
        docker_task_handler.run_docker_container = self._run
        try:
            yield
        finally:
            docker_task_handler.run_docker_container = theirs

    def _run(self, client: Any, image: str, command: list[str], volumes: Any, **options: Any) -> int:
        """Run a container to its end and print its lines; return its exit code."""
        if self._stopped_by:
            return 128 + self._stopped_by
        if image == self._uses_gpu:
            options["device_requests"] = [DeviceRequest(count=-1, capabilities=[["gpu"]])]
        try:
            container = client.containers.create(image, command, volumes=volumes, **options)
        except errors.APIError as error:
            raise _refused(image, error) from None
        try:
            container.start()
            self._running.append(container)  # late: a container that is not running can't be stopped
            for line in _lines(container.logs(stream=True)):
                sys.stdout.write(line)
            code = int(container.wait()["StatusCode"])
        except errors.APIError as error:
            raise _refused(image, error) from None
        else:
            self.killed |= code == 128 + signal.SIGKILL
            return code
        finally:
            with suppress(ValueError):
                self._running.remove(container)
            with suppress(errors.APIError):
                container.remove(force=True)


def _engine() -> Any:
    try:
        return docker.from_env()
    except errors.DockerException as error:
        cause: BaseException | None = error
        while cause is not None and not (isinstance(cause, OSError) and cause.strerror):
            cause = cause.__context__
        said = cause.strerror if isinstance(cause, OSError) else " ".join(str(error).split())
        raise QuillflowError(
            f"--runner docker: no Docker engine responds ({said}); start one, or set DOCKER_HOST"
        ) from None


def _require(client: Any, name: str) -> None:
    try:
        client.images.get(name)
    except errors.ImageNotFound:
        raise QuillflowError(
            f"--runner docker: there is no image {name}; build the images of this checkout with: make images"
        ) from None


def _has_gpu(client: Any) -> bool:
    if not Path("/dev/nvidiactl").exists():
        return False
    if "nvidia" in client.info().get("Runtimes", {}):
        return True
    log.warning(
        "this machine's GPU is not used: install the NVIDIA Container Toolkit to make it available to containers"
    )
    return False


def _environment() -> dict[str, str]:
    """The variables that stages read, with their values here, including credentials' default places."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    found = {name: home() / path for name, path in _CREDENTIALS.items() if name not in passed}
    return passed | {name: str(path) for name, path in found.items() if path.is_file()}


def _read_by_stages(arguments: Mapping[str, Any]) -> list[str]:
    """The paths and URIs that stages read: the source's places, those named by settings, and a champion's model."""
    named = [arguments[stage.name].get(name) for stage in STAGES.values() for name in stage.settings.places()]
    start = arguments["train"].get("start_from")
    pointer = storage.local_path(start) if start else None
    if pointer and pointer.is_file():
        named.append(champion.read(start).model)
    return [*storage.places_of(arguments["source"]), *filter(None, named)]


def _mounts(uris: Iterable[str], root: Path) -> list[Mount]:
    """Read-only mounts for `uris` on this machine outside the root, at the same places.

    Only the directory for temporary files can be written to.
    """
    scratch = Path(os.environ["TMPDIR"])
    mounts = {scratch: Mount(str(scratch), str(scratch), type="bind")}
    for uri in uris:
        local_path = storage.local_path(uri) if "://" not in uri or uri.lower().startswith("file:") else None
        path = storage.glob_base(Path(os.path.normpath(local_path or "")))
        if path.is_absolute() and path.exists() and not path.is_relative_to(root):
            mounts.setdefault(path, Mount(str(path), str(path), type="bind", read_only=True))
    return list(mounts.values())


def _refuse_links_out(source: str, seen: Iterable[Path]) -> None:
    """Reject a source with files that are links to places outside the containers.

    Raises:
        UsageError: one is.
    """
    whole = [Path(os.path.realpath(path)) for path in seen]
    for uri in storage.files_of(source):
        path = storage.source_at(uri).path
        target = Path(os.path.realpath(path or ""))
        if path and target.exists() and not any(target.is_relative_to(one) for one in whole):
            raise UsageError(
                f"--source {path}: is a link to {target}, which the containers of --runner docker can't "
                "see; replace the link by a copy, or name the files themselves"
            )


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines from a stream of pieces."""
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace").decode, ""
    for chunk in chunks:
        *lines, rest = (rest + decode(chunk)).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield f"{rest}\n"


def _stop(identity: str, number: int, at_once: bool) -> None:
    """Signal every process of a container, as `docker stop` or `docker kill` signal the first.

    The first is a shell, which passes no signal on. The client is a new one: another thread uses the run's.
    """
    with suppress(errors.DockerException):
        container = docker.from_env().containers.get(identity)
        if at_once:
            container.kill()
            return
        container.exec_run(["sh", "-c", f"kill -s {signal.Signals(number).name.removeprefix('SIG')} -- -1"])
        container.stop(timeout=STOP_SECONDS)


def _refused(image: str, error: Any) -> QuillflowError:
    said = " ".join(str(error.explanation or error).split())
    return QuillflowError(f"the Docker engine can't run {image}: {said}")
