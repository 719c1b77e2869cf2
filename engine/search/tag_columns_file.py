"""The file of tag columns beside the index, in the format of safetensors: private, and written whole or not at all.

STEM.tags.safetensors holds track ids, norms, the ranges of the columns and one column of codes for each tag; the arrays
are mapped, so that a query reads the columns of its tags only. The library stores the file's digest, which covers the
header and a CRC-32 for each array and column; a column is verified when it is first read.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.db.places import create_file, lock, open_regular, sync_folder

ENDING = ".tags.safetensors"
LONGEST_HEADER = 2**16
DTYPES = {"I64": "<i8", "F32": "<f4", "U32": "<u4", "U8": "|u1"}
ALIGNMENT = 64

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Codes:
    """The log-odds of V tags in N tracks, each rounded to one of 256 steps.

    Code q of tag t represents log-odds from lows[t] + q steps[t] to one step more; the first and the last step extend
    to the column's minimum and maximum.

    Attributes:
        last_id: The id of the newest signature that counts.
        track_ids: (N,), ascending.
        norms: The norms of the tracks before they are normalised, (N,).
        lows, steps, least, most: (V,).
        columns: (V, N).
    """

    last_id: int
    track_ids: NDArray[np.int64]
    norms: Floats
    lows: Floats
    steps: Floats
    least: Floats
    most: Floats
    columns: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class OpenColumns:
    """A mapped file: its codes, and the checksum of each column; `checked` (V,) marks the verified ones."""

    codes: Codes
    sums: NDArray[np.uint32]
    checked: NDArray[np.bool_]

    def intact(self, tag: int) -> bool:
        """Return whether a column is intact; it is verified on first use."""
        if not self.checked[tag]:
            self.checked[tag] = zlib.crc32(self.codes.columns[tag].data) == self.sums[tag]
        return bool(self.checked[tag])


def empty_codes(last_id: int, tracks: int, tags: int) -> Codes:
    """Return unfilled codes in memory."""
    return _codes(last_id, {name: np.zeros(shape, DTYPES[kind]) for name, kind, shape in _layout(tracks, tags)})


@contextmanager
def written(path: Path, last_id: int, tracks: int, tags: int, digests: list[str]) -> Iterator[Codes]:
    """Yield codes of a new file to fill; then put the file in place and append its digest to `digests`.

    Raises:
        OSError: It cannot be written; an earlier file is unchanged.
    """
    unfinished = Path(f"{path}.{secrets.token_hex(8)}.part")
    header, size = _header(tracks, tags)
    try:
        with create_file(unfinished) as handle:
            lock(handle)  # an unlocked one is removed by the next indexing: its writer was killed
            if hasattr(os, "posix_fallocate"):  # a full disk raises here; later it would kill the process
                os.posix_fallocate(handle.fileno(), 0, len(header) + size)
            handle.truncate(len(header) + size)
            handle.write(header)
            handle.flush()
            arrays = _mapped(handle, "r+", tracks, tags, len(header))
            arrays["last_id"][0] = last_id
            yield _codes(last_id, arrays)
            _finish(arrays)
            arrays["file"].flush()
            os.fsync(handle.fileno())
            digests.append(_digest(header, arrays))
        unfinished.replace(path)
        sync_folder(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def opened(path: Path, digest: str, tags: int) -> OpenColumns | None:
    """Map the file with this digest; None if it is missing, damaged or another one."""
    try:
        with open_regular(path) as handle:
            length = int.from_bytes(handle.read(8), "little")
            text = handle.read(min(length, LONGEST_HEADER))
            tracks = int(json.loads(text)["track_ids"]["shape"][0])
            header, size = _header(tracks, tags)
            if length.to_bytes(8, "little") + text != header or handle.seek(0, os.SEEK_END) != len(header) + size:
                return None
            arrays = _mapped(handle, "r", tracks, tags, len(header))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
    sums = arrays["sums"]
    small = [name for name, _, _ in _layout(tracks, tags) if name not in ("columns", "sums")]
    if _digest(header, arrays) != digest or sums[tags:].tolist() != [zlib.crc32(arrays[name].data) for name in small]:
        return None
    return OpenColumns(_codes(int(arrays["last_id"][0]), arrays), sums[:tags], np.zeros(tags, bool))


def _layout(tracks: int, tags: int) -> list[tuple[str, str, tuple[int, ...]]]:
    """Names, types and shapes of the file's arrays, in its order."""
    ranges = [(name, "F32", (tags,)) for name in ("lows", "steps", "least", "most")]
    own: list[tuple[str, str, tuple[int, ...]]] = [
        ("last_id", "I64", (1,)), ("track_ids", "I64", (tracks,)), ("norms", "F32", (tracks,)),
    ]  # fmt: skip
    return [*own, *ranges, ("sums", "U32", (tags + 3 + len(ranges),)), ("columns", "U8", (tags, tracks))]


def _header(tracks: int, tags: int) -> tuple[bytes, int]:
    """Return the file's header, and the number of bytes after it."""
    entries: dict[str, Any] = {}
    at = 0
    for name, kind, shape in _layout(tracks, tags):
        end = at + int(np.prod(shape)) * np.dtype(DTYPES[kind]).itemsize
        entries[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text, at


def _mapped(handle: BinaryIO, mode: Any, tracks: int, tags: int, start: int) -> dict[str, Any]:
    whole = np.memmap(handle, np.uint8, mode)
    arrays: dict[str, Any] = {"file": whole}
    for name, kind, shape in _layout(tracks, tags):
        end = start + int(np.prod(shape)) * np.dtype(DTYPES[kind]).itemsize
        arrays[name] = np.asarray(whole[start:end]).view(DTYPES[kind]).reshape(shape)
        start = end
    return arrays


def _codes(last_id: int, arrays: dict[str, Any]) -> Codes:
    names = ("track_ids", "norms", "lows", "steps", "least", "most", "columns")
    return Codes(last_id, *(arrays[name] for name in names))


def _finish(arrays: dict[str, Any]) -> None:
    """Fill in the checksums: those of the columns, then those of the other arrays."""
    small = [arrays[name] for name in arrays if name not in ("file", "columns", "sums")]
    arrays["sums"][:] = [zlib.crc32(array.data) for array in (*arrays["columns"], *small)]


def _digest(header: bytes, arrays: dict[str, Any]) -> str:
    return hashlib.sha256(header + arrays["sums"].tobytes()).hexdigest()
