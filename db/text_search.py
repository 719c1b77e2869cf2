"""Text search over title, artist, album, genre, year and path.

`search_texts` holds one row of folded texts per track. Two FTS5 tables index it, maintained by the functions here
(triggers would need a trusted schema). https://sqlite.org/fts5.html describes trigrams (section 4.3.4) and tables whose
content is in another (section 4.4.3):

search_trigrams  each sequence of three characters: finds words of three characters or more anywhere, also inside others
search_words     words, and single characters of scripts without spaces (Chinese, Japanese kanji, Hangul): finds shorter
                 words at the beginning of words; inside words they are found by a scan

A SQLite without FTS5 or trigrams (before 3.34) neither makes nor uses them: it scans `search_texts`, with the same
answers, and marks tables that another SQLite made as stale. The next write through FTS5 rebuilds those.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, bindparam, delete, select, text

from engine.db.dialects import dialect_of
from engine.db.schema import search_texts, tracks
from engine.db.settings import get_setting, set_setting
from engine.db.text import clean, portions
from engine.errors import InvalidError

MOST_WORDS = 100
LARGEST_LIMIT = 10**9
TRIGRAM = 3  # characters of the shortest word that trigrams find
LONGEST_PHRASE = 16  # characters of a word that trigrams look up: each takes an iterator of FTS5; the rest is compared
CANDIDATES = 1_000  # of each tier, when there is a limit: bounds the time of a common word
FIELDS = ("title", "artist", "album", "genre", "year", "path")
TIERS = (("title", "artist"), ("album", "genre", "year"), ("path",))
"""Tiers of the ranking, best first: a track belongs to the first that, with those before it, has all words."""
SPACELESS = r"\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
ONE_CHARACTER = re.compile(f"([{SPACELESS}])")
VOICING_MARKS = "\u3099\u309a"  # of kana: unlike accents, they distinguish sounds
STALE = "text_index_stale"  # setting, "yes" or "no": rows were written without the FTS5 tables
DDL = (
    """CREATE VIRTUAL TABLE search_trigrams USING fts5(
        title, artist, album, genre, year, path,
        content='search_texts', content_rowid='track_id', tokenize='trigram case_sensitive 1')""",
    """CREATE VIRTUAL TABLE search_words USING fts5(
        words,
        content='search_texts', content_rowid='track_id', tokenize='unicode61 remove_diacritics 0', prefix='1 2')""",
)
TABLES = {"search_trigrams": FIELDS, "search_words": ("words",)}
BY_TRIGRAMS = text("SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH :trigrams ORDER BY rowid LIMIT :most")

IN_TRIGRAMS = text("track_id IN (SELECT rowid FROM search_trigrams WHERE search_trigrams MATCH :trigrams)")
IN_WORDS = text("track_id IN (SELECT rowid FROM search_words WHERE search_words MATCH :prefixes)")


@dataclass(frozen=True)
class SearchableTrack:
    """The texts of a track, as written in its tags."""

    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    year: int | None
    path: bytes


def fold_for_search(value: str) -> str:
    """Return a text case-folded, without accents, composed."""
    compatible = unicodedata.normalize("NFKD", clean(value))  # first: "™" becomes "TM", which has a case
    decomposed = unicodedata.normalize("NFKD", compatible.casefold())
    plain = (c for c in decomposed if not unicodedata.combining(c) or c in VOICING_MARKS)
    return unicodedata.normalize("NFC", "".join(plain)).replace("\0", " ")


def create_text_search(connection: Connection) -> None:
    """Create the FTS5 tables, if this SQLite has them."""
    if dialect_of(connection).indexes_text():
        for statement in DDL:
            connection.exec_driver_sql(statement)


def put_search_text(connection: Connection, track_id: int, track: SearchableTrack) -> None:
    """Write the searchable texts of a track, replacing earlier ones."""
    put_search_texts(connection, {track_id: track})


def put_search_texts(connection: Connection, by_id: dict[int, SearchableTrack]) -> None:
    """Write the searchable texts of many tracks, replacing earlier ones."""
    indexed = _prepare_for_write(connection)
    _drop(connection, by_id, indexed)
    for part in portions(by_id):
        connection.execute(search_texts.insert(), [{"track_id": i, **_row(by_id[i])} for i in part])
        if indexed:
            for table, columns in TABLES.items():
                listed = ", ".join(columns)
                source = f"SELECT track_id, {listed} FROM search_texts WHERE track_id IN :ids"
                connection.execute(_of_ids(f"INSERT INTO {table}(rowid, {listed}) {source}"), {"ids": part})


def drop_search_texts(connection: Connection, track_ids: Iterable[int]) -> None:
    """Remove the searchable texts of tracks, before the tracks themselves."""
    _drop(connection, track_ids, _prepare_for_write(connection))


def outdated_texts(connection: Connection, by_id: Mapping[int, SearchableTrack]) -> list[int]:
    """Return the ids of those tracks, at most `VARIABLES`, whose stored texts are missing or differ from these."""
    rows = connection.execute(select(search_texts).where(search_texts.c.track_id.in_(by_id)))
    stored = {row.track_id: dict(row._mapping) for row in rows}
    return [i for i, track in by_id.items() if stored.get(i) != {"track_id": i, **_row(track)}]


def _drop(connection: Connection, track_ids: Iterable[int], indexed: bool) -> None:
    for part in portions(track_ids):
        if indexed:  # FTS5 needs the old values of rows whose content is in another table
            for table, columns in TABLES.items():
                listed = ", ".join(columns)
                source = f"SELECT 'delete', track_id, {listed} FROM search_texts WHERE track_id IN :ids"
                connection.execute(_of_ids(f"INSERT INTO {table}({table}, rowid, {listed}) {source}"), {"ids": part})
        connection.execute(delete(search_texts).where(search_texts.c.track_id.in_(part)))


def find_track_ids(connection: Connection, words: Iterable[str], limit: int | None) -> list[int]:
    """Return the ids of the tracks in which every word occurs, best first.

    Words in title and artist rank before album, genre and year, and these before the path; then by artist, album, path.

    Args:
        connection: A connection of the library.
        words: At most MOST_WORDS different ones. None: every track; accents alone: no track.
        limit: Most ids; with a limit at most CANDIDATES tracks of each tier are sorted, those with the lowest ids.

    Raises:
        InvalidError: Too many words, or a limit out of range.
    """
    if limit is not None and not 0 <= limit <= LARGEST_LIMIT:
        raise InvalidError(f"expected a limit of 0 to {LARGEST_LIMIT:,}, found {limit}", hint="leave it out for all")
    given = [word for word in words if word.strip()]
    wanted = list(dict.fromkeys(folded for word in given if (folded := fold_for_search(word)).strip()))
    if given and not wanted:
        return []
    if len(wanted) > MOST_WORDS:
        raise InvalidError(f"expected at most {MOST_WORDS} words, found {len(wanted)}", hint="search for fewer")
    indexed = _is_indexed(connection)
    has_short = any(len(word) < TRIGRAM for word in wanted)
    most = None if limit is None else max(limit, CANDIDATES)
    if wanted and indexed and not has_short:
        matching = _SearchQuery(wanted, FIELDS, indexed, at_word_starts=False).run(connection, CANDIDATES)
        if len(matching) < CANDIDATES:  # all of them: one query instead of one for each tier
            return _ranked(connection, matching, wanted)[:limit]
    ids: list[int] = []
    for tier in range(1, len(TIERS) + 1):
        before, new = set(ids), set[int]()
        for at_word_starts in (True, False) if indexed and has_short else (False,):
            if limit is None or len(ids) + len(new) < limit:
                query = _SearchQuery(wanted, sum(TIERS[:tier], ()), indexed, at_word_starts)
                new.update(i for i in query.run(connection, most) if i not in before)
        ids += _sorted(connection, sorted(new))
    return ids if limit is None else ids[:limit]


@dataclass(frozen=True)
class _SearchQuery:
    """Words that must all occur in some columns.

    Attributes:
        words: Folded.
        columns: Of `search_texts`.
        indexed: Whether the FTS5 tables exist, are usable here, and hold every row.
        at_word_starts: Find words shorter than trigrams at the beginning of words only, which is fast.
    """

    words: Sequence[str]
    columns: Sequence[str]
    indexed: bool
    at_word_starts: bool

    def run(self, connection: Connection, most: int | None) -> list[int]:
        """Return the ids of matching tracks, sorted, at most `most`."""
        if not self.words:
            return list(connection.execute(select(tracks.c.id).order_by(tracks.c.id).limit(most)).scalars())
        long = [word for word in self.words if self.indexed and len(word) >= TRIGRAM]
        compared = [word for word in self.words if word not in long or len(word) > LONGEST_PHRASE]
        trigrams = " AND ".join(f"{{{' '.join(self.columns)}}} : {_quoted(word[:LONGEST_PHRASE])}" for word in long)
        if not compared:  # read in the order of ids, and no further than the limit
            limited = {"trigrams": trigrams, "most": -1 if most is None else most}
            return list(connection.execute(BY_TRIGRAMS, limited).scalars())
        found, parameters = select(search_texts.c.track_id), {}
        if long:
            found, parameters["trigrams"] = found.where(IN_TRIGRAMS), trigrams
        prefixes = [prefix for word in compared if len(word) < TRIGRAM and (prefix := _prefix(word))]
        if self.at_word_starts and prefixes:
            found, parameters["prefixes"] = found.where(IN_WORDS), " AND ".join(prefixes)
        for number, word in enumerate(compared):
            found = found.where(text(f"instr({' || char(10) || '.join(self.columns)}, :word{number}) > 0"))
            parameters[f"word{number}"] = word
        return list(connection.execute(found.order_by(search_texts.c.track_id).limit(most), parameters).scalars())


@lru_cache
def _of_ids(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("ids", expanding=True))


def _ranked(connection: Connection, ids: Sequence[int], words: Sequence[str]) -> list[int]:
    """Return ids by the tier of their tracks, then by artist, album and path."""
    tiers: dict[int, int] = {}
    for part in portions(ids):
        for row in connection.execute(select(search_texts).where(search_texts.c.track_id.in_(part))):
            tiers[row.track_id] = max(_tier(row._mapping, word) for word in words)
    return sorted(_sorted(connection, ids), key=lambda track_id: tiers.get(track_id, len(TIERS)))


def _tier(texts: Mapping[Any, Any], word: str) -> int:
    return next((n for n, fields in enumerate(TIERS) if any(word in texts[f] for f in fields)), len(TIERS))


def _sorted(connection: Connection, ids: Sequence[int]) -> list[int]:
    keys = []
    statement = select(tracks.c.id, tracks.c.artist, tracks.c.album, tracks.c.path).where(
        tracks.c.id.in_(bindparam("ids", expanding=True))
    )
    for part in portions(ids):
        keys += [tuple(row) for row in connection.execute(statement, {"ids": part})]
    ordered = sorted(keys, key=lambda key: (key[1] is not None, key[1] or "", key[2] is not None, key[2] or "", key[3]))
    return [key[0] for key in ordered]


def _row(track: SearchableTrack) -> dict[str, str]:
    title, artist, album, genre, year, path = astuple(track)
    texts = (title or "", artist or "", album or "", genre or "", str(year or ""), path.decode("utf-8", "replace"))
    row = {name: fold_for_search(value) for name, value in zip(FIELDS, texts, strict=True)}
    return row | {"words": _separated("\n".join(row.values()))}


def _separated(value: str) -> str:
    """Put spaces around characters of scripts without spaces, so that each is a word."""
    return ONE_CHARACTER.sub(r" \1 ", value)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _prefix(word: str) -> str | None:
    """Return a short word as a query of `search_words`; None if it has neither letters nor digits."""
    return f"{_quoted(_separated(word).strip())}*" if any(c.isalnum() for c in word) else None


def _prepare_for_write(connection: Connection) -> bool:
    """Return whether a write has to update the FTS5 tables; rebuild them first if rows were written without them.

    Where this SQLite cannot update them, mark them as stale.
    """
    if not _has_tables(connection):
        return False
    stale = get_setting(connection, STALE) == "yes"
    if not dialect_of(connection).indexes_text():
        if not stale:
            set_setting(connection, STALE, "yes")
        return False
    if stale:
        for table in TABLES:
            connection.exec_driver_sql(f"INSERT INTO {table}({table}) VALUES ('rebuild')")
        set_setting(connection, STALE, "no")
    return True


def _is_indexed(connection: Connection) -> bool:
    """Return whether the FTS5 tables exist, are usable here, and hold every row."""
    usable = _has_tables(connection) and dialect_of(connection).indexes_text()
    return usable and get_setting(connection, STALE) != "yes"


def _has_tables(connection: Connection) -> bool:
    return dialect_of(connection).tables(connection) >= set(TABLES)
