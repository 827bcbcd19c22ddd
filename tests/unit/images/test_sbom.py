"""An SBOM names all that is installed, by package URLs, and is the same bytes each time."""

import importlib.util
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "images" / "sbom.py"
STATUS = """\
Package: libstdc++6
Status: install ok installed
Architecture: amd64
Source: gcc-14
Version: 14.2.0-19

Package: passwd
Status: install ok installed
Architecture: amd64
Version: 1:4.17.4-2

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


@pytest.fixture(scope="module")
def sbom() -> ModuleType:
    """The script, which is in no package."""
    spec = importlib.util.spec_from_file_location("sbom", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed() -> bytes:
    command = [sys.executable, "-", "quillflow/ingest", "0.1.0-3f2a91c"]
    return subprocess.run(command, input=SCRIPT.read_bytes(), capture_output=True, check=True).stdout


def test_it_names_what_is_installed_and_is_the_same_bytes_each_time() -> None:
    text = printed()
    assert printed() == text
    document: dict[str, Any] = json.loads(text)
    assert (document["bomFormat"], document["specVersion"], document["version"]) == ("CycloneDX", "1.6", 1)
    assert document["metadata"]["component"]["name"] == "quillflow/ingest"
    assert document["metadata"]["component"]["version"] == "0.1.0-3f2a91c"
    urls = [each["purl"] for each in document["components"]]
    assert urls == sorted(set(urls))
    assert f"pkg:pypi/pydantic-core@{metadata.version('pydantic-core')}" in urls
    assert len({each["bom-ref"] for each in document["components"]}) == len(urls)
    assert all(each["version"] for each in document["components"])


def test_debians_packages_are_those_that_are_installed(sbom: ModuleType) -> None:
    found = list(sbom.debian_packages(STATUS, 'ID=debian\nVERSION_ID="13"\n'))
    assert [each["purl"] for each in found] == [
        "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=debian-13",
        "pkg:deb/debian/passwd@1%3A4.17.4-2?arch=amd64&distro=debian-13",
    ]


def test_a_system_without_debians_packages_has_pythons(sbom: ModuleType) -> None:
    assert list(sbom.debian_packages("", "")) == []
    kinds = {each["purl"].split("/")[0] for each in sbom.python_packages()}
    assert kinds == {"pkg:generic", "pkg:pypi"}
