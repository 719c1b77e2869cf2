"""Messages between a decoder and its owner: what is sent arrives, and what no decoder sends is refused."""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.indexer.pipeline import wire
from engine.indexer.pipeline.wire import ALIGNMENT, MALFORMED, Message, pack, receive, send, unpack

ARRAYS: dict[str, NDArray[Any]] = {
    "strided": np.arange(10, dtype=np.float32)[::2],
    "transposed": np.arange(12, dtype=np.int16).reshape(3, 4).T,
    "of no dimension": np.array(2.5),
    "empty": np.zeros((0, 7), np.float32),
    "big-endian": np.arange(3, dtype=">i4"),
    "bytes": np.arange(ALIGNMENT + 1, dtype=np.uint8),
}


@dataclass(frozen=True, eq=False)
class Sound:
    """A value with each kind of field that decoders return."""

    path: bytes
    tags: dict[str, str]
    starts: list[float]
    artist: str | None
    samples: NDArray[np.float32]


SOUND = Sound(b"\xff.wav", {"title": "a"}, [0.5, 2], None, np.ones((2, 3), np.float32))


@pytest.fixture(params=["pipe", "memory", "little memory"])
def shared(request: pytest.FixtureRequest) -> Iterator[mmap.mmap | None]:
    """Shared memory for arrays: none, enough, or enough for one or two."""
    if request.param == "pipe":
        yield None
        return
    with mmap.mmap(-1, 4096 if request.param == "memory" else ALIGNMENT) as memory:
        yield memory


class Pipe:
    """Bytes that are written, and read from the start."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)

    def write(self, parts: Any) -> None:
        """Append all parts."""
        for part in parts:
            self.content += bytes(part)

    def read(self, count: int) -> bytearray:
        """Return the next `count` bytes."""
        if count > len(self.content):
            raise EOFError
        found, self.content = self.content[:count], self.content[count:]
        return found


def message(header: Any) -> Pipe:
    """A message with a header that `send` would not write."""
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode("ascii")
    return Pipe(struct.pack("<I", len(encoded)) + encoded)


def test_arrays_arrive(shared: mmap.mmap | None) -> None:
    """Arrays of every layout arrive with their type, shape and values, in order, beside the header."""
    pipe = Pipe()
    send(pipe.write, Message({"count": np.int64(3)}, list(ARRAYS.values())), shared)
    found = receive(pipe.read, shared)
    assert found.header == {"count": 3}
    assert not pipe.content
    for sent, received in zip(ARRAYS.values(), found.arrays, strict=True):
        assert received.dtype == sent.dtype
        assert received.shape == sent.shape
        np.testing.assert_array_equal(received, sent)


def test_values_arrive() -> None:
    """A dataclass arrives as it was sent: any bytes, optional values, tags and arrays."""
    arrays: list[NDArray[Any]] = []
    found = unpack(Sound, json.loads(json.dumps(pack(SOUND, arrays))), arrays)
    assert (found.path, found.tags, found.starts, found.artist) == (SOUND.path, SOUND.tags, SOUND.starts, None)
    np.testing.assert_array_equal(found.samples, SOUND.samples)


@pytest.mark.parametrize("array", [np.array(["text"]), np.array([{}], object), np.array([1j]), np.array([True])])
def test_only_numbers_are_sent(array: NDArray[Any]) -> None:
    """Arrays of anything but plain numbers are refused before a byte is written."""
    pipe = Pipe()
    with pytest.raises(ValueError, match="expected numbers"):
        send(pipe.write, Message({}, [array]))
    assert not pipe.content


@pytest.mark.parametrize(
    "header",
    [
        b"{", b"\xff", b"[" * 100_000, 5, "text", [], None, {}, {"arrays": None}, {"arrays": [5]}, {"arrays": [{}]},
        *({"arrays": [place]} for place in (
            {"dtype": "|O", "shape": [1], "at": 0}, {"dtype": 4, "shape": [1], "at": 0},
            {"dtype": "<f4", "shape": 3, "at": 0}, {"dtype": "<f4", "shape": ["3"], "at": 0},
            {"dtype": "<f4", "shape": [-1], "at": 0}, {"dtype": "<f4", "shape": [-2, -3], "at": 0},
            {"dtype": "<f4", "shape": [1 << 40], "at": 0}, {"dtype": "<f4", "shape": [1 << 40], "at": None},
            {"dtype": "<f4", "shape": [4], "at": 1 << 20}, {"dtype": "<f4", "shape": [4], "at": -4},
            {"dtype": "<f4", "shape": [4], "at": "0"},
        )),
    ],
    ids=repr,
)  # fmt: skip
def test_hostile_messages_are_refused(header: Any) -> None:
    """Whatever a header holds, reading it ends with ValueError, and nothing outside the shared memory is read."""
    with mmap.mmap(-1, 4096) as memory, pytest.raises(ValueError, match=r"message|expected"):
        receive(message(header).read, memory)


def test_many_arrays_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrays that are small each, all of them copies of the same memory, may not fill the owner's memory together."""
    monkeypatch.setattr(wire, "LARGEST_ARRAY", 1 << 16)
    places = [{"dtype": "|u1", "shape": [4096], "at": 0}] * 17
    with mmap.mmap(-1, 4096) as memory:
        assert len(receive(message({"arrays": places[1:]}).read, memory).arrays) == 16
        with pytest.raises(ValueError, match="together"):
            receive(message({"arrays": places}).read, memory)


def test_long_headers_are_refused() -> None:
    """A length of four gigabytes is refused before anything is read."""
    with pytest.raises(ValueError, match="header of at most"):
        receive(Pipe(b"\xff" * 4).read)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("path", 5), ("path", "\u1234"), ("tags", []), ("tags", {"title": 5}), ("starts", 5), ("starts", ["a"]),
        ("artist", 5), ("samples", 1), ("samples", "a"), ("samples", None), ("other", 5),
    ],
)  # fmt: skip
def test_hostile_values_are_refused(field: str, value: Any) -> None:
    """A value of another type than the function returns is refused, also in a list or a table."""
    arrays: list[NDArray[Any]] = []
    packed = pack(SOUND, arrays) | {field: value}
    with pytest.raises(MALFORMED):
        unpack(Sound, packed, arrays)


def test_arrays_of_another_type_are_refused() -> None:
    """Samples in double precision are not what a decoder returns."""
    arrays: list[NDArray[Any]] = []
    packed = pack(SOUND, arrays)
    with pytest.raises(TypeError, match="float32"):
        unpack(Sound, packed, [arrays[0].astype(np.float64)])
