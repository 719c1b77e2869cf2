"""Tags in a file's own bytes: every value, every version of ID3, APEv2, MP4 and Windows Media; and garbage.

Covers `ape`, `asf`, `chunks`, `fields`, `id3`, `id3_genres` and `mp4`.
"""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from hypothesis import given, strategies as st
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.id3 import ID3, TPE1
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.wave import WAVE

from engine.indexer.audio.decode import AudioFile
from engine.indexer.audio.tag_formats import read_layers
from engine.indexer.audio.tag_formats.fields import decoded
from engine.indexer.audio.tags import Tags, merged, read_tags
from tests.audio import tone, write_audio

RECORDING = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"
MOV = "mov,mp4,m4a,3gp,3g2,mj2"


class Held:
    """Bytes as a file."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def at(self, offset: int, count: int) -> bytes:
        """Read as `Source.at` does."""
        return self.data[offset : offset + count] if offset >= 0 else b""


def sized(number: int, version: int = 4) -> bytes:
    """A size as ID3 states it: in bytes of seven bits from 2.4 on."""
    return bytes(number >> 7 * i & 0x7F for i in (3, 2, 1, 0)) if version == 4 else number.to_bytes(4, "big")


def frame(name: str, content: bytes, version: int = 4, flags: int = 0) -> bytes:
    """A frame of ID3v2."""
    if version == 2:
        return name.encode() + len(content).to_bytes(3, "big") + content
    return name.encode() + sized(len(content), version) + bytes([0, flags]) + content


def tag(*frames: bytes, version: int = 4, flags: int = 0, extended: bytes = b"") -> bytes:
    """A tag of ID3v2, padded."""
    body = extended + b"".join(frames) + bytes(20)
    return b"ID3" + bytes([version, 0, flags]) + sized(len(body)) + body


def text(name: str, *values: str, version: int = 4, encoding: int = 3) -> bytes:
    """A text frame of several values."""
    codec = ("latin-1", "utf-16", "utf-16-be", "utf-8")[encoding]
    joined = "\0".join(values).encode(codec)
    return frame(name, bytes([encoding]) + joined, version)


def id3v1(artist: bytes = b"", title: bytes = b"", genre: int = 255, year: bytes = b"") -> bytes:
    """A tag of ID3v1."""
    parts = (title.ljust(30, b"\0"), artist.ljust(30, b"\0"), bytes(30), year.ljust(4, b"\0"), bytes(30))
    return b"TAG" + b"".join(parts) + bytes([genre])


def apev2(**items: str) -> bytes:
    """A tag of APEv2 without its header."""
    parts = [
        len(v.encode()).to_bytes(4, "little") + bytes(4) + k.encode() + b"\0" + v.encode() for k, v in items.items()
    ]
    body = b"".join(parts)
    numbers = (2000, len(body) + 32, len(items), 0)
    return body + b"APETAGEX" + b"".join(number.to_bytes(4, "little") for number in numbers) + bytes(8)


def apev2_with_header(**items: str) -> bytes:
    """A tag of APEv2 that begins with a header, as most programs write it."""
    tag_of_items = apev2(**items)
    return tag_of_items[-32:] + tag_of_items


def frames_of_mp3(folder: Path) -> bytes:
    """A second of sound in MP3, without any tag."""
    path = folder / "sound.mp3"
    write_audio(path, tone(440, 1))
    data = path.read_bytes()
    return data[data.index(b"\xff\xfb") :]


def read(data: bytes, container: str = "mp3") -> Tags:
    """What is read of a file of these bytes."""
    return read_tags(merged(read_layers(Held(data), container)))


def of_file(path: Path) -> Tags:
    """What is read of a file."""
    with AudioFile.open(path) as audio:
        return read_tags(audio.info.metadata)


@pytest.mark.parametrize(
    ("value", "genre"),
    [
        ("80s", "80s"),
        ("8-bit", "8-bit"),
        ("1980", "1980"),
        ("(4)Eurodisco", "Disco; Eurodisco"),
        ("(17)Rock", "Rock"),
        ("(51)(39)", "Techno-Industrial; Noise"),
        ("(RX)", "Remix"),
        ("CR", "Cover"),
        ("17", "Rock"),
        ("((Foo)", "(Foo)"),
        ("(Foo)", "(Foo)"),
        ("(255)", None),
        ("300", "300"),
        ("Rock\x0017\0(8)\0Skronk", "Rock; Jazz; Skronk"),
    ],
)
def test_genres_of_id3(value: str, genre: str | None) -> None:
    """A number is ID3v1's genre where it stands alone or in parentheses; any other text is a name, digits or not."""
    for version, name in ((2, "TCO"), (3, "TCON"), (4, "TCON")):
        assert read(tag(frame(name, b"\0" + value.encode(), version), version=version)).genre == genre


