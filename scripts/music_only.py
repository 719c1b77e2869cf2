"""Count the tracks of a library that pass as music: `scripts/music_only.py LIBRARY.db PATTERN...`.

For each PATTERN, a regular expression searched in the tracks' paths, prints how many tracks match it and the share of
them that `--music-only` leaves out. `--least` and `--most` choose by duration in seconds.
"""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

import numpy as np

from engine import Engine
from engine.db import tracks_by_ids
from engine.search.tag_filters import not_music


def main() -> None:
    """Parse, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("patterns", nargs="+", metavar="PATTERN")
    parser.add_argument("--least", type=float, default=0)
    parser.add_argument("--most", type=float, default=math.inf)
    arguments = parser.parse_args()
    with Engine.open(arguments.library, create=False, device="cpu") as library:
        view = library._session.view()
        left_out = set(not_music(view).tolist())
        with view.read() as connection:
            tracks = tracks_by_ids(connection, view.snapshot.ids.tolist())
    chosen = [t for t in tracks.values() if arguments.least <= t.duration_seconds <= arguments.most]
    print("| paths | tracks | left out |\n|---|---|---|")
    for pattern in arguments.patterns:
        found = [track for track in chosen if re.search(pattern, track.name)]
        share = np.mean([track.id in left_out for track in found]) if found else math.nan
        print(f"| `{pattern}` | {len(found)} | {share:.4f} |")


if __name__ == "__main__":
    main()
