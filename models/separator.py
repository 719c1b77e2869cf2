"""Separate the accompaniment from the voice, the input of ICFF-Net's 1-D branch (Meng et al., section 2.1).

Differs from the paper: it uses a fine-tuned Spleeter, whose weights cannot be shipped. Instead:

- `RepeatingPattern`, without weights: frames that repeat elsewhere are accompaniment, the rest is voice.
  REPET-SIM (Rafii and Pardo 2012, "Music/Voice Separation Using the Similarity Matrix") with the soft mask of librosa's
  example "Vocal separation".
- `DemucsSeparator`, with a file of weights: hybrid Demucs (Défossez 2021) as torchaudio builds it.

A separator is not part of an encoder's weights; it is chosen when the encoder is built.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
import torchaudio
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import EncoderError, brief
from engine.models.encoder import SAMPLE_RATE
from engine.models.weights_files import MALFORMED

N_FFT, HOP = 4096, 1024  # samples at SAMPLE_RATE; 186 ms resolve adjacent notes of a voice and a guitar
FRAMES_AT_ONCE = 16  # frames processed together; their neighbours fit the processor's cache
DEMUCS_RATE = 44_100  # Hz
DEMUCS_SOURCES = ("drums", "bass", "other", "vocals")  # the last is the voice
DEMUCS_CHANNELS = 2  # of its audio
DEMUCS_MOST = {  # of settings that are counts; far above those of any network that was trained
    "depth": 12, "channels": 1024, "dconv_depth": 12, "norm_groups": 1024, "kernel_size": 1024, "stride": 1024,
    "time_stride": 1024, "nfft": 1 << 16,
}  # fmt: skip
TRIAL_SAMPLES = 4096  # separated once to learn that a model works: a third of a second of one core


class Separator(Protocol):
    """Removes the voice."""

    def accompaniment(self, windows: Tensor) -> Tensor:
        """Windows (W, L) at SAMPLE_RATE -> accompaniment (W, L), each window independent of the others."""
        ...


def make_separator(weights: str | None = None) -> Separator:
    """Return Demucs with these weights (.safetensors), or the separator without weights; raise EncoderError."""
    return DemucsSeparator(Path(weights)) if weights else RepeatingPattern()


@dataclass(frozen=True)
class RepeatingPattern:
    """Estimate each frame's accompaniment as the median of the most similar frames elsewhere in the window.

    With V (F, T) the magnitudes, N(t) the frames of largest cosine to frame t, and R = min(V, median_{u in N(t)} V_u),
    the mask is R^p / (R^p + (margin (V - R))^p). A pattern needs time to repeat: use windows of 20 s or more.

    On the 36 pieces that `scripts/separation.py` renders, with the lead in place of the voice, the accompaniment's SDR
    is 5.3 dB on average instead of the mix's 4.5 (gain 0.8, 95 % interval 0.3 to 1.3), and better on 28. librosa's
    unmodified example loses 1.4 dB on average, and is better on 16. Pieces with hardly any voice (more than 10 dB below
    the rest) get worse: hip-hop loses 1.4 dB on average, 4.4 at worst, because unrepeated playing is mistaken for
    voice. Gains are small where voice and accompaniment move together, as in reggae and disco (0.5 dB).
    21 s take one core about 0.09 s, less than a tenth of librosa's time.

    Differs from librosa's example:
    - The neighbours are the most similar frames. librosa 0.11 links more than it needs, then keeps the earliest.
    - They are 11 instead of about 2 sqrt(T): better if few frames repeat, and faster.
    - `margin` is 1, a Wiener mask, instead of 2, which also removes doubtful parts.
    - Nothing is removed below `bass_hz`, where voices have no energy (Rafii and Pardo 2013, REPET).

    Attributes:
        neighbours: Number of frames in the median; odd. Sound that repeats at half as many places is detected.
        apart_seconds: Least distance of a repetition, so that a held note of the voice is not its own.
        margin: Factor by which a bin's repeating part must exceed the rest for a mask of 0.5.
        power: p, exponent of the soft mask; 2 is the Wiener filter.
        bass_hz: Everything below this frequency is accompaniment.
    """

    neighbours: int = 11
    apart_seconds: float = 2.0
    margin: float = 1.0
    power: float = 2.0
    bass_hz: float = 100.0

    def accompaniment(self, windows: Tensor) -> Tensor:
        """Windows (W, L) -> their repeating part (W, L), with the mix's phase."""
        window = torch.hann_window(N_FFT, device=windows.device)
        spectra = torch.stft(windows, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)  # (W, F, T)
        masks = torch.stack([self.mask(magnitudes) for magnitudes in spectra.abs()])
        return torch.istft(spectra * masks, N_FFT, HOP, window=window, length=windows.shape[1])

    def mask(self, magnitudes: Tensor) -> Tensor:
        """Magnitudes (F, T) of one window -> the accompaniment's share of each bin, (F, T), 0 to 1."""
        apart = round(self.apart_seconds * SAMPLE_RATE / HOP)
        repeating = torch.minimum(magnitudes, repeating_part(magnitudes, self.neighbours, apart))
        mask = soft_mask(repeating, self.margin * (magnitudes - repeating), self.power)
        mask[: round(self.bass_hz * N_FFT / SAMPLE_RATE)] = 1
        return mask


