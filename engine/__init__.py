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
    OutputError,
    QueryError,
    SignatureError,
    TrainingError,
)

if TYPE_CHECKING:
    from engine.db import AudioFeatures
    from engine.db.plays import Play
    from engine.duplicates.grouping import DuplicateGroup, Duplicates, DuplicateTrack
    from engine.explain.explanation import Explanation, Moment, PairExplanation, Span, WindowPair
    from engine.genres.attention import AttentionStatistics
    from engine.genres.relations import GenreEquation, GenreRelations, GenreSummary
    from engine.indexer.pipeline.reports import FailedPath, IndexProgress, IndexReport, MeasureReport
    from engine.library import Engine
    from engine.map.library_map import LibraryMap, MapPoint
    from engine.playlists.compose import Playlist, PlaylistTrack
    from engine.recommend.history import RecentlyHeard
    from engine.recommend.recommendations import Recommendations, RecommendedTrack
    from engine.search.filters import Filters
    from engine.search.ranking import Ranking
    from engine.search.results import (
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
    from engine.tags.tagging import TagChange, TagReport

_HOMES = {
    "AudioFeatures": "engine.db",
    "Engine": "engine.library",
    "DuplicateGroup": "engine.duplicates.grouping",
    "DuplicateTrack": "engine.duplicates.grouping",
    "Duplicates": "engine.duplicates.grouping",
    "Ranking": "engine.search.ranking",
    "Filters": "engine.search.filters",
    "FailedPath": "engine.indexer.pipeline.reports",
    "IndexProgress": "engine.indexer.pipeline.reports",
    "IndexReport": "engine.indexer.pipeline.reports",
    "MeasureReport": "engine.indexer.pipeline.reports",
    "TagChange": "engine.tags.tagging",
    "TagReport": "engine.tags.tagging",
    "Playlist": "engine.playlists.compose",
    "PlaylistTrack": "engine.playlists.compose",
    "Recommendations": "engine.recommend.recommendations",
    "RecentlyHeard": "engine.recommend.history",
    "RecommendedTrack": "engine.recommend.recommendations",
    "Play": "engine.db.plays",
    "CentroidDistance": "engine.search.results",
    "Classification": "engine.search.results",
    "EncoderTracks": "engine.search.results",
    "FoundTrack": "engine.search.results",
    "GenreProbability": "engine.search.results",
    "GroupMatch": "engine.search.results",
    "Match": "engine.search.results",
    "LibraryMap": "engine.map.library_map",
    "MapPoint": "engine.map.library_map",
    "MoodProbability": "engine.search.results",
    "QueryResult": "engine.search.results",
    "Seed": "engine.search.results",
    "Stats": "engine.search.results",
    "TagProbability": "engine.search.results",
    "ValenceProbability": "engine.search.results",
    "AttentionStatistics": "engine.genres.attention",
    "Explanation": "engine.explain.explanation",
    "Moment": "engine.explain.explanation",
    "PairExplanation": "engine.explain.explanation",
    "Span": "engine.explain.explanation",
    "WindowPair": "engine.explain.explanation",
    "GenreEquation": "engine.genres.relations",
    "GenreRelations": "engine.genres.relations",
    "GenreSummary": "engine.genres.relations",
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
    "OutputError",
    "PairExplanation",
    "Play",
    "Playlist",
    "PlaylistTrack",
    "QueryError",
    "QueryResult",
    "Ranking",
    "RecentlyHeard",
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
