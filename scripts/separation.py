"""Measure the separation of voice and accompaniment: `python scripts/separation.py [--weights DEMUCS.safetensors]`.

ICFF-Net's section 3.2 evaluates its separator on songs and their accompaniments; this script uses the pieces rendered
by `scripts/demo_music`, whose stems are known. The lead replaces the voice, the rest is the accompaniment. The first
and last `SECONDS` of each piece are separated. The table has the SDR in dB against the true accompaniment, for the
unseparated mix and for the separator's output:

    SDR = 10 log10(|s|^2 / |s - e|^2), s the true accompaniment, e the estimate

(Music Demixing Challenge 2021, Mitsufuji et al. 2022; the estimate is neither scaled nor filtered.)
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torchaudio
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parent))  # also when loaded by path

from demo_music.mixer import Rendering
from demo_music.song import Song
from demo_music.styles import collection, render
from engine.errors import EncoderError
from engine.models.encoder import SAMPLE_RATE
from engine.models.separator import Separator, make_separator

SECONDS = 21


@dataclass(frozen=True)
class Separation:
    """One piece: SDR in dB of its mix and of its separated accompaniment, both against the true one."""

    song: Song
    mix: float
    separated: float

    @property
    def gain(self) -> float:
        """Improvement of the separated accompaniment over the mix, in dB."""
        return self.separated - self.mix


def sdr(true: Tensor, estimate: Tensor) -> float:
    """Return the signal-to-distortion ratio in dB of an estimate of the same shape."""
    return 10 * torch.log10(true.square().sum() / (true - estimate).square().sum()).item()


def separate(song: Song, separator: Separator) -> Separation:
    """Render a piece, separate windows of its mix, and compare with the stems."""
    stems = read_windows(render(song))
    mix, true = stems.sum(dim=0), stems[:-1].sum(dim=0)  # (2, L)
    return Separation(song, sdr(true, mix), sdr(true, separator.accompaniment(mix)))


def read_windows(rendering: Rendering) -> Tensor:
    """Return the first and last SECONDS of the stems, mono at SAMPLE_RATE: (4, 2, L), the lead last."""
    assert rendering.names[-1] == "lead"
    mono = torch.from_numpy(rendering.stems.mean(axis=1))
    mono = torchaudio.functional.resample(mono, rendering.sample_rate, SAMPLE_RATE)
    length = SECONDS * SAMPLE_RATE
    return torch.stack([mono[:, :length], mono[:, -length:]], dim=1)


def mean(values: Iterable[float]) -> float:
    """Return the arithmetic mean."""
    return torch.tensor(list(values)).mean().item()


def main() -> int:
    """Print a row per piece, means per style and overall; return 0, or 3 if the weights cannot be used."""
    parser = argparse.ArgumentParser(description="Measures the separation of voice and accompaniment.")
    parser.add_argument("--weights", metavar="FILE", help="hybrid Demucs as .safetensors; without, repeating patterns")
    try:
        separator = make_separator(parser.parse_args().weights)
    except EncoderError as error:
        print(error, file=sys.stderr)
        return 3
    torch.set_num_threads(1)
    print(f"{'piece':40} {'mix':>6} {'separated':>9} {'gain':>6}   SDR in dB")
    rows: list[Separation] = []
    for song in collection():
        rows.append(separate(song, separator))
        print(
            f"{song.style + ': ' + song.title:40} {rows[-1].mix:6.2f} {rows[-1].separated:9.2f} {rows[-1].gain:+6.2f}"
        )
    for style in [*dict.fromkeys(row.song.style for row in rows), "all"]:
        part = [row for row in rows if style in ("all", row.song.style)]
        figures = [mean(column) for column in zip(*((r.mix, r.separated, r.gain) for r in part), strict=True)]
        print(f"{'mean, ' + style:40} {figures[0]:6.2f} {figures[1]:9.2f} {figures[2]:+6.2f}")
    print(f"better on {sum(row.gain > 0 for row in rows)} of {len(rows)} pieces")
    return 0


if __name__ == "__main__":
    sys.exit(main())
