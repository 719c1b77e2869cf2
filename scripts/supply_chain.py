"""The program's parts: a software bill of materials (CycloneDX), and their known vulnerabilities.

    python -m scripts.supply_chain build/sbom.cdx.json

writes every installed package that Engine needs, FFmpeg inside PyAV and the shipped weights, then queries OSV
(https://osv.dev) in one request for known vulnerabilities of these versions. Without a network it skips the query, with
one line. Exit code 1 for a known vulnerability that ACCEPTED does not list.
"""

from __future__ import annotations

import hashlib
import json
import queue
import re
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

OSV = "https://api.osv.dev/v1/querybatch"
TIMEOUT_SECONDS = 4.0
PROJECT = "music-engine"
WEIGHTS = Path(__file__).parents[1] / "models" / "weights"
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(.*)$")

ACCEPTED: dict[str, str] = {}  # OSV ids, each with the reason why it does not affect Engine

FLOORS = {  # oldest versions without a known vulnerability that an untrusted file or name could reach
    "av": ("18.1.0", "FFmpeg 8.1.2 inside: demuxers and decoders of hostile files"),
    "fonttools": ("4.60.2", "CVE-2025-66034: files written outside the target folder"),
    "jinja2": ("3.1.6", "CVE-2025-27516: a template that leaves its sandbox"),
    "joblib": ("1.2.0", "CVE-2022-21797: code in an argument"),
    "mako": ("1.2.2", "CVE-2022-40023: a regular expression without end"),
    "pillow": ("11.3.0", "CVE-2025-48379: a buffer overflow while writing"),
    "requests": ("2.32.4", "CVE-2024-47081: passwords sent to another host"),
    "setuptools": ("78.1.1", "CVE-2025-47273: files written outside the target folder"),
    "tqdm": ("4.66.3", "CVE-2024-34062: code in an argument"),
    "urllib3": ("2.6.3", "CVE-2026-21441: a small answer that fills the memory"),
}


@dataclass(frozen=True)
class Package:
    """An installed package: its name as the index normalises it, version and licence."""

    name: str
    version: str
    licence: str

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"


@dataclass(frozen=True)
class Vulnerability:
    """A known vulnerability of an installed package, by OSV's id."""

    package: Package
    id: str


def main() -> int:
    """Write the bill and look for known vulnerabilities."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/sbom.cdx.json")
    packages = installed()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(packages), indent=1) + "\n", "utf-8")
    old = outdated(packages)
    for line in old:
        print(f"supply chain: {line}", file=sys.stderr)
    try:
        found = [each for each in _queried_in_time(packages) if each.id not in ACCEPTED]
    except (OSError, ValueError) as error:
        print(f"supply chain: known vulnerabilities were not checked: {error}", file=sys.stderr)
        found = []
    for each in found:
        print(f"supply chain: {each.package.name} {each.package.version}: https://osv.dev/{each.id}", file=sys.stderr)
    return int(bool(found or old))


def installed(project: str = PROJECT) -> list[Package]:
    """Return the installed packages that a project needs, directly or not, by name."""
    found: dict[str, Package] = {}
    waiting = [project]
    while waiting:
        name = normalised(waiting.pop())
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system, or of an extra
            continue
        found[name] = Package(name, package.version, _licence(package))
        waiting += _needed(package)
    return sorted(found.values(), key=lambda each: each.name)


def bill(packages: list[Package]) -> dict[str, Any]:
    """Return the bill of materials as a CycloneDX 1.6 document; the same environment gives the same bytes."""
    import av

    ffmpeg = {
        "type": "library", "bom-ref": "ffmpeg", "name": "ffmpeg", "version": av.ffmpeg_version_info,
        "cpe": f"cpe:2.3:a:ffmpeg:ffmpeg:{av.ffmpeg_version_info}:*:*:*:*:*:*:*",
    }  # fmt: skip
    project = next((each for each in packages if each.name == PROJECT), Package(PROJECT, "0", "MIT"))
    parts = [_component(each) for each in packages if each is not project]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component(project) | {"type": "application"}},
        "components": [*parts, ffmpeg, *_weights()],
    }


def known_vulnerabilities(packages: list[Package], address: str = OSV) -> list[Vulnerability]:
    """Query OSV for the known vulnerabilities of packages, in one request.

    Raises:
        OSError: The address cannot be reached.
        ValueError: The answer is not in OSV's format.
    """
    queries = [{"package": {"name": each.name, "ecosystem": "PyPI"}, "version": each.version} for each in packages]
    body = json.dumps({"queries": queries}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        results = json.load(answer).get("results", [])
    if len(results) != len(packages):
        raise ValueError("the answer is incomplete")
    return [
        Vulnerability(package, str(each["id"]))
        for package, result in zip(packages, results, strict=True)
        for each in result.get("vulns") or []
    ]


def _queried_in_time(packages: list[Package]) -> list[Vulnerability]:
    """Query known vulnerabilities; raise TimeoutError if even resolving OSV's address takes too long."""
    answers: queue.SimpleQueue[list[Vulnerability] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(known_vulnerabilities(packages))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=2 * TIMEOUT_SECONDS)
    except queue.Empty:
        raise TimeoutError("no answer") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def outdated(packages: list[Package]) -> list[str]:
    """Describe each package that is older than its entry in FLOORS."""
    return [
        f"{each.name} {each.version}: expected {floor} or later ({reason})"
        for each in packages
        if (floor := FLOORS.get(each.name, ("0", ""))[0]) and numbers(each.version) < numbers(floor)
        for reason in [FLOORS[each.name][1]]
    ]


def numbers(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version, enough to compare releases."""
    found = [int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3]]
    return tuple(found + [0] * (3 - len(found)))


def normalised(name: str) -> str:
    """Return a package's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _needed(package: Distribution) -> Iterator[str]:
    for line in package.requires or []:
        requirement, _, marker = line.partition(";")
        if "extra ==" not in marker and (match := REQUIREMENT.match(requirement.strip())):
            yield match[1]


def _licence(package: Distribution) -> str:
    """Return the licence that a package declares, as an SPDX expression where it has one; empty if none."""
    named = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    return named if len(named) < 80 and "\n" not in named else ""


def _component(package: Package) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library", "bom-ref": package.purl, "name": package.name, "version": package.version,
        "purl": package.purl,
    }  # fmt: skip
    return component | ({"licenses": [{"license": {"name": package.licence}}]} if package.licence else {})


def _weights() -> Iterator[dict[str, Any]]:
    for path in sorted(WEIGHTS.glob("*.safetensors")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield {
            "type": "machine-learning-model", "bom-ref": path.name, "name": path.stem, "version": digest[:12],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
