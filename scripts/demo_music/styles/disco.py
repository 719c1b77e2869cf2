"""Disco: four on the floor, octave basses, strings."""

from ..arrange import beat_drums, close, figure, fill, hold, improvise
from ..drums import clap, closed_hat, cowbell, crash, crisp_snare, disco_kick, high_tom, low_tom, open_hat, snare
from ..instruments import (
    clean_guitar,
    electric_piano,
    finger_bass,
    flute,
    saxophone,
    strings,
    synth_bass,
    synth_lead,
    trumpet,
)
from ..score import Part, Score
from ..song import Song, credited_to

DISCO_BASSES = {
    "octaves": "R.8.R.8.R.8.R.8.",
    "gallop": "R.8RR.8.R.8R5.78",
    "synth": "RR8RRR8RRR8RR87 5".replace(" ", ""),
    "funk": "R..R..8.R.7.8.5.",
}
DISCO_RHYTHMS = ("x-x-x---", "xx.xx-x-", "x--x--x-", "..xxx-x-")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to(
        "disco", ("Mirrorball Avenue", "Stella & the Satellites"), ("Saturday, Always", "Orbit Room"), 1976, 300
    )
    return [
        song(
            "Glitter Staircase",
            0,
            118,
            "I A B A",
            {"I": "Am7 Am7", "A": "Am7 Dm7 G7 Cmaj7", "B": "Fmaj7 Em7 Dm7 E7"},
            trumpet,
            electric_piano,
            "octaves",
        ),
        song(
            "Turn the Night Around",
            3,
            124,
            "I A B A",
            {"I": "Am7 Am7", "A": "Am7 Am7 Dm7 Dm7", "B": "F G Em7 Am7"},
            flute,
            clean_guitar,
            "gallop",
        ),
        song(
            "Satellite Love",
            -2,
            128,
            "I A B A",
            {"I": "Am Am Am Am", "A": "Am F C G", "B": "Dm Am F E7"},
            synth_lead,
            synth_lead,
            "synth",
        ),
        song(
            "Roller Queen",
            5,
            112,
            "I A B A",
            {"I": "Am9 D9", "A": "Am9 D9 Am9 D9", "B": "Fmaj7 G Am7 D9"},
            saxophone,
            electric_piano,
            "funk",
        ),
    ]


def play(song: Song) -> Score:
    """A kick on every beat, hats between, octave bass, scratched guitar, strings and brass stabs."""
    score = Score(song, room_seconds=0.25, looseness=0.002)
    synthetic = song.groove == "synth"
    bass = Part("bass", synth_bass if synthetic else finger_bass, 0.5, send=0.02, gate=0.8)
    scratch = Part("harmony", clean_guitar, 0.32, pan=0.5, send=0.08, gate=0.5)
    keys = Part("harmony", song.backing, 0.24, pan=-0.4, send=0.15, gate=0.6)
    violins = Part("harmony", strings, 0.2, pan=0.1, send=0.4)
    lead = Part("lead", song.lead, 0.32, pan=-0.05, send=0.3)
    floor = {disco_kick: "X...X...X...X...", open_hat: "..x...x...x...x.", closed_hat: "x.,,x.,,x.,,x.,,"}
    back = {
        (clap if synthetic else snare): "....X.......X...",
        cowbell: "o.o..o.o..o.o..o" if song.groove == "gallop" else "................",
    }
    for section in score.sections:
        beat_drums(score, section, floor if section.name == "I" else floor | back, level=0.62)
        figure(score, section, bass, DISCO_BASSES[song.groove], lowest=33)
        figure(score, section, keys, "..c...c.c..c..c." if section.name == "B" else "c--...c-..c-....", lowest=56)
        if section.name != "I":
            figure(score, section, scratch, "cc.ccc.ccc.ccc.c", lowest=60)
            hold(score, section, violins, 76 if section.name == "B" else 69)
            improvise(score, section, lead, "dorian", 64, 84, DISCO_RHYTHMS)
        fill(score, section, (crisp_snare, high_tom, low_tom), 0.5)
    close(score, {bass: 36, keys: 62, violins: 74, lead: 72}, cymbal=crash)
    return score
