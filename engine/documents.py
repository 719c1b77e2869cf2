"""The JSON document of every answer: the contract of `--json`, in one place.

Each function turns a frozen result into a dictionary of plain values: keys in a fixed order, tuples for lists, nothing
rounded. Keys are added in later versions, never renamed or removed. Optional keys are named below; every other key is
always there, None where a value is unknown. A path keeps bytes that are not UTF-8 as lone surrogates, as `open` takes
them; replace these before encoding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from engine.backup.results import Backup, Restored
    from engine.doctor.results import CheckReport
    from engine.duplicates.results import Duplicates
    from engine.explain.results import AspectExplanation, Explanation, PairExplanation
    from engine.find.results import FindResult
    from engine.genres.results import GenreRelations
    from engine.map.results import LibraryMap
    from engine.playlists.results import Playlist
    from engine.recommend.results import Recommendations
    from engine.search.results import Classification, FoundTrack, QueryResult, Stats, TagCount
    from engine.tags.results import TagReport

Document: TypeAlias = dict[str, Any]


def similar(encoder: str, results: Iterable[QueryResult], *, grouped: bool = False) -> Document:
    """Return `encoder` (its id) and `queries`, one `query` for each, in the order of the request."""
    return {"encoder": encoder, "queries": [query(result, grouped=grouped) for result in results]}


def query(result: QueryResult, *, grouped: bool = False) -> Document:
    """Return one query's answer.

    Keys: `path`, `track_id`, `error` (null, or the reason of a failed query, whose lists are empty), `genres`, `moods`,
    `valence`, `centroids`, `tags`, `matches`.

    Optional keys: `seeds` for a query of several tracks, `groups` in place of `matches` if `grouped` (by artist or
    album), `seed` for an answer that was drawn with variety, `understood` and `ignored`, as of `find`, for a
    description beside the query.
    """
    document = asdict(result)
    if not result.understood:
        del document["understood"], document["ignored"]
    if result.seed is None:
        del document["seed"]
    if not result.seeds:
        del document["seeds"]
    del document["matches" if grouped else "groups"]
    return document


def classifications(encoder: str, results: Iterable[Classification], tags: TagReport | None = None) -> Document:
    """Return `encoder` and `queries`, each with `path`, `track_id`, `error`, `genres`, `moods`, `valence`, `centroids`,
    `tags`.

    Optional key: `tags` at the top, for a plan or a run of writing tags: `changes` (`path`, `tag`, `old`, `new`,
    `probability`), `kept`, `unsure`, `failed` (`path`, `reason`).
    """
    document: Document = {"encoder": encoder, "queries": [asdict(result) for result in results]}
    if tags is not None:
        document["tags"] = asdict(tags)
    return document


def find(result: FindResult) -> Document:
    """Return `text`, `understood` (`words`, `tag`, `weight`), `ignored` (words) and `matches`.

    A match has the keys of a match of `similar`, and `tags`: those of the description that it carries (`tag`,
    `probability`, `level`: the share of typical tracks that carry less of it), the strongest first.
    """
    return asdict(result)


def tags(counted: Iterable[TagCount]) -> Document:
    """Return `tags`: `tag` and `tracks`, the most frequent first."""
    return {"tags": [asdict(each) for each in counted]}


def playlist(made: Playlist) -> Document:
    """Return `tracks`: `track_id`, `path`, `artist`, `title`, `similarity`.

    Optional keys: `worst_step` for a path or an ordered list, `seed` for tracks that were drawn with variety, `mix`
    for a DJ's order: for each track `tempo`, `key`, `camelot`, `tempo_change`, `key_steps`.
    """
    mix = [asdict(step) for step in made.mix] or None
    optional = {"worst_step": made.worst_step, "seed": made.seed, "mix": mix}
    tracks = [asdict(track) for track in made.tracks]
    return {"tracks": tracks, **{name: value for name, value in optional.items() if value is not None}}


def recommendations(found: Recommendations) -> Document:
    """Return `tracks`: `track_id`, `path`, `artist`, `title`, `score`, `reason`, best first."""
    return {"tracks": [asdict(track) for track in found.tracks]}


def duplicates(found: Duplicates) -> Document:
    """Return `groups`: `kind` (same_recording or same_work), `score`, and `tracks`, the best file first.

    A track has `track_id`, `path`, `codec`, `bitrate` (bit/s) and `partial`.
    """
    return {"groups": [asdict(group) for group in found.groups]}


def explanation(found: Explanation) -> Document:
    """Return `duration` (s), `windows` in order of time and `moments`, the heaviest first.

    Both lists hold `start` and `end` (s), `weight` (the windows' sum to 1), `genre` and `tags`.
    """
    return asdict(found)


def pair_explanation(found: PairExplanation) -> Document:
    """Return `cosine`, `similarity` and `pairs`, largest contribution first.

    A pair has `a` and `b` (`start` and `end`, s) and `contribution`; all contributions sum to the cosine.
    """
    return asdict(found)


def aspect_explanation(found: AspectExplanation) -> Document:
    """Return `aspects` (`aspect`, `similarity` and `percentile`, 0 to 1) and `summary`."""
    return asdict(found)


def genre_relations(found: GenreRelations) -> Document:
    """Return `genres`, `distances` (a square matrix of 1 - cosine, in the order of `genres`) and `equations`.

    A genre has `genre`, `kind`, `tracks`, `nearest` and `attention`; an equation a - b + c = d has `a`, `b`, `c`, `d`
    and `error`.
    """
    return asdict(found)


def library_map(drawn: LibraryMap) -> Document:
    """Return `method`, `explained_variance` (0 to 1; null unless the method is pca) and `points`.

    A point has `track_id`, `x`, `y` and `z` (null in a flat map).
    """
    return asdict(drawn)


def found_tracks(found: Iterable[FoundTrack]) -> Document:
    """Return `tracks`: `track_id`, `path`, `artist`, `title`, `album`."""
    return {"tracks": [asdict(track) for track in found]}


def stats(held: Stats) -> Document:
    """Return `tracks`, `failed` and `encoders`: `encoder`, `coverage`, `tracks`.

    Optional key: `failures` (`path`, `reason`), if any file failed.
    """
    document = asdict(held)
    if not held.failures:
        del document["failures"]
    return document


def encoders(installed: Sequence[str], default: str) -> Document:
    """Return `encoders`: `encoder` (its id) and `default` (true for one of them)."""
    return {"encoders": [{"encoder": name, "default": name == default} for name in installed]}


def check(report: CheckReport) -> Document:
    """Return `checks` (names), `findings` (`check`, `severity`, `message`, `hint`, `repaired`) and `sound`."""
    return asdict(report) | {"sound": report.sound}


def backup(made: Backup) -> Document:
    """Return `path`, `tracks` and `size` (bytes)."""
    return asdict(made)


def restored(library: Restored) -> Document:
    """Return `path`, `tracks`, `backed_up_at` (seconds since 1970), `replaced` (the old library or null)."""
    return asdict(library)
