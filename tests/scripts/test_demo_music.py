"""The demonstration collection: what its pieces are made of, and what the command leaves on disk."""

import sys
from collections import Counter
from pathlib import Path

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from demo_music.instruments import Voice, flute, nylon_guitar, organ, piano, power_chord, steel_guitar
from demo_music.mixer import PEAK, Rendering
from demo_music.song import Song
from demo_music.styles import collection, render
from demo_music.synth import SAMPLE_RATE
from demo_music.theory import progression, tune
from demo_music.writer import CODECS, write

TITLES = ("Hat Trick", "Slow Eclipse", "Greensleeves")  # a jazz, a metal and a folk piece


def piece(title: str) -> Song:
    """The collection's piece of that title."""
    return next(song for song in collection() if song.title == title)


@pytest.fixture(scope="module", params=TITLES)
def rendering(request: pytest.FixtureRequest) -> Rendering:
    """One rendered piece after another."""
    return render(piece(request.param))


def test_styles_are_large_enough_for_neighbours() -> None:
    """At least seven styles hold four pieces or more, by two bands each, and no two pieces share a file name."""
    songs = collection()
    sizes = Counter(song.style for song in songs)
    assert len(sizes) >= 7
    assert min(sizes.values()) >= 4
    assert all(len({s.artist for s in songs if s.style == style}) == 2 for style in sizes)
    assert len({(song.artist, song.title) for song in songs}) == len(songs)


def test_rendering_is_deterministic() -> None:
    """The same song gives the same samples, to the bit."""
    song = piece("Slow Eclipse")
    assert np.array_equal(render(song).stems, render(song).stems)


def test_stems_sum_to_the_mix(rendering: Rendering) -> None:
    """Four stereo stems of half a minute or more, their sum being the mix."""
    assert rendering.names == ("drums", "bass", "harmony", "lead")
    assert rendering.stems.shape[:2] == (4, 2)
    assert 30 <= rendering.stems.shape[2] / rendering.sample_rate <= 45
    np.testing.assert_allclose(sum(rendering.stems), rendering.mix, atol=1e-6)


def test_no_stem_is_silent_and_no_mix_clips(rendering: Rendering) -> None:
    """Every player is heard, and the mix peaks at -1 dBFS."""
    assert np.isfinite(rendering.stems).all()
    assert (np.abs(rendering.stems).max(axis=(1, 2)) > 0.01).all()
    assert np.abs(rendering.mix).max() == pytest.approx(PEAK, abs=1e-4)


def test_a_piece_changes_over_time(rendering: Rendering) -> None:
    """The opening four seconds carry less than the loudest four: pieces build up."""
    seconds = rendering.sample_rate * 4
    blocks = rendering.mix[:, : rendering.mix.shape[1] // seconds * seconds].reshape(2, -1, seconds)
    levels = np.sqrt((blocks**2).mean(axis=(0, 2)))
    assert levels.max() > 1.1 * levels[0]


@pytest.mark.parametrize("voice", [steel_guitar, nylon_guitar, piano, flute, organ, power_chord])
@pytest.mark.parametrize("pitch", [45, 69])
def test_instruments_are_in_tune(voice: Voice, pitch: int) -> None:
    """Around the asked note's frequency, the strongest one is within ten cents of it."""
    samples = voice(pitch, 2.0)[:64_000]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 2**19))
    frequencies = np.fft.rfftfreq(2**19, 1 / SAMPLE_RATE)
    expected = 440 * 2 ** ((pitch - 69) / 12)
    near = np.abs(frequencies / expected - 1) < 0.05
    found = frequencies[near][spectrum[near].argmax()]
    assert abs(1200 * np.log2(found / expected)) < 10


def test_written_pitches_and_chords() -> None:
    """Tunes and progressions are read as written: pitch, length in beats, transposition, bars shared by chords."""
    notes = tune("A4*1.5 r | Bb4", transpose=2)
    assert [(n.beat, n.length, n.pitch) for n in notes] == [(0, 1.5, 71), (2.5, 1, 72)]
    chords = progression("C Am7,G", 4)
    assert [(c.beat, c.length, c.root) for c in chords] == [(0, 4, 0), (4, 2, 9), (6, 2, 7)]
    with pytest.raises(ValueError, match="expected a chord"):
        progression("H7", 4)


@pytest.mark.parametrize("ending", CODECS)
def test_files_carry_tags_and_the_whole_piece(ending: str, tmp_path: Path) -> None:
    """Each format reads back with its tags and its length, and no unfinished file stays behind."""
    song = piece("Slow Eclipse")
    rendered = Rendering(("lead",), np.full((1, 2, 32_000), 0.1, np.float32), 32_000)
    path = tmp_path / song.artist / f"piece.{ending}"
    write(rendered, song, path)
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        tags = {k.lower(): v for k, v in {**container.metadata, **stream.metadata}.items()}
        seconds = sum(frame.samples for frame in container.decode(stream)) / stream.rate
    assert (tags["artist"], tags["title"], tags["album"]) == (song.artist, song.title, song.album)
    assert (tags["genre"], tags["date"]) == (song.style, str(song.year))
    assert seconds == pytest.approx(1, abs=0.1)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
