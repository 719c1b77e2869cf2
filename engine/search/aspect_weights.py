"""Aspects to compare tracks by, and their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import InvalidError

TIMBRE, RHYTHM, HARMONY, MOOD = "timbre", "rhythm", "harmony", "mood"
ASPECTS = (TIMBRE, RHYTHM, HARMONY, MOOD)


@dataclass(frozen=True)
class AspectWeights:
    """Weights above 0 of some of ASPECTS, in the order of ASPECTS, each once; their scale does not matter."""

    weights: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, by: Mapping[str, float] | str) -> AspectWeights:
        """Check weights: a mapping, or a text such as "rhythm" or "rhythm=2,timbre=1".

        Raises:
            QueryError: There is none, an aspect is unknown or occurs twice, or a weight is not a number above 0.
        """
        given = _parsed(by) if isinstance(by, str) else dict(by)
        if not given:
            raise InvalidError("expected an aspect to compare by, found none", hint=f"choose of {', '.join(ASPECTS)}")
        for name, weight in given.items():
            if name not in ASPECTS:
                raise InvalidError(f"expected an aspect of {', '.join(ASPECTS)}, found {name!r}", hint="choose one")
            if not (isinstance(weight, int | float) and math.isfinite(weight) and weight > 0):
                raise InvalidError(
                    f"expected a weight above 0 for {name}, found {weight}", hint=f"write {name}=1, or leave it out"
                )
        return cls(tuple((name, float(given[name])) for name in ASPECTS if name in given))

    @property
    def names(self) -> tuple[str, ...]:
        """The aspects."""
        return tuple(name for name, _ in self.weights)

    def __str__(self) -> str:
        return ",".join(f"{name}={weight:g}" for name, weight in self.weights)


def _parsed(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name in found:
            raise InvalidError(f"expected each aspect once, found {name} twice", hint="add its weights up")
        try:
            found[name] = float(number) if equals else 1.0
        except ValueError:
            raise InvalidError(
                f"expected a weight above 0 for {name}, found {number!r}", hint=f"write {name}=1"
            ) from None
    return found