@pytest.mark.parametrize("encoding", range(4))
@pytest.mark.parametrize(("version", "name"), [(2, "TP1"), (3, "TPE1"), (4, "TPE1")])
def test_several_values(version: int, name: str, encoding: int) -> None:
    """All values of a frame are read, in every encoding and version."""
    assert read(tag(text(name, "Björk", "Bob", version=version, encoding=encoding), version=version)).artist == (
        "Björk; Bob"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\x01" + "Björk\0Bob".encode("utf-16-le"),
        b"\x01" + "Björk\0Bob".encode("utf-16-be"),
        b"\x01" + "Björk\0".encode("utf-16") + "Bob".encode("utf-16"),
        b"\x01\xff\xfe" + "Björk\0".encode("utf-16-le") + b"\xfe\xff" + "Bob".encode("utf-16-be"),
        b"\x02\xff\xfe" + "Björk\0Bob".encode("utf-16-le"),
        b"\x00" + "Björk\0Bob".encode(),
        b"\x03" + "Björk\0Bob".encode("latin-1"),
    ],
)
def test_misstated_encodings(content: bytes) -> None:
    """UTF-16 without a byte order mark, marks of each value, and text in another encoding than stated are read."""
    assert read(tag(frame("TPE1", content))).artist == "Björk; Bob"


def test_own_frames_go_first() -> None:
    """TXXX:ARTIST says who it is only where no frame does; MusicBrainz' UFID is the recording."""
    other = frame("TXXX", b"\0ARTIST\0Fake")
    ufid = frame("UFID", b"http://musicbrainz.org\0" + RECORDING.encode())
    assert read(tag(other, text("TPE1", "Real Artist"), ufid)) == Tags(artist="Real Artist", recording_id=RECORDING)
    assert read(tag(other)).artist == "Fake"
    assert read(tag(frame("UFID", b"http://example.org\0" + RECORDING.encode()))).recording_id is None


@pytest.mark.parametrize(
    ("credit", "artists", "expected"),
    [
        ("A feat. B", ("A", "B"), "A; B"),
        (None, ("A", "B"), "A; B"),
        ("Real Artist", ("A", "B"), "Real Artist"),
        ("AC/DC", (), "AC/DC"),
        ("Earth, Wind & Fire", (), "Earth, Wind & Fire"),
        ("A1;A2 ; a1", (), "A1; A2"),
    ],
)
def test_credits(credit: str | None, artists: tuple[str, ...], expected: str) -> None:
    """A list of artists stands for the credit that names each of them; only what formats define separates artists."""
    one_by_one = [frame("TXXX", b"\x03ARTISTS\0" + name.encode()) for name in artists]
    together = [frame("TXXX", "\0".join(["\x03ARTISTS", *artists]).encode())] if artists else []
    for listed in (one_by_one, together):
        assert read(tag(*([text("TPE1", credit)] if credit else []), *listed)).artist == expected


def test_shapes_of_frames() -> None:
    """Grouping, lengths, unsynchronisation, extended headers and sizes of eight bits are read past."""
    plain, wide = b"\0Artist", b"\x01" + "ÿx".encode("utf-16")
    unsynchronised = wide.replace(b"\xff", b"\xff\0")
    long = b"\0" + b"x" * 200
    for data, expected in (
        (tag(frame("TPE1", b"g" + plain, flags=0x40)), "Artist"),
        (tag(frame("TPE1", sized(7) + plain, flags=0x01)), "Artist"),
        (tag(frame("TPE1", unsynchronised, flags=0x02)), "ÿx"),
        (tag(frame("TPE1", unsynchronised), flags=0x80), "ÿx"),
        (tag(frame("TPE1", wide, 3).replace(b"\xff", b"\xff\0"), version=3, flags=0x80), "ÿx"),
        (tag(frame("TPE1", plain, 3), version=3, flags=0x40, extended=bytes([0, 0, 0, 6]) + bytes(6)), "Artist"),
        (tag(frame("TPE1", plain), flags=0x40, extended=sized(6) + bytes(2)), "Artist"),
        (tag(frame("TPE1", plain, 3), version=3, flags=0x40), "Artist"),
        (tag(b"TPE1" + len(long).to_bytes(4, "big") + b"\0\0" + long + text("TIT2", "t")), "x" * 200),
    ):
        assert read(data).artist == expected


