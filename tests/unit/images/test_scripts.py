"""Images are built and pushed once per commit, from a clean checkout; what prevents it is one line."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "images"
(BASE,) = re.findall("^ARG PYTHON_BASE=(.*)$", (SCRIPTS / "Dockerfile").read_text(), re.MULTILINE)
DIGEST = "sha256:" + "0" * 64
# Stands in for the command: it notes what it is asked, and of registries it knows what $THERE says.
DOCKER = f"""#!/bin/bash
echo "$@" >> "$ASKED"
case "$1" in
  manifest) echo "$THERE"; [ "${{THERE#no such}}" = "$THERE" ] ;;
  version) [ -z "$AWAY" ] ;;
  pull) if [ -z "$AWAY" ]; then echo 'Digest: {DIGEST}'; else echo 'no route to host' >&2; exit 1; fi ;;
  run) cat > /dev/null; echo '{{}}' ;;
  build) [ "${{!#}}" != - ] || cat >> "$ASKED" ;;
  import) tar -t >> "$ASKED" ;;
  push) echo "1: digest: {DIGEST} size: 7" ;;
esac
"""


class Checkout:
    """A checkout with the scripts in it, and a command that plays docker."""

    def __init__(self, place: Path) -> None:
        self.place, self.asked = place / "checkout", place / "asked"
        shutil.copytree(SCRIPTS, self.place / "images")
        (place / "docker").write_text(DOCKER)
        (place / "docker").chmod(0o755)
        self.docker = place / "docker"
        for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
            subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", *command], cwd=self.place, check=True)

    def __call__(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.asked.write_text("")
        known = {"DOCKER": str(self.docker), "TAG": "0.1.0-3f2a91c", "ASKED": str(self.asked), "AWAY": ""}
        return subprocess.run(
            [str(self.place / "images" / command[0]), *command[1:]],
            env={**os.environ, **known, "THERE": "no such manifest", **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_push_builds_tags_and_pushes_each_image_under_the_registry(checkout: Checkout) -> None:
    done = checkout("push.sh", "registry.example/team/", "ingest", "train-gpu")
    assert done.returncode == 0, done.stderr
    asked = checkout.asked.read_text()
    for target in ("ingest", "train-gpu"):
        assert f"--target {target} --tag quillflow/{target}:0.1.0-3f2a91c ." in asked
        assert f"push registry.example/team/quillflow/{target}:0.1.0-3f2a91c\n" in asked
        assert f"registry.example/team/quillflow/{target}:0.1.0-3f2a91c@{DIGEST}\n" in done.stdout


def test_the_images_pushed_are_built_on_the_base_that_was_fetched_by_its_digest(checkout: Checkout) -> None:
    assert checkout("push.sh", "registry.example", "ingest").returncode == 0
    asked = checkout.asked.read_text()
    name, _, tag = BASE.partition(":")
    assert f"pull {BASE}\n" in asked
    assert f"--build-arg PYTHON_BASE={name}:{tag}@{DIGEST} " in asked
    assert f"--label org.opencontainers.image.base.name={BASE} " in asked
    assert f"--label org.opencontainers.image.base.digest={DIGEST} " in asked


def test_a_base_that_is_named_by_digest_is_taken_as_it_is(checkout: Checkout) -> None:
    done = checkout("push.sh", "registry.example", "ingest", PYTHON_BASE=f"mine@{DIGEST}")
    assert done.returncode == 0, done.stderr
    assert "pull" not in checkout.asked.read_text()
    assert f"--build-arg PYTHON_BASE=mine@{DIGEST} " in checkout.asked.read_text()


def test_a_base_that_cant_be_fetched_stops_the_push(checkout: Checkout) -> None:
    done = checkout("push.sh", "registry.example", "ingest", AWAY="yes")
    assert done.returncode == 1
    assert done.stderr == f"error: can't fetch the base {BASE} to name it by its digest: no route to host\n"
    assert "push" not in checkout.asked.read_text()


def test_what_is_installed_is_pushed_first_and_its_digest_is_a_label_of_the_image(checkout: Checkout) -> None:
    assert checkout("push.sh", "registry.example", "ingest").returncode == 0
    written = (checkout.place / "build" / "sbom" / "ingest.json").read_bytes()
    asked = checkout.asked.read_text()
    assert f"--label quillflow.sbom.digest=sha256:{hashlib.sha256(written).hexdigest()} " in asked
    name = "registry.example/quillflow/ingest:0.1.0-3f2a91c"
    assert f"import - {name}-sbom\ningest.json\n" in asked
    assert asked.index(f"push --quiet {name}-sbom\n") < asked.index(f"push {name}\n")


@pytest.mark.parametrize("change", ["images/Dockerfile", "notes.txt"])
def test_a_changed_working_tree_is_not_pushed(checkout: Checkout, change: str) -> None:
    (checkout.place / change).write_text("changed\n")
    done = checkout("push.sh", "registry.example", "ingest")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the working tree has changes")
    assert len(done.stderr.splitlines()) == 1
    assert checkout.asked.read_text() == ""


def test_a_tag_that_the_registry_has_is_not_pushed_over(checkout: Checkout) -> None:
    done = checkout("push.sh", "registry.example", "ingest", THERE='{"schemaVersion": 2}')
    assert done.returncode == 1
    assert done.stderr == (
        "error: registry.example/quillflow/ingest:0.1.0-3f2a91c is there already; a tag is never pushed twice, "
        "commit a change first\n"
    )
    assert "push" not in checkout.asked.read_text()


def test_a_push_wants_a_registry(checkout: Checkout) -> None:
    done = checkout("push.sh", "", "ingest")
    assert (done.returncode, done.stderr) == (2, "error: name the registry: make push REGISTRY=registry.example/team\n")


def test_without_an_engine_a_build_says_so(checkout: Checkout) -> None:
    done = checkout("build.sh", "ingest", AWAY="yes")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Docker engine answers to ")


def test_a_base_and_pips_configuration_are_handed_to_the_build(checkout: Checkout, tmp_path: Path) -> None:
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\n")
    base = f"{BASE}@{DIGEST}"
    assert checkout("build.sh", "ingest", PYTHON_BASE=base, PIP_CONFIG_FILE=str(configuration)).returncode == 0
    asked = checkout.asked.read_text()
    assert f"--build-arg PYTHON_BASE={base} " in asked
    assert f"--secret id=pip,src={configuration} " in asked
