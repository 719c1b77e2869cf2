"""A cache of values that are computed from a state, such as a snapshot of the library."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")


class StateCache:
    """One value for each name, valid for one state. Safe for many threads.

    While a value is computed, only callers for the same name wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}

    def get(self, name: Hashable, state: object, compute: Callable[[], Value]) -> Value:
        """Return the cached value for name; recompute when state changes. `compute` may get other names."""
        with self._lock:
            entry = self._entries.get(name) or self._entries.setdefault(name, _Entry())
        with entry.lock:
            if not entry.filled or entry.state != state:
                entry.value, entry.state, entry.filled = compute(), state, True
            value: Value = entry.value
            return value

    def clear(self) -> None:
        """Remove all values. A value in computation is returned to its callers only."""
        with self._lock:
            self._entries = {}


class _Entry:
    """A value and the state that it was computed from."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.filled = False
        self.state: object = None
        self.value: Any = None
