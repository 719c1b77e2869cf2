"""The form of a run: whole, short, or patient."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """The number of faults to inject.

    Attributes:
        short: A few of each kind.
        patient: Run all cases; otherwise each part stops after its time, so that all together take at most half an
            hour even on a busy machine.
        minutes: Of each part, instead of its own time.
    """

    short: bool = False
    patient: bool = False
    minutes: float | None = None

    def limit(self, seconds: float) -> float | None:
        """Return the time of a part, None where it has no limit."""
        if self.short or self.patient:
            return None
        return seconds if self.minutes is None else 60 * self.minutes

    @property
    def workers(self) -> int:
        """Number of parallel processes; each builds its own world, which is most of the work of the short form."""
        return 1 if self.short else 2

    @property
    def options(self) -> list[str]:
        """The options of a process that runs a part in the same form."""
        minutes = [] if self.minutes is None else ["--minutes", str(self.minutes)]
        return [f"--{name}" for name in ("short", "patient") if getattr(self, name)] + minutes
