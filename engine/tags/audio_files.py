"""Genre and mood in the tags of audio files. The only module that imports mutagen, which is GPL and so an extra.

Fields written, by FFmpeg's name of the container:

mp3, wav, aiff   ID3 TCON and TMOO, in the version of the existing tag (2.4 if there is none)
flac, ogg        Vorbis comments GENRE and MOOD
mov,mp4,m4a,...  the atom (c)gen, and the free-form one that MusicBrainz Picard reads and writes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from engine.errors import AudioError, EngineError, reason_of
from engine.indexer.audio.info import AudioInfo

GENRE, MOOD = "genre", "mood"
GENRE_KEYS = ("genre", "wm/genre", "ignr", "tcon")  # as FFmpeg names them, casefolded
MOOD_KEYS = ("tmoo", "mood", "wm/mood")

ID3_FRAMES = {GENRE: "TCON", MOOD: "TMOO"}
MP4_ATOMS = {GENRE: "\xa9gen", MOOD: "----:com.apple.iTunes:MOOD"}


def require_mutagen() -> None:
    """Raise EngineError, with the command to install it, if mutagen is missing."""
    try:
        import mutagen  # noqa: F401
    except ImportError as error:
        raise EngineError("writing tags needs mutagen", hint="install it: pip install 'music-engine[tags]'") from error


def check_writable(info: AudioInfo) -> None:
    """Raise AudioError for a kind of file whose tags are not written."""
    if _kind(info) not in _WRITERS:
        raise AudioError(f"cannot write tags into {_kind(info)}")


def write_tags(copy: bytes, info: AudioInfo, values: dict[str, str]) -> None:
    """Set GENRE and MOOD in a copy of a file; other tags are unchanged. Runs in a decoder's process.

    Raises:
        AudioError: They cannot be written; the copy may then be damaged.
    """
    check_writable(info)
    try:
        with open(copy, "r+b") as handle:  # noqa: PTH123 (bytes)
            _WRITERS[_kind(info)](handle, values)
    except OSError as error:
        raise AudioError(f"its tags cannot be written: {reason_of(error)}") from error
    except Exception as error:  # mutagen's own errors, or any of a parser on a damaged file
        words = " ".join(str(error).split())[:200]
        raise AudioError(f"its tags cannot be written: {words or type(error).__name__}") from error


def _kind(info: AudioInfo) -> str:
    return f"{info.container} ({info.codec})" if info.container == "ogg" else info.container


def _write_id3(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        tags = ID3(fileobj=handle, translate=False)
    except ID3NoHeaderError:
        tags = ID3()
    _save_id3(tags, handle, values)


def _write_chunk(load: Callable[..., Any], handle: BinaryIO, values: Mapping[str, str]) -> None:
    """Write ID3 in a chunk of RIFF or AIFF."""
    file = load(fileobj=handle, translate=False)
    if file.tags is None:
        file.add_tags()
    _save_id3(file.tags, handle, values)


def _save_id3(tags: Any, handle: BinaryIO, values: Mapping[str, str]) -> None:
    """Save in the existing version, because mutagen drops frames that the other version lacks."""
    from mutagen.id3 import Encoding, Frames

    version = 3 if tags.version[:2] in ((2, 2), (2, 3)) else 4
    for name, value in values.items():
        frame = ID3_FRAMES[name]
        tags.setall(frame, [Frames[frame](encoding=Encoding.UTF8 if version == 4 else Encoding.UTF16, text=[value])])
        for key in [key for key in tags if key.casefold() == f"txxx:{name}"]:  # the same tag by another name
            del tags[key]
    handle.seek(0)
    tags.save(fileobj=handle, v2_version=version, v23_sep=None)


def _write_wave(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.wave import WAVE

    _write_chunk(WAVE, handle, values)


def _write_aiff(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.aiff import AIFF

    _write_chunk(AIFF, handle, values)


def _write_mp4(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.mp4 import MP4, MP4FreeForm

    file: Any = MP4(fileobj=handle)
    if file.tags is None:
        file.add_tags()
    for name, value in values.items():
        atom = MP4_ATOMS[name]
        for key in [key for key in file.tags if key.casefold() == atom.casefold()]:
            del file.tags[key]
        file.tags[atom] = [MP4FreeForm(value.encode()) if atom.startswith("----") else value]
    handle.seek(0)
    file.save(fileobj=handle)


def _write_flac(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.flac import FLAC

    _write_comments(FLAC, handle, values)


def _write_vorbis(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.oggvorbis import OggVorbis

    _write_comments(OggVorbis, handle, values)


def _write_opus(handle: BinaryIO, values: Mapping[str, str]) -> None:
    from mutagen.oggopus import OggOpus

    _write_comments(OggOpus, handle, values)


def _write_comments(load: Callable[..., Any], handle: BinaryIO, values: Mapping[str, str]) -> None:
    file = load(fileobj=handle)
    if file.tags is None:
        file.add_tags()
    for name, value in values.items():
        file.tags[name.upper()] = [value]
    handle.seek(0)
    file.save(fileobj=handle)


_WRITERS: dict[str, Callable[[BinaryIO, Mapping[str, str]], None]] = {
    "mp3": _write_id3,
    "wav": _write_wave,
    "aiff": _write_aiff,
    "flac": _write_flac,
    "ogg (vorbis)": _write_vorbis,
    "ogg (opus)": _write_opus,
    "mov,mp4,m4a,3gp,3g2,mj2": _write_mp4,
}
