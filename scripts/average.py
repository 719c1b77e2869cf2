"""Average two trainings of one encoder: `scripts/average.py A.safetensors B.safetensors --data CLIPS.csv --out C`.

Every weight becomes (1 - share) A + share B, which works if one training continued from the other (Wortsman et al.
2022, "Model soups"). Then signatures are centred and heads refitted, as at the end of a training.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from engine.datasets.clips import ClipSamples
from engine.datasets.loading import read_dataset
from engine.models.checkpoint import contents, load_encoder
from engine.models.weights_files import find_encoder, read_metadata
from engine.training.heads.fit_heads import fit_heads
from engine.training.state import write_safetensors


def main() -> None:
    """Parse, average, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("a")
    parser.add_argument("b")
    parser.add_argument("--share", type=float, default=0.5, help="weight of B, 0 to 1")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    files = [find_encoder(name) for name in (arguments.a, arguments.b)]
    encoder, other = (load_encoder(file) for file in files)
    if files[0].name != files[1].name:
        raise SystemExit(f"expected two trainings of one encoder, found {files[0].name} and {files[1].name}")
    theirs = other.state_dict()
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            if value.is_floating_point():
                value.lerp_(theirs[name], arguments.share)
    clips = [clip for clip in read_dataset(arguments.data).clips if clip.split == "train"]
    account = fit_heads(encoder, ClipSamples(clips, arguments.cache))
    trained = json.loads(read_metadata(files[1].path)["training"])
    made_of = trained | {"average": [file.id for file in files], "share": arguments.share}
    write_safetensors(arguments.out, *contents(encoder, files[0].name, made_of | account))
    print(f"{find_encoder(str(arguments.out)).id} written to {arguments.out}")


if __name__ == "__main__":
    main()
