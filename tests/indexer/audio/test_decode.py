"""Decoding: windows hold the sound written there, and bad files are explained.

Covers `decode`, `info`, `reading`, `samples`, `decoded_levels` and `tape`.
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile, probe
from engine.indexer.audio.decoded_levels import decode_levels
from engine.indexer.audio.reading import plan_starts, read_track
from tests.audio import CODECS, decibels, peak_frequency, step_frequency, steps, tone, write_audio, write_video

RATE = 22_050
SECONDS = 24
SEEK_TOLERANCE_SECONDS = 0.05
LEVEL_TOLERANCE_DB = 1.0


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one file of stepped tones in each format."""
    folder = tmp_path_factory.mktemp("steps")
    paths = {extension: folder / f"steps{extension}" for extension in CODECS}
    for extension, path in paths.items():
        rate = 48_000 if extension == ".opus" else 44_100
        write_audio(path, steps(SECONDS, rate), rate)
    return paths


def step_time(window: np.ndarray, second: int) -> float:
    """Find when a window goes from a second's tone to the next one's."""
    time = np.arange(len(window)) / RATE
    average = np.ones(441) / 441
    now, then = (
        np.abs(np.convolve(window * np.exp(-2j * np.pi * step_frequency(i) * time), average, "same"))
        for i in (second, second + 1)
    )
    return float((np.cumsum(then > now) > 220).argmax() - 220) / RATE


