"""What follows the trunk's training: pooling, word head, calibration; each on vectors that are computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.music import MusicSamples
from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.models.layers.scoring import ReceivedAttention
from engine.training.calibration import HeldOut, calibrate, cross_fitted_error
from engine.training.distill.excerpts import EXCERPT_SAMPLES, EXCERPT_SECONDS, Excerpts
from engine.training.distill.second_teacher import SecondOpinions
from engine.training.fit_heads import known_labels, summarise_clips
from engine.training.interruptions import synthesise
from engine.training.pooling import PoolingSchedule, SegmentBank, train_pooling
from engine.training.segments import CLIP_SECONDS, MUSIC_SECONDS, embed_windows, spread_vectors
from engine.training.tracks import label_tensors
from engine.training.words import WordExamples, fit_words, taught

WORD_PENALTY = 0.02
WORD_EXCERPTS = 3000  # read for the word head

OnEach = Callable[[], None]


def with_received_attention(encoder: Encoder, name: str) -> Encoder:
    """The same trunk with a fresh attention layer of the kind "received", without a map."""
    if isinstance(encoder.attention_layer, ReceivedAttention) and encoder.attention_layer.kind == "received":
        return encoder
    renewed = build(name, asdict(encoder.config) | {"score": "received"}, encoder.genres, encoder.moods)
    layers = ("attention.", "score_layer.", "metric.", "word_head.")
    trunk = {key: value for key, value in encoder.state_dict().items() if not key.startswith(layers)}
    renewed.load_state_dict(trunk, strict=False)
    return renewed.eval()


def pool(
    encoder: Encoder, train: ClipSamples, music: MusicSamples, seed: int, on_each: OnEach = lambda: None
) -> dict[str, Any]:
    """Train attention over segments and the map before it on clips and whole tracks; returns its schedule."""
    schedule = PoolingSchedule(seed=seed)
    sounds = synthesise(encoder.plan.samples, seed)
    bank = SegmentBank(
        spread_vectors(encoder, music, MUSIC_SECONDS, on_each),
        torch.tensor([track.folder for track in music.tracks]),
        spread_vectors(encoder, train, CLIP_SECONDS, on_each),
        label_tensors(train.clips, encoder.genres, encoder.moods).relation,
        torch.cat([embed_windows(encoder, [sound]) for sound in sounds]),
    )
    train_pooling(encoder, bank, schedule, lambda _: None)
    return {"pooling": asdict(schedule)}


def teach_words(encoder: Encoder, excerpts: Excerpts, opinions: SecondOpinions) -> None:
    """Fit the word head to what both teachers said of judged excerpts, on the mean of each excerpt's segments."""
    rows = np.random.default_rng(0).choice(len(excerpts), min(WORD_EXCERPTS, len(excerpts)), replace=False)
    raw, musicnn, yamnet = [], [], []
    for row in np.sort(rows):
        at = np.array([row])
        raw.append(_excerpt_vector(encoder, excerpts.read(at, np.zeros_like(at), EXCERPT_SAMPLES)))
        musicnn.append(excerpts.judgements(at, np.zeros_like(at), EXCERPT_SECONDS).tags)
        yamnet.append(opinions.judgements(at, np.zeros_like(at), EXCERPT_SECONDS).words)
    examples: WordExamples = taught(torch.stack(raw), torch.cat(musicnn), torch.cat(yamnet))
    fit_words(encoder, [examples], [WORD_PENALTY])


def calibrate_heads(encoder: Encoder, valid: ClipSamples, on_each: OnEach = lambda: None) -> dict[str, float]:
    """Scale the heads on clips that nothing learnt from; returns scales and cross-fitted errors."""
    raw = summarise_clips(encoder, valid, on_each)
    labels = label_tensors(valid.clips, encoder.genres, encoder.moods)
    artists = np.array([_artist(clip) for clip in valid.clips])
    found = {}
    for kind, head, allowed in (
        ("genre", encoder.genre_head, labels.genres),
        ("mood", encoder.mood_head, labels.moods),
    ):
        held_out = HeldOut(raw, allowed, known_labels(allowed, valid.clips))
        found[f"{kind}_calibration_error"] = cross_fitted_error(encoder, head, held_out, artists)
        found[f"{kind}_scale"] = calibrate(encoder, head, held_out)
    return found


@torch.inference_mode()
def _excerpt_vector(encoder: Encoder, samples: Tensor) -> Tensor:
    """An excerpt (1, L) -> the mean of its segments' vectors, (D,)."""
    whole = encoder.plan.segments > 1
    windows = samples if whole else samples.view(-1, encoder.plan.samples)
    return encoder.mapped(encoder.embed(encoder.front_end(windows))).mean(dim=0).clone()


def _artist(clip: Clip) -> str:
    return clip.artist or str(clip.path)
