"""Hip-hop: a slow, swung loop over an 808 or a sampled kit."""

from ..arrange import beat_drums, close, figure, hold, improvise
from ..drums import boom, clap, closed_hat, crisp_snare, kick, open_hat, snare
from ..instruments import (
    electric_piano,
    flute,
    piano,
    saxophone,
    strings,
    sub_bass,
    synth_lead,
    upright_bass,
    vibraphone,
)
from ..score import Part, Score
from ..song import Song, credited_to

HIPHOP_KITS = {
    "boom bap": {kick: "X.....x...X..x..", snare: "....X.......X...", closed_hat: "x.x.x.x.x.x.x.xo"},
    "trap": {
        boom: "X.....x...x.....",
        clap: "........X.......",
        closed_hat: "xoxoxoxoxoxoxxxx",
        open_hat: "..............o.",
    },
    "lofi": {kick: "X......x..x.....", snare: "....x.......x..,", closed_hat: "o.o.o.ooo.o.o.o."},
    "bounce": {boom: "X..X..X....X..X.", crisp_snare: "....X.......X..o", closed_hat: "x.oxx.oxx.oxx.ox"},
}
HIPHOP_BASSES = {
    "boom bap": "R-----R---5-R-..",
    "trap": "R-----R---R-----",
    "lofi": "R-----..5-R-....",
    "bounce": "R-.R-.R-...R-.5-",
}
HIPHOP_LOOPS = {
    "boom bap": "c-----c-....c-..",
    "trap": "8.t.f.t.8.t.7.t.",
    "lofi": "c-------..c-----",
    "bounce": "c-.c-.c-........",
}
HOOK_RHYTHMS = ("x-..x-x-", "..x-x---", "x--x----", "x-x-x-..")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to("hiphop", ("Corner Static", "Mx. Lowercase"), ("Tape Hiss", "Block Letters"), 1994, 500)
    return [
        song(
            "Crate Dust",
            -1,
            90,
            "I A B",
            {"I": "Am9 Dm9", "A": "Am9 Dm9 Am9 E7", "B": "Am9 Dm9 F E7 Am9 Dm9"},
            saxophone,
            electric_piano,
            "boom bap",
        ),
        song(
            "Third Rail",
            2,
            140,
            "I A B B",
            {"I": "Am Am F E7", "A": "Am Am F E7", "B": "Am Am F E7"},
            flute,
            vibraphone,
            "trap",
        ),
        song(
            "Sunday Static",
            3,
            78,
            "I A B",
            {"I": "Cmaj9 Am9", "A": "Cmaj9 Am9 Dm9 G7", "B": "Fmaj7 Em7 Dm9 G7"},
            vibraphone,
            electric_piano,
            "lofi",
        ),
        song(
            "Elevator Down",
            -4,
            100,
            "I A B",
            {"I": "Am Am", "A": "Am Am Dm Am", "B": "F G Am Am F G Am Am"},
            synth_lead,
            piano,
            "bounce",
        ),
    ]


def play(song: Song) -> Score:
    """A two- or four-chord loop under heavy drums; the hook comes and goes, and so does the beat."""
    score = Score(song, swing=0.5 if song.groove == "trap" else 0.6, swing_unit=0.5, room_seconds=0.2, looseness=0.004)
    electronic = song.groove in ("trap", "bounce")
    bass = Part("bass", sub_bass if electronic else upright_bass, 0.7 if electronic else 0.6, send=0.0)
    loop = Part("harmony", song.backing, 0.34, pan=-0.25, send=0.2)
    pad = Part("harmony", strings, 0.13, pan=0.35, send=0.3)
    hook = Part("lead", song.lead, 0.26, pan=0.2, send=0.3)
    kit = HIPHOP_KITS[song.groove]
    for section in score.sections:
        figure(score, section, loop, HIPHOP_LOOPS[song.groove], lowest=60 if song.groove == "trap" else 54)
        if section.name == "I":
            beat_drums(score, section, {closed_hat: kit[closed_hat]}, level=0.45)
            continue
        beat_drums(score, section, kit, level=0.75)
        figure(score, section, bass, HIPHOP_BASSES[song.groove], lowest=28)
        if section.name == "B":
            hold(score, section, pad, 67)
            improvise(score, section, hook, "minor pentatonic", 62, 79, HOOK_RHYTHMS)
    close(score, {bass: 33, loop: 60}, final="R357", cymbal=open_hat)
    return score
