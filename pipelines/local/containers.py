"""Running stages as containers of their images, through kfp.local's DockerRunner."""

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

from components.artifacts import storage
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
"""Where clients look by default, below the home, for the files that these name; a container's home is another."""


class Containers:
    """Stages as containers of this checkout's images, with the rights of who calls and no more.

    Args:
        device: where training computes, as train's setting says.

    Raises:
        QuillflowError: no engine answers, or images are missing.
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
        """Run a pipeline, with what Kubeflow's engine keeps in the directory `root`; its outputs."""
        from kfp import local

        environment = _environment()
        mounts = _mounts([*_read_by_stages(arguments), *environment.values()], root)
        _refuse_links_out(arguments["source"], [*(Path(mount["Source"]) for mount in mounts), root])
        runner = local.DockerRunner(
            entrypoint="",  # the image's own would take the engine's command for its arguments
            user=f"{os.getuid()}:{os.getgid()}",
            environment=environment,
            mounts=mounts,
            network_mode="host",  # an endpoint on this machine has the same address inside
            read_only=True,
            tmpfs={"/tmp": ""},  # noqa: S108 -- the container's own
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
        )
        local.init(runner, pipeline_root=str(root), enable_caching=True)
        with self._in_charge():
            return self._in_images(pipeline)(**arguments).outputs

    def stop(self, number: int, *, at_once: bool) -> bool:
        """Stop what runs, by the signal that came: a terminal tells no container. False where nothing runs."""
        self._stopped_by = number
        for container in self._running:
            threading.Thread(target=_stop, args=(container.id, number, at_once), daemon=True).start()
        return bool(self._running)

    def _in_images(self, pipeline: Any) -> Any:
        """The pipeline with each stage in this run's image of it."""
        copied = copy.deepcopy(pipeline)
        for executor in copied.pipeline_spec.deployment_spec["executors"].values():
            if "container" in executor and (found := re.search(r"quillflow/([a-z]+)", executor["container"]["image"])):
                executor["container"]["image"] = self._images[found[1]]
        return copied

    @contextmanager
    def _in_charge(self) -> Iterator[None]:
        """Run the engine's containers with `_run`: the engine's own way takes a failed one that is gone for done."""
        from kfp.local import docker_task_handler

        theirs = docker_task_handler.run_docker_container
        docker_task_handler.run_docker_container = self._run
        try:
            yield
        finally:
            docker_task_handler.run_docker_container = theirs

    def _run(self, client: Any, image: str, command: list[str], volumes: Any, **options: Any) -> int:
        """Run a container to its end, its lines printed; its exit code."""
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
            self._running.append(container)  # not sooner: who does not run can't be told to stop
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
            f"--runner docker: no Docker engine answers ({said}); start one, or name it by DOCKER_HOST"
        ) from None


def _require(client: Any, name: str) -> None:
    try:
        client.images.get(name)
    except errors.ImageNotFound:
        raise QuillflowError(
            f"--runner docker: there is no image {name}; make the images of this checkout with: make images"
        ) from None


def _has_gpu(client: Any) -> bool:
    if not Path("/dev/nvidiactl").exists():
        return False
    if "nvidia" in client.info().get("Runtimes", {}):
        return True
    log.warning("this machine's GPU is left out: install the NVIDIA Container Toolkit to hand it to containers")
    return False


def _environment() -> dict[str, str]:
    """The variables that stages read, as they are here, credentials' default places among them."""
    passed = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    found = {name: home() / path for name, path in _CREDENTIALS.items() if name not in passed}
    return passed | {name: str(path) for name, path in found.items() if path.is_file()}


def _read_by_stages(arguments: Mapping[str, Any]) -> list[str]:
    """The paths and URIs that stages read: the source's places, and those that settings name."""
    named = [arguments[stage.name].get(name) for stage in STAGES.values() for name in stage.settings.places()]
    return [*storage.places_of(arguments["source"]), *filter(None, named)]


def _mounts(uris: Iterable[str], root: Path) -> list[Mount]:
    """What there is of `uris` on this machine outside the root, at the place it has here, to be read.

    The directory for temporary files alone can be written to.
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
    """Refuse a source whose files are links to where containers see nothing.

    Raises:
        UsageError: one is.
    """
    whole = [Path(os.path.realpath(path)) for path in seen]
    for uri in storage.files_of(source):
        path = None if uri.startswith("builtin:") else storage.local_path(uri)
        target = Path(os.path.realpath(path or ""))
        if path and target.exists() and not any(target.is_relative_to(one) for one in whole):
            raise UsageError(
                f"--source {path}: is a link to {target}, which the containers of --runner docker don't see; put "
                "a copy in the link's place, or name the files themselves"
            )


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines, of what comes in pieces."""
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace").decode, ""
    for chunk in chunks:
        *lines, rest = (rest + decode(chunk)).split("\n")
        yield from (f"{line}\n" for line in lines)
    if rest:
        yield f"{rest}\n"


def _stop(identity: str, number: int, at_once: bool) -> None:
    """What `docker stop` or `docker kill` does, for every process of a container.

    Its first is a shell, which passes no signal on. The client is one of its own: another thread has the run's.
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
