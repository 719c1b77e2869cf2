"""Decoder processes that outlive their pool and serve the next test: a start takes a sixth of a second of a core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from engine.indexer.pipeline import decoder_process
from engine.indexer.pipeline.decoder_process import DecoderProcess, DecodingError

OF_THE_TEST = ("PYTEST_", "XDG_", "MPLCONFIGDIR", "ENGINE_")
"""Beginnings of the environment's variables that differ between tests and mean nothing to a decoder."""
MOST = 4

_waiting_of: dict[int, list[KeptDecoder]] = {}


class KeptDecoder(DecoderProcess):
    """A decoder process that, closed between two files, waits for the next pool instead of ending."""

    def __init__(self) -> None:
        self.surroundings = surroundings()
        self.between_files = False  # until it has answered once
        super().__init__()

    def call(self, function: Callable[..., Any], path: bytes, *arguments: Any) -> Any:
        """Run a function as a decoder process does."""
        self.between_files = False
        try:
            result = super().call(function, path, *arguments)
        except DecodingError:
            self.between_files = self.alive
            raise
        self.between_files = True
        return result

    def stream(self, function: Callable[..., Iterator[Any]], path: bytes, *arguments: Any) -> Iterator[Any]:
        """Run a generator function as a decoder process does."""
        self.between_files = False
        yield from super().stream(function, path, *arguments)
        self.between_files = True

    def close(self) -> None:
        """Wait for another pool, or end."""
        if self.between_files and self.alive and len(_waiting()) < MOST:
            self.calls = 0
            _waiting().append(self)
        else:
            super().close()


def kept_decoder() -> KeptDecoder:
    """Return a decoder process that waits and was started in these surroundings, or start one."""
    waiting, here = _waiting(), surroundings()
    while True:
        try:
            process = waiting.pop()
        except IndexError:
            return KeptDecoder()
        if process.surroundings == here and process.alive:
            return process
        process.between_files = False
        process.close()


def surroundings() -> Sequence[Any]:
    """Return the settings that a decoder process gets at its start."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OF_THE_TEST)}
    return decoder_process.MEMORY_LIMIT, decoder_process.BOOT, environment


def _waiting() -> list[KeptDecoder]:
    """Those that this process started: a fork has none."""
    return _waiting_of.setdefault(os.getpid(), [])
