"""The result of `Engine.map`, and the sheet that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.map.projection import Places


@dataclass(frozen=True)
class MapPoint:
    """The position of a track; `z` is None in 2-D. With PCA distances approximate those of signatures."""

    track_id: int
    x: float
    y: float
    z: float | None


@dataclass(frozen=True)
class LibraryMap:
    """The positions of all tracks.

    Attributes:
        method: "pca", "umap" or "tsne".
        explained_variance: Share of the signatures' variance on the axes together, 0 to 1 (1 if there is none); None
            unless the method is PCA.
        points: One for each track that has a signature.
    """

    method: str
    explained_variance: float | None
    points: tuple[MapPoint, ...]


@dataclass(frozen=True)
class MapTrack:
    """The labels of a track on a map; None if unknown.

    Attributes:
        predicted: Whether the genre is a prediction, for want of a tag.
    """

    track_id: int
    artist: str | None
    title: str
    genre: str | None
    predicted: bool
    mood: str | None
    year: int | None


@dataclass(frozen=True, eq=False)
class Sheet:
    """A map to draw.

    Attributes:
        name: Of the library.
        method: As of `LibraryMap`.
        places: Of N tracks.
        tracks: Labels of the N tracks.
    """

    name: str
    method: str
    places: Places
    tracks: tuple[MapTrack, ...]

    @property
    def title(self) -> str:
        """The library's name and its number of tracks."""
        return f"{self.name}: {len(self.tracks):,} track{'' if len(self.tracks) == 1 else 's'}"
