"""The result of `Engine.map`, and the sheet that is drawn of it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.map.projection import Places


@dataclass(frozen=True)
class MapPoint:
    """Where a track lies; `z` is None on a plane. PCA: distances are those of signatures; else there is no unit."""

    track_id: int
    x: float
    y: float
    z: float | None


@dataclass(frozen=True)
class LibraryMap:
    """Every track's place, by track id.

    Attributes:
        method: "pca", "umap" or "tsne".
        explained_variance: The share of the signatures' variance that the axes keep together, 0 to 1 (1 where there is
            none to keep); None unless the method is PCA.
        points: One for each track that has a signature.
    """

    method: str
    explained_variance: float | None
    points: tuple[MapPoint, ...]


@dataclass(frozen=True)
class MapTrack:
    """What a map tells about a track, as text for people; None where it is not known.

    Attributes:
        predicted: Whether the encoder predicted the genre, for want of a tag.
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
    """All that is drawn.

    Attributes:
        name: Of the library.
        method: As of `LibraryMap`.
        places: Of N tracks.
        tracks: N of them.
    """

    name: str
    method: str
    places: Places
    tracks: tuple[MapTrack, ...]

    @property
    def title(self) -> str:
        """The library's name and how many tracks it has."""
        return f"{self.name}: {len(self.tracks):,} track{'' if len(self.tracks) == 1 else 's'}"
