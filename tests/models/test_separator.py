"""Separators: what repeats stays, what does not goes, and files that are no weights are refused."""

import json
import os
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import torch
import torchaudio
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.errors import EncoderError
from engine.models.encoder import SAMPLE_RATE
from engine.models.separator import (
    DEMUCS_SOURCES,
    DemucsSeparator,
    RepeatingPattern,
    make_separator,
    repeating_part,
    soft_mask,
)

SECONDS = 21
SMALL: dict[str, Any] = {"channels": 4, "nfft": 4096, "depth": 6}  # hybrid Demucs, a hundredth of its size


def sdr(true: Tensor, estimate: Tensor) -> float:
    """Signal to distortion ratio in dB."""
    return 10 * torch.log10(true.square().sum() / (true - estimate).square().sum()).item()


def times(seconds: float) -> Tensor:
    """Sample times, (L,)."""
    return torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE


def pattern(seconds: float = SECONDS, seed: int = 0) -> Tensor:
    """A bar of 1.5 s, four decaying chords over noise hits, again and again: (L,)."""
    generator = torch.Generator().manual_seed(seed)
    time, beat = times(1.5), times(0.375)
    chords = [110 * 2 ** (torch.randint(0, 30, (4, 1), generator=generator) / 12) for _ in range(4)]
    bar = torch.cat([torch.sin(2 * torch.pi * chord * beat).sum(dim=0) * torch.exp(-6 * beat) for chord in chords])
    bar = torch.nn.functional.pad(bar, (0, len(time) - len(bar)))
    bar = bar + torch.randn(len(time), generator=generator) * torch.exp(-60 * (time % 0.1875))
    return 0.1 * bar.repeat(int(seconds / 1.5) + 1)[: round(seconds * SAMPLE_RATE)]


def voice(seconds: float = SECONDS) -> Tensor:
    """A gliding tone with vibrato and three overtones, in syllables, never twice the same: (L,)."""
    time = times(seconds)
    phase = 2 * torch.pi * (250 * time + 10 * time**2) + 8 * torch.sin(2 * torch.pi * 5 * time)
    syllables = torch.sin(2 * torch.pi * (0.8 * time + 0.03 * time**2)).clamp_min(0)
    return 0.15 * syllables * sum(torch.sin(n * phase) / n for n in range(1, 5))


def demucs(path: Path, *, config: object = SMALL, **metadata: str) -> Path:
    """Write the weights of a small, untrained Demucs."""
    torch.manual_seed(3)
    model = torchaudio.models.HDemucs(list(DEMUCS_SOURCES), **SMALL)
    save_file(model.state_dict(), path, {"config": json.dumps(config), **metadata})
    return path


# ---- what repeats


def test_what_does_not_repeat_is_taken_out() -> None:
    """The accompaniment of a pattern under a voice is nearer to the pattern, by 6 dB and more, than the mix is."""
    mix = pattern() + voice()
    found = RepeatingPattern().accompaniment(mix[None])[0]
    assert found.shape == mix.shape
    assert sdr(pattern(), found) - sdr(pattern(), mix) > 6


def test_what_repeats_stays() -> None:
    """A pattern alone comes back as it was, but for 1 % of its power."""
    assert sdr(pattern(), RepeatingPattern().accompaniment(pattern()[None])[0]) > 20


def test_a_batch_equals_single_windows() -> None:
    """What stands beside a window changes nothing in it."""
    windows = torch.stack([pattern(10) + voice(10), pattern(10, seed=1), torch.zeros(10 * SAMPLE_RATE)])
    separator = RepeatingPattern()
    singly = torch.cat([separator.accompaniment(window[None]) for window in windows])
    torch.testing.assert_close(separator.accompaniment(windows), singly, atol=1e-6, rtol=0)


def test_silence_stays_silent() -> None:
    """Zeros in, zeros out."""
    assert torch.equal(RepeatingPattern().accompaniment(torch.zeros(2, 5000)), torch.zeros(2, 5000))


def test_gain_does_not_matter() -> None:
    """A mix at 1/128 of its amplitude gives the same accompaniment at 1/128."""
    mix = (pattern(6) + voice(6))[None]
    found, softer = (RepeatingPattern().accompaniment(sound) for sound in (mix, mix / 128))
    torch.testing.assert_close(softer * 128, found, atol=1e-5, rtol=0)


