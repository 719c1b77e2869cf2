"""Augmentation: what each effect does to tones, clicks and spectrograms, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.errors import TrainingError
from engine.training.augment.masks import augment_features
from engine.training.augment.recode import CODECS, recode
from engine.training.augment.waveform import augment_waveform, mix_waveforms
from engine.training.augment.waveform_settings import WaveformAugmentation
from tests.audio import chirp, decibels, peak_frequency, tone

RATE = 22_050
EXTREMES: dict[str, Any] = {"extremes": True}
NO_FILTERS = WaveformAugmentation(
    speed=1.1, stretch=(0.9, 1.1), pitch=2, equalise_db=6, gain_db=6, shift_seconds=0.3, noise=1, codec=1, mix=1
)


def sine(frequency: float = 440.0, seconds: float = 3.0) -> Tensor:
    """A tone, (L,)."""
    return torch.from_numpy(tone(frequency, seconds, RATE))


def rng(seed: int = 0) -> np.random.Generator:
    """A fresh generator."""
    return np.random.default_rng(seed)


def augmented(samples: Tensor, seed: int = 0, **settings: Any) -> Tensor:
    """One example through the effects of these settings."""
    return augment_waveform(samples, RATE, WaveformAugmentation(**settings), rng(seed))


def burst(start: float, stop: float, seconds: float = 3.0) -> Tensor:
    """A tone of 440 Hz from `start` to `stop` seconds, silence around it."""
    time = torch.arange(round(seconds * RATE)) / RATE
    return sine(seconds=seconds) * ((time >= start) & (time < stop))


def sounding(samples: Tensor) -> tuple[float, float]:
    """The seconds between which a burst is louder than half of its peak."""
    loud = (samples.abs() > samples.abs().max() / 2).nonzero()
    return loud[0].item() / RATE, (loud[-1].item() + 1) / RATE


def lag(before: Tensor, after: Tensor) -> int:
    """By how many samples `after` is late."""
    n = 2 * len(before)
    likeness = torch.fft.irfft(torch.fft.rfft(after, n) * torch.fft.rfft(before, n).conj(), n)
    found = int(likeness.argmax())
    return found if found < n // 2 else found - n


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's."""
    return torch.corrcoef(torch.stack([one, other]))[0, 1].item()


# ---- none, and the same


def test_neutral_settings_change_nothing() -> None:
    """Without a switch set, waveforms, pairs and features come back to the bit."""
    samples, other = sine(), torch.randn(3 * RATE, generator=torch.Generator().manual_seed(0))
    features = {"mel": torch.rand(2, 8, 9), "codes": torch.rand(2, 5)}
    assert torch.equal(augment_waveform(samples, RATE, WaveformAugmentation(), rng()), samples)
    mixture = mix_waveforms(samples, other, WaveformAugmentation(), rng())
    assert torch.equal(mixture.samples, samples)
    assert mixture.weight == 1
    found = augment_features(features, WaveformAugmentation(), rng())
    assert all(torch.equal(found[name], values) for name, values in features.items())


