"""Messages between a decoder's process and its owner: JSON, and arrays in shared memory or after the JSON.

A message is four bytes (length, little-endian), JSON of that length, then the arrays that did not fit into the shared
memory. Nothing is pickled: a process that a hostile file has taken over can send wrong values, but no code.
"""

from __future__ import annotations

import json
import mmap
import os
import re
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
LARGEST_ARRAY = 1 << 30  # bytes, of all arrays of a message together
DTYPES = re.compile(r"[<>|][fiu][1248]")  # NumPy's names of plain numbers, with their order of bytes
SCALARS: dict[Any, tuple[type, ...]] = {bool: (bool,), int: (int,), float: (int, float), str: (str,)}  # in JSON
MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""Errors that reading or unpacking a message of another program's making may raise."""

Read = Callable[[int], bytearray]  # read(n) returns exactly n bytes, or raises
Write = Callable[[Sequence[bytes | memoryview]], None]  # writes all parts, or raises


@dataclass(frozen=True, eq=False)
class Message:
    """A header of plain values and the arrays of numbers that it refers to by their index."""

    header: dict[str, Any]
    arrays: list[NDArray[Any]]


@dataclass(frozen=True)
class Failure:
    """The value of a message of the kind "error".

    Attributes:
        reason: One line without the path; None if memory ran out.
        hint: The next step, if there is one.
        memory: Whether memory ran out.
        passing: Whether the cause lies outside the file, so that a later run may succeed.
    """

    reason: str | None
    hint: str | None
    memory: bool
    passing: bool


def send(write: Write, message: Message, shared: mmap.mmap | None = None) -> None:
    """Write a message; arrays that fit go into `shared`, which the receiver reads before its next request.

    Raises:
        ValueError: An array is too large, or not of plain numbers.
    """
    places, inline, next_offset = [], [], 0
    for array in message.arrays:
        _check_array(array.dtype.str, array.nbytes)
        contiguous = np.require(array, requirements="C")
        offset = None
        if shared is not None and next_offset + contiguous.nbytes <= len(shared):
            offset = next_offset
            np.ndarray(contiguous.shape, contiguous.dtype, shared, offset)[...] = contiguous
            next_offset = -(-(offset + contiguous.nbytes) // ALIGNMENT) * ALIGNMENT  # rounded up
        elif contiguous.size:
            inline.append(contiguous.reshape(-1).view(np.uint8).data)
        places.append({"dtype": contiguous.dtype.str, "shape": contiguous.shape, "at": offset})
    header = json.dumps(message.header | {"arrays": places}, default=_plain_number).encode("ascii")
    write([struct.pack("<I", len(header)) + header, *inline])


def receive(read: Read, shared: mmap.mmap | None = None) -> Message:
    """Read a message. The arrays are copies.

    Raises:
        ValueError: The data is not a message; errors of `read` pass through.
    """
    (length,) = struct.unpack("<I", read(4))
    if length > LARGEST_HEADER:
        raise ValueError(f"expected a header of at most {LARGEST_HEADER:,} bytes, found {length:,}")
    encoded = read(length)
    try:
        header = json.loads(encoded)
        return Message(header, _receive_arrays(header.pop("arrays"), read, shared))
    except MALFORMED as error:
        raise ValueError(f"not a message: {error}") from error


def write_all(descriptor: int, parts: Sequence[bytes | memoryview]) -> None:
    """Write all parts to a file descriptor, however many calls that takes."""
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


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
    """Restore a value of the type `hint`, the reverse of `pack`; raise one of MALFORMED for one of another type."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(option for option in get_args(hint) if option is not type(None))
        return None if value is None else unpack(hint, value, arrays)
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return hint(**{name: unpack(hints[name], part, arrays) for name, part in value.items()})  # type: ignore[operator]
    if get_origin(hint) is np.ndarray:
        array, (number,) = arrays[value], get_args(get_args(hint)[1])
        if isinstance(number, type) and array.dtype != number:
            raise TypeError(f"expected an array of {number.__name__}, found one of {array.dtype}")
        return array
    if get_origin(hint) is dict:
        key, item = get_args(hint)
        return {unpack(key, name, arrays): unpack(item, each, arrays) for name, each in value.items()}
    if hint is bytes:
        return value.encode("latin-1")
    if get_origin(hint) in (list, tuple):
        (item, *_) = get_args(hint)
        return get_origin(hint)(unpack(item, each, arrays) for each in value)
    if not isinstance(value, SCALARS.get(hint, (object,))):
        raise TypeError(f"expected {hint.__name__}, found {type(value).__name__}")
    return value


def _receive_arrays(places: list[dict[str, Any]], read: Read, shared: mmap.mmap | None) -> list[NDArray[Any]]:
    arrays: list[NDArray[Any]] = []
    size = 0
    for place in places:
        arrays.append(_receive_array(place, read, shared))
        size += arrays[-1].nbytes
        if size > LARGEST_ARRAY:
            raise ValueError(f"expected arrays of at most {LARGEST_ARRAY:,} bytes together, found more")
    return arrays


def _receive_array(place: dict[str, Any], read: Read, shared: mmap.mmap | None) -> NDArray[Any]:
    shape = tuple(place["shape"])
    count = int(np.prod(shape, dtype=object))
    _check_array(place["dtype"], count * int(place["dtype"][-1]))
    dtype = np.dtype(place["dtype"])
    if place["at"] is None:
        return np.frombuffer(read(count * dtype.itemsize), dtype).reshape(shape)
    if shared is None:
        raise ValueError("no memory is shared")
    return np.frombuffer(shared, dtype, count, place["at"]).reshape(shape).copy()


def _check_array(dtype: str, size: int) -> None:
    if not DTYPES.fullmatch(dtype) or not 0 <= size <= LARGEST_ARRAY:
        raise ValueError(f"expected numbers of at most {LARGEST_ARRAY:,} bytes, found {size:,} of {dtype!r}")


def _plain_number(value: Any) -> Any:
    return value.item()  # a NumPy scalar