def test_the_bass_stays() -> None:
    """A tone of 60 Hz that glides, so that it never repeats, is kept: no voice is as low. One at 600 Hz is not."""
    time = times(8)
    for frequency, kept in ((60, True), (600, False)):
        glide = torch.sin(2 * torch.pi * frequency * (1 + 0.03 * time) * time)
        assert (sdr(glide, RepeatingPattern().accompaniment(glide[None])[0]) > 20) == kept


@pytest.mark.parametrize("length", [1, 700, 3000, 8000, 3 * SAMPLE_RATE])
def test_short_windows_pass(length: int) -> None:
    """Windows in which nothing can repeat keep their length and are never louder than before."""
    mix = (pattern(3) + voice(3))[:length][None]
    found = RepeatingPattern().accompaniment(mix)
    assert found.shape == mix.shape
    assert torch.isfinite(found).all()
    assert found.square().sum() <= mix.square().sum() * 1.001


def test_short_windows_find_what_repeats_in_them() -> None:
    """Where a window ends before `apart`, a quarter of it is far enough: frames that come back after four are found."""
    frames = torch.rand(50, 4, generator=torch.Generator().manual_seed(0)).repeat(1, 2)  # (F, 8)
    torch.testing.assert_close(repeating_part(frames, neighbours=1, apart=43), frames)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_hears_the_same() -> None:
    """The accompaniment does not depend on the device."""
    mix = (pattern() + voice())[None]
    found = RepeatingPattern().accompaniment(mix.cuda()).cpu()
    assert sdr(RepeatingPattern().accompaniment(mix), found) > 40


# ---- librosa's formulas


@pytest.mark.parametrize(("neighbours", "apart"), [(21, 43), (11, 10), (1, 1)])
def test_the_repeating_part_is_librosas(neighbours: int, apart: int) -> None:
    """Median over the most similar frames elsewhere, as librosa's nn_filter has it once the most similar are linked."""
    mix = pattern(12) + voice(12)
    magnitudes = torch.stft(mix, 1024, 1024, window=torch.hann_window(1024), return_complex=True).abs()  # (513, 259)
    magnitudes = magnitudes + 1e-3 * torch.rand(magnitudes.shape, generator=torch.Generator().manual_seed(0))  # no ties
    links = librosa.segment.recurrence_matrix(
        magnitudes.numpy(), k=neighbours, width=apart, metric="cosine", mode="distance", sparse=True
    )
    expected = librosa.decompose.nn_filter(magnitudes.numpy(), rec=links, aggregate=np.median)
    found = repeating_part(magnitudes, neighbours, apart).numpy()
    differing = (np.abs(found - expected) > 1e-5).any(axis=0)
    assert differing.mean() < 0.02  # frames of which two neighbours are alike to the last digit


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_the_soft_mask_is_librosas(power: float) -> None:
    """Shares of power, halves where both are alike, zero where both are."""
    generator = torch.Generator().manual_seed(0)
    wanted, other = torch.rand(2, 30, 40, generator=generator) * 10 ** torch.linspace(-12, 2, 40)
    other[3:5], wanted[4:6] = 0, 0
    expected = librosa.util.softmask(wanted.numpy(), other.numpy(), power=power)
    np.testing.assert_allclose(soft_mask(wanted, other, power).numpy(), expected, atol=1e-6)


# ---- Demucs


def test_without_weights_patterns_are_sought() -> None:
    """No file, no network."""
    assert make_separator() == RepeatingPattern()
    assert make_separator("") == RepeatingPattern()


def test_demucs_adds_all_but_the_voice(tmp_path: Path) -> None:
    """The accompaniment is the sum of the model's first three sources at 44.1 kHz, brought back to 22,050 Hz."""
    separator = make_separator(str(demucs(tmp_path / "demucs.safetensors")))
    assert isinstance(separator, DemucsSeparator)
    mix = pattern(1.5) + voice(1.5)
    scale = mix.std(correction=0)
    at_44100 = torchaudio.functional.resample((mix - mix.mean()) / scale, SAMPLE_RATE, 2 * SAMPLE_RATE)
    with torch.inference_mode():
        drums, bass, other, vocals = separator.model(at_44100.expand(1, 2, -1))[0].mean(dim=1)
    expected = torchaudio.functional.resample(drums + bass + other, 2 * SAMPLE_RATE, SAMPLE_RATE) * scale
    found = separator.accompaniment(mix[None])[0]
    assert found.shape == mix.shape
    torch.testing.assert_close(found, expected + mix.mean(), atol=1e-4 * float(expected.abs().max()), rtol=0)
    assert vocals.abs().max() > 1e-3


