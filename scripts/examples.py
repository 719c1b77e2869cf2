"""Refresh the output in the documentation's examples: `python scripts/examples.py README.md docs/guide/*.md`.

Runs the commands of every `console` block on the demonstration collection (`make demo` renders it to .demo/music),
in a home directory of its own, and writes their output below them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path
from typing import cast

import av

ROOT = Path(__file__).resolve().parents[1]
MUSIC = ROOT / ".demo" / "music"
HOME = "/home/you"  # shown in place of the temporary home directory
BLOCK = re.compile(r"^```(?P<language>console|sh)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPT = "$ "
COLUMNS = "100"
HISTORY = "time,path,event\n2026-05-01T20:15:00,{home}/Music/Inez Farrow Trio/Rain Check.mp3,like\n"


def commands(text: str) -> list[str]:
    """Return the commands that a Markdown text shows: prompts of `console` blocks, lines of `sh` blocks."""
    found = []
    for block in BLOCK.finditer(text):
        lines = block["body"].splitlines()
        if block["language"] == "console":
            lines = [line[len(PROMPT) :] for line in lines if line.startswith(PROMPT)]
        found += [line for line in lines if line.strip()]
    return found


def refresh(text: str, home: Path) -> str:
    """Return a Markdown text with the current output of its console examples."""

    def replaced(block: re.Match[str]) -> str:
        if block["language"] != "console":
            return block[0]
        asked = [line for line in block["body"].splitlines() if line.startswith(PROMPT)]
        body = "".join(f"{line}\n{_output(line[len(PROMPT) :], home)}" for line in asked)
        return f"```console\n{body}```"

    return BLOCK.sub(replaced, text)


def make_home(folder: Path) -> Path:
    """Make a home directory with the demonstration collection, its library, another rip of a track, and plays."""
    home = folder / "you"
    shutil.copytree(MUSIC, home / "Music")
    (home / "Rips").mkdir()
    _encode_again(next(MUSIC.rglob("Hat Trick.*")), home / "Rips" / "hat trick.mp3")
    (home / "history.csv").write_text(HISTORY.format(home=home), "utf-8")
    _output("engine --encoder attention_signature index ~/Music", home)
    return home


def environment(home: Path) -> dict[str, str]:
    """Return the variables under which examples run."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    library = str(home / "library.db")
    return {**os.environ, "HOME": str(home), "PATH": path, "COLUMNS": COLUMNS, "ENGINE_LIBRARY": library}


def _encode_again(source: Path, target: Path) -> None:
    with av.open(str(source)) as read, av.open(str(target), "w") as written:
        stream = cast(av.AudioStream, written.add_stream("libmp3lame", rate=44_100, layout="stereo"))
        resampler = av.AudioResampler("s16p", "stereo", 44_100, frame_size=stream.frame_size)
        for frame in chain(read.decode(audio=0), [None]):
            for converted in resampler.resample(frame):
                written.mux(stream.encode(converted))
        written.mux(stream.encode(None))


def _output(command: str, home: Path) -> str:
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    shown = ran.stdout.replace(str(home), HOME).rstrip("\n")
    return f"{shown}\n" if shown else ""


def main() -> int:
    """Refresh the named files; return 0, or 3 if the demonstration collection is missing."""
    parser = argparse.ArgumentParser(prog="examples", description="Puts real output into examples.")
    parser.add_argument("files", nargs="+", type=Path)
    files = parser.parse_args().files
    if not MUSIC.is_dir():
        print(f"expected music in {MUSIC}, found none; run: python scripts/demo_music {MUSIC}", file=sys.stderr)
        return 3
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        library = (home / "library.db").read_bytes()
        for file in files:
            for left in home.glob("library.db-*"):
                left.unlink()
            (home / "library.db").write_bytes(library)  # each file begins with the same one
            file.write_text(refresh(file.read_text("utf-8"), home), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
