"""Fuzz our own parsers by coverage: `python scripts/faults/atheris_parsers.py PARSER [-max_total_time=60] [DIR]`.

PARSER is tags, playlist, history or study; other arguments are libFuzzer's. This needs atheris, not a
dependency: pip install atheris. An input that ends otherwise than with one of Engine's errors is written to a file
`crash-...`: it belongs in tests/corpus.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["engine"]):
    from engine import Engine
    from engine.errors import EngineError
    from engine.indexer.audio.tag_formats import read_layers
    from engine.indexer.audio.tags import merged, read_tags
    from engine.playlists.m3u8 import read_playlist
    from engine.recommend.history import read_history
    from engine.study.plan import read_study

CONTAINERS = ("mp3", "wav", "aiff", "flac", "ape", "asf", "mov,mp4,m4a,3gp,3g2,mj2", "wv", "dsf")
FOLDER = Path(tempfile.mkdtemp(prefix="faults-atheris-"))


class Held:
    """Bytes as an open file, as `engine.indexer.audio.source.Source` has it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def at(self, offset: int, count: int) -> bytes:
        """Return bytes at an offset, fewer at the end."""
        return self.data[offset : offset + count] if offset >= 0 else b""


def _tags(data: bytes) -> None:
    read_tags(merged(read_layers(Held(data[1:]), CONTAINERS[data[0] % len(CONTAINERS)]))) if data else None


def _playlist(data: bytes) -> None:
    read_playlist(_file("list.m3u8", data))


def _history(data: bytes) -> None:
    read_history(_library()._session.view(), _file("history.csv", data))


def _study(data: bytes) -> None:
    read_study(_file("study.toml", data))


def _file(name: str, data: bytes) -> Path:
    path = FOLDER / name
    path.write_bytes(data)
    return path


def _library(opened: list[Engine] = []) -> Engine:  # noqa: B006 (opened once)
    if not opened:
        opened.append(Engine.open(FOLDER / "library.db", device="cpu"))
    return opened[0]


PARSERS: dict[str, Callable[[bytes], None]] = {
    "tags": _tags,
    "playlist": _playlist,
    "history": _history,
    "study": _study,
}


def main() -> None:
    """Fuzz one parser."""
    if len(sys.argv) < 2 or sys.argv[1] not in PARSERS:
        sys.exit(f"expected a parser of {', '.join(PARSERS)}; see the first lines of {__file__}")
    parser = PARSERS[sys.argv.pop(1)]

    def once(data: bytes) -> None:
        try:
            parser(data)
        except EngineError as error:
            if "\n" in str(error):
                raise

    atheris.Setup(sys.argv, once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
