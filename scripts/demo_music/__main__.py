"""The command: `python scripts/demo_music OUTDIR` renders the collection into a folder per artist.

Existing pieces are not rendered again, so that an interrupted run continues where it stopped.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # started as a folder, which is not yet a package

from demo_music.styles import collection, render
from demo_music.writer import write

# The pieces take turns; one in five in FLAC keeps the collection below 40 MB, and a style from having one format.
ENDINGS = ("flac", "mp3", "opus", "m4a", "mp3")


def main() -> int:
    """Render the missing pieces; return 0, or 3 if the folder cannot be written."""
    parser = argparse.ArgumentParser(prog="demo_music", description="Renders a small collection of music of our own.")
    parser.add_argument("outdir", type=Path, help="folder for the files; made when it is missing")
    outdir = parser.parse_args().outdir
    songs = collection()
    try:
        for i, song in enumerate(songs):
            path = outdir / song.artist / f"{song.title}.{ENDINGS[i % len(ENDINGS)]}"
            if path.exists():
                continue
            print(f"{i + 1}/{len(songs)} {song.style}: {song.artist} - {song.title}", file=sys.stderr, flush=True)
            write(render(song), song, path)
    except OSError as error:
        print(f"expected a folder to write to, found: {error}; free some space or name another folder", file=sys.stderr)
        return 3
    print(f"{len(songs)} pieces in {outdir}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
