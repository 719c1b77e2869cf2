"""A piece's description: its tags, and the choices of its style's composer. Bands and albums are invented."""

from collections.abc import Callable
from dataclasses import dataclass

from .instruments import Voice


@dataclass(frozen=True)
class Song:
    """One piece.

    Progressions and tunes are written in C (or A minor) and moved by `key` semitones. `form` names the sections in
    their order; a section's progression gives its length, `tunes` its melody (without one, the style improvises).
    """

    style: str
    title: str
    artist: str
    album: str
    year: int
    key: int
    tempo: float  # beats a minute
    form: str
    chords: dict[str, str]
    lead: Voice
    backing: Voice
    groove: str
    tunes: dict[str, str]
    seed: int


def credited_to(
    style: str, bands: tuple[str, str], albums: tuple[str, str], year: int, seed: int
) -> Callable[..., Song]:
    """A maker of one style's songs, which take turns between two bands and count on from `year` and `seed`."""
    made: list[Song] = []

    def song(
        title: str,
        key: int,
        tempo: float,
        form: str,
        chords: dict[str, str],
        lead: Voice,
        backing: Voice,
        groove: str,
        tunes: dict[str, str] | None = None,
    ) -> Song:
        i = len(made)
        tags = (style, title, bands[i % 2], albums[i % 2], year + 3 * i)
        made.append(Song(*tags, key, tempo, form, chords, lead, backing, groove, tunes or {}, seed + i))
        return made[-1]

    return song
