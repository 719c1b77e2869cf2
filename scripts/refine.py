"""Refine an encoder's pooling: `scripts/refine.py WEIGHTS --data CLIPS.csv --music FOLDER --out REFINED.safetensors`.

The music is whole tracks that the trunk was not trained on. The map and the attention are refined on them
(`engine.training.pooling.refinement`), the genre and mood heads are refitted and calibrated, words are carried over.
"""

from __future__ import annotations

import argparse
import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from engine.datasets.clip_embeddings import planned_windows
from engine.datasets.clips import ClipSamples
from engine.datasets.label_tensors import label_tensors
from engine.datasets.loading import read_dataset
from engine.datasets.reading import read_music, read_samples
from engine.models.checkpoint import contents, load_encoder
from engine.models.encoder import Encoder
from engine.models.weights_files import find_encoder, read_metadata
from engine.training.heads.calibration import calibrate_heads
from engine.training.heads.fit_heads import fit_heads
from engine.training.pooling.refinement import Refinement, carry_head, refine
from engine.training.pooling.segment_bank import embed_spread, embed_windows
from engine.training.state import WEIGHTS, write_safetensors

MUSIC_SECONDS = 96.0  # embedded of each whole track


def refine_encoder(encoder: Encoder, music: Tensor, train: ClipSamples, settings: Refinement) -> dict[str, float]:
    """Refine, fit the heads, carry the words over; return the heads' penalties."""
    before = deepcopy(encoder.metric)
    clips = [
        embed_windows(encoder, list(planned_windows(train, index, encoder.plan).numpy())) for index in range(len(train))
    ]
    refine(encoder, music, clips, label_tensors(train.clips, encoder.genres, encoder.moods), settings)
    penalties = fit_heads(encoder, train)
    assert before is not None
    assert encoder.metric is not None
    if encoder.words:
        carry_head(encoder.word_head, before, encoder.metric)
    return penalties


def main() -> None:
    """Parse, refine, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--music", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    file = find_encoder(arguments.weights)
    encoder = load_encoder(file)
    dataset = read_dataset(arguments.data)
    train, valid = (
        read_samples([clip for clip in dataset.clips if clip.split == split], split, arguments.cache, True)
        for split in ("train", "valid")
    )
    music = read_music(arguments.music, [clip.path for clip in dataset.clips], arguments.cache, True)
    settings = Refinement()
    results = refine_encoder(encoder, embed_spread(encoder, music, MUSIC_SECONDS), train, settings)
    refined = {"refined": {"from": file.id, "tracks": len(music), **asdict(settings)}}
    trained = json.loads(read_metadata(file.path)["training"])
    training = trained | refined | results | calibrate_heads(encoder, valid)
    write_safetensors(arguments.out, *contents(encoder, file.name, training), WEIGHTS)
    print(f"{find_encoder(str(arguments.out)).id} written to {arguments.out}")


if __name__ == "__main__":
    main()