def test_demucs_treats_windows_alone(tmp_path: Path) -> None:
    """A window gets the same accompaniment in a batch, at another gain (scaled), and silence gets next to none."""
    separator = DemucsSeparator(demucs(tmp_path / "demucs.safetensors"))
    mix = (pattern(1) + voice(1))[:20_001]
    alone = separator.accompaniment(mix[None])[0]
    batch = separator.accompaniment(torch.stack([mix, mix / 10, torch.zeros_like(mix)]))
    tolerance = 1e-3 * float(alone.abs().max())
    torch.testing.assert_close(batch[0], alone, atol=tolerance, rtol=0)
    torch.testing.assert_close(batch[1] * 10, alone, atol=tolerance, rtol=0)
    assert batch[2].abs().max() < 1e-5


def test_bad_weights_are_refused(tmp_path: Path) -> None:
    """A file that is missing, no safetensors, or holds other tensors or settings gives one line that names it."""
    (tmp_path / "text.safetensors").write_text("not weights at all")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    demucs(tmp_path / "sizes.safetensors", config={**SMALL, "channels": 8})
    demucs(tmp_path / "names.safetensors", config={**SMALL, "wheels": 4})
    demucs(tmp_path / "list.safetensors", config=[1])
    demucs(tmp_path / "json.safetensors", config=None)
    for name in ("none", "text", "other", "sizes", "names", "list", "json"):
        path = tmp_path / f"{name}.safetensors"
        with pytest.raises(EncoderError) as caught:
            make_separator(str(path))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(EncoderError, match="expected weights"):
        make_separator(str(tmp_path))


@pytest.mark.parametrize(
    "setting",
    [
        {"audio_channels": 1},
        {"channels": 10**8},
        {"channels": 0},
        {"depth": 10**6},
        {"depth": "6"},
        {"dconv_depth": 10**6},
        {"norm_groups": 0},
        {"nfft": None},
        {"stride": 0},
    ],
    ids=str,
)
def test_settings_beyond_any_network_are_refused(tmp_path: Path, setting: dict[str, object]) -> None:
    """A setting that no stereo network has is refused at once, by a line with its name and value."""
    (name, value), path = *setting.items(), tmp_path / "demucs.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {"config": json.dumps(setting)})
    with pytest.raises(EncoderError, match=rf"{name}.* in its config, found {value!r}") as caught:
        DemucsSeparator(path)
    assert "\n" not in str(caught.value)


def test_settings_that_divide_by_zero_are_refused(tmp_path: Path) -> None:
    """A setting that torchaudio divides by gives the same error as any other that does not fit."""
    with pytest.raises(EncoderError, match="expected weights of hybrid Demucs"):
        DemucsSeparator(demucs(tmp_path / "demucs.safetensors", config={**SMALL, "dconv_comp": 0}))


def test_large_settings_take_no_memory(tmp_path: Path) -> None:
    """A network of terabytes is compared with the file before any of it is allocated."""
    with pytest.raises(EncoderError, match="expected weights of hybrid Demucs"):
        DemucsSeparator(demucs(tmp_path / "demucs.safetensors", config={"channels": 1024, "growth": 10}))


def test_mono_networks_are_refused(tmp_path: Path) -> None:
    """A network that was trained on mono fails when it is loaded, not at the first track."""
    path, mono = tmp_path / "mono.safetensors", {**SMALL, "audio_channels": 1}
    save_file(torchaudio.models.HDemucs(list(DEMUCS_SOURCES), **mono).state_dict(), path, {"config": json.dumps(mono)})
    with pytest.raises(EncoderError, match="expected 2 audio_channels in its config, found 1"):
        make_separator(str(path))


def test_networks_that_compute_garbage_are_refused(tmp_path: Path) -> None:
    """Weights that are not numbers fit the network, and are refused all the same."""
    path = demucs(tmp_path / "demucs.safetensors")
    tensors = load_file(path)
    tensors["freq_decoder.5.conv_tr.bias"][:] = torch.nan
    save_file(tensors, path, {"config": json.dumps(SMALL)})
    with pytest.raises(EncoderError, match="finite sources"):
        make_separator(str(path))


def test_pipes_are_refused(tmp_path: Path) -> None:
    """A named pipe is no file of weights; nobody waits for its writer."""
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(EncoderError, match="not a regular file"):
        make_separator(str(tmp_path / "pipe.safetensors"))
