"""Streams, waveforms, covers, lyrics: their contents, limits and ends.

Covers engine.server.media.files, transcoding, waveform, covers and lyrics.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.db import Track
from engine.errors import BusyError, InvalidError, NotFoundError, UnavailableError
from engine.server.media.covers import read_cover
from engine.server.media.files import MediaFiles, entity_tag
from engine.server.media.lyrics import lyrics_of, parse_lyrics
from engine.server.media.transcoding import transcode
from engine.server.media.waveform import PEAKS, read_waveform
from tests.audio import peak_frequency, steps, tone, write_audio
from tests.conftest import Collection


@pytest.fixture
def media() -> Iterator[MediaFiles]:
    """Two streams at once."""
    made = MediaFiles(transcodes=2, threads=1)
    yield made
    made.close()


@pytest.fixture
def track(engine: Engine) -> Track:
    """A track of the test's own copy."""
    return engine.tracks([1])[1]


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    """The left channel of an encoded file, and its rate."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        return np.concatenate(frames, axis=1)[0], container.streams.audio[0].rate


def colour_of(picture: bytes) -> str:
    """The primary colour of a picture's middle."""
    with Image.open(io.BytesIO(picture)) as made:
        values = made.getpixel((made.width // 2, made.height // 2))
    return ("red", "lime", "blue")[int(np.argmax(values))]


@pytest.mark.parametrize("codec", ["opus", "mp3"])
@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_a_stream_sounds_like_its_file(tmp_path: Path, codec: str, rate: int) -> None:
    """An encoded stream has the pitch and the length of the file, at every sample rate."""
    write_audio(tmp_path / "a.wav", tone(1000, 3.0, rate), rate)
    parts = [part.data.tobytes() for part in transcode(os.fsencode(tmp_path / "a.wav"), codec, 96, 0.0)]
    sound, made = decoded(b"".join(parts))
    assert peak_frequency(sound[made : 2 * made], made) == pytest.approx(1000, abs=3)
    assert len(sound) / made == pytest.approx(3.0, abs=0.15)


def test_a_stream_from_a_moment(tmp_path: Path) -> None:
    """A stream from the fourth second begins with what is played there."""
    write_audio(tmp_path / "a.flac", steps(8), 44_100)
    path = os.fsencode(tmp_path / "a.flac")
    sound, rate = decoded(b"".join(part.data.tobytes() for part in transcode(path, "opus", 96, 4.0)))
    assert peak_frequency(sound[rate // 4 : rate // 2], rate) == pytest.approx(600, abs=5)


def test_streams_are_limited(media: MediaFiles, track: Track) -> None:
    """One stream too many is refused; a closed one, also one that was never read, makes room."""
    streams = [media.encoded(track, "mp3", 128) for _ in range(2)]
    with pytest.raises(BusyError):
        media.encoded(track, "mp3", 128)
    assert next(streams[0])
    for stream in streams:
        stream.close()
    again = media.encoded(track, "mp3", 128)
    assert b"".join(again)
    again.close()
    with pytest.raises(InvalidError):
        media.encoded(track, "wma", 128)


def test_waveforms_show_where_it_is_loud(tmp_path: Path) -> None:
    """Peaks follow the level: half a file at full level, half of it quiet."""
    sound = np.concatenate([tone(500, 60.0, 8000, 0.9), tone(500, 60.0, 8000, 0.1)])
    write_audio(tmp_path / "a.wav", sound, 8000)
    waveform = read_waveform(os.fsencode(tmp_path / "a.wav"))
    assert (len(waveform.peaks), waveform.seconds) == (PEAKS, pytest.approx(120, abs=0.1))
    assert waveform.peaks[: PEAKS // 2 - 5].min() > 220
    assert waveform.peaks[PEAKS // 2 + 5 :].max() < 40


def test_covers(own: Collection, media: MediaFiles, track: Track) -> None:
    """A folder's picture is found, scaled down, never up; a file that is no picture counts as none."""
    with pytest.raises(NotFoundError):
        media.cover(track, 100)
    (own.folder / "cover.png").write_bytes(b"no picture")
    assert not read_cover(track.path, 64).data.size
    Image.new("RGB", (400, 200), "red").save(own.folder / "Folder.JPG")
    (own.folder / "cover.png").unlink()
    with Image.open(io.BytesIO(media.cover(track, 100))) as picture:
        assert (picture.format, picture.size) == ("JPEG", (128, 64))
    with Image.open(io.BytesIO(media.cover(track))) as picture:
        assert picture.size == (400, 200)


def test_a_cover_follows_its_folder(own: Collection, media: MediaFiles, track: Track) -> None:
    """A cover that is added, replaced in its place, outranked or removed is seen by the next request."""
    with pytest.raises(NotFoundError):
        media.cover(track, 64)
    for name, colour in (("front.jpg", "red"), ("front.jpg", "blue"), ("cover.png", "lime")):
        Image.new("RGB", (8 * len(colour), 64), colour).save(own.folder / name)
        assert colour_of(media.cover(track, 64)) == colour
    for name in ("cover.png", "front.jpg"):
        (own.folder / name).unlink()
    with pytest.raises(NotFoundError):
        media.cover(track, 64)


def test_identical_files_have_the_covers_of_their_folders(
    own: Collection, media: MediaFiles, track: Track, tmp_path: Path
) -> None:
    """The cover of a folder is that of its own tracks, not of equal files elsewhere."""
    copy = tmp_path / "copy" / own.song(0).name
    copy.parent.mkdir()
    shutil.copy2(own.song(0), copy)
    Image.new("RGB", (64, 64), "red").save(own.folder / "cover.jpg")
    Image.new("RGB", (64, 64), "blue").save(copy.parent / "cover.jpg")
    twin = replace(track, path=os.fsencode(copy))
    assert [colour_of(media.cover(each, 64)) for each in (track, twin, track)] == ["red", "blue", "red"]


def test_a_replaced_file_is_read_again(own: Collection, media: MediaFiles, track: Track) -> None:
    """Waveform and ETag are those of the file that is there, also before it is indexed again."""
    write_audio(own.song(0), tone(500, 3.0, 8000), 8000)
    before = media.waveform(track).seconds, entity_tag(track)
    assert (media.waveform(track).seconds, entity_tag(track)) == before
    write_audio(own.song(0), tone(500, 5.0, 8000), 8000)
    after = media.waveform(track).seconds, entity_tag(track)
    assert (before[0], after[0]) == (pytest.approx(3, abs=0.1), pytest.approx(5, abs=0.1))
    assert before[1] != after[1]


def test_an_embedded_cover_goes_first(tmp_path: Path) -> None:
    """The picture in a file's tags is preferred to its folder's."""
    write_audio(tmp_path / "plain.flac", tone(500, 1.0), 44_100)
    picture = io.BytesIO()
    Image.new("RGB", (50, 50), "blue").save(picture, "PNG")
    with av.open(str(tmp_path / "plain.flac")) as source, av.open(str(tmp_path / "a.flac"), "w") as target:
        sound = target.add_stream_from_template(source.streams.audio[0])
        with av.open(io.BytesIO(picture.getvalue()), format="png_pipe") as image:
            cover = target.add_stream_from_template(image.streams.video[0])
            cover.disposition = av.stream.Disposition.attached_pic
            for packet in image.demux(image.streams.video[0]):
                if packet.size:
                    packet.stream = cover
                    target.mux(packet)
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = sound
                target.mux(packet)
    Image.new("RGB", (80, 80), "red").save(tmp_path / "cover.jpg")
    with Image.open(io.BytesIO(read_cover(os.fsencode(tmp_path / "a.flac"), 64).data.tobytes())) as found:
        assert found.size == (50, 50)


def test_a_link_is_no_cover(tmp_path: Path, own: Collection, track: Track) -> None:
    """A cover that is a link to another place is not followed."""
    Image.new("RGB", (40, 40)).save(tmp_path / "secret.jpg")
    (own.folder / "cover.jpg").symlink_to(tmp_path / "secret.jpg")
    assert not read_cover(track.path, 64).data.size


@pytest.mark.parametrize("read", [MediaFiles.waveform, MediaFiles.cover, MediaFiles.lyrics])
def test_files_that_are_gone_or_no_files(
    own: Collection, media: MediaFiles, track: Track, read: Callable[[MediaFiles, Track], object]
) -> None:
    """A missing file and a FIFO in its place are refused at once; the message does not name the path."""
    own.song(0).unlink()
    for make in (lambda: None, lambda: os.mkfifo(own.song(0))):
        make()
        with pytest.raises(UnavailableError) as refused:
            read(media, track)
        assert str(own.folder) not in str(refused.value)


def test_a_cover_returns_with_its_disk(own: Collection, media: MediaFiles, track: Track) -> None:
    """A cover that was asked for while its folder was away is found once it is back."""
    Image.new("RGB", (64, 64), "blue").save(own.folder / "cover.jpg")
    away = own.folder.rename(own.folder.with_name("away"))
    with pytest.raises(UnavailableError):
        media.cover(track, 64)
    away.rename(own.folder)
    assert colour_of(media.cover(track, 64)) == "blue"


def test_lyrics() -> None:
    """Lines with times are synced and in order; plain text has none; without a tag there are no lyrics."""
    synced = parse_lyrics("[ar:Somebody]\n[00:12.50]second\n[00:01.00][01:00.00]first\n")
    assert [(line.start_ms, line.text) for line in synced.lines] == [
        (1000, "first"),
        (12500, "second"),
        (60000, "first"),
    ]
    plain = lyrics_of({"lyrics-eng": "one\n\ntwo"})
    assert plain is not None
    assert ([line.text for line in plain.lines], plain.synced) == (["one", "", "two"], False)
    assert lyrics_of({"title": "x", "lyrics": " "}) is None
