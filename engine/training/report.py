"""What a trained encoder is worth on clips of artists that it never heard, and the report that says so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binomtest
from torch import Tensor

from engine.errors import TrainingError
from engine.models.encoder import Encoder
from engine.training.clips import ClipSamples
from engine.training.finish import summarise_clips
from engine.training.tracks import label_tensors

NEIGHBOURS = 5


@dataclass(frozen=True)
class Figure:
    """A share of successes: over `clips` clips, with a 95 % interval (Wilson)."""

    name: str
    value: float
    clips: int
    low: float
    high: float


def evaluate(encoder: Encoder, source: ClipSamples) -> list[Figure]:
    """Accuracy of the heads and precision of the signatures, for each data set in the clips.

    Genre accuracy counts the likeliest genre among those that the data set knows, right when the clip's labels allow
    it. Precision at 5: the share of the five nearest clips of the same data set and of other artists that share a
    label; a clip without such neighbours does not count.
    """
    raw = summarise_clips(encoder, source)
    labels = label_tensors(source.clips, encoder.genres, encoder.moods)
    datasets = np.array([clip.dataset for clip in source.clips])
    figures = []
    for dataset in sorted(set(datasets)):
        rows = torch.from_numpy(np.flatnonzero(datasets == dataset))
        for kind, allowed, head in (
            ("genre", labels.genres, encoder.genre_head),
            ("mood", labels.moods, encoder.mood_head),
        ):
            known = rows[allowed[rows].any(dim=1)]
            if len(known):
                figures += _figures(
                    encoder, f"{dataset or 'all'} {kind}", raw[known], allowed[known], head, source, known
                )
    return figures


def _figures(
    encoder: Encoder, name: str, raw: Tensor, allowed: Tensor, head: torch.nn.Module, source: ClipSamples, rows: Tensor
) -> list[Figure]:
    with torch.no_grad():
        logits = encoder.logits(head, raw).masked_fill(~allowed.any(dim=0), -torch.inf)
    right = allowed.gather(1, logits.argmax(dim=1, keepdim=True))[:, 0].float()
    artists = np.array([source.clips[i].artist or str(source.clips[i].path) for i in rows.tolist()])
    hits = _precision(F.normalize(raw, dim=1), allowed, artists)
    figures = [_figure(f"{name} accuracy", right)]
    return [*figures, _figure(f"{name} precision at {NEIGHBOURS}", hits)] if len(hits) else figures


def _precision(signatures: Tensor, allowed: Tensor, artists: np.ndarray) -> Tensor:
    cosines = signatures @ signatures.T
    same = torch.from_numpy(artists[:, None] == artists[None])
    share = (allowed.float() @ allowed.float().T > 0).float()
    nearest = cosines.masked_fill(same, -torch.inf).topk(min(NEIGHBOURS, len(cosines)), dim=1)
    others = nearest.values.isfinite()  # a split of few artists has fewer neighbours to offer
    hits = (share.gather(1, nearest.indices) * others).sum(dim=1) / others.sum(dim=1)
    return hits[others.any(dim=1)]


def _figure(name: str, successes: Tensor) -> Figure:
    value, count = successes.mean().item(), len(successes)
    interval = binomtest(round(value * count), count).proportion_ci(method="wilson")
    return Figure(name, value, count, float(interval.low), float(interval.high))


def write_report(out: Path, encoder: str, account: dict, figures: list[Figure], skipped: list[tuple[Path, str]]) -> str:
    """Write FILE.report.md and FILE.report.json beside the weights; returns the Markdown.

    Raises:
        TrainingError: They cannot be written; the weights are there all the same.
    """
    lines = [f"# {encoder}", "", *(f"- {key}: {value}" for key, value in account.items()), ""]
    lines += ["| valid split | value | 95 % interval | clips |", "|---|---|---|---|"]
    lines += [f"| {f.name} | {f.value:.3f} | {f.low:.3f} to {f.high:.3f} | {f.clips} |" for f in figures]
    lines += [
        "",
        f"{len(skipped)} clips could not be read.",
        *(f"- {path.name}: {reason}" for path, reason in skipped),
        "",
    ]
    text = "\n".join(lines)
    document = {"encoder": encoder, "training": account, "figures": [asdict(figure) for figure in figures]}
    try:
        out.with_suffix(".report.md").write_text(text, encoding="utf-8")
        out.with_suffix(".report.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"weights are in {out}, but the report cannot be written: {error}") from error
    return text
