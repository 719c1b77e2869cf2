"""Lengths that are stated too short, channels that cancel, and the stream that FFmpeg would choose.

Covers `joined` and `reading`.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.joined import is_joined
from engine.indexer.audio.reading import read_track
from tests.audio import peak_frequency, tone, write_audio

RATE = 22_050


def chained(folder: Path, extension: str) -> Path:
    """Two files one after the other: 6 s of 300 Hz, then 9 s of 900 Hz."""
    for name, frequency, seconds in (("a", 300, 6), ("b", 900, 9)):
        write_audio(folder / f"{name}{extension}", tone(frequency, seconds, 48_000), 48_000)
    joined = folder / f"joined{extension}"
    joined.write_bytes((folder / f"a{extension}").read_bytes() + (folder / f"b{extension}").read_bytes())
    return joined


@pytest.mark.parametrize("extension", [".ogg", ".opus", ".flac"])
def test_joined_streams_are_heard_to_their_end(tmp_path: Path, extension: str) -> None:
    """Chained Ogg and Opus and joined FLAC are as long as all of their parts, and windows lie in each of them."""
    track = read_track(chained(tmp_path, extension), 2.0, 4, RATE, "sound")
    assert track.duration_seconds == pytest.approx(15, abs=0.2)
    assert peak_frequency(track.windows[0], RATE) == pytest.approx(300, abs=2)
    assert peak_frequency(track.windows[-1], RATE) == pytest.approx(900, abs=2)


@pytest.mark.parametrize("lengths", [(6, 9), (3, 30), (30, 3), (7, 7), (4, 4, 4, 21)], ids=str)
def test_joined_wavpack(tmp_path: Path, lengths: tuple[int, ...]) -> None:
    """WavPack files joined to one are as long as all of their parts, and a whole file is not taken for one of them."""
    parts = []
    for number, seconds in enumerate(lengths):
        part = tmp_path / f"{number}.wv"
        write_audio(part, tone(300 * (number + 1), seconds, 44_100), 44_100)
        with AudioFile.open(part) as audio:
            assert not is_joined(audio)
        parts.append(part.read_bytes().partition(b"APETAGEX")[0])
    joined = tmp_path / "joined.wv"
    joined.write_bytes(b"".join(parts))
    track = read_track(joined, 2.0, 4, RATE, "sound")
    assert track.duration_seconds == pytest.approx(sum(lengths), abs=0.2)
    assert peak_frequency(track.windows[-1], RATE) == pytest.approx(300 * len(lengths), abs=2)


def test_joined_files_are_decoded_a_few_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of a joined file is silent, it is decoded from its beginning at most five times."""
    sound, silence = tone(440, 3, 44_100), np.zeros(44_100 * 90, np.float32)
    for name, part in (("a", silence), ("b", np.concatenate([silence, sound, silence]))):
        write_audio(tmp_path / f"{name}.wv", part, 44_100)
    joined = tmp_path / "joined.wv"
    joined.write_bytes(b"".join((tmp_path / f"{n}.wv").read_bytes().partition(b"APETAGEX")[0] for n in "ab"))
    rewinds = 0
    rewind = AudioFile.rewind

    def counting(self: AudioFile) -> None:
        nonlocal rewinds
        rewinds += 1
        rewind(self)

    monkeypatch.setattr(AudioFile, "rewind", counting)
    track = read_track(joined, 2.0, 10, RATE, "sound")
    assert rewinds <= 5
    assert track.duration_seconds == pytest.approx(273, abs=0.2)
    assert 178 <= track.starts[0] <= 183


def test_a_total_that_is_too_small(tmp_path: Path) -> None:
    """A FLAC header that states 3 of 12 seconds is found out: the file is 12 s long."""
    path = tmp_path / "a.flac"
    write_audio(path, tone(440, 12), 44_100)
    data = bytearray(path.read_bytes())
    # STREAMINFO begins at byte 8; its total is the last 36 of the 64 bits from byte 10 of it.
    packed = int.from_bytes(data[18:26], "big")
    data[18:26] = (packed >> 36 << 36 | 3 * 44_100).to_bytes(8, "big")
    path.write_bytes(data)
    with AudioFile.open(path) as audio:
        assert audio.info.duration_seconds == pytest.approx(3, abs=0.1)
    assert read_track(path, 2.0, 3, RATE, "sound").duration_seconds == pytest.approx(12, abs=0.2)


@pytest.mark.parametrize("extension", [".flac", ".wav", ".mp3"])
def test_channels_that_cancel_are_heard(tmp_path: Path, extension: str) -> None:
    """A file whose right channel is inverted sounds as it does with the channels in phase, through to its end."""
    sound = tone(440, 10, level=0.4) + tone(1000, 10, level=0.1)
    write_audio(tmp_path / f"same{extension}", np.stack([sound, sound], axis=1), 44_100)
    write_audio(tmp_path / f"opposite{extension}", np.stack([sound, -sound], axis=1), 44_100)
    same, opposite = (read_track(tmp_path / f"{name}{extension}", 2.0, 4, RATE) for name in ("same", "opposite"))
    for a, b in zip(same.windows, opposite.windows, strict=True):
        assert abs(np.corrcoef(a, b)[0, 1]) > 0.99
        assert np.abs(b).max() == pytest.approx(np.abs(a).max(), rel=0.1)


def test_wide_stereo_stays_the_mean(tmp_path: Path) -> None:
    """Two channels of unrelated sound are averaged, not taken for a pair that cancels."""
    left, right = tone(300, 8, level=0.5), tone(700, 8, level=0.5)
    write_audio(tmp_path / "a.flac", np.stack([left, right], axis=1), 44_100)
    window = read_track(tmp_path / "a.flac", 2.0, 3, RATE).windows[1]
    spectrum = np.abs(np.fft.rfft(window * np.hanning(len(window))))
    at = [round(f * len(window) / RATE) for f in (300, 700)]
    assert spectrum[at[0]] == pytest.approx(spectrum[at[1]], rel=0.1)


def test_the_default_stream_is_heard(tmp_path: Path) -> None:
    """Of a commentary at 8 kHz and music that is marked as the default, the music is heard."""
    path = tmp_path / "a.mka"
    with av.open(str(path), "w") as output:
        streams = [output.add_stream("pcm_s16le", rate=rate, layout="mono") for rate in (8_000, 44_100)]
        streams[0].disposition = av.stream.Disposition.comment
        streams[1].disposition = av.stream.Disposition.default
        for stream, frequency in zip(streams, (200, 1000), strict=True):
            samples = (tone(frequency, 5, stream.rate) * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = stream.rate, 0, Fraction(1, stream.rate)
            output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
    assert peak_frequency(read_track(path, 2.0, 2, RATE).windows[0], RATE) == pytest.approx(1000, abs=5)
