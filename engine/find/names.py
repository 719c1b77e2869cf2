"""Words of a description that name an artist, a genre or a title in the library, found by its text search."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from engine.db import Track, search
from engine.db.text import artist_names
from engine.find.reading import Found
from engine.models.labels import tag_names
from engine.search.phrases import Phrase, words_in

CANDIDATES = 100  # tracks that the text search gives for a phrase
SHORTEST = 3  # characters of a word that the text search finds by its index
TELLING = 4  # characters of a single word that is enough to name a title or a part of an artist's name


class NameLookup:
    """Finds names; queries the library once for each phrase."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[Phrase, Found | None] = {}
        self._occurs: dict[str, bool] = {}

    def __call__(self, phrase: Phrase) -> Found | None:
        """Return the kind and the full names that match a phrase: an artist, else a genre, else a title."""
        if phrase not in self._found:
            self._found[phrase] = self._find(phrase)
        return self._found[phrase]

    def _find(self, phrase: Phrase) -> Found | None:
        words = [word for word in phrase if len(word) >= SHORTEST]
        if not words or not all(map(self._is_there, words)):
            return None
        tracks = search(self._connection, words, CANDIDATES)
        artists = dict.fromkeys(name for track in tracks for name in _artists(track))
        exact = [name for name in artists if tuple(words_in(name)) == phrase]
        if exact:
            return Found("artist", tuple(exact))
        genres = dict.fromkeys(name for track in tracks for name in tag_names(track.genre))
        named = [name for name in genres if tuple(words_in(name)) == phrase]
        if named:
            return Found("genre", tuple(named))
        if len(phrase) == 1 and len(phrase[0]) < TELLING:
            return None
        titles = [track.title for track in tracks if tuple(words_in(track.title or "")) == phrase]
        if titles:
            return Found("title", tuple(dict.fromkeys(title for title in titles if title)))
        partial = [name for name in artists if _within(phrase, words_in(name))]
        return Found("artist", tuple(partial)) if partial else None

    def _is_there(self, word: str) -> bool:
        """Return whether any track has a word; if none has, the phrases that contain it need no search."""
        if word not in self._occurs:
            self._occurs[word] = bool(search(self._connection, [word], 1))
        return self._occurs[word]


def titled(connection: Connection, titles: Iterable[str]) -> list[int]:
    """Return the ids of the tracks with one of these titles."""
    found = set()
    for title in titles:
        words = words_in(title)
        found |= {track.id for track in search(connection, words, CANDIDATES) if words_in(track.title or "") == words}
    return sorted(found)


def _artists(track: Track) -> list[str]:
    return [name for text in (track.artist, track.album_artist) for name in artist_names(text)]


def _within(phrase: Phrase, words: list[str]) -> bool:
    return any(tuple(words[at : at + len(phrase)]) == phrase for at in range(len(words) - len(phrase) + 1))
