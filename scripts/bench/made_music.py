"""Two synthetic sets with known answers: grooves on several kits at several tempi, progressions in several keys.

Played by the renderer of `scripts/demo_music`, 24 s a piece, mono at 22,050 Hz. A groove has the same grid on each kit
and at each tempo; a progression has the same chords, moved by the key, while instrument, grid and tempo change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from demo_music import drums, instruments
from demo_music.arrange import beat_drums, figure, hold
from demo_music.drums import Drum
from demo_music.instruments import Voice
from demo_music.score import Part, Score
from demo_music.song import Song

SECONDS = 24.0
SAMPLE_RATE = 22_050  # the renderer's 32,000 Hz times 441 / 640

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Groove:
    """A bar of drums: a grid for the low, middle and high drum and for percussion (`demo_music.arrange`)."""

    low: str
    middle: str
    high: str
    percussion: str = "."
    beats: float = 4
    swing: float = 0.5


@dataclass(frozen=True)
class Setting:
    """How progressions are accompanied: instrument, grid for each bar ("" holds chords), bass, whether drums play."""

    voice: Voice
    grid: str
    bass: Voice | None
    drums: bool


@dataclass(frozen=True, eq=False)
class MadePiece:
    """A piece: its composition (the answer), sound, tempo (or key), and samples (n,)."""

    answer: str
    sound: str
    variant: str
    samples: Samples


GROOVES = {
    "rock": Groove("X.......X.......", "....X.......X...", "x.x.x.x.x.x.x.x."),
    "four on the floor": Groove("X...X...X...X...", "....x.......x...", "..x...x...x...x."),
    "disco hats": Groove("X...X...X...X...", "....X.......X...", "x,xx x,xx x,xx x,xx"),
    "motown": Groove("X.....X.X.......", "x...x...x...x...", "x.x.x.x.x.x.x.x."),
    "funk": Groove("X..X..X...X..X..", "....X..,.,..X..,", "xxxxxxxxxxxxxxxx"),
    "breakbeat": Groove("X.X.......XX....", "....X..o.o..X..o", "x.x.x.x.x.x.x.x."),
    "half time": Groove("X.......,.X.....", "........X.......", "x.x.x.x.x.x.x.x."),
    "double time": Groove("X...X...X...X...", "..X...X...X...X.", "xxxxxxxxxxxxxxxx"),
    "bossa nova": Groove("X..xX..xX..xX..x", "x..x..x...x..x..", "xxxxxxxxxxxxxxxx"),
    "son clave": Groove("...X...X...X...X", "X..X..X...X.X...", "x.xxx.xxx.xxx.xx", "x...x...x...x..."),
    "one drop": Groove("........X.......", "........X.......", "x.o.x.o.x.o.x.o."),
    "reggaeton": Groove("X...X...X...X...", "...X..X....X..X.", "x.x.x.x.x.x.x.x."),
    "samba": Groove("X..xX..xX..xX..x", "x.x..x.xx.x..x.x", "xoxxxoxxxoxxxoxx"),
    "shuffle": Groove("X...X...", "..X...X.", "xxxxxxxx", swing=0.67),
    "swing ride": Groove("o.o.o.o.", "..,...,.", "x.xxx.xx", swing=0.67),
    "hip-hop": Groove("X.x....x..X.....", "....X.......X...", "x.x.x.x.x.x.x.xx", swing=0.5),
    "waltz": Groove("X...........", "....x...x...", "x.x.x.x.x.x.", beats=3),
    "six eight": Groove("X.....,.....", "......X.....", "x.x.x.x.x.x.", beats=3),
    "tom beat": Groove("X..X..X.X..X..X.", "..............xx", "................", "..x..x....x..x.."),
    "train": Groove("X...X...X...X...", "oxoXoxoXoxoXoxoX", "..x...x...x...x."),
}
KITS: dict[str, tuple[Drum, Drum, Drum, Drum]] = {
    "acoustic": (drums.kick, drums.snare, drums.closed_hat, drums.ride),
    "big room": (drums.hard_kick, drums.big_snare, drums.open_hat, drums.cowbell),
    "machine": (drums.boom, drums.clap, drums.shaker, drums.rim),
    "hands": (drums.stomp, drums.conga_slap, drums.shaker, drums.clave),
    "brushes": (drums.low_tom, drums.brush, drums.ride, drums.conga),
}
TEMPI = (90.0, 108.0, 130.0)

PROGRESSIONS = (
    "C G Am F", "C Am F G", "C F G F", "Dm7 G7 Cmaj7 Cmaj7", "Am G F E", "Am Dm E7 Am", "C Bb F C", "C7 C7 F7 C7",
    "Am Am Dm Em", "Cmaj7 Ebmaj7 Abmaj7 Dbmaj7", "Am C D F", "Cm Fm Cm G7", "C E7 Am F", "C Em F Fm", "Dm Dm C C",
    "C D F C", "Bm7b5 E7 Am7 Am7", "C C#dim7 Dm7 G7", "Am F Dm E", "C Db C Db",
)  # fmt: skip
KEYS = (0, 3, 7, 10)  # semitones up from the progression as written
KEY_TEMPI = {0: 92.0, 3: 100.0, 7: 108.0, 10: 116.0}
SETTINGS = {
    "piano": Setting(instruments.piano, "c.......c...c...", instruments.upright_bass, drums=False),
    "nylon guitar": Setting(instruments.nylon_guitar, "R.5.t.5.R.5.t.5.", None, drums=False),
    "strings": Setting(instruments.strings, "", instruments.finger_bass, drums=False),
    "organ and drums": Setting(instruments.organ, "..c...c...c...c.", instruments.synth_bass, drums=True),
    "guitar and drums": Setting(instruments.clean_guitar, "c..cc..cc..cc..c", instruments.finger_bass, drums=True),
}


def made_grooves() -> Iterator[MadePiece]:
    """Play every groove on every kit at every tempo."""
    for name, groove in GROOVES.items():
        for kit in KITS:
            for tempo in TEMPI:
                yield MadePiece(name, kit, f"{tempo:g}", play_groove(groove, kit, tempo))


def made_progressions() -> Iterator[MadePiece]:
    """Play every progression in every setting in every key, each key at its own tempo."""
    for chords in PROGRESSIONS:
        for setting in SETTINGS:
            for key in KEYS:
                yield MadePiece(chords, setting, f"+{key}", play_progression(chords, setting, key, KEY_TEMPI[key]))


def play_groove(groove: Groove, kit: str, tempo: float) -> Samples:
    """Play a groove on a kit of KITS at a tempo (beats a minute): (n,) at SAMPLE_RATE."""
    bars = round(SECONDS * tempo / 60 / groove.beats) + 1
    song = replace(_EMPTY, tempo=tempo, chords={"A": " ".join(["C"] * bars)}, seed=round(tempo))
    score = Score(song, beats_per_bar=groove.beats, swing=groove.swing, room_seconds=0.25)
    grids = (groove.low, groove.middle, groove.high, groove.percussion)
    beat_drums(score, score.sections[0], dict(zip(KITS[kit], grids, strict=True)))
    return _mono(score)


def play_progression(chords: str, setting: str, key: int, tempo: float) -> Samples:
    """Play a progression in one of SETTINGS, `key` semitones up, at a tempo: (n,) at SAMPLE_RATE."""
    bars = round(SECONDS * tempo / 240) + 1
    repeated = (chords.split() * bars)[:bars]
    song = replace(_EMPTY, tempo=tempo, key=key, chords={"A": " ".join(repeated)}, seed=key)
    score, chosen = Score(song), SETTINGS[setting]
    section, part = score.sections[0], Part("harmony", chosen.voice, 0.4)
    if chosen.grid:
        figure(score, section, part, chosen.grid, lowest=52)
    else:
        hold(score, section, part, centre=62)
    if chosen.bass is not None:
        figure(score, section, Part("bass", chosen.bass, 0.4, send=0.02), "R---....R---5---", lowest=33)
    if chosen.drums:
        rock = GROOVES["rock"]
        kit = {drums.kick: rock.low, drums.snare: rock.middle, drums.closed_hat: rock.high}
        beat_drums(score, section, kit, level=0.35)
    return _mono(score)


def _mono(score: Score) -> Samples:
    mix = score.render().mix.mean(axis=0)
    return resample_poly(mix, 441, 640).astype(np.float32)[: round(SECONDS * SAMPLE_RATE)]


_EMPTY = Song(
    style="", title="", artist="", album="", year=2000, key=0, tempo=100.0, form="A", chords={}, lead=instruments.piano,
    backing=instruments.piano, groove="", tunes={}, seed=0,
)  # fmt: skip
