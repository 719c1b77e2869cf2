"""The result of `Engine.check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        check: The name of the check, for example "signatures".
        severity: "error" (answers may be wrong or missing) or "warning" (worth knowing).
        message: What was found.
        hint: The next step.
        repaired: Whether this run repaired it.
    """

    check: str
    severity: str
    message: str
    hint: str
    repaired: bool = False


@dataclass(frozen=True)
class CheckReport:
    """The checks that ran, in order, and their findings; `sound` if no error is left."""

    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether no error is left that was not repaired."""
        return all(finding.repaired or finding.severity != "error" for finding in self.findings)
