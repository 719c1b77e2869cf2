"""`engine explain`: the attention over a track, and why two tracks are near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from engine import documents
from engine.cli.group import Settings, cli
from engine.cli.options import by_option, coverage_option, one_format, output_options
from engine.cli.tables import print_csv
from engine.cli.text import bar, displayable, heading, print_json
from engine.util.text import counted

if TYPE_CHECKING:
    from engine.explain.results import AspectExplanation, Explanation, Moment, PairExplanation
    from engine.library import Engine

BAR_WIDTH = 20
MOST_WINDOWS = 40  # listed
MOST_PAIRS = 10
MOST_WORDS = 3  # beside a window
WIDEST_LINE, NARROWEST = 80, 12  # characters of a line, and of its words at the least
WINDOW_COLUMNS = ("start", "end", "weight", "genre")
ASPECT_COLUMNS = ("aspect", "similarity", "percentile")
PAIR_COLUMNS = ("a_start", "a_end", "b_start", "b_end", "contribution")


@cli.command()
@click.argument("track", metavar="TRACK")
@click.argument("other", required=False, metavar="[OTHER]")
@click.option("--plot", metavar="FILE.png", help="Draw the attention above the track's mel spectrogram.")
@by_option
@coverage_option
@output_options
@click.pass_obj
def explain(
    settings: Settings,
    track: str,
    other: str | None,
    plot: str | None,
    by: dict[str, float] | None,
    coverage: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Show the encoder's attention over TRACK, or, given OTHER, why the two are near.

    Each is a file, in the library or not, or a track id (12, or id:12). Tracks of the library need no file, except
    for a picture.
    """
    one_format(as_json, as_csv)
    if other is not None and plot is not None:
        raise click.UsageError("expected one TRACK with --plot, found two: a picture shows one track")
    if other is None and by is not None:
        raise click.UsageError("expected two tracks with --by; for example: engine explain a.mp3 b.mp3 --by rhythm")
    with settings.open(coverage=coverage) as library:
        if other is not None and by is not None:
            aspects = library.explain_aspects(track, other, by)
            lines = _lines_of_aspects(aspects, _heading(library, track), _heading(library, other))
            document = documents.aspect_explanation(aspects)
        elif other is None:
            explanation = library.explain(track, plot)
            lines = _lines_of_track(explanation, _heading(library, track))
            document = documents.explanation(explanation) if as_json or as_csv else {}
        else:
            pair = library.explain_pair(track, other)
            lines = _lines_of_pair(pair, _heading(library, track), _heading(library, other))
            document = documents.pair_explanation(pair) if as_json or as_csv else {}
    if as_json:
        print_json(document)
        return
    if as_csv:
        _print_csv(document)
        return
    for line in lines:
        click.echo(line)
    if plot is not None and not settings.quiet:
        click.echo(f"\npicture written to {displayable(plot)}")


def _print_csv(document: dict[str, Any]) -> None:
    """Print a record for each window of a track, or for each pair of windows of two tracks."""
    if "aspects" in document:
        print_csv(ASPECT_COLUMNS, document["aspects"])
        return
    if "windows" in document:
        print_csv(WINDOW_COLUMNS, document["windows"])
        return
    spans = [(pair["a"], pair["b"], pair["contribution"]) for pair in document["pairs"]]
    rows = [(a["start"], a["end"], b["start"], b["end"], contribution) for a, b, contribution in spans]
    print_csv(PAIR_COLUMNS, [dict(zip(PAIR_COLUMNS, row, strict=True)) for row in rows])


def _heading(library: Engine, track: str) -> str:
    path, track_id = library.locate(track)
    return heading(path or track, track_id)


def _lines_of_track(explanation: Explanation, heading: str) -> list[str]:
    windows = explanation.windows
    lines = [heading, f"  {_time(explanation.duration)} long, {counted(len(windows), 'window')}"]
    lines += _section("signature moments, heaviest first", explanation.moments[:MOST_WINDOWS])
    if len(windows) > MOST_WINDOWS:
        return [*lines, f"  all {len(windows)} windows: --json"]
    return [*lines, *_section("all windows", windows)]


def _section(title: str, moments: Sequence[Moment]) -> list[str]:
    """Return a title and a line for each moment, with a column of words if the encoder has any."""
    heaviest = max(moment.weight for moment in moments)
    bars = [bar(moment.weight / heaviest, BAR_WIDTH) for moment in moments]
    rows = [
        f"    {_place(moment.start, moment.end)}  {moment.weight:6.1%} {drawn} {moment.genre}"
        for moment, drawn in zip(moments, bars, strict=True)
    ]
    if not any(moment.tags for moment in moments):
        return [f"  {title}", *rows]
    from engine.search.word_tags import telling

    width = max(map(len, rows))
    room = max(NARROWEST, WIDEST_LINE - width - 2)
    words = [_fitting([entry.tag for entry in telling(moment.tags, MOST_WORDS)], room) for moment in moments]
    beside = [f"{row:<{width}}  {listed}" for row, listed in zip(rows, words, strict=True)]
    return [f"  {title:<{width - 2}}  sounds like", *beside]


def _fitting(words: Sequence[str], room: int) -> str:
    """Return as many of the words as have room, at least the first."""
    count = next((n for n in range(len(words), 1, -1) if len(", ".join(words[:n])) <= room), 1)
    return ", ".join(words[:count])


def _lines_of_pair(pair: PairExplanation, a: str, b: str) -> list[str]:
    largest = pair.pairs[:MOST_PAIRS]
    top = max((abs(entry.contribution) for entry in largest), default=0) or 1.0
    lines = [
        f"A  {a}",
        f"B  {b}",
        f"  cosine {pair.cosine:.3f}, the sum over {len(pair.pairs)} pairs of windows; the largest:",
        f"    {'in A':<15}  {'in B':<15}  adds",
    ]
    for entry in largest:
        places = f"{_place(entry.a.start, entry.a.end)}  {_place(entry.b.start, entry.b.end)}"
        lines.append(
            f"    {places}  {entry.contribution:+.4f} {bar(max(0.0, entry.contribution) / top, BAR_WIDTH)}".rstrip()
        )
    together = sum(entry.contribution for entry in largest)
    return [*lines, f"    {'together':<32}  {together:+.4f}"]


def _lines_of_aspects(found: AspectExplanation, a: str, b: str) -> list[str]:
    rows = [
        f"    {each.aspect:<9}{each.similarity:.3f} {bar(each.percentile, BAR_WIDTH)} above {each.percentile:.0%}"
        for each in found.aspects
    ]
    title = f"    {'':<9}{'cosine':<{BAR_WIDTH + 7}}of the library's pairs"
    return [f"A  {a}", f"B  {b}", f"  {found.summary}", title, *rows]


def _place(start: float, end: float) -> str:
    return f"{_time(start)}-{_time(end)}".ljust(15)


def _time(seconds: float) -> str:
    """Return minutes and seconds, to a tenth: 1:05.3."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"