@pytest.mark.parametrize("extension", CODECS)
def test_seek_accuracy(stepped: dict[str, Path], extension: str) -> None:
    """In every format a window holds the sound of its place, at its level, in whichever order windows are asked for."""
    seconds = [13, 3, 20, 1]
    with AudioFile.open(stepped[extension]) as audio:
        windows = audio.windows([second + 0.5 for second in seconds], 1.0, RATE)
    assert windows.shape == (4, RATE)
    assert windows.dtype == np.float32
    for second, window in zip(seconds, windows, strict=True):
        assert abs(step_time(window, second) - 0.5) < SEEK_TOLERANCE_SECONDS
        assert abs(peak_frequency(window[: RATE // 3], RATE) - step_frequency(second)) < 2
        assert abs(decibels(window) - decibels(tone(440, 1))) < LEVEL_TOLERANCE_DB


@pytest.mark.parametrize("extension", CODECS)
def test_duration(stepped: dict[str, Path], extension: str) -> None:
    """The duration is right in every format, also in those whose headers do not state it."""
    with AudioFile.open(stepped[extension]) as audio:
        measured = [audio.duration(), audio.measured_duration(), decode_levels(audio).duration]
    assert measured == pytest.approx([SECONDS] * 3, abs=0.06)


@pytest.mark.parametrize("extension", [".wav", ".flac", ".mp3", ".ogg", ".m4a"])
def test_seeking_changes_nothing(stepped: dict[str, Path], extension: str) -> None:
    """A window that was sought holds what decoding from the beginning gives at that place."""
    with AudioFile.open(stepped[extension]) as audio:
        sought = audio.cut([17.3], 2.0, RATE, seeking=True)[0]
        decoded = audio.cut([17.3], 2.0, RATE, seeking=False)[0]
    np.testing.assert_allclose(sought, decoded, atol=2e-3)


@pytest.mark.parametrize("extension", [".wav", ".mp3", ".opus"])
def test_blocks(stepped: dict[str, Path], extension: str) -> None:
    """Blocks are the whole file, each as long as asked but the last, without a seam between them."""
    with AudioFile.open(stepped[extension]) as audio:
        blocks = list(audio.blocks(5.0, RATE))
        window = audio.windows([0.0], float(SECONDS), RATE)[0]
    assert [len(block) for block in blocks[:-1]] == [5 * RATE] * 4
    joined = np.concatenate(blocks)
    assert len(joined) / RATE == pytest.approx(SECONDS, abs=0.01)
    np.testing.assert_allclose(joined[: len(window)], window[: len(joined)], atol=1e-3)


def test_threads(stepped: dict[str, Path]) -> None:
    """The same bytes give bit-identical windows, whatever other threads decode."""
    paths = [stepped[extension] for extension in (".mp3", ".flac", ".ogg", ".m4a")] * 3
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda path: read_track(path, 3.0, 5, RATE), paths))
    for path, track in zip(paths, together, strict=True):
        alone = read_track(path, 3.0, 5, RATE)
        assert (alone.starts, alone.duration_seconds) == (track.starts, track.duration_seconds)
        assert np.array_equal(alone.windows, track.windows)


def test_plan() -> None:
    """Windows are spread from the beginning to the end; a short file has one."""
    assert plan_starts(100.0, 4.0, 3) == [0.0, 48.0, 96.0]
    assert plan_starts(4.0, 4.0, 3) == plan_starts(1.0, 4.0, 3) == [0.0]


def test_mono(tmp_path: Path) -> None:
    """Mono is the mean of the channels: equal ones keep their level without clipping, opposite ones cancel."""
    same, loud = tmp_path / "same.wav", tone(440, 5, level=0.99)
    write_audio(same, np.stack([loud, loud], axis=1))
    window = read_track(same, 4.0, 2, RATE).windows[0]
    assert np.abs(window).max() == pytest.approx(0.99, abs=0.01)
    opposite = tmp_path / "opposite.wav"
    write_audio(opposite, np.stack([loud, -0.5 * loud], axis=1))
    assert np.abs(read_track(opposite, 4.0, 2, RATE).windows).max() == pytest.approx(0.99 / 4, abs=0.01)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_sample_formats(tmp_path: Path, codec: str) -> None:
    """Full scale is 1.0 and silence 0.0, however samples are stored."""
    path = tmp_path / "a.wav"
    write_audio(path, tone(440, 5), codec=codec)
    window = read_track(path, 4.0, 2, RATE).windows[0]
    assert decibels(window) == pytest.approx(decibels(tone(440, 1)), abs=0.1)
    assert abs(float(window.mean())) < 2e-3


@pytest.mark.parametrize(("extension", "codec", "rate"), [(".wav", "pcm_f32le", 192_000), (".flac", "flac", 192_000)])
def test_eight_channels(tmp_path: Path, extension: str, codec: str, rate: int) -> None:
    """Eight channels at 192 kHz become the mean of all eight."""
    path = tmp_path / f"a{extension}"
    sound = np.zeros((5 * rate, 8), np.float32)
    sound[:, 7] = tone(440, 5, rate)
    write_audio(path, sound, rate, codec=codec)
    track = read_track(path, 2.0, 3, RATE)
    assert track.info.channels == 8
    assert np.abs(track.windows).max() == pytest.approx(0.5 / 8, rel=0.02)


def test_eight_planes(tmp_path: Path) -> None:
    """Eight channels that a decoder gives one by one (AAC) are read as well."""
    path = tmp_path / "a.m4a"
    write_audio(path, np.stack([tone(440, 4, 48_000)] * 8, axis=1), 48_000, bitrate=512_000)
    assert peak_frequency(read_track(path, 2.0, 3, RATE).windows[1], RATE) == pytest.approx(440, abs=1)


def test_short(tmp_path: Path) -> None:
    """A file shorter than a window gives one window, with zeros after its end."""
    path = tmp_path / "a.flac"
    write_audio(path, tone(440, 1.0))
    track = read_track(path, 4.0, 10, RATE)
    assert track.windows.shape == (1, 4 * RATE)
    assert decibels(track.windows[0, :RATE]) == pytest.approx(decibels(tone(440, 1)), abs=0.1)
    assert not track.windows[0, RATE + 10 :].any()


@pytest.mark.parametrize("extension", [".wav", ".mp3", ".flac"])
def test_too_short(tmp_path: Path, extension: str) -> None:
    """A fifth of a second is too little, and the message says so."""
    path = tmp_path / f"a{extension}"
    write_audio(path, tone(440, 0.2))
    with pytest.raises(AudioError, match=r"only 0\.2\d* s of sound; at least 0\.5 s"):
        read_track(path, 4.0, 10, RATE)
    with AudioFile.open(path) as audio, pytest.raises(AudioError, match="at least"):
        list(audio.blocks(1.0, RATE))


def test_silence(tmp_path: Path) -> None:
    """A file of silence is an error, and one with a faint sound is not."""
    path = tmp_path / "a.flac"
    write_audio(path, tone(440, 10, level=0))
    with pytest.raises(AudioError, match="silence"):
        read_track(path, 4.0, 3, RATE)
    with AudioFile.open(path) as audio, pytest.raises(AudioError, match="silence"):
        list(audio.blocks(4.0, RATE))
    write_audio(path, tone(440, 10, level=0.001))
    assert read_track(path, 4.0, 3, RATE).windows.any()


@pytest.mark.parametrize(
    "extension", [".wav", ".flac", ".mp3", ".ogg", ".opus", ".aac", ".aiff", ".mka", ".wv", ".wma"]
)
def test_truncated(stepped: dict[str, Path], tmp_path: Path, extension: str) -> None:
    """Of a truncated file, whose header may promise more, all windows are full of what is there."""
    content = stepped[extension].read_bytes()
    path = tmp_path / f"a{extension}"
    path.write_bytes(content[: len(content) // 2])
    track = read_track(path, 2.0, 4, RATE)
    assert track.duration_seconds == pytest.approx(SECONDS / 2, abs=1.5)
    assert all(decibels(window) > decibels(tone(440, 1)) - LEVEL_TOLERANCE_DB for window in track.windows)
    last = peak_frequency(track.windows[-1][:RATE], RATE)
    assert abs(last - step_frequency(int(track.starts[-1] + 0.5))) < 60


@pytest.mark.parametrize("claimed_seconds", [0, 900])
def test_lying_header(stepped: dict[str, Path], tmp_path: Path, claimed_seconds: int) -> None:
    """A FLAC that states no length, or far too much, is measured."""
    content = bytearray(stepped[".flac"].read_bytes())
    stream_info = content.index(b"fLaC") + 8
    content[stream_info + 13] &= 0xF0
    content[stream_info + 14 : stream_info + 18] = (claimed_seconds * 44_100).to_bytes(4, "big")
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    assert read_track(path, 2.0, 4, RATE).duration_seconds == pytest.approx(SECONDS, abs=0.1)


def test_vbr_without_header(tmp_path: Path) -> None:
    """A VBR mp3 that starts with cheap silence and has no Xing header is measured, and its seeks land."""
    path = tmp_path / "a.mp3"
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * 44_100).astype(np.float32)
    sound = np.concatenate([tone(440, 10, level=0), noise, tone(1_000, 10)])
    write_audio(path, sound, options={"write_xing": "0"}, codec_options={"flags": "+qscale", "global_quality": "236"})
    track = read_track(path, 4.0, 3, RATE)
    assert track.info.duration_seconds != pytest.approx(30, abs=5)  # FFmpeg's estimate
    assert track.duration_seconds == pytest.approx(30, abs=0.1)
    assert peak_frequency(track.windows[2], RATE) == pytest.approx(1_000, abs=1)


def test_damaged_middle(stepped: dict[str, Path], tmp_path: Path) -> None:
    """Damaged packets are skipped: windows before and after them are read."""
    content = bytearray(stepped[".mp3"].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4_000] = np.random.default_rng(5).bytes(4_000)
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    track = read_track(path, 2.0, 5, RATE)
    assert len(track.starts) == 5
    assert abs(peak_frequency(track.windows[0][:RATE], RATE) - step_frequency(0)) < 2
    assert decibels(track.windows[-1]) == pytest.approx(decibels(tone(440, 1)), abs=LEVEL_TOLERANCE_DB)


def test_not_finite(tmp_path: Path) -> None:
    """NaN, infinity and huge samples become finite ones, and spoil nothing around them."""
    path = tmp_path / "a.wav"
    sound = tone(440, 10)
    sound[1_000:1_050] = np.nan
    sound[3_000], sound[4_000] = np.inf, 1e30
    write_audio(path, sound, codec="pcm_f32le")
    windows = read_track(path, 4.0, 2, RATE).windows
    assert np.isfinite(windows).all()
    assert np.abs(windows).max() < 20
    assert decibels(windows[0, RATE:]) == pytest.approx(decibels(tone(440, 1)), abs=0.1)


def test_ten_hours(tmp_path: Path) -> None:
    """A file of ten hours is read by seeking."""
    path, rate, count = tmp_path / "a.wav", 8_000, 36_000 * 8_000
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + count, b"WAVE", b"fmt ", 16, 1, 1, rate, rate, 1, 8, b"data", count
    )
    with path.open("wb") as file:
        file.write(header)
        file.seek(len(header) + count - 4 * rate)
        file.write((128 + 200 * tone(440, 4, rate)).astype(np.uint8).tobytes())
    track = read_track(path, 4.0, 10, RATE)
    assert track.duration_seconds == pytest.approx(36_000)
    assert peak_frequency(track.windows[-1], RATE) == pytest.approx(440, abs=1)


def test_video(tmp_path: Path) -> None:
    """The sound of a video is read; a video without sound is an error that says so."""
    write_video(tmp_path / "a.mp4", 8, tone(440, 8))
    assert peak_frequency(read_track(tmp_path / "a.mp4", 3.0, 2, RATE).windows[1], RATE) == pytest.approx(440, abs=1)
    write_video(tmp_path / "b.mp4")
    with pytest.raises(AudioError, match="no audio stream"):
        read_track(tmp_path / "b.mp4", 4.0, 10, RATE)


def test_cover_art(stepped: dict[str, Path], tmp_path: Path) -> None:
    """A picture in an mp3 is no sound, and its sound is read as without it."""
    png = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
    )
    body = b"\0image/png\0\3\0" + png
    frame = b"APIC" + struct.pack(">IH", len(body), 0) + body
    content = stepped[".mp3"].read_bytes()
    tag = b"ID3\3\0\0" + bytes([0, 0, len(frame) >> 7, len(frame) & 127]) + frame
    path = tmp_path / "a.mp3"
    path.write_bytes(tag + content[10 + int.from_bytes(content[6:10], "big") :])
    plain = read_track(stepped[".mp3"], 2.0, 3, RATE)
    np.testing.assert_allclose(read_track(path, 2.0, 3, RATE).windows, plain.windows, atol=1e-4)


