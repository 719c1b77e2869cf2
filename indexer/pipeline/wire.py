"""Messages between a decoder's process and its owner: JSON, and arrays in shared memory or after the JSON.

A message is four bytes (length, little-endian), JSON of that length, then the arrays that did not fit into the shared
memory. Nothing is pickled: a process that a hostile file has taken over can send wrong values, but no code.
"""

from __future__ import annotations

import json
import mmap
import struct
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

SHARED_BYTES = 16 << 20  # address space; pages cost memory once they are used. Ten windows of 4 s take 3.5 MB
ALIGNMENT = 64
LARGEST_HEADER = 64 << 20  # bytes: tags are limited to much less
LARGEST_ARRAY = 1 << 30  # bytes
KINDS = frozenset("fiu")  # of NumPy's dtypes

Read = Callable[[int], bytearray]
Write = Callable[[Sequence[bytes | memoryview]], None]


@dataclass(frozen=True, eq=False)
class Message:
    """A header of plain values and the arrays that it refers to by number."""

    header: dict[str, Any]
    arrays: list[NDArray[Any]]


def send(write: Write, message: Message, shared: mmap.mmap | None = None) -> None:
    """Write a message; arrays that fit go into `shared`, which the receiver reads before its next request."""
    places, inline, free = [], [], 0
    for array in message.arrays:
        whole = np.ascontiguousarray(array)
        at = None
        if shared is not None and free + whole.nbytes <= len(shared):
            at = free
            np.frombuffer(shared, whole.dtype, whole.size, at)[:] = whole.reshape(-1)
            free = -(-(at + whole.nbytes) // ALIGNMENT) * ALIGNMENT
        elif whole.size:
            inline.append(whole.reshape(-1).view(np.uint8).data)
        places.append({"dtype": whole.dtype.str, "shape": whole.shape, "at": at})
    header = json.dumps(message.header | {"arrays": places}, default=_plain_number).encode("ascii")
    write([struct.pack("<I", len(header)) + header, *inline])


def receive(read: Read, shared: mmap.mmap | None = None) -> Message:
    """Read a message; `read(n)` gives n bytes or raises. The arrays are copies.

    Raises:
        ValueError: The data is not a message.
    """
    (length,) = struct.unpack("<I", read(4))
    if length > LARGEST_HEADER:
        raise ValueError("the header is too long")
    header = json.loads(read(length))
    return Message(header, [_receive_array(place, read, shared) for place in header.pop("arrays")])


def pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """Convert a value to JSON types; arrays are appended to `arrays` and represented by their index."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: pack(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return len(arrays) - 1
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return [pack(item, arrays) for item in value] if isinstance(value, list | tuple) else value


def unpack(hint: Any, value: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    """Restore a value of the type `hint`, the reverse of `pack`; raises ValueError or TypeError for another shape."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
        return None if value is None else unpack(hint, value, arrays)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: unpack(hints[name], part, arrays) for name, part in value.items()})  # type: ignore[operator]
    if get_origin(hint) is np.ndarray:
        return arrays[value]
    if hint is bytes:
        return value.encode("latin-1")
    if get_origin(hint) in (list, tuple):
        (item, *_) = get_args(hint)
        return get_origin(hint)(unpack(item, each, arrays) for each in value)
    return value


def _receive_array(place: dict[str, Any], read: Read, shared: mmap.mmap | None) -> NDArray[Any]:
    dtype, shape = np.dtype(place["dtype"]), tuple(place["shape"])
    size = int(np.prod(shape, dtype=object))
    if dtype.kind not in KINDS or size < 0 or size * dtype.itemsize > LARGEST_ARRAY:
        raise ValueError("an array of another kind")
    if place["at"] is None:
        return np.frombuffer(read(size * dtype.itemsize), dtype).reshape(shape)
    if shared is None:
        raise ValueError("no memory is shared")
    return np.frombuffer(shared, dtype, size, place["at"]).reshape(shape).copy()


def _plain_number(value: Any) -> Any:
    return value.item()  # one of NumPy's
