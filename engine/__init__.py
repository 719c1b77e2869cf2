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
    from engine.analysis.attention import AttentionStatistics
    from engine.analysis.duplicates import DuplicateGroup, Duplicates, DuplicateTrack
    from engine.analysis.explain import Explanation, Moment, PairExplanation, Span, WindowPair
    from engine.analysis.genres import GenreEquation, GenreRelations, GenreSummary
    from engine.analysis.library_map import LibraryMap, MapPoint
    from engine.analysis.neighbours import Ranking
    from engine.analysis.playlists import Playlist, PlaylistTrack
    from engine.analysis.recommend import Recommendations, RecommendedTrack
    from engine.analysis.tags import TagChange, TagReport
    from engine.db import AudioFeatures
    from engine.db.plays import Play
    from engine.filters import Filters
    from engine.indexer.reports import FailedPath, IndexProgress, IndexReport, MeasureReport
    from engine.library import Engine
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
        TagProbability,
        ValenceProbability,
    )

_HOMES = {
    "AudioFeatures": "engine.db",
    "Engine": "engine.library",
    "DuplicateGroup": "engine.analysis.duplicates",
    "DuplicateTrack": "engine.analysis.duplicates",
    "Duplicates": "engine.analysis.duplicates",
    "Ranking": "engine.analysis.neighbours",
    "Filters": "engine.filters",
    "FailedPath": "engine.indexer.reports",
    "IndexProgress": "engine.indexer.reports",
    "IndexReport": "engine.indexer.reports",
    "MeasureReport": "engine.indexer.reports",
    "TagChange": "engine.analysis.tags",
    "TagReport": "engine.analysis.tags",
    "Playlist": "engine.analysis.playlists",
    "PlaylistTrack": "engine.analysis.playlists",
    "Recommendations": "engine.analysis.recommend",
    "RecommendedTrack": "engine.analysis.recommend",
    "Play": "engine.db.plays",
    "CentroidDistance": "engine.results",
    "Classification": "engine.results",
    "EncoderTracks": "engine.results",
    "FoundTrack": "engine.results",
    "GenreProbability": "engine.results",
    "GroupMatch": "engine.results",
    "Match": "engine.results",
    "LibraryMap": "engine.analysis.library_map",
    "MapPoint": "engine.analysis.library_map",
    "MoodProbability": "engine.results",
    "QueryResult": "engine.results",
    "Seed": "engine.results",
    "Stats": "engine.results",
    "TagProbability": "engine.results",
    "ValenceProbability": "engine.results",
    "AttentionStatistics": "engine.analysis.attention",
    "Explanation": "engine.analysis.explain",
    "Moment": "engine.analysis.explain",
    "PairExplanation": "engine.analysis.explain",
    "Span": "engine.analysis.explain",
    "WindowPair": "engine.analysis.explain",
    "GenreEquation": "engine.analysis.genres",
    "GenreRelations": "engine.analysis.genres",
    "GenreSummary": "engine.analysis.genres",
}

__all__ = [
    "AttentionStatistics",
    "AudioError",
    "AudioFeatures",
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
    "Explanation",
    "FailedPath",
    "Filters",
    "FoundTrack",
    "GenreEquation",
    "GenreProbability",
    "GenreRelations",
    "GenreSummary",
    "GroupMatch",
    "IndexProgress",
    "IndexReport",
    "LibraryError",
    "LibraryMap",
    "MapPoint",
    "Match",
    "MeasureReport",
    "Moment",
    "MoodProbability",
    "PairExplanation",
    "Play",
    "Playlist",
    "PlaylistTrack",
    "QueryError",
    "QueryResult",
    "Ranking",
    "Recommendations",
    "RecommendedTrack",
    "Seed",
    "SignatureError",
    "Span",
    "Stats",
    "TagChange",
    "TagProbability",
    "TagReport",
    "TrainingError",
    "ValenceProbability",
    "WindowPair",
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
