"""How well the voice is taken out: `python scripts/separation.py [--weights DEMUCS.safetensors]`.

As ICFF-Net's section 3.2 checks its separator on songs and their accompaniments: here on the pieces that
`scripts/demo_music` renders, whose stems are known. The lead stands in for the voice, the rest is the accompaniment. Of
each piece, its first and last `SECONDS` are separated. The table has the SDR in dB against the true accompaniment: of
the mix as it is, and of what the separator makes of it:

    SDR = 10 log10(|s|^2 / |s - e|^2), s the true accompaniment, e the estimate

(Music Demixing Challenge 2021, Mitsufuji et al. 2022: nothing is scaled or filtered in the estimate's favour.)
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
        """By how many dB separating is better than leaving the mix as it is."""
        return self.separated - self.mix


def sdr(true: Tensor, estimate: Tensor) -> float:
    """Signal to distortion ratio in dB of an estimate of the same shape, over all of it."""
    return 10 * torch.log10(true.square().sum() / (true - estimate).square().sum()).item()


def separate(song: Song, separator: Separator) -> Separation:
    """Render a piece, separate windows of its mix, compare with the stems."""
    stems = read_windows(render(song))
    mix, true = stems.sum(dim=0), stems[:-1].sum(dim=0)  # (2, L)
    return Separation(song, sdr(true, mix), sdr(true, separator.accompaniment(mix)))


def read_windows(rendering: Rendering) -> Tensor:
    """The first and the last SECONDS of the stems, mono at SAMPLE_RATE: (4, 2, L), the lead last."""
    assert rendering.names[-1] == "lead"
    mono = torch.from_numpy(rendering.stems.mean(axis=1))
    mono = torchaudio.functional.resample(mono, rendering.sample_rate, SAMPLE_RATE)
    length = SECONDS * SAMPLE_RATE
    return torch.stack([mono[:, :length], mono[:, -length:]], dim=1)


def mean(values: Iterable[float]) -> float:
    """Arithmetic mean."""
    return torch.tensor(list(values)).mean().item()


def main() -> int:
    """Print a row a piece, a mean a style, the mean of all; 0, or 3 when the weights cannot be used."""
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
