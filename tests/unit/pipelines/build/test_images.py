"""A tag means one thing: version and commit, and where the checkout differs from its commit, what differs."""

import subprocess
from pathlib import Path

import pytest

from components.artifacts.version import VERSION
from pipelines.build.images import checkout_tag, image


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("components/train/loop.py", "requirements/train.txt", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{name}\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        subprocess.run(["git", "-c", "user.name=A", "-c", "user.email=a@b", *command], cwd=tmp_path, check=True)
    return tmp_path


def commit(checkout: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_name_has_the_registry_the_stage_and_the_tag() -> None:
    assert image("train") == f"quillflow/train:{VERSION}"
    assert image("train", registry="r.example/t", tag="1", gpu=True) == "r.example/t/quillflow/train-gpu:1"


def test_the_tag_is_version_and_commit(checkout: Path) -> None:
    assert checkout_tag(checkout) == f"{VERSION}-{commit(checkout)[:7]}"


def test_a_change_to_what_images_hold_is_another_tag_each_time(checkout: Path) -> None:
    tags = [checkout_tag(checkout)]
    for name in ("components/train/loop.py", "requirements/train.txt", "components/train/new.py"):
        (checkout / name).write_text("changed\n")
        tags.append(checkout_tag(checkout))
    (checkout / "components/train/loop.py").unlink()
    tags.append(checkout_tag(checkout))
    assert len(set(tags)) == 5
    assert all(tag.startswith(f"{tags[0]}-") for tag in tags[1:])


def test_a_change_to_anything_else_keeps_the_tag(checkout: Path) -> None:
    before = checkout_tag(checkout)
    (checkout / "README.md").write_text("changed\n")
    assert checkout_tag(checkout) == before


def test_without_a_checkout_the_tag_is_the_version(tmp_path: Path) -> None:
    assert checkout_tag(tmp_path) == VERSION
