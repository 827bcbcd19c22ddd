"""Prints what is installed where it runs, as an SBOM in CycloneDX's JSON: Python, its packages and Debian's.

images/build.sh runs it inside an image: `sbom.py NAME VERSION`. One image gives the same bytes each time.
"""

import json
import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

STATUS = Path("/var/lib/dpkg/status")
RELEASE = Path("/etc/os-release")


def component(kind: str, name: str, version: str, purl: str, **more: Any) -> dict[str, Any]:
    """A component as CycloneDX describes it; its package URL names it within the SBOM, too."""
    return {"type": kind, "name": name, "version": version, "purl": purl, "bom-ref": purl, **more}


def python_packages() -> Iterator[dict[str, Any]]:
    """Python itself, and each distribution that it finds."""
    version = platform.python_version()
    yield component("platform", "cpython", version, f"pkg:generic/python@{version}")
    for found in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", found.name).lower()
        license_ = found.metadata.get("License-Expression")
        licenses = {"licenses": [{"expression": license_}]} if license_ else {}
        yield component("library", name, found.version, f"pkg:pypi/{name}@{quote(found.version)}", **licenses)


def debian_packages(status: str, release: str) -> Iterator[dict[str, Any]]:
    """Each package that dpkg's status file calls installed; `release` is the text of os-release."""
    version = re.search(r'^VERSION_ID="?([^"\n]+)', release, re.MULTILINE)
    distribution = f"debian-{version[1]}" if version else "debian"
    for paragraph in status.split("\n\n"):
        field = dict(re.findall(r"^(Package|Status|Version|Architecture): (.+)$", paragraph, re.MULTILINE))
        if field.get("Status", "").endswith(" installed"):
            place = f"{quote(field['Package'], safe='')}@{quote(field['Version'], safe='~')}"
            purl = f"pkg:deb/debian/{place}?arch={field['Architecture']}&distro={distribution}"
            yield component("library", field["Package"], field["Version"], purl)


def sbom(name: str, version: str, components: list[dict[str, Any]]) -> str:
    """The SBOM of the image `name:version`, whose components are sorted and none twice."""
    image = {"type": "container", "name": name, "version": version, "bom-ref": f"{name}:{version}"}
    by_purl = {each["purl"]: each for each in components}
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "metadata": {"component": image}}
    return json.dumps({**head, "components": [by_purl[purl] for purl in sorted(by_purl)]}, indent=1)


def main() -> None:
    """Print the SBOM."""
    there = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (STATUS, RELEASE)]
    _, name, version = sys.argv
    sys.stdout.write(sbom(name, version, [*python_packages(), *debian_packages(*there)]) + "\n")


if __name__ == "__main__":
    main()
