"""`similar`: what sounds like a track, a moment of it, or several things together."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from engine.cli.ask import NEAREST_CENTROIDS, as_json, display_name, displayable, name_cells, print_json
from engine.cli.filtering import MOMENT, filter_options, filters_of, seed_of, tell_seed, variety_options
from engine.cli.group import FAILED, Settings, cli
from engine.cli.tables import as_csv, columns_of, counted, on_terminal, one_format, print_csv, print_table
from engine.errors import AudioError, QueryError, SignatureError

if TYPE_CHECKING:
    from engine.library import Engine
    from engine.search.results import GroupMatch, Match, QueryResult

BAR_WIDTH = 10
TITLE_SEEDS = 4  # named above an answer
DIVERSE = 0.3  # what --diverse means when it names no number


@cli.command()
@click.argument("tracks", nargs=-1, metavar="[TRACK...]")
@click.option("-k", "k", type=click.IntRange(1), default=5, show_default=True, help="How many neighbours.")
@click.option("--like", multiple=True, metavar="TRACK", help="Instead of TRACKs: one query from several; repeatable.")
@click.option("--unlike", multiple=True, metavar="TRACK", help="Taken away from what is liked; repeatable.")
@click.option("--at", type=MOMENT, metavar="FROM-TO", help="Only this part of each TRACK, for example 1:05-1:20.")
@click.option("--group", type=click.Choice(["artist", "album"]), help="Answer in artists or albums.")
@filter_options
@click.option(
    "--diverse", is_flag=False, flag_value=DIVERSE, default=0.0, type=click.FloatRange(0, 1), metavar="[0..1]",
    help=f"Answers that differ from each other; {DIVERSE} when no number is given.",
)  # fmt: skip
@click.option("--hubs", is_flag=True, help="Keep in place what is near to everything: plain order by similarity.")
@variety_options
@click.option(
    "--no-duplicates", is_flag=True,
    help="One file of each recording, and none of the TRACK's own; what sounds alike is fingerprinted on first use.",
)  # fmt: skip
@click.option(
    "--coverage", type=click.Choice(["windows", "full"]), help="Which signatures; default: the library's own."
)
@as_json
@as_csv
@click.pass_obj
def similar(
    settings: Settings, tracks: tuple[str, ...], coverage: str | None, as_json: bool, as_csv: bool, **options: Any
) -> int:
    """Show what sounds like each TRACK.

    A TRACK is a file (in the library or not), an id (12, or id:12), search:WORDS, artist:NAME or album:NAME.
    """
    one_format(as_json, as_csv)
    like, unlike = options.pop("like"), options.pop("unlike")
    if bool(tracks) == bool(like or unlike):
        raise click.UsageError("expected either TRACKs or --like and --unlike; for example: engine similar track.flac")
    if options["at"] and (not tracks or options["group"]):
        raise click.UsageError("--at belongs to TRACKs, without --group")
    if options["no_duplicates"] and options["group"]:
        raise click.UsageError("--no-duplicates belongs to tracks, without --group")
    if options["variety"] and options["group"]:
        raise click.UsageError("--variety belongs to tracks, without --group")
    given, options["seed"] = options["seed"], seed_of(options["variety"], options["seed"])
    asked = [((track,), ()) for track in tracks] or [(like, unlike)]
    with settings.open(coverage=coverage) as library:
        results = [_ask(library, liked, disliked, combined=not tracks, **options) for liked, disliked in asked]
        encoder = library.encoder
    if as_json:
        print_json({"encoder": encoder, "queries": [_document(result, options["group"]) for result in results]})
    if as_csv:
        _print_csv(results, options["group"])
    for result in results:
        if result.error:
            click.echo(f"engine: {displayable(result.error)}", err=True)
        elif not as_json and not as_csv:
            _show(result)
    if given is None and not settings.quiet:
        tell_seed(options["seed"])
    return FAILED if any(result.error for result in results) else 0


def _ask(
    library: Engine, like: tuple[str, ...], unlike: tuple[str, ...], *, combined: bool, k: int, group: str | None,
    at: tuple[float, float] | None, diverse: float, hubs: bool, variety: float, seed: int | None,
    no_duplicates: bool, **options: Any,
) -> QueryResult:  # fmt: skip
    from engine.search.ranking import Ranking
    from engine.search.results import QueryResult, Span

    filters, ranking = filters_of(options), Ranking(diverse, hubs, variety, seed)
    moment = Span(*at) if at else None
    try:
        if group:
            return library.similar_groups(group, like, unlike, k, filters=filters)
        if combined:
            return library.similar_to(like, unlike, k, filters=filters, ranking=ranking, no_duplicates=no_duplicates)
        return library.similar(like[0], k, at=moment, filters=filters, ranking=ranking, no_duplicates=no_duplicates)
    except (QueryError, AudioError, SignatureError) as error:
        path, track_id = (None, None) if combined else library.locate(like[0])
        return QueryResult(path, track_id, " ".join(str(error).split()), (), (), (), (), ())


def _document(result: QueryResult, group: str | None) -> dict[str, Any]:
    """The contract: `seeds` where several tracks were searched from, `groups` in place of matches where asked for, and
    `seed` where the answer was drawn."""
    document = asdict(result)
    if result.seed is None:
        del document["seed"]
    if not result.seeds:
        del document["seeds"]
    del document["matches" if group else "groups"]
    return document


def _print_csv(results: list[QueryResult], group: str | None) -> None:
    """One record for each answer, beside the path of what was asked; a query that failed has none."""
    from engine.search.results import GroupMatch, Match

    columns = ("query", *columns_of(GroupMatch if group else Match))
    answers = [(result.path, answer) for result in results for answer in (result.groups if group else result.matches)]
    print_csv(columns, [{"query": path, **asdict(answer)} for path, answer in answers])


def _show(result: QueryResult) -> None:
    click.echo(click.style(_title(result), bold=True))
    genres = ", ".join(f"{g.genre} {g.probability:.2f}" for g in result.genres[:3])
    moods = ", ".join(f"{m.mood} {m.probability:.2f}" for m in result.moods[:2])
    near = ", ".join(f"{c.genre} {c.distance:.2f}" for c in result.centroids[:NEAREST_CENTROIDS])
    own = sum(c.kind == "library" for c in result.centroids)
    click.echo(f"  genre     {genres}\n  mood      {moods}")
    click.echo(f"  nearest genre centroids  {near}  ({own} of {len(result.centroids)} from this library)")
    if not (result.matches or result.groups):
        click.echo("  no other track to compare with, or none passes the filters")
    if on_terminal():
        print_table(("", "similar", "", "genre", "artist", "title", "id"), map(_match_cells, result.matches))
        print_table(("", "similar", "", "artist", "album", "tracks"), map(_group_cells, result.groups))
    else:
        for match in result.matches:
            _show_match(match)
        for group in result.groups:
            _show_group(group)
    click.echo()


def _title(result: QueryResult) -> str:
    if not result.seeds:
        return displayable(result.path or "") + (f"  (track {result.track_id})" if result.track_id else "")
    named = [f"{'+' if seed.sign > 0 else '-'} {displayable(seed.path.rsplit('/', 1)[-1])}" for seed in result.seeds]
    more = f" and {len(named) - TITLE_SEEDS} more" if len(named) > TITLE_SEEDS else ""
    return "  ".join(named[:TITLE_SEEDS]) + more


def _match_cells(match: Match) -> tuple[object, ...]:
    named = name_cells(match.artist, match.title, match.path)
    return match.rank, f"{match.similarity:.3f}", _bar(match.similarity), _genre(match), *named, match.track_id


def _group_cells(group: GroupMatch) -> tuple[object, ...]:
    return group.rank, f"{group.similarity:.3f}", _bar(group.similarity), group.artist, group.album, group.tracks


def _genre(match: Match) -> str:
    return f"{match.genre or '-'}{'' if match.genre_source == 'tag' else '?'}"


def _show_match(match: Match) -> None:
    left = f"  {match.rank:>3}. {match.similarity:.3f} {_bar(match.similarity)} {_genre(match):<12}"
    click.echo(f"{left}{display_name(match.artist, match.title, match.path)}  id:{match.track_id}")


def _show_group(group: GroupMatch) -> None:
    name = " - ".join(name for name in (group.artist, group.album) if name)
    click.echo(
        f"  {group.rank:>3}. {group.similarity:.3f} {_bar(group.similarity)} {displayable(name)}  "
        f"({counted(group.tracks, 'track')})"
    )


def _bar(share: float) -> str:
    filled = round(share * BAR_WIDTH)
    return "█" * filled + "░" * (BAR_WIDTH - filled)
