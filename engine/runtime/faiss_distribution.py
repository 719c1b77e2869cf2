"""The installed FAISS: one distribution, since two of them write the same files and overwrite each other.

Only package metadata is read, to avoid loading FAISS itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from engine.errors import EngineError

DISTRIBUTIONS = (  # each installs the module `faiss`
    "faiss-gpu-cu12",
    "faiss-cpu",
    "faiss",  # conda's
    "faiss-gpu",
    "faiss-gpu-cu11",
    "faiss-gpu-cuvs",
    "faiss-gpu-cu12-cuvs",
    "faiss-gpu-cu13-cuvs",
    "faiss-cuda",
)


@dataclass(frozen=True)
class FaissDistribution:
    """A distribution of FAISS: its name on PyPI and its version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def faiss_distribution() -> FaissDistribution:
    """Return the FAISS of this environment.

    Raises:
        EngineError: There are two or more, or none.
    """
    found = [FaissDistribution(name, number) for name in DISTRIBUTIONS if (number := _version(name))]
    if not found:
        raise EngineError("expected FAISS in this environment, found none", hint="pip install 'faiss-cpu==1.14.*'")
    if len(found) > 1:
        both, names = " and ".join(map(str, found)), " ".join(distribution.name for distribution in found)
        raise EngineError(
            f"expected one FAISS in this environment, found {both}, which overwrite each other",
            hint=f"pip uninstall {names}, then pip install the one that you want",
        )
    return found[0]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
