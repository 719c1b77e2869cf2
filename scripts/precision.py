"""Compare bf16 with float32: `scripts/precision.py MUSIC [--encoders NAME ...] [--keep DIR]`, on a CPU with bf16.

Indexes a folder in float32 and in bf16 and compares each track's two signatures. With --keep both libraries remain, for
further comparison with `engine export`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import Engine
from engine.runtime.precision import computes_in_bf16


def main() -> None:
    """Parse, index twice, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("music", type=Path)
    parser.add_argument("--encoders", nargs="+", default=["attention_signature"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    if not computes_in_bf16("cpu"):
        raise SystemExit("expected a processor that computes in bf16, found another")
    print("| encoder | tracks | smallest cosine | mean cosine |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.encoders:
            _compare(name, arguments.music, folder, arguments.threads)


def _compare(name: str, music: Path, folder: Path, threads: int) -> None:
    exact = _signatures(name, music, folder / f"{name}.float32.db", "float32", threads)
    found = _signatures(name, music, folder / f"{name}.bf16.db", "auto", threads)
    cosines = np.array([exact[path] @ found[path] for path in exact])
    print(f"| {name} | {len(cosines)} | {cosines.min():.6f} | {cosines.mean():.6f} |", flush=True)


def _signatures(name: str, music: Path, library: Path, precision: str, threads: int) -> dict[str, NDArray[np.float32]]:
    """Return each track's signature (D,), by path."""
    with Engine.open(library, encoder=name, precision=precision, threads=threads, device="cpu") as opened:
        outcome = opened.index([music])
        if outcome.failed:
            raise SystemExit(f"not indexed: {outcome.failed[0]}")
        opened.export(library.with_suffix(".npz"))
    with np.load(library.with_suffix(".npz")) as stored:
        return dict(zip(stored["paths"].tolist(), stored["signatures"], strict=True))


if __name__ == "__main__":
    main()
