"""Engine finds music that sounds alike.

>>> from engine import Engine                               # doctest: +SKIP
>>> with Engine.open("library.db") as library:              # doctest: +SKIP
...     library.index("music")
...     library.similar("track.flac", k=5).matches

Names are loaded when first used: importing `engine` or `engine.errors` loads neither torch nor FAISS.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from engine.errors import (
    AudioError,
    DeviceError,
    EncoderError,
    EngineError,
    LibraryError,
    QueryError,
    SignatureError,
    TrainingError,
)

if TYPE_CHECKING:
    from engine.analysis.duplicates import DuplicateGroup, Duplicates, DuplicateTrack
    from engine.analysis.neighbours import Ranking
    from engine.filters import Filters
    from engine.indexer.reports import FailedPath, IndexProgress, IndexReport
    from engine.library import Engine
    from engine.moments import Moment
    from engine.results import (
        CentroidDistance,
        Classification,
        EncoderTracks,
        FoundTrack,
        GenreProbability,
        GroupMatch,
        Match,
        MoodProbability,
        QueryResult,
        Seed,
        Stats,
    )

_HOMES = {
    "Engine": "engine.library",
    "DuplicateGroup": "engine.analysis.duplicates",
    "DuplicateTrack": "engine.analysis.duplicates",
    "Duplicates": "engine.analysis.duplicates",
    "Ranking": "engine.analysis.neighbours",
    "Filters": "engine.filters",
    "FailedPath": "engine.indexer.reports",
    "IndexProgress": "engine.indexer.reports",
    "IndexReport": "engine.indexer.reports",
    "Moment": "engine.moments",
    "CentroidDistance": "engine.results",
    "Classification": "engine.results",
    "EncoderTracks": "engine.results",
    "FoundTrack": "engine.results",
    "GenreProbability": "engine.results",
    "GroupMatch": "engine.results",
    "Match": "engine.results",
    "MoodProbability": "engine.results",
    "QueryResult": "engine.results",
    "Seed": "engine.results",
    "Stats": "engine.results",
}

__all__ = [
    "AudioError",
    "CentroidDistance",
    "Classification",
    "DeviceError",
    "DuplicateGroup",
    "DuplicateTrack",
    "Duplicates",
    "EncoderError",
    "EncoderTracks",
    "Engine",
    "EngineError",
    "FailedPath",
    "Filters",
    "FoundTrack",
    "GenreProbability",
    "GroupMatch",
    "IndexProgress",
    "IndexReport",
    "LibraryError",
    "Match",
    "Moment",
    "MoodProbability",
    "QueryError",
    "QueryResult",
    "Ranking",
    "Seed",
    "SignatureError",
    "Stats",
    "TrainingError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("music-engine")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
