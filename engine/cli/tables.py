"""Lists as tables: CSV for programs and spreadsheets (`--csv`), aligned columns on a terminal.

In a pipe each command prints plain lines instead, because other programs need uncut texts.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import click

from engine.errors import visible

FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # East Asian spreadsheets accept the wide forms
GAP = "  "
NARROWEST = 4  # least width of a column
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?|")


def on_terminal() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def columns_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields: the columns of a list of its instances."""
    return tuple(field.name for field in fields(kind))


def print_records(kind: type[Any], records: Iterable[Any]) -> None:
    """Print instances of a dataclass as CSV, one column for each field."""
    print_csv(columns_of(kind), map(asdict, records))


def print_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    r"""Print a heading and one record a line (RFC 4180: lines end in CR LF); None is an empty field.

    A text that a spreadsheet would run as a formula (it begins with =, +, -, @, tab or line break) gets a ' before it,
    since tags are untrusted. Control characters are escaped. `--json` prints every text unchanged.
    """
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, columns, lineterminator="\r\n")
    table.writeheader()
    table.writerows({name: _field(record[name]) for name in columns} for record in records)
    click.echo(written.getvalue(), nl=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns under a heading, one row a line, cut to the terminal's width; paths keep their end."""
    from engine.db.text import displayable

    cells = [["" if value is None else displayable(str(value)) for value in row] for row in rows]
    if not cells:
        return
    numeric = [all(map(NUMBER.fullmatch, column)) for column in zip(*cells, strict=True)]
    heading = [column.upper() for column in columns]
    widths = [max(map(_width, column)) for column in zip(heading, *cells, strict=True)]
    numbers = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    least = [number if is_number else NARROWEST for number, is_number in zip(numbers, numeric, strict=True)]
    widths = _narrowed(widths, least, shutil.get_terminal_size().columns - len(GAP) * (len(widths) - 1))
    for i, row in enumerate([heading, *cells]):
        looks = zip(columns, row, widths, numeric, strict=True)
        padded = [_pad(_cut(cell, width, at_end=name != "path"), width, right) for name, cell, width, right in looks]
        line = GAP.join(padded).rstrip()
        click.echo(click.style(line, bold=True) if i == 0 else line)


def _field(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")  # names need not be UTF-8
    text = visible(text, keep="\t\r\n")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _width(text: str) -> int:
    """Return the terminal columns of a text: wide East Asian characters take two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _narrowed(widths: list[int], least: list[int], room: int) -> list[int]:
    """Narrow the widest column until all fit; `least` is each one's least width: numbers are never cut."""
    widths = list(widths)
    while sum(widths) > room:
        spare = [width if width > limit else 0 for width, limit in zip(widths, least, strict=True)]
        if not any(spare):
            break
        widths[spare.index(max(spare))] -= 1
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
