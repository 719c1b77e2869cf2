"""Uploaded files: stored under random names in a private folder for an hour, and queried in another process."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import InvalidError, NotFoundError, brief
from engine.server.settings import ServerSettings


@dataclass(frozen=True)
class Upload:
    """An uploaded file. Its name is only for display: the path is the server's own.

    Attributes:
        expires_at: Seconds since 1970.
    """

    id: str
    name: str
    size: int
    expires_at: float
    path: Path


class Uploads:
    """The uploaded files of one server. Safe for many threads; close it to remove them."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._folder = Path(tempfile.mkdtemp(prefix="engine-uploads-"))  # 0700
        self._lock = threading.Lock()
        self._uploads: dict[str, Upload] = {}

    async def receive(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Write an upload as it arrives.

        Raises:
            InvalidError: It is empty, or larger than the limit; the partial file is removed.
        """
        identifier = secrets.token_hex(16)
        path, size = self._folder / identifier, 0
        try:
            with path.open("xb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > self._settings.upload_bytes:
                        limit = self._settings.upload_bytes >> 20
                        raise InvalidError(f"expected a file of at most {limit} MiB, found a larger one")
                    file.write(chunk)
            if not size:
                raise InvalidError("expected a file, found an empty one", hint="choose another")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        upload = Upload(identifier, brief(name), size, time.time() + self._settings.upload_seconds, path)
        with self._lock:
            self._uploads[identifier] = upload
            self._remove_old()
        return upload

    def get(self, identifier: str) -> Upload:
        """Return an upload; raise NotFoundError if its id is unknown or expired."""
        with self._lock:
            self._remove_old()
            if identifier not in self._uploads:
                raise NotFoundError("expected the id of an uploaded file, found none", hint="upload it again")
            return self._uploads[identifier]

    def close(self) -> None:
        """Remove all uploads."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _remove_old(self) -> None:
        now = time.time()
        kept = [each for each in self._uploads.values() if each.expires_at > now][-self._settings.uploads :]
        for upload in self._uploads.values():
            if upload not in kept:
                upload.path.unlink(missing_ok=True)
        self._uploads = {upload.id: upload for upload in kept}
