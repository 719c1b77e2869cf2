"""The encoder of an indexing run, loaded when the first file is known to be sound.

torch and the weights take a second and some 600 MB: a run that finds no music, or nothing new, needs neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import EncoderError, EngineError, brief

if TYPE_CHECKING:
    from engine.indexer.pipeline.encoding import TrackEncoder
    from engine.models.encoder import Encoder


class EncoderOnDemand:
    """Loads an encoder once, for many threads.

    Args:
        load: Returns the encoder, ready for inference.

    Attributes:
        loaded: The encoder, None before the first `get`.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self.loaded: TrackEncoder | None = None
        self._load = load
        self._lock = threading.Lock()
        self._of_thread = threading.local()
        self._threads: int | None = None

    def get(self) -> TrackEncoder:
        """Return the encoder.

        Raises:
            EncoderError: It cannot be loaded.
            DeviceError: There is no such device.
        """
        with self._lock:
            if self.loaded is None:
                self.loaded = self._loaded()
            return self.loaded

    def for_worker(self) -> TrackEncoder:
        """Return the encoder as `get`, and limit torch to one thread in this one: parallelism is across files."""
        encoder = self.get()
        if not getattr(self._of_thread, "limited", False):
            import torch

            torch.set_num_threads(1)
            self._of_thread.limited = True
        return encoder

    @property
    def on_cpu(self) -> bool:
        """Whether each thread encodes the files that it decoded; true before the encoder is loaded."""
        return self.loaded is None or self.loaded.on_cpu

    def notes(self) -> list[str]:
        """Report the fallbacks that were taken, a line each."""
        return [] if self.loaded is None else self.loaded.notes()

    def close(self) -> None:
        """Restore torch's number of threads."""
        if self._threads is not None:
            import torch

            torch.set_num_threads(self._threads)

    def _loaded(self) -> TrackEncoder:
        try:
            encoder = self._load()
            import torch

            from engine.indexer.pipeline.encoding import TrackEncoder
        except EngineError:
            raise
        except Exception as error:  # not caused by the file that waits for the encoder
            raise EncoderError(f"the encoder cannot be loaded: {type(error).__name__}: {brief(error)}") from error
        self._threads = torch.get_num_threads()
        return TrackEncoder(encoder)
