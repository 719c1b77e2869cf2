"""Which formats are read (`formats`, `source`): every one of sound and film, and none that leads elsewhere."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from av.format import ContainerFormat

from engine import Engine
from engine.errors import AudioError
from engine.indexer.audio.decode import AudioFile, probe
from engine.indexer.audio.formats import DEMUXERS, MEDIA_EXTENSIONS, has_media_extension
from engine.indexer.audio.reading import read_track
from tests.audio import peak_frequency, tone, write_audio

RATE = 8_000
ELSEWHERE = {
    *("hls", "dash", "concat", "imf", "sdp", "rtp", "rtsp", "sap", "image2", "image2pipe", "vobsub", "sbg", "tty"),
    *(
        "webm_dash_manifest",
        "ffmetadata",
        "lavfi",
        "alsa",
        "oss",
        "fbdev",
        "video4linux2",
        "v4l2",
        "x11grab",
        "kmsgrab",
    ),
}
WRITTEN = [  # ending, muxer, encoder
    ("mmf", "mmf", "adpcm_yamaha"), ("apm", "apm", "adpcm_ima_apm"), ("swf", "swf", "libmp3lame"),
    ("g722", "g722", "adpcm_g722"), ("722", "g722", "adpcm_g722"), ("adx", "adx", "adpcm_adx"),
    ("al", "alaw", "pcm_alaw"), ("ulaw", "mulaw", "pcm_mulaw"), ("ast", "ast", "pcm_s16be_planar"),
    ("au", "au", "pcm_s16be"), ("avi", "avi", "libmp3lame"), ("caf", "caf", "pcm_s16be"),
    ("ircam", "ircam", "pcm_s16le"), ("kvag", "kvag", "adpcm_ima_ssi"), ("nut", "nut", "libmp3lame"),
    ("rso", "rso", "pcm_u8"), ("sbc", "sbc", "sbc"), ("sox", "sox", "pcm_s32le"), ("voc", "voc", "pcm_s16le"),
    ("aud", "wsaud", "adpcm_ima_ws"), ("pcm", "alp", "adpcm_ima_alp"), ("w64", "w64", "pcm_s16le"),
]  # fmt: skip
STEREO = ("ast", "sbc")
RATES = {"apm": 44_100, "alp": 44_100, "kvag": 44_100, "swf": 44_100, "adx": 44_100, "sbc": 44_100, "g722": 16_000}


def write(path: Path, muxer: str, codec: str) -> Path:
    """Write three seconds of 440 Hz in one of FFmpeg's formats."""
    rate = RATES.get(muxer, RATE)
    sound = tone(440, 3, rate)
    samples = np.stack([sound, sound], axis=1) if muxer in STEREO else sound
    write_audio(path, samples, rate, codec=codec, container=muxer)
    return path


@pytest.mark.parametrize(("ending", "muxer", "codec"), WRITTEN)
def test_every_sound_is_read(tmp_path: Path, ending: str, muxer: str, codec: str) -> None:
    """A file of any format of sound gives its sound, at its rate where the format states one."""
    path = write(tmp_path / f"a.{ending}", muxer, codec)
    with AudioFile.open(path) as audio:
        rate = audio.info.sample_rate
    window = read_track(path, 1.0, 2, rate).windows[0]
    stated = RATES.get(muxer, RATE)
    assert peak_frequency(window, rate) * stated / rate == pytest.approx(440, rel=0.02)


def test_raw_telephone_sound(tmp_path: Path) -> None:
    """Frames of GSM, which have no header, are sound."""
    path = tmp_path / "a.gsm"
    path.write_bytes((b"\xd2" + np.random.default_rng(0).bytes(32)) * 200)
    assert read_track(path, 1.0, 2, RATE).duration_seconds == pytest.approx(4.0, abs=0.1)


def test_texts_are_no_raw_streams(tmp_path: Path) -> None:
    """A text whose extension is that of a raw format, such as a Perl module's .al, is no sound."""
    path = tmp_path / "autoload.al"
    path.write_text("# NOTE: Derived from lib/POSIX.pm\npackage POSIX;\n" * 40)
    assert not probe(path)


def test_index_finds_them(tmp_path: Path) -> None:
    """A folder of odd formats is indexed, and a second run opens nothing."""
    (tmp_path / "music").mkdir()
    for ending, muxer, codec in WRITTEN[:6]:
        write(tmp_path / "music" / f"a.{ending}", muxer, codec)
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        report = engine.index(tmp_path / "music")
        assert (report.new, report.failed) == (6, [])
        assert engine.index(tmp_path / "music").unchanged == 6


@pytest.mark.parametrize("name", ["notes.txt", "cover.jpg", "list.m3u", "a.bin"])
def test_named_without_sound(tmp_path: Path, name: str) -> None:
    """A file without sound is passed over in a folder, and reported when it is named, before or after."""
    (tmp_path / "music").mkdir()
    path = tmp_path / "music" / name
    path.write_bytes(b"#EXTM3U\nhttp://localhost/a.mp3\n" if name == "list.m3u" else struct.pack("<64I", *range(64)))
    with Engine.open(tmp_path / "library.db", device="cpu") as engine:
        report = engine.index(path.parent)
        assert (report.passed_over, report.failed) == (1, [])
        assert [failed.path for failed in engine.index(path).failed] == [str(path)]
        assert [failed.path for failed in engine.index(path).failed_before] == [str(path)]


def test_nothing_leads_elsewhere() -> None:
    """No demuxer that opens other files, devices or addresses is permitted, nor one without a file of its own."""
    permitted = DEMUXERS.split(",")
    assert not ELSEWHERE & set(permitted)
    for name in set(permitted) & av.formats_available:
        assert not ContainerFormat(name, "r").no_file


@pytest.mark.parametrize("extension", sorted({".m3u", ".m3u8", ".pls", ".cue", ".jpg", ".mpd", ".ism", ".idx", ".txt"}))
def test_no_extension_of_lists(extension: str) -> None:
    """Playlists, manifests and pictures promise no sound."""
    assert not has_media_extension(os.fsencode(f"a{extension}"))


def test_every_common_extension_of_ffmpeg() -> None:
    """Each extension that FFmpeg itself gives to a format of music promises sound."""
    names = ["aac", "ac3", "adx", "amr", "ape", "caf", "dts", "flac", "flv", "gsm", "g722", "mmf", "mp3", "ogg", "wv"]
    wanted = {f".{e}".encode() for name in names if name in av.formats_available
              for e in ContainerFormat(name, "r").extensions} - {b".apl", b".722"}  # fmt: skip
    assert wanted <= MEDIA_EXTENSIONS


def test_playlist_with_a_raw_extension(tmp_path: Path) -> None:
    """A playlist or script that calls itself a raw stream opens nothing."""
    write_audio(tmp_path / "real.wav", tone(440, 2), 44_100)
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nreal.wav\n#EXT-X-ENDLIST\n"
    for text in ("ffconcat version 1.0\nfile 'real.wav'\n", hls, "v=0\no=- 0 0 IN IP4 1.2.3.4\n"):
        for name in ("a.gsm", "a.g722", "a.al", "a.sw", "a.mmf", "a.sdp"):
            (tmp_path / name).write_text(text)
            with pytest.raises(AudioError, match="not a sound file"):
                AudioFile.open(tmp_path / name)