def test_name_not_utf8(tmp_path: Path) -> None:
    """A name that is not UTF-8, or that looks like a protocol's, is a name like others."""
    for name in (b"/caf\xe9.flac", b"/http:x.flac"):
        path = os.fsencode(tmp_path) + name
        write_audio(path, tone(440, 5), codec="flac", container="flac")
        assert len(read_track(path, 2.0, 2, RATE).starts) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"words, no sound\n" * 5_000, "not a sound file"),
        (bytes(99_999), "not a sound file"),
    ],
)
def test_not_sound(tmp_path: Path, content: bytes, reason: str) -> None:
    """What is no sound is an error of one line, which does not name the path."""
    path = tmp_path / "a.mp3"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=reason) as caught:
        read_track(path, 4.0, 10, RATE)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not probe(path)


@pytest.mark.parametrize("name", ["a.mp3", "a.m3u8", "a"])
def test_playlists_open_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A playlist, renamed or not, that points at a real sound file does not open it."""
    write_audio(tmp_path / "real.ts", tone(440, 5), codec="aac", container="mpegts")
    target = tmp_path / "real.ts"
    monkeypatch.chdir(tmp_path)
    hls = f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n"
    for playlist in (hls, "ffconcat version 1.0\nfile 'real.ts'\n", f"ffconcat version 1.0\nfile '{target}'\n"):
        (tmp_path / name).write_text(playlist)
        with pytest.raises(AudioError, match="not a sound file"):
            read_track(tmp_path / name, 2.0, 2, RATE)
    assert probe(target)


def test_no_regular_file(tmp_path: Path) -> None:
    """A FIFO, a folder and a missing file are errors, at once."""
    os.mkfifo(tmp_path / "pipe")
    for path, reason in (
        (tmp_path / "pipe", "not a regular"),
        (tmp_path, "not a regular"),
        (tmp_path / "x", "No such"),
    ):
        with pytest.raises(AudioError, match=reason):
            AudioFile.open(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden(tmp_path: Path) -> None:
    """A file that may not be read is an error with the system's reason."""
    write_audio(tmp_path / "a.flac", tone(440, 1))
    (tmp_path / "a.flac").chmod(0)
    with pytest.raises(AudioError, match="Permission denied"):
        AudioFile.open(tmp_path / "a.flac")


