"""Write the typical tags that `engine find` compares with: `scripts/typical_tags.py LIBRARY.db`.

Writes the mean and the standard deviation of each tag's log-odds over the tracks of a library into
engine/search/typical_tags.json, under the id of the library's encoder. The library should hold many kinds of music.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from engine.db import open_database
from engine.runtime.encoder_choice import choose_encoder
from engine.search.tag_scores import all_norms, tag_head
from engine.session import LibrarySession

OUT = Path(__file__).parents[1] / "engine" / "search" / "typical_tags.json"


def main() -> None:
    """Parse, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", type=Path)
    library = parser.parse_args().library
    database = open_database(library, create=False)
    session = LibrarySession(database, choose_encoder(database, None), None, "cpu", 1)
    view = session.view()
    head, norms = tag_head(view), all_norms(view)
    logits = norms.norms[:, None] * (view.snapshot.take(norms.track_ids) @ head.weight.T) + head.bias
    shipped = json.loads(OUT.read_text("utf-8"))
    shipped[view.encoder_id] = {
        "mean": np.round(logits.mean(axis=0).astype(float), 3).tolist(),
        "deviation": np.round(logits.std(axis=0).astype(float), 3).tolist(),
    }
    OUT.write_text(json.dumps(shipped) + "\n", "utf-8")
    print(f"{len(logits)} tracks of {view.encoder_id}")
    session.close()


if __name__ == "__main__":
    main()