def test_compressed_frames_are_passed_over() -> None:
    """A frame that is compressed or encrypted says nothing; the next one does."""
    following = {version: text("TIT2", "t", version=version, encoding=0) for version in (3, 4)}
    for version, flags in ((4, 0x08), (4, 0x04), (3, 0x80), (3, 0x40)):
        hidden = frame("TPE1", b"\0Artist", version, flags)
        assert read(tag(hidden, following[version], version=version)) == Tags(title="t")
    assert read(tag(frame("TP1", b"\0Artist", 2), version=2, flags=0x40)) == Tags()


def test_tags_side_by_side() -> None:
    """ID3v2 goes before APEv2, and that before ID3v1; each says what those before it do not."""
    old = id3v1(artist=b"Old", title=b"Old title", genre=17, year=b"1984")
    found = read(tag(text("TIT2", "New title")) + b"sound" + apev2(Artist="Ape A\0Ape B", Title="Ape title") + old)
    assert found == Tags(artist="Ape A; Ape B", title="New title", genre="Rock", year=1984)
    assert read(tag(text("TIT2", "t")) + tag(text("TPE1", "a"))) == Tags(artist="a", title="t")


SOUND = bytes(400)


@pytest.mark.parametrize("letters", range(1, 60))
def test_ape_of_any_length(letters: int) -> None:
    """No length of an APEv2 tag makes ID3v1 of its last 128 bytes; one has its header, "APETAGEX", there."""
    found = read(SOUND + apev2_with_header(Artist="Miles Davis", Title="x" * letters))
    assert found == Tags(artist="Miles Davis", title="x" * letters)
    found = read(SOUND + apev2_with_header(Artist="Miles Davis", Title="x" * letters) + id3v1(title=b"Old", genre=8))
    assert found == Tags(artist="Miles Davis", title="x" * letters, genre="Jazz")


APES_LIKE_ID3V1 = {
    "header": apev2_with_header(Artist="Miles Davis", Title="Blue in Green, take two, re"),
    "text": apev2(Artist="Miles Davis", Title="Blue in Green", Note="TAG" + "x" * 92 + "z"),
}


@pytest.mark.parametrize("name", APES_LIKE_ID3V1)
def test_what_ffmpeg_takes_for_id3v1_fills_no_field(tmp_path: Path, name: str) -> None:
    """Where an APEv2 tag looks like ID3v1, the fields that it lacks stay empty, in the metadata as in the tags."""
    ape = APES_LIKE_ID3V1[name]
    assert ape[-128:].startswith(b"TAG")
    path = tmp_path / "a.mp3"
    path.write_bytes(frames_of_mp3(tmp_path) + ape)
    found = of_file(path)
    assert (found.artist, found.album, found.genre, found.year) == ("Miles Davis", None, None, None)
    assert str(found.title).startswith("Blue in Green")
    with AudioFile.open(path) as audio:
        assert audio.info.metadata.keys() <= {"artist", "title", "note"}


def test_id3v2_before_an_ape_that_looks_like_id3v1(tmp_path: Path) -> None:
    """What FFmpeg reads in ID3v2 stays where an APEv2 tag at the end looks like ID3v1."""
    path = tmp_path / "a.mp3"
    comment = frame("COMM", b"\0eng\0A comment")
    path.write_bytes(tag(text("TCON", "Jazz"), comment) + frames_of_mp3(tmp_path) + APES_LIKE_ID3V1["header"])
    assert of_file(path) == Tags(artist="Miles Davis", title="Blue in Green, take two, re", genre="Jazz")
    with AudioFile.open(path) as audio:
        assert audio.info.metadata["comment"] == "A comment"


