"""Metal: distorted riffs and double kicks. Hip-hop: a slow, swung loop over an 808."""

from ..arrange import beat_drums, close, figure, fill, hold, improvise, sing
from ..drums import (
    big_snare,
    boom,
    clap,
    closed_hat,
    crash,
    crisp_snare,
    hard_kick,
    high_tom,
    kick,
    low_tom,
    open_hat,
    ride,
    snare,
)
from ..instruments import finger_bass, lead_guitar, palm_mute, power_chord, strings, sub_bass, upright_bass
from ..score import Part, Score, Section, Song

# Riffs: where the strings are damped (p) and where a chord rings (R); the kick follows both.
RIFFS = {
    "gallop": ("p.ppp.ppp.ppR---", "R---p.ppR---p.pp"),
    "thrash": ("pppppppppppppppp", "R-.R-.R-pppppppp"),
    "doom": ("R-------R-----pp", "R-----------R-R-"),
    "march": ("p.p.p.p.p.p.R-R-", "R-p.R-p.R-p.R-R-"),
}
METAL_KITS = {
    "gallop": {big_snare: "....X.......X...", closed_hat: "X...X...X...X..."},
    "thrash": {big_snare: "..X...X...X...X.", closed_hat: "X.X.X.X.X.X.X.X."},
    "doom": {big_snare: "........X.......", ride: "X...X...X...X..."},
    "march": {big_snare: "....X.......X...", open_hat: "X...X...X...X..."},
}
SHRED_RHYTHMS = ("xxxxxxxxxxxxxxxx", "x---x---xxxxxxxx", "xxxxx---xxxxx---", "x-------x-x-xxxx")
SLOW_RHYTHMS = ("x---x---", "x-----x-", "x-x-x---")


def metal(song: Song) -> Score:
    """Two guitars play one riff left and right, bass and kick with them; the lead guitar takes the last section."""
    score = Score(song, room_seconds=0.2, looseness=0.003)
    bass = Part("bass", finger_bass, 0.6, send=0.0)
    lead = Part("lead", lead_guitar, 0.34, send=0.25)
    for section in score.sections:
        riff = RIFFS[song.groove][section.name == "B"]
        _two_guitars(score, section, riff)
        figure(score, section, bass, riff.replace("p", "R"), lowest=28)
        beat_drums(score, section, METAL_KITS[song.groove], level=0.62)
        beat_drums(score, section, {hard_kick: _kicks(riff, song.groove)}, level=0.75)
        score.hit(crash, section.beat, 0.5, pan=0.3)
        fill(score, section, (big_snare, high_tom, low_tom, low_tom), 0.6)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
        elif section.name == "B":
            improvise(
                score, section, lead, "phrygian", 64, 88, SLOW_RHYTHMS if song.groove == "doom" else SHRED_RHYTHMS
            )
    close(score, {Part("harmony", power_chord, 0.4, send=0.1): 40, bass: 34}, final="R", cymbal=crash)
    return score


def _two_guitars(score: Score, section: Section, riff: str) -> None:
    for pan in (-0.8, 0.8):
        ringing = Part("harmony", power_chord, 0.3, pan, send=0.06)
        damped = Part("harmony", palm_mute, 0.36, pan, send=0.03)
        figure(score, section, ringing, riff.replace("p", "."), lowest=38)
        figure(score, section, damped, riff.replace("-", ".").replace("R", ".").replace("p", "R"), lowest=38)


def _kicks(riff: str, groove: str) -> str:
    """Kick drums under every stroke of the riff; none in between, and none at doom's speed but on chords."""
    return "".join("X" if step == "R" or (step == "p" and groove != "doom") else "." for step in riff)


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


def hiphop(song: Song) -> Score:
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
