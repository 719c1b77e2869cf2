"""`engine similar`: tracks that sound like a track, a part of it, or several together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine import documents
from engine.cli.group import FAILED, QUERY_FAILURES, Settings, cli
from engine.cli.options import (
    coverage_option,
    filters_of,
    one_format,
    output_options,
    print_lacking,
    print_seed,
    ranking_options,
    seed_of,
)
from engine.cli.spans import MOMENT
from engine.cli.tables import columns_of, on_terminal, print_csv, print_table
from engine.cli.text import (
    bar,
    display_name,
    displayable,
    heading,
    name_cells,
    print_centroids,
    print_json,
    print_labelled,
    print_problem,
    print_understanding,
)
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.library import Engine
    from engine.search.results import GroupMatch, Match, QueryResult

BAR_WIDTH = 10
TITLE_SEEDS = 4  # named in the title of an answer


@cli.command()
@click.argument("tracks", nargs=-1, metavar="[TRACK...]")
@click.option("-k", "k", type=click.IntRange(1), default=5, show_default=True, help="How many neighbours.")
@click.option("--like", multiple=True, metavar="TRACK", help="Instead of TRACKs: one query from several; repeatable.")
@click.option("--unlike", multiple=True, metavar="TRACK", help="Subtract this from the liked ones; repeatable.")
@click.option("--at", type=MOMENT, metavar="FROM-TO", help="Only this part of each TRACK, for example 1:05-1:20.")
@click.option("--group", type=click.Choice(["artist", "album"]), help="Answer in artists or albums.")
@click.option(
    "--but", metavar="TEXT", help="Of the near tracks, rank those first that fit this, such as 'with female vocals'."
)
@ranking_options(
    diverse="Prefer matches that differ from each other", hubs="Do not demote hub tracks: plain order by similarity."
)
@click.option(
    "--no-duplicates", is_flag=True,
    help="One file of each recording, and none of the TRACK's own; candidates are fingerprinted on first use.",
)  # fmt: skip
@coverage_option
@output_options
@click.pass_obj
def similar(
    settings: Settings, tracks: tuple[str, ...], coverage: str | None, as_json: bool, as_csv: bool, **options: Any
) -> int:
    """Show the tracks that sound like each TRACK.

    A TRACK is a file (in the library or not), an id (12, or id:12), search:WORDS, artist:NAME or album:NAME.
    """
    one_format(as_json, as_csv)
    like, unlike, given = options.pop("like"), options.pop("unlike"), options["seed"]
    _check(tracks, like or unlike, **options)
    options["seed"] = seed_of(options["variety"], given)
    queries = [((track,), ()) for track in tracks] or [(like, unlike)]
    with settings.open(coverage=coverage) as library:
        results = [_answer(library, liked, unliked, combined=not tracks, **options) for liked, unliked in queries]
        if not all(result.error for result in results):
            print_lacking(library, options["by"], settings.quiet)
    if as_json:
        print_json(documents.similar(library.encoder, results, grouped=bool(options["group"])))
    if as_csv:
        _print_csv(results, options["group"])
    for result in results:
        if result.error:
            print_problem(result.error)
        elif not as_json and not as_csv:
            _print(result)
    if given is None and not settings.quiet:
        print_seed(options["seed"])
    return FAILED if any(result.error for result in results) else 0


def _check(
    tracks: tuple[str, ...], combined: tuple[str, ...], *, at: tuple[float, float] | None, group: str | None,
    variety: float, no_duplicates: bool, by: dict[str, float] | None, but: str | None, hubs: bool, diverse: float,
    **options: Any,
) -> None:  # fmt: skip
    """Refuse options that exclude each other."""
    if bool(tracks) == bool(combined):
        raise click.UsageError("expected either TRACKs or --like and --unlike; for example: engine similar track.flac")
    if at and (not tracks or group):
        raise click.UsageError("--at belongs to TRACKs, without --group")
    if by and at:
        raise click.UsageError("--by belongs to whole TRACKs, without --at")
    if but is not None and (by or group or no_duplicates or variety or hubs or diverse):
        raise click.UsageError("--but has its own order: leave out --by, --group, --no-duplicates and other orders")
    for given, name in ((by, "--by"), (no_duplicates, "--no-duplicates"), (variety, "--variety")):
        if given and group:
            raise click.UsageError(f"{name} belongs to tracks, without --group")


def _answer(
    library: Engine, like: tuple[str, ...], unlike: tuple[str, ...], *, combined: bool, k: int, group: str | None,
    at: tuple[float, float] | None, diverse: float, hubs: bool, variety: float, seed: int | None,
    no_duplicates: bool, by: dict[str, float] | None, but: str | None, **options: Any,
) -> QueryResult:  # fmt: skip
    from engine.search.ranking import Ranking
    from engine.search.results import QueryResult, Span

    filters, ranking = filters_of(options), Ranking(diverse, hubs, variety, seed)
    span = Span(*at) if at else None
    chosen: dict[str, Any] = {
        "filters": filters, "ranking": ranking, "no_duplicates": no_duplicates, "by": by, "but": but
    }  # fmt: skip
    try:
        if group:
            return library.similar_groups(group, like, unlike, k, filters=filters)
        if combined:
            return library.similar_to(like, unlike, k, **chosen)
        return library.similar(like[0], k, at=span, **chosen)
    except QUERY_FAILURES as error:
        return QueryResult.failed(*((None, None) if combined else library.locate(like[0])), error)


def _print_csv(results: list[QueryResult], group: str | None) -> None:
    """Print a record for each match, beside the path of its query; a failed query has none."""
    from engine.search.results import GroupMatch, Match

    columns = ("query", *columns_of(GroupMatch if group else Match))
    found = [(result.path, match) for result in results for match in (result.groups if group else result.matches)]
    print_csv(columns, [{"query": path, **asdict(match)} for path, match in found])


def _print(result: QueryResult) -> None:
    click.echo(_title(result))
    print_labelled("genre", [f"{entry.genre} {entry.probability:.2f}" for entry in result.genres[:3]])
    print_labelled("mood", [f"{entry.mood} {entry.probability:.2f}" for entry in result.moods[:2]])
    print_centroids(result.centroids)
    print_understanding(result.understood, result.ignored)
    if not (result.matches or result.groups):
        click.echo("  no other track to compare with, or none passes the filters")
    if on_terminal():
        print_table(("", "similar", "", "genre", "artist", "title", "id"), map(_match_cells, result.matches))
        print_table(("", "similar", "", "artist", "album", "tracks"), map(_group_cells, result.groups))
    else:
        for match in result.matches:
            click.echo(_match_line(match))
        for group in result.groups:
            click.echo(_group_line(group))
    click.echo()


def _title(result: QueryResult) -> str:
    if not result.seeds:
        return heading(result.path or "", result.track_id)
    names = [f"{'+' if seed.sign > 0 else '-'} {displayable(seed.path.rsplit('/', 1)[-1])}" for seed in result.seeds]
    more = f" and {len(names) - TITLE_SEEDS} more" if len(names) > TITLE_SEEDS else ""
    return click.style("  ".join(names[:TITLE_SEEDS]) + more, bold=True)


def _match_cells(match: Match) -> tuple[object, ...]:
    names = name_cells(match.artist, match.title, match.path)
    return match.rank, f"{match.similarity:.3f}", _bar(match.similarity), _genre(match), *names, match.track_id


def _group_cells(group: GroupMatch) -> tuple[object, ...]:
    return group.rank, f"{group.similarity:.3f}", _bar(group.similarity), group.artist, group.album, group.tracks


def _match_line(match: Match) -> str:
    left = f"  {match.rank:>3}. {match.similarity:.3f} {_bar(match.similarity)} {_genre(match):<12}"
    name = display_name(match.artist, match.title, match.path)
    return f"{left}{name}  id:{match.track_id}"


def _group_line(group: GroupMatch) -> str:
    name = displayable(" - ".join(name for name in (group.artist, group.album) if name))
    left = f"  {group.rank:>3}. {group.similarity:.3f} {_bar(group.similarity)}"
    return f"{left} {name}  ({counted(group.tracks, 'track')})"


def _genre(match: Match) -> str:
    """Return the genre, with a question mark if it is a prediction."""
    return f"{match.genre or '-'}{'' if match.genre_source == 'tag' else '?'}"


def _bar(similarity: float) -> str:
    return bar(similarity, BAR_WIDTH)