def repeating_part(magnitudes: Tensor, neighbours: int, apart: int) -> Tensor:
    """Return each frame's median over the frames of largest cosine to it, (F, T) -> (F, T).

    Args:
        magnitudes: (F, T).
        neighbours: Number of frames, odd; fewer if half of T is less.
        apart: Least distance of a neighbour in frames; at most a quarter of T.
    """
    frames = magnitudes.T.contiguous()  # (T, F)
    T = len(frames)
    unit = F.normalize(frames, dim=1)
    time = torch.arange(T, device=frames.device)
    near = (time[:, None] - time).abs() < min(apart, T // 4)
    count = min(neighbours, max(1, T // 2 - (T // 2 + 1) % 2))  # odd: a median is one of the values
    nearest = (unit @ unit.T).masked_fill(near, -1).topk(count, dim=1).indices  # (T, count)
    return torch.cat([_median(frames[rows]) for rows in nearest.split(FRAMES_AT_ONCE)]).T


def _median(values: Tensor) -> Tensor:
    """(n, odd, F) -> (n, F); on a CPU by NumPy's partition, three times as fast as torch's median."""
    if values.device.type != "cpu":
        return values.median(dim=1).values
    middle = values.shape[1] // 2
    return torch.from_numpy(np.partition(values.numpy(), middle, axis=1)[:, middle].copy())


def soft_mask(wanted: Tensor, other: Tensor, power: float) -> Tensor:
    """Return wanted^p / (wanted^p + other^p), 0 if both are 0 (librosa's softmask)."""
    greater = torch.maximum(wanted, other).clamp_min(torch.finfo(wanted.dtype).tiny)
    a, b = (wanted / greater) ** power, (other / greater) ** power
    return a / (a + b).clamp_min(torch.finfo(wanted.dtype).tiny)


class DemucsSeparator:
    """Hybrid Demucs: the sum of all sources except the voice.

    Args:
        weights: A .safetensors file of `torchaudio.models.HDemucs`; where its metadata has a `config` (JSON), with the
            arguments that it was built with, else those of `hdemucs_high`. torchaudio's own weights become such a file
            by `safetensors.torch.save_file(torchaudio.pipelines.HDEMUCS_HIGH_MUSDB.get_model().state_dict(), weights)`.

    Raises:
        EncoderError: The file is missing, damaged, or not a Demucs model of stereo sound that separates.
    """

    def __init__(self, weights: Path) -> None:
        try:
            self.model = _load_demucs(weights)
            _try_out(self.model)
        except (SafetensorError, OSError, RuntimeError, ArithmeticError, *MALFORMED) as error:
            raise EncoderError(
                f"expected weights of hybrid Demucs (.safetensors) in {weights}: {brief(error)}",
                hint="name such a file, or none to separate without weights",
            ) from error

    @torch.inference_mode()
    def accompaniment(self, windows: Tensor) -> Tensor:
        """Windows (W, L) -> drums, bass and other instruments (W, L)."""
        self.model.to(windows.device)
        return torch.stack([self._separate(window) for window in windows])

    def _separate(self, window: Tensor) -> Tensor:
        """(L,) -> (L,). Standardised on the way, as Demucs was trained."""
        mean, std = window.mean(), window.std(correction=0).clamp_min(1e-8)
        mix = torchaudio.functional.resample((window - mean) / std, SAMPLE_RATE, DEMUCS_RATE)
        sources = self.model(mix.expand(1, DEMUCS_CHANNELS, -1))[0]  # (4, 2, L')
        wanted = sources[:-1].sum(dim=0).mean(dim=0)  # (L',)
        return torchaudio.functional.resample(wanted, DEMUCS_RATE, SAMPLE_RATE)[: len(window)] * std + mean


def _load_demucs(weights: Path) -> torchaudio.models.HDemucs:
    if weights.exists() and not weights.is_file():  # opening a pipe could block
        raise ValueError("not a regular file")
    with safe_open(weights, framework="pt") as file:
        config = _demucs_config(json.loads((file.metadata() or {}).get("config", "{}")))
        with torch.device("meta"):  # allocates nothing: settings may ask for more memory than there is
            model = torchaudio.models.HDemucs(list(DEMUCS_SOURCES), **config)
        tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        model.load_state_dict(tensors, assign=True)
    return model.eval()


def _demucs_config(config: Any) -> dict[str, Any]:
    """Return the arguments of HDemucs; raise ValueError if the config cannot be a stereo network's."""
    if not isinstance(config, dict):
        raise ValueError(f"expected settings by name as its config, found {config!r}")
    if config.get("audio_channels", DEMUCS_CHANNELS) != DEMUCS_CHANNELS:
        raise ValueError(f"expected {DEMUCS_CHANNELS} audio_channels in its config, found {config['audio_channels']!r}")
    for name, most in DEMUCS_MOST.items():
        found = config.get(name, 1)
        if not isinstance(found, int) or not 1 <= found <= most:
            raise ValueError(f"expected {name} from 1 to {most} in its config, found {found!r}")
    return {"nfft": 4096, "depth": 6, **config}  # torchaudio.models.hdemucs_high


@torch.inference_mode()
def _try_out(model: torchaudio.models.HDemucs) -> None:
    """Separate a little silence: settings may fit the tensors and still not each other.

    Raises:
        ValueError: The sources are not finite, or not those of Demucs; or any error that the model raises.
    """
    mix = torch.zeros(1, DEMUCS_CHANNELS, TRIAL_SAMPLES)
    found = model(mix)
    if found.shape != (1, len(DEMUCS_SOURCES), *mix.shape[1:]) or not found.isfinite().all():
        raise ValueError(f"expected {len(DEMUCS_SOURCES)} finite sources from it, found shape {tuple(found.shape)}")