def test_id3v1_in_any_code_page() -> None:
    """ID3v1 in Latin-1, in cp1252, in UTF-8, also where its thirty bytes cut a character in two."""
    assert read(id3v1(artist="Björk".encode("latin-1"))).artist == "Björk"
    assert read(id3v1(artist=b"D\x92Angelo")).artist == "D\u2019Angelo"
    assert read(id3v1(artist="Björk".encode())).artist == "Björk"
    assert read(id3v1(artist=("ö" * 14 + "x" + "ö").encode()[:30])).artist == "ö" * 14 + "x"
    assert read(id3v1(artist=b"x" * 29 + b"\xe9")).artist == "x" * 29 + "é"


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_names_stay_apart(first: bytes, second: bytes) -> None:
    """No two different names in bytes that are no UTF-8 become one; none of their letters is a control character."""
    texts = []
    for name in (first, second):
        name += b"\xff"
        texts.append(decoded(name))
        assert not any("\x7f" < character < "\xa0" for character in texts[-1])
    assert (texts[0] == texts[1]) == (first == second)


def test_code_pages_stay_apart(tmp_path: Path) -> None:
    """Artists in cp1251 and in Shift-JIS are different artists in the text of RIFF INFO, too."""
    found = []
    for number, name in enumerate(("Алиса".encode("cp1251"), "椎名林檎".encode("shift-jis"), "Ивана".encode("cp1251"))):
        path = tmp_path / f"{number}.wav"
        write_audio(path, tone(440, 1), tags={"artist": "x" * len(name)})
        path.write_bytes(path.read_bytes().replace(b"x" * len(name), name))
        found.append(of_file(path).artist)
    assert None not in found
    assert len(set(found)) == 3
    assert "\ufffd" not in "".join(map(str, found))


@pytest.mark.parametrize("extension", [".mp3", ".aac", ".wav", ".aiff", ".flac", ".ogg", ".m4a", ".wma", ".wv"])
def test_artists_of_every_format(tmp_path: Path, extension: str) -> None:
    """Several artists come back from each format, separated by "; ", and the sound still plays."""
    path = tmp_path / f"a{extension}"
    write_audio(path, tone(440, 1), tags={"title": "t"} if extension == ".wv" else None)
    artists = ["Björk", "Earth, Wind & Fire", "AC/DC"]
    several = TPE1(encoding=3, text=artists)
    if extension in (".mp3", ".aac"):
        tags = ID3()
        tags.add(several)
        tags.save(path)
    elif extension in (".wav", ".aiff"):
        chunked = (WAVE if extension == ".wav" else AIFF)(path)
        chunked.add_tags()
        chunked.tags.add(several)
        chunked.save()
    elif extension == ".wv":
        ape = APEv2(path)
        ape["Artist"] = artists
        ape.save(path)
    else:
        name = {".m4a": "\xa9ART", ".wma": "Author"}.get(extension, "ARTIST")
        load = {".m4a": MP4, ".wma": ASF}.get(extension, av_file(extension))
        file = load(path)
        file[name] = artists
        file.save()
    assert of_file(path).artist == "Björk; Earth, Wind & Fire; AC/DC"
    with AudioFile.open(path) as audio:
        assert len(audio.windows([0.0], 0.5, 22_050)[0].nonzero()[0]) > 1_000


def av_file(extension: str) -> type:
    """The class of mutagen that writes Vorbis comments into this format."""
    from mutagen.flac import FLAC
    from mutagen.oggvorbis import OggVorbis

    return FLAC if extension == ".flac" else OggVorbis


def test_free_form_atoms(tmp_path: Path) -> None:
    """iTunes' free-form atoms hold several values; those that iTunes has atoms for do not go before these."""
    path = tmp_path / "a.m4a"
    write_audio(path, tone(440, 1))
    file = MP4(path)
    file["\xa9ART"] = ["A & B"]
    file["\xa9gen"] = ["Rock", "Jazz"]
    for name, values in (
        ("ARTISTS", [b"A", b"B"]),
        ("ARTIST", [b"Fake"]),
        ("MusicBrainz Track Id", [RECORDING.encode()]),
    ):
        file[f"----:com.apple.iTunes:{name}"] = [MP4FreeForm(value) for value in values]
    file.save()
    assert of_file(path) == Tags(artist="A; B", genre="Rock; Jazz", recording_id=RECORDING)


