"""Mutations of bytes, each drawn from a seeded generator, so that a number reproduces its input."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

EXTREMES = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\0\0\0",
    b"\1\0\0\0",
    b"\0\0\0\1",
)
WORDS = (  # that text parsers may fail on
    b"\0",
    b"\r",
    b"\n\n",
    b'"',
    b"'",
    b",",
    b"[" * 5000,
    b"{" * 5000,
    b"a.b." * 2000,
    b"=",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"nan",
    b"NaN",
    b"inf",
    b"99999-99-99T99:99:99Z",
    b"../" * 100,
    b"file:///%00%ff",
    b"file://host/share",
    b"http://[::1",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x8e\xb5",
    b"\x1b]8;;x\x07",
    "\u202e\u2028".encode(),
    b"#EXTM3U",
    b"[playlist]\nFile999999999=",
    b"id:99999999999999999999",
    b"x" * 100_000,
)
HEADER_BYTES = 600

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def flip_bits(draw: random.Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Flip 1 to 64 bits anywhere."""
    changed = bytearray(content)
    for _flip in range(draw.randint(1, 64)):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def flip_header(draw: random.Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Replace a few bytes at the beginning, where containers state lengths and counts."""
    changed = bytearray(content)
    for _flip in range(draw.randint(1, 8)):
        changed[draw.randrange(min(HEADER_BYTES, len(changed)))] = draw.randrange(256)
    return bytes(changed)


def lie(draw: random.Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Overwrite numbers at the beginning or end with extremes: durations, sizes, rates, counts."""
    changed = bytearray(content)
    for _number in range(draw.randint(1, 3)):
        near = draw.randrange(min(HEADER_BYTES, len(changed)))
        at = near if draw.random() < 0.8 else len(changed) - near - 1
        changed[at : at + 4] = draw.choice(EXTREMES)
    return bytes(changed)


def truncate(draw: random.Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Leave out the end, the beginning, or a part between."""
    first, last = sorted(draw.randrange(len(content) + 1) for _end in range(2))
    return draw.choice([content[:last], content[first:], content[:first] + content[last:]])


def splice(draw: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Put the beginning of another input before the rest of this one."""
    other = draw.choice(others)
    length = draw.randrange(min(HEADER_BYTES, len(other), len(content)))
    return other[:length] + content[length:]


def chain(draw: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Append another input, or this one again, with or without rubbish between."""
    between = draw.randbytes(draw.choice([0, 0, 1, 100]))
    return content + between + draw.choice([content, draw.choice(others)])


def insert_words(draw: random.Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """Insert words that text parsers may fail on, or replace parts by them."""
    for _word in range(draw.randint(1, 4)):
        at = draw.randrange(len(content) + 1)
        content = content[:at] + draw.choice(WORDS) + content[at + draw.choice([0, 0, 1, 10]) :]
    return content


OF_SOUND: dict[str, Mutation] = {
    "bit flips": flip_bits,
    "headers": flip_header,
    "lying numbers": lie,
    "truncations": truncate,
    "spliced headers": splice,
    "chained streams": chain,
}
OF_TEXT: tuple[Mutation, ...] = (insert_words, insert_words, flip_bits, truncate, splice, chain)
OF_BINARY: tuple[Mutation, ...] = (flip_bits, flip_header, lie, truncate)
