"""Cover pictures, from a file's tags or its folder, as JPEG; runs in a decoder's process."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import AudioError
from engine.indexer.audio.source import Source, open_container

FOLDER_NAMES = ("cover", "folder", "front", "album", "albumart", "artwork")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")  # that Pillow may open
LARGEST_BYTES = 32 << 20  # of a picture as it is stored
LARGEST_PIXELS = 64_000_000
QUALITY = 85  # of the JPEG


@dataclass(frozen=True, eq=False)
class Cover:
    """A picture as JPEG, bytes (n,) of uint8; empty if the file has none."""

    data: NDArray[np.uint8]


@dataclass(frozen=True, order=True)
class FolderPicture:
    """A picture in a folder, with its size and time of change; it was replaced if these differ."""

    path: str
    size: int  # bytes
    mtime_ns: int


def read_cover(path: bytes, size: int) -> Cover:
    """Return the picture of a file of music, or of its folder, so that its longer side is at most `size` pixels.

    A picture that cannot be read counts as none.
    """
    for stored in (_embedded, _beside):
        data = stored(path)
        picture = _resized(data, size) if data else b""
        if picture:
            return Cover(np.frombuffer(picture, np.uint8))
    return Cover(np.zeros(0, np.uint8))


def picture_beside(path: bytes) -> FolderPicture | None:
    """Return the picture in a file's folder whose name marks it as the album's cover; None if there is none."""
    found: list[tuple[int, int, FolderPicture]] = []
    try:
        with os.scandir(Path(os.fsdecode(path)).parent) as entries:
            for entry in entries:
                stem, ending = os.path.splitext(entry.name.casefold())  # noqa: PTH122
                if stem in FOLDER_NAMES and ending in ENDINGS and entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    picture = FolderPicture(entry.path, status.st_size, status.st_mtime_ns)
                    found.append((FOLDER_NAMES.index(stem), ENDINGS.index(ending), picture))
    except OSError:
        return None
    return min(found)[-1] if found else None


def _embedded(path: bytes) -> bytes:
    try:
        source = Source(path)
    except AudioError:
        return b""
    try:
        with open_container(source) as container:
            for stream in container.streams.video:
                packet = next(container.demux(stream), None)
                if packet is not None and 0 < packet.size <= LARGEST_BYTES:
                    return bytes(packet)
    except (AudioError, av.FFmpegError, OSError, ValueError):
        pass
    finally:
        source.close()
    return b""


def _beside(path: bytes) -> bytes:
    picture = picture_beside(path)
    if picture is None or picture.size > LARGEST_BYTES:
        return b""
    try:
        return Path(picture.path).read_bytes()
    except OSError:
        return b""


def _resized(data: bytes, size: int) -> bytes:
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST_PIXELS:
                return b""
            picture.draft("RGB", (size, size))
            picture.thumbnail((size, size))
            made = io.BytesIO()
            picture.convert("RGB").save(made, "JPEG", quality=QUALITY)
            return made.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return b""