def test_random_damage(stepped: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """However a file is damaged, it gives finite windows or an AudioError, and nothing is printed."""
    draw = np.random.default_rng(7)
    for extension in CODECS:
        content = np.frombuffer(stepped[extension].read_bytes(), np.uint8)
        for reach in (100, 500, len(content)):
            damaged = content.copy()
            damaged[draw.integers(0, reach, 20)] = draw.integers(0, 256, 20)
            (tmp_path / "a").write_bytes(damaged.tobytes())
            try:
                assert np.isfinite(read_track(tmp_path / "a", 2.0, 3, RATE).windows).all()
            except AudioError as error:
                assert str(error)  # noqa: PT017 (either outcome is right)
    assert capfd.readouterr() == ("", "")


def test_probe(stepped: dict[str, Path], tmp_path: Path) -> None:
    """Sound is known by its content, without an extension."""
    (tmp_path / "nameless").write_bytes(stepped[".flac"].read_bytes())
    assert probe(tmp_path / "nameless")
    assert not probe(tmp_path / "absent")


def test_codec_and_bitrate(tmp_path: Path) -> None:
    """The codec has its common name; the bit rate is the stream's, else the file's, and unknown beside a film."""
    write_audio(tmp_path / "a.mp3", tone(440, 5), bitrate=96_000)
    write_audio(tmp_path / "a.flac", tone(440, 5))
    write_video(tmp_path / "a.mkv", 2, tone(440, 2))
    with AudioFile.open(tmp_path / "a.mp3") as audio:
        assert (audio.info.codec, audio.info.bitrate) == ("mp3", 96_000)
    with AudioFile.open(tmp_path / "a.flac") as audio:
        assert audio.info.codec == "flac"
        assert audio.info.bitrate == pytest.approx((tmp_path / "a.flac").stat().st_size * 8 / 5, rel=0.01)
    with AudioFile.open(tmp_path / "a.mkv") as audio:
        assert (audio.info.codec, audio.info.bitrate) == ("aac", None)