def test_draws_follow_the_generator() -> None:
    """One seed gives one result whatever torch's and NumPy's own generators do; another seed gives another."""
    samples = torch.from_numpy(chirp(2, RATE))
    first = augment_waveform(samples, RATE, NO_FILTERS, rng(1))
    torch.manual_seed(77)
    again = augment_waveform(samples, RATE, NO_FILTERS, rng(1))
    other = augment_waveform(samples, RATE, NO_FILTERS, rng(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("seed", range(6))
def test_all_effects_together_keep_shape_and_sense(seed: int) -> None:
    """Whatever is drawn, the length and type stay, nothing is NaN, and the input is not written to."""
    samples = torch.from_numpy(chirp(1.5, RATE))
    before = samples.clone()
    found = augment_waveform(samples, RATE, NO_FILTERS, rng(seed))
    assert found.shape == samples.shape
    assert found.dtype == torch.float32
    assert torch.isfinite(found).all()
    assert torch.equal(samples, before)


def test_silence_stays_silent() -> None:
    """No effect makes sound out of silence, except for a codec's residue some 80 dB below full scale."""
    silent = torch.zeros(RATE)
    assert decibels(augment_waveform(silent, RATE, NO_FILTERS, rng()).numpy()) < -80
    assert torch.equal(mix_waveforms(silent, sine(seconds=1), NO_FILTERS, rng()).samples, silent)


def test_share_is_the_share_of_examples() -> None:
    """About `share` of the examples are touched, the others pass to the bit."""
    samples = sine(seconds=0.1)
    touched = [not torch.equal(augmented(samples, seed, gain_db=6, share=0.3), samples) for seed in range(400)]
    assert 0.22 < np.mean(touched) < 0.38


def test_one_at_a_time_is_the_papers_fourfold_data() -> None:
    """Noise, shift and stretch in turn: a quarter of the examples each, and a quarter as they were."""
    settings = WaveformAugmentation(
        noise=1, shift_seconds=0.25, stretch=(0.9, 1.1), extremes=True, one_at_a_time=True, noise_snr_db=(10, 10)
    )
    samples = torch.from_numpy(chirp(1, RATE))
    kinds = {"same": 0, "noise": 0, "shift": 0, "stretch": 0}
    for seed in range(400):
        found = augment_waveform(samples, RATE, settings, rng(seed))
        if torch.equal(found, samples):
            kinds["same"] += 1
        elif (found[-RATE // 5 :] == 0).all():
            kinds["shift"] += 1
        else:
            kinds["noise" if correlation(found, samples) > 0.9 else "stretch"] += 1
    assert all(70 < count < 130 for count in kinds.values()), kinds


# ---- how it was played


@pytest.mark.parametrize("ratio", [0.9, 1.1])
def test_stretching_keeps_pitch(ratio: float) -> None:
    """A tone of 440 Hz stays at 440 Hz, a burst from 0.5 to 1.5 s moves to 0.5 to 1.5 times the ratio."""
    stretched = augmented(sine(), stretch=(ratio, ratio))
    assert abs(peak_frequency(stretched[: 2 * RATE].numpy(), RATE) - 440) < 1
    assert sounding(augmented(burst(0.5, 1.5), stretch=(ratio, ratio))) == pytest.approx(
        (0.5 * ratio, 1.5 * ratio), abs=0.03
    )


def test_a_shorter_sound_ends_in_silence() -> None:
    """Stretched by 0.9, the last tenth is silent; by 1.1, sound lasts to the end."""
    assert augmented(sine(), stretch=(0.9, 0.9))[-RATE * 3 // 10 + 1 :].abs().max() == 0
    assert decibels(augmented(sine(), stretch=(1.1, 1.1))[-RATE // 4 :].numpy()) == pytest.approx(-9, abs=1)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("semitones", [1.0, 3.5])
def test_pitch_moves_without_tempo(semitones: float, seed: int) -> None:
    """A tone of 440 Hz goes up or down by the semitones, a burst stays where and as long as it was."""
    expected = [440 * 2 ** (sign * semitones / 12) for sign in (-1, 1)]
    found = peak_frequency(augmented(sine(), seed, pitch=semitones, extremes=True).numpy(), RATE)
    assert min(abs(found - frequency) for frequency in expected) < 1
    moved = augmented(burst(0.5, 1.5), seed, pitch=semitones, extremes=True)
    assert sounding(moved) == pytest.approx((0.5, 1.5), abs=0.03)


def test_pitch_goes_both_ways() -> None:
    """Among a few examples, some go up and some go down."""
    found = [peak_frequency(augmented(sine(), seed, pitch=2.0, extremes=True).numpy(), RATE) for seed in range(8)]
    assert {round(frequency) for frequency in found} == {392, 494}


@pytest.mark.parametrize("seed", range(3))
def test_speed_moves_both(seed: int) -> None:
    """Played faster, a tone is as much higher as a burst is shorter: 440 Hz * ratio, 1 s / ratio."""
    pitch = peak_frequency(augmented(sine(), seed, speed=1.2).numpy()[: 2 * RATE], RATE)
    start, stop = sounding(augmented(burst(0.5, 1.5), seed, speed=1.2))
    ratio = 1 / (stop - start)
    assert abs(ratio - 1) > 0.01
    assert 1 / 1.2 <= ratio <= 1.2
    assert pitch == pytest.approx(440 * ratio, abs=2)


# ---- how it was recorded


def test_an_equaliser_keeps_phase_and_range() -> None:
    """Every tone keeps its frequency, and its level to within the range; two tones do not change alike."""
    changes = []
    for frequency in (200, 1000, 6000):
        found = augmented(sine(frequency), seed=3, equalise_db=8, extremes=True)
        assert correlation(found, sine(frequency)) > 0.999
        changes.append(decibels(found.numpy()) - decibels(sine(frequency).numpy()))
    assert max(map(abs, changes)) <= 8.01
    assert np.ptp(changes) > 0.5


@pytest.mark.parametrize("snr", [0.0, 20.0, 40.0])
def test_noise_lies_below_the_music_as_asked(snr: float) -> None:
    """The added noise is uniform, at the requested level below the sound, and uncorrelated with it."""
    samples = sine()
    added = augmented(samples, noise=1, noise_snr_db=(snr, snr)) - samples
    assert decibels(samples.numpy()) - decibels(added.numpy()) == pytest.approx(snr, abs=0.1)
    assert added.abs().max() / added.square().mean().sqrt() == pytest.approx(3**0.5, rel=0.01)  # uniform
    assert abs(correlation(added, samples)) < 0.02


def test_noise_is_drawn_from_the_range() -> None:
    """Noise levels fill the requested range."""
    samples = sine(seconds=0.5)
    found = [
        decibels(samples.numpy())
        - decibels((augmented(samples, seed, noise=1, noise_snr_db=(10, 30)) - samples).numpy())
        for seed in range(60)
    ]
    assert 9.7 < min(found) < 13
    assert 27 < max(found) < 30.3


def test_gain_is_exact() -> None:
    """6 dB are 6 dB, up or down, and nothing else changes; otherwise gains lie evenly between both."""
    samples = sine()
    ends = {
        round(10 * (decibels(augmented(samples, s, gain_db=6, **EXTREMES).numpy()) - decibels(samples.numpy())))
        for s in range(8)
    }
    assert ends == {-60, 60}
    louder = augmented(samples, gain_db=6)
    factor = (louder @ samples) / (samples @ samples)
    torch.testing.assert_close(louder, samples * factor)
    assert abs(20 * torch.log10(factor)) < 6


# ---- how it was kept and read


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("rate", "length"), [(22_050, 66_150), (44_100, 40_001)])
def test_codecs_are_aligned(codec: str, rate: int, length: int) -> None:
    """Speech-like sound comes back where it was, within 1 ms, much like itself, and not the same."""
    time = np.arange(length) / rate
    sound = chirp(length / rate + 0.1, rate)[:length] * np.exp(-5 * (time % 0.4))
    samples = torch.from_numpy((sound + 0.02 * rng().standard_normal(length)).astype(np.float32))
    found = recode(samples, rate, codec, 48)
    assert found.shape == samples.shape
    assert abs(lag(samples, found)) <= rate // 1000
    assert 0.9 < correlation(samples, found) < 0.99999


@pytest.mark.parametrize("codec", CODECS)
def test_codecs_keep_a_tone(codec: str) -> None:
    """A tone of 440 Hz comes back at 440 Hz, as loud, also one beyond full scale."""
    for level in (1.0, 3.0):
        samples = sine() * level
        found = recode(samples, RATE, codec, 64)
        assert abs(peak_frequency(found.numpy(), RATE) - 440) < 1
        assert correlation(samples, found) > 0.99
        assert decibels(found.numpy()) == pytest.approx(decibels(samples.numpy()), abs=0.5)


def test_fewer_bits_lose_more() -> None:
    """At 16 kbit/s every codec is further from the sound than at 96."""
    samples = torch.from_numpy(0.2 * rng().standard_normal(2 * RATE).astype(np.float32))
    for codec in CODECS:
        low, high = ((recode(samples, RATE, codec, kbps) - samples).square().mean() for kbps in (16, 96))
        assert low > high, codec


def test_codecs_are_drawn_from_the_list() -> None:
    """Only codecs of the list are used, all of them, at bit rates of the range."""
    samples = torch.from_numpy(chirp(0.5, RATE))
    allowed = [recode(samples, RATE, codec, 32) for codec in ("mp3", "aac")]
    settings = {"codec": 1.0, "codecs": ("mp3", "aac"), "codec_kbps": (32, 32)}
    found = [augmented(samples, seed, **settings) for seed in range(12)]
    hits = [[torch.equal(one, other) for other in allowed] for one in found]
    assert all(sum(row) == 1 for row in hits)
    assert all(any(column) for column in zip(*hits, strict=True))


@pytest.mark.parametrize("seconds", [0.25, 1.5])
def test_a_shift_moves_by_samples(seconds: float) -> None:
    """Shifted by all of the range, a click moves left by exactly as many samples, and as many zeros end the window."""
    samples, count = sine(), round(seconds * RATE)
    click = torch.zeros(3 * RATE)
    click[2 * RATE] = 1
    found = augmented(click, shift_seconds=seconds, **EXTREMES)
    assert found.nonzero().flatten().tolist() == [2 * RATE - count]
    found = augmented(samples, shift_seconds=seconds, **EXTREMES)
    assert torch.equal(found[:-count], samples[count:])
    assert (found[-count:] == 0).all()


def test_shifts_are_drawn_from_nothing_to_all() -> None:
    """Random shifts are to the left, between none and the greatest; a shift beyond the window leaves silence."""
    click = torch.zeros(RATE)
    click[-1] = 1
    moved = [RATE - 1 - int(augmented(click, seed, shift_seconds=0.5).argmax()) for seed in range(40)]
    assert 0 <= min(moved) < 0.1 * RATE
    assert 0.4 * RATE < max(moved) <= 0.5 * RATE
    assert (augmented(sine(seconds=1), shift_seconds=9, **EXTREMES) == 0).all()


def test_the_gap_is_silent_whatever_else_happens() -> None:
    """Behind noise and a codec, the end of a shifted window is zeros: the shift is last."""
    found = augmented(sine(), shift_seconds=0.5, noise=1, codec=1, **EXTREMES)
    assert (found[-RATE // 2 + 1 :] == 0).all()
    assert decibels(found[: RATE * 2].numpy()) > -12


# ---- two in one


@pytest.mark.parametrize("seed", range(4))
def test_a_mixture_weighs_labels_as_it_weighs_sounds(seed: int) -> None:
    """The labels' weights are the two sounds' shares of amplitude; levels stay within the range, loudness as it was."""
    first, second = sine(440), sine(1000) * 0.01
    mixture = mix_waveforms(first, second, WaveformAugmentation(mix=1, mix_db=6), rng(seed))
    shares = [(mixture.samples @ part / part.norm()).item() for part in (first, second)]
    assert mixture.weight == pytest.approx(shares[0] / sum(shares), abs=1e-3)
    assert abs(20 * np.log10(shares[1] / shares[0])) <= 6.01
    assert decibels(mixture.samples.numpy()) == pytest.approx(decibels(first.numpy()), abs=0.05)


def test_mix_is_the_share_that_is_mixed() -> None:
    """About `mix` of the pairs become one; of the others the first comes back to the bit, its weight 1."""
    first, second = sine(440, 0.1), sine(1000, 0.1)
    mixtures = [mix_waveforms(first, second, WaveformAugmentation(mix=0.4), rng(seed)) for seed in range(300)]
    mixed = [mixture.weight < 1 for mixture in mixtures]
    assert 0.3 < np.mean(mixed) < 0.5
    assert all(torch.equal(m.samples, first) for m, is_mixed in zip(mixtures, mixed, strict=True) if not is_mixed)


# ---- masks


def test_masks_hide_spans_and_nothing_else() -> None:
    """Masks cover whole frames and bands, at most as many as requested, filled with the window's mean."""
    features = torch.rand(30, 40, 100, generator=torch.Generator().manual_seed(0))
    before = features.clone()
    settings = WaveformAugmentation(time_masks=2, time_width=0.1, frequency_masks=1, frequency_width=0.2)
    found = augment_features({"mel": features}, settings, rng())["mel"]
    assert torch.equal(features, before)
    widths = []
    for old, new in zip(features, found, strict=True):
        changed = old != new
        frames, bands = changed.all(dim=0), changed.all(dim=1)
        assert torch.equal(changed, frames[None] | bands[:, None])
        torch.testing.assert_close(new[changed], old.mean().expand(int(changed.sum())))
        widths.append((int(frames.sum()), int(bands.sum())))
    assert max(width for width, _ in widths) <= 20
    assert max(width for _, width in widths) <= 8
    assert len(set(widths)) > 10  # each window draws its own


@pytest.mark.parametrize(("axis", "name"), [(2, "time"), (1, "frequency")])
def test_masks_lie_along_their_axis(axis: int, name: str) -> None:
    """Time masks hide frames only, frequency masks bands only, everywhere in the picture and up to the full width."""
    settings = WaveformAugmentation(**{f"{name}_masks": 1, f"{name}_width": 0.25})
    features = torch.rand(200, 40, 40, generator=torch.Generator().manual_seed(0))
    changed = augment_features({"mel": features}, settings, rng())["mel"] != features
    hidden = changed.all(dim=3 - axis)  # (W, size of the axis)
    assert torch.equal(changed, hidden.unsqueeze(3 - axis).expand_as(changed))
    assert int(hidden.sum(dim=1).max()) == 10
    assert hidden.any(dim=0).all()
    assert (hidden.int().diff(dim=1) == 1).sum(dim=1).max() <= 1  # one span


def test_modalities_hide_the_same_time() -> None:
    """Two spectrograms of other frame rates hide the same share of time; other features stay the same."""
    features = {"mel": torch.rand(5, 20, 100), "mfcc": torch.rand(5, 13, 200), "codes": torch.rand(5, 7)}
    settings = WaveformAugmentation(time_masks=1, time_width=0.5)
    found = augment_features(features, settings, rng())
    mel, mfcc = ((found[k] != features[k]).all(dim=1).float().mean(dim=1) for k in ("mel", "mfcc"))
    torch.testing.assert_close(mel, mfcc, atol=0.011, rtol=0)
    assert mel.max() > 0
    assert found["codes"] is features["codes"]
    assert augment_features(features, settings, rng(), names=["mfcc"])["mel"] is features["mel"]


# ---- settings


def test_settings_come_from_a_table() -> None:
    """A table as TOML has it, with lists and whole numbers, gives the same settings as their names do."""
    table = {"stretch": [0.9, 1.1], "noise": 1, "codecs": ["mp3", "opus"], "time_masks": 2, "extremes": True}
    expected = WaveformAugmentation(stretch=(0.9, 1.1), noise=1.0, codecs=("mp3", "opus"), time_masks=2, extremes=True)
    assert WaveformAugmentation.from_table(table) == expected
    assert WaveformAugmentation.from_table({}) == WaveformAugmentation()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pitch", 13),
        ("pitch", -1.0),
        ("pitch", "2"),
        ("pitch", float("nan")),
        ("pitch", True),
        ("speed", 0.5),
        ("stretch", [1.1, 0.9]),
        ("stretch", [0.9]),
        ("stretch", 1.1),
        ("stretch", [0.1, 1.0]),
        ("time_masks", 1.5),
        ("extremes", 1),
        ("codecs", ["wax"]),
        ("codecs", []),
        ("codecs", "mp3"),
        ("noise", None),
    ],
)
def test_a_wrong_value_is_named(name: str, value: object) -> None:
    """A value out of range or of another type is refused in one line that names setting and value."""
    with pytest.raises(TrainingError, match=f"'{name}'") as caught:
        WaveformAugmentation.from_table({name: value})
    assert "\n" not in str(caught.value)
    assert "expected" in str(caught.value)


def test_an_unknown_name_is_named() -> None:
    """A setting that does not exist is refused, and those that do are listed."""
    with pytest.raises(TrainingError, match=r"unknown augmentation 'wobble'.*time_masks"):
        WaveformAugmentation.from_table({"wobble": 1})


@pytest.mark.parametrize("length", [1, 100, 1023])
def test_short_sounds_pass(length: int) -> None:
    """Sounds shorter than a vocoder's or a codec's frame come back as long as they were."""
    samples = torch.rand(length) - 0.5
    for codec in CODECS:
        settings = WaveformAugmentation(stretch=(0.9, 0.9), pitch=1, equalise_db=3, codec=1, codecs=(codec,))
        assert augment_waveform(samples, RATE, settings, rng()).shape == (length,)
