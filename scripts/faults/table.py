"""The table that all parts print: each fault, the number of injections and of survivals, and the things lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 5  # problems printed for each row
LONGEST = 300  # characters of a printed problem


@dataclass
class Row:
    """One kind of fault.

    Attributes:
        fault: Its name.
        injected: Number of injections.
        survived: Number of injections after which all conditions held.
        lost: Total number of lost tracks, plays and files.
        problems: A line about each case that did not survive.
        figures: A line to print below the table, for example the load that was held.
    """

    fault: str
    injected: int = 0
    survived: int = 0
    lost: int = 0
    problems: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)

    def count(self, problem: str | None, lost: int = 0) -> None:
        """Count one case; `problem` is None where it survived."""
        self.injected += 1
        self.lost += lost
        if problem is None:
            self.survived += 1
        else:
            self.problems.append(" ".join(problem.split())[:LONGEST])

    @property
    def held(self) -> bool:
        """Whether every case survived and nothing was lost."""
        return self.survived == self.injected and not self.lost


def collect(cases: Iterable[tuple[str, str, str | None, int]]) -> list[Row]:
    """Return a row for each fault from cases: fault, operation, problem (None where it survived), and things lost."""
    rows: dict[str, Row] = {}
    operations: dict[str, dict[str, int]] = {}
    for fault, operation, problem, lost in cases:
        rows.setdefault(fault, Row(fault)).count(problem and f"{operation}: {problem}", lost)
        counts = operations.setdefault(fault, {})
        counts[operation] = counts.get(operation, 0) + 1
    for fault, counts in operations.items():
        rows[fault].figures.append(f"{fault}: {', '.join(f'{name} {counts[name]}' for name in sorted(counts))}")
    return [rows[fault] for fault in sorted(rows)]


def skipped(fault: str, reason: str) -> Row:
    """Return a row for a fault that cannot be injected on this machine."""
    return Row(fault, figures=[f"{fault}: skipped, {reason}"])


def show(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table, with figures and problems below it."""
    listed = list(rows)
    lines = ["| fault | times injected | survived | data lost |", "|---|---:|---:|---:|"]
    lines += [
        f"| {row.fault} | {row.injected:,} | {row.survived:,} | {row.lost or 'none'} |"
        for row in listed
        if row.injected
    ]
    figures = [f"- {line}" for row in listed for line in row.figures]
    problems = [f"- {row.fault}: {line}" for row in listed for line in row.problems[:SHOWN]]
    more = [f"- {row.fault}: {len(row.problems) - SHOWN} more" for row in listed if len(row.problems) > SHOWN]
    parts = [lines, figures, [*problems, *more]]
    return "\n\n".join("\n".join(part) for part in parts if part)
