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
    from engine.analysis.library_map import LibraryMap, MapPoint
    from engine.indexer.reports import FailedPath, IndexProgress, IndexReport
    from engine.library import Engine
    from engine.results import (
        CentroidDistance,
        Classification,
        EncoderTracks,
        FoundTrack,
        GenreProbability,
        Match,
        MoodProbability,
        QueryResult,
        Stats,
    )

_HOMES = {
    "Engine": "engine.library",
    "FailedPath": "engine.indexer.reports",
    "IndexProgress": "engine.indexer.reports",
    "IndexReport": "engine.indexer.reports",
    "CentroidDistance": "engine.results",
    "Classification": "engine.results",
    "EncoderTracks": "engine.results",
    "FoundTrack": "engine.results",
    "GenreProbability": "engine.results",
    "Match": "engine.results",
    "LibraryMap": "engine.analysis.library_map",
    "MapPoint": "engine.analysis.library_map",
    "MoodProbability": "engine.results",
    "QueryResult": "engine.results",
    "Stats": "engine.results",
}

__all__ = [
    "AudioError",
    "CentroidDistance",
    "Classification",
    "DeviceError",
    "EncoderError",
    "EncoderTracks",
    "Engine",
    "EngineError",
    "FailedPath",
    "FoundTrack",
    "GenreProbability",
    "IndexProgress",
    "IndexReport",
    "LibraryError",
    "LibraryMap",
    "MapPoint",
    "Match",
    "MoodProbability",
    "QueryError",
    "QueryResult",
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
