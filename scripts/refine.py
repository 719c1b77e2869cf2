"""Refine an encoder's pooling: `scripts/refine.py WEIGHTS --data CLIPS.csv --music FOLDER --out REFINED.safetensors`.

The music is whole tracks that the trunk was not trained on. The map and the attention are refined on them
(`engine.training.pooling.refinement`); attention that scores each segment by itself is retrained on the refined
vectors. The genre and mood heads are refitted and calibrated. Words are carried over; an encoder without words learns
them from `--guide`, a better encoder, whose signatures also guide the map.
"""

from __future__ import annotations

import argparse
import json
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.datasets.clip_embeddings import embed_clips, pool_clips
from engine.datasets.clips import ClipSamples
from engine.datasets.label_tensors import label_tensors
from engine.datasets.loading import read_dataset
from engine.datasets.music import MusicSamples
from engine.datasets.reading import read_music, read_samples
from engine.models.checkpoint import contents, load_encoder
from engine.models.encoder import Encoder
from engine.models.layers.scoring import LinearScore
from engine.models.weights_files import find_encoder, read_metadata
from engine.training.heads.calibration import calibrate_heads
from engine.training.heads.fit_heads import fit_heads_to
from engine.training.heads.fit_words import WordExamples, fit_words
from engine.training.pooling.losses import pool_segments
from engine.training.pooling.refinement import Refinement, carry_head, centre_between, refine, sharpen
from engine.training.pooling.schedule import PoolingSchedule
from engine.training.pooling.segment_bank import embed_bank, embed_spread
from engine.training.pooling.train_pooling import train_attention
from engine.training.state import WEIGHTS, write_safetensors

MUSIC_SECONDS = 96.0  # embedded of each whole track
REFINEMENTS = {  # chosen on whole tracks and on the valid clips
    "attention_signature": Refinement(),
    "attention_cnn": Refinement(labels=0.25, guidance=0.2),
    "ts_resformer": Refinement(separation=0.25, labels=0.3, guidance=0.9, sharpness=1.0),
    "mg_cam": Refinement(labels=0.5, guidance=0.6, ridge=0.05, sharpness=1.0),
    "icff_net": Refinement(labels=0.5, guidance=0.6, ridge=0.05, sharpness=1.0),
}
ATTENTION = PoolingSchedule(steps=100, runs=2, segments=(3, 6), jitter=0.5, geometry=0.0, whitening=0.0)
ATTENTION_OF_FEW = replace(ATTENTION, segments=(1, 4))  # for encoders that read fewer than FEW segments
FEW = 6
WORD_PENALTY = 0.005  # the guide's words are smoother than the teachers'


@dataclass(frozen=True, eq=False)
class Material:
    """Clips, and whole tracks without labels."""

    clips: ClipSamples
    music: MusicSamples


@dataclass(frozen=True, eq=False)
class Guide:
    """Un-normalised signatures (M + N, E) by the guide of M clips, then of N tracks, and its words' probabilities."""

    signatures: Tensor
    words: Tensor


def refine_encoder(encoder: Encoder, material: Material, settings: Refinement, guide: Guide | None) -> dict[str, float]:
    """Refine, fit the heads, carry the words over or learn the guide's; return the heads' penalties."""
    before, encoder.metric = encoder.metric, None
    clips = embed_clips(encoder, material.clips)
    music = embed_spread(encoder, material.music, MUSIC_SECONDS)
    encoder.metric = deepcopy(before)
    labels = label_tensors(material.clips.clips, encoder.genres, encoder.moods)
    layer = encoder.attention_layer
    if isinstance(layer, LinearScore):
        nn.init.zeros_(layer.direction.weight)
    refine(encoder, music, clips, labels, settings, None if guide is None else guide.signatures)
    if isinstance(layer, LinearScore):
        schedule = ATTENTION_OF_FEW if encoder.plan.count * encoder.plan.segments < FEW else ATTENTION
        bank = embed_bank(encoder, material.clips, material.music, schedule.seed)
        train_attention(encoder, replace(bank, folders=torch.arange(len(bank.music))), schedule)
        sharpen(encoder, settings.sharpness)
    with torch.no_grad():
        mapped = [encoder.mapped(clip) for clip in clips]
    centre = centre_between(encoder, clips, music, settings.centre)
    penalties = fit_heads_to(encoder, mapped, material.clips.clips, centre)
    if encoder.words and before is not None and encoder.metric is not None:
        carry_head(encoder.word_head, before, encoder.metric)
    elif guide is not None and guide.words.shape[1]:
        with torch.no_grad():
            raw = torch.cat([pool_segments(encoder, each) for each in (*(clip[None] for clip in clips), music)])
        fit_words(
            encoder, WordExamples(raw, guide.words, torch.ones(guide.words.shape[1], dtype=torch.bool)), WORD_PENALTY
        )
    return penalties


def guide_by(encoder: Encoder, material: Material) -> Guide:
    """Encode the same clips and tracks with a better encoder."""
    music = embed_spread(encoder, material.music, MUSIC_SECONDS)
    with torch.no_grad():
        tracks = pool_segments(encoder, music)
        signatures = torch.cat([pool_clips(encoder, embed_clips(encoder, material.clips)), tracks])
        return Guide(signatures, encoder.word_probabilities(signatures))


def main() -> None:
    """Parse, refine, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--music", nargs="+", required=True)
    parser.add_argument("--guide", help="a better encoder")
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
    material = Material(train, read_music(arguments.music, [c.path for c in dataset.clips], arguments.cache, True))
    settings = REFINEMENTS[file.name]
    guide_file = find_encoder(arguments.guide) if arguments.guide else None
    guide = guide_by(load_encoder(guide_file), material) if guide_file else None
    results = refine_encoder(encoder, material, settings, guide)
    refined = {"from": file.id, "guide": guide_file and guide_file.id, "tracks": len(material.music)}
    trained = json.loads(read_metadata(file.path)["training"])
    training = trained | {"refined": refined | asdict(settings)} | results | calibrate_heads(encoder, valid)
    write_safetensors(arguments.out, *contents(encoder, file.name, training), WEIGHTS)
    print(f"{find_encoder(str(arguments.out)).id} written to {arguments.out}")


if __name__ == "__main__":
    main()
