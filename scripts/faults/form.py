"""The form of a run: whole, short, or patient."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """How much is injected.

    Attributes:
        short: A few of each kind.
        patient: As long as all takes; otherwise each part ends in its time, so that all together stay within half an
            hour on a busy machine, too.
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
        """Processes that inject side by side; each builds its own world, most of the work of the short form."""
        return 1 if self.short else 2

    @property
    def options(self) -> list[str]:
        """The options of a process that runs a part in the same form."""
        minutes = [] if self.minutes is None else ["--minutes", str(self.minutes)]
        return [f"--{name}" for name in ("short", "patient") if getattr(self, name)] + minutes