def test_id3_in_chunks() -> None:
    """ID3 is found in RIFF, RF64, AIFF and DSDIFF behind other chunks, and where the header of DSF points."""
    id3 = tag(text("TPE1", "A", "B"))
    small = b"data" + (3).to_bytes(4, "little") + b"abc\0"
    riff = b"id3 " + len(id3).to_bytes(4, "little") + id3
    large = b"ds64" + (24).to_bytes(4, "little") + bytes(8) + (4).to_bytes(8, "little") + bytes(8)
    aiff = b"SSND" + (3).to_bytes(4, "big") + b"abc\0" + b"ID3 " + len(id3).to_bytes(4, "big") + id3
    dsdiff = b"FVER" + (4).to_bytes(8, "big") + b"abcd" + b"ID3 " + len(id3).to_bytes(8, "big") + id3
    for data, container in (
        (b"RIFF\0\0\0\0WAVE" + small + riff, "wav"),
        (b"RF64\xff\xff\xff\xffWAVE" + large + b"data\xff\xff\xff\xffabcd" + riff, "wav"),
        (b"FORM\0\0\0\0AIFF" + aiff, "aiff"),
        (b"FRM8" + bytes(8) + b"DSD " + dsdiff, "iff"),
        (b"DSD " + bytes(16) + (28).to_bytes(8, "little") + id3, "dsf"),
    ):
        assert read(data, container).artist == "A; B"


def test_container_before_stream(tmp_path: Path) -> None:
    """What a container says of the file goes before what its stream says of itself, by whatever names they say it."""
    path = tmp_path / "a.mka"
    write_audio(path, tone(440, 1), tags={"title": "Song"})
    both = tmp_path / "both.mka"
    with av.open(str(path)) as source, av.open(str(both), "w") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        output.metadata["title"], stream.metadata["title"] = "Song", "Stereo"
        stream.metadata["artist"] = "Singer"
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    assert of_file(both) == Tags(artist="Singer", title="Song")
    assert read_tags(merged([{"author": "A"}, {"artist": "B", "title": "t"}])) == Tags(artist="A", title="t")


WHOLE = [
    (tag(text("TPE1", "A", "B"), frame("TXXX", b"\0ARTISTS\0A"), text("TCON", "(4)Eurodisco")) + id3v1(b"A"), "mp3"),
    (tag(text("TP1", "A", version=2), version=2, flags=0x80) + apev2(Artist="A\0B") + id3v1(b"A"), "mp3"),
    (b"RIFF\0\0\0\0WAVEabcd\x04\0\0\0abcdid3 \xff\0\0\0" + tag(text("TPE1", "A"), version=3), "wav"),
    (
        bytes.fromhex("000000106d6f6f76000000087564746100000060")
        + b"meta"
        + bytes(4)
        + b"\0\0\0\x54ilst\0\0\0\x4c\xa9ART",
        MOV,
    ),
    (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + (100).to_bytes(8, "little") + bytes(6), "asf"),
]


@given(
    st.sampled_from(WHOLE),
    st.lists(
        st.tuples(
            st.integers(0, 400),
            st.sampled_from([b"", b"\0", b"\xff\xff\xff\xff", b"\x7f\x7f\x7f\x7f", b"\0\0\0\x08"])
            | st.binary(max_size=8),
        )
    ),
    st.integers(0, 400),
)
def test_garbage(whole: tuple[bytes, str], changes: list[tuple[int, bytes]], end: int) -> None:
    """Whatever stands in a file, its tags are text or nothing, and reading them ends."""
    data = bytearray(whole[0])
    for at, new in changes:
        data[at : at + len(new)] = new
    for container in {whole[1], "mp3", "dsf"}:
        for cut in (bytes(data), bytes(data[:end])):
            found = read(cut, container)
            assert all(value is None or isinstance(value, str | int) for value in vars(found).values())


def test_sizes_that_lie() -> None:
    """Ten thousand frames, values or chunks are looked at, and no more than is there."""
    many = frame("TPE1", b"") * 20_000
    assert read(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + many + text("TIT2", "t")).title is None
    assert read(b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + text("TIT2", "t")).title == "t"
    assert read(tag(frame("TPE1", b"\0" + b"\0".join(b"%d" % i for i in range(5_000))))).artist is not None
    assert (
        read(b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 20_000 + b"id3 \0\0\0\0" + tag(text("TIT2", "t")), "wav") == Tags()
    )
    assert read((bytes(4) + b"free") * 20_000, MOV) == Tags()
