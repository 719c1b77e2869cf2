"""Lists as tables: CSV for programs and spreadsheets (`--csv`), aligned columns for people."""

from __future__ import annotations

import csv
import io
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import click

as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV (RFC 4180) with a heading; UTF-8.")
FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the wide forms count in spreadsheets of East Asia
GAP = "  "
NARROWEST = 4  # that a column of a table becomes


def one_format(as_json: bool, as_csv: bool) -> None:
    """Refuse --json and --csv together."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other; choose one")


def print_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    r"""Print a heading and one record a line (RFC 4180: lines end in CR LF); None is an empty field.

    A text that a spreadsheet would run as a formula (it begins with =, +, -, @, tab or line break) gets a ' before it:
    tags come from anywhere. `--json` prints every text as it is.
    """
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, columns, lineterminator="\r\n")
    table.writeheader()
    table.writerows({name: _field(record[name]) for name in columns} for record in records)
    click.echo(written.getvalue(), nl=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns, one row a line. On a terminal they have a heading and are cut to its width.

    In a pipe there is neither: other programs read whole texts. The last column keeps its end: it is for paths.
    """
    from engine.db.values import shown

    cells = [["" if value is None else shown(str(value)) for value in row] for row in rows]
    numeric = [all(cell.isdecimal() for cell in column) for column in zip(*cells, strict=True)]
    if not cells:
        return
    terminal = sys.stdout.isatty()
    heading = [[column.upper() for column in columns]] if terminal else []
    widths = [max(map(_width, column)) for column in zip(*heading, *cells, strict=True)]
    if terminal:
        widths = _narrowed(widths, shutil.get_terminal_size().columns - len(GAP) * (len(widths) - 1))
    for i, row in enumerate([*heading, *cells]):
        fitted = [
            _cut(cell, width, at_end=k < len(row) - 1) for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        padded = [_pad(cell, width, right) for cell, width, right in zip(fitted, widths, numeric, strict=True)]
        line = GAP.join(padded).rstrip()
        click.echo(click.style(line, bold=True) if i < len(heading) else line)


def _field(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names need not be UTF-8
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _width(text: str) -> int:
    """Columns of a terminal that a text fills: letters of East Asia fill two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _narrowed(widths: list[int], room: int) -> list[int]:
    """Take from the widest column until all fit."""
    widths = list(widths)
    while sum(widths) > room and max(widths) > NARROWEST:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cut(text: str, width: int, *, at_end: bool) -> str:
    if _width(text) <= width:
        return text
    while text and _width(text) > width - 1:
        text = text[:-1] if at_end else text[1:]
    return f"{text}…" if at_end else f"…{text}"


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space
