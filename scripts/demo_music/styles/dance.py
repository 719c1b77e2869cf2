"""Disco: four on the floor. Latin: clave and montuno, or dembow. Reggae: one drop and the chop."""

from ..arrange import beat_drums, close, figure, fill, hold, improvise, sing
from ..drums import (
    clap,
    clave,
    closed_hat,
    conga,
    conga_slap,
    cowbell,
    crash,
    crisp_snare,
    disco_kick,
    high_tom,
    kick,
    low_tom,
    open_hat,
    rim,
    shaker,
    snare,
)
from ..instruments import clean_guitar, finger_bass, nylon_guitar, organ, piano, strings, synth_bass, trumpet
from ..score import Part, Score, Song

DISCO_BASSES = {
    "octaves": "R.8.R.8.R.8.R.8.",
    "gallop": "R.8RR.8.R.8R5.78",
    "synth": "RR8RRR8RRR8RR87 5".replace(" ", ""),
    "funk": "R..R..8.R.7.8.5.",
}
DISCO_RHYTHMS = ("x-x-x---", "xx.xx-x-", "x--x--x-", "..xxx-x-")


def disco(song: Song) -> Score:
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


LATIN_GRIDS = {  # over two bars: clave, congas; then bass and montuno
    "son": ("x..x..x...x.x...x..x..x.....x.x.", "..R--.5-....8-R-..R--.5-....8-R-", "8.tf.8t.f8.t.f8."),
    "cha": ("x.....x...x.x...x.....x...x.x...", "R---..5-8---R-..R---..5-8-7-5-..", "c.c.c..c.c.cc.c."),
    "bolero": ("x..x..x...x.x...x..x..x...x.x...", "R-----5-8---5---R-----5-8---5---", "R58t58R58t58R5t8"),
}
DEMBOW = {
    disco_kick: "X...X...X...X...",
    crisp_snare: "...X..X....X..X.",
    closed_hat: "o.o.o.o.o.o.o.o.",
    shaker: ",,,,,,,,,,,,,,,,",
}
LATIN_RHYTHMS = (".xx.xx--", "x-.xx-x-", "xx.x-xx-", "..x-xxx-", "x--x--x-")


def latin(song: Song) -> Score:
    """Clave, congas, a bass that anticipates the beat and a montuno; the dembow piece is electronic."""
    score = Score(song, room_seconds=0.22, looseness=0.004)
    electronic = song.groove == "dembow"
    bass = Part("bass", synth_bass if electronic else finger_bass, 0.5, send=0.03, gate=0.85)
    backing = Part("harmony", song.backing, 0.34, pan=-0.3, send=0.12, gate=0.8)
    tres = Part("harmony", nylon_guitar, 0.32, pan=0.45, send=0.12)
    lead = Part("lead", song.lead, 0.36, pan=0.1, send=0.25)
    for section in score.sections:
        if electronic:
            beat_drums(score, section, DEMBOW, level=0.65)
            figure(score, section, bass, "R--R--5-R--R--8-", lowest=33)
            figure(score, section, backing, "..c...c...c...c.", lowest=60)
        else:
            clave_grid, bass_grid, montuno = LATIN_GRIDS[song.groove]
            beat_drums(score, section, {clave: clave_grid}, level=0.35, bars=2)
            beat_drums(score, section, _PERCUSSION[song.groove], level=0.5)
            figure(score, section, bass, bass_grid, lowest=33, bars=2)
            figure(score, section, backing, montuno, lowest=60)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
        elif section.name != "I":
            improvise(
                score,
                section,
                lead,
                "minor" if 3 in score.sections[0].chords[0].intervals else "major",
                62,
                84,
                LATIN_RHYTHMS,
            )
        if section.name == "B":
            figure(score, section, tres, "s..s..s...s.s...", lowest=55)
    close(score, {bass: 36, backing: 62, lead: 69}, cymbal=conga)
    return score


_PERCUSSION = {
    "son": {
        conga: "............x.x.",
        conga_slap: "....X..,....,...",
        shaker: "xoooxoooxoooxooo",
        kick: "......x.....x...",
        cowbell: "x...x.x.x...x.x.",
    },
    "cha": {
        conga: "............x.x.",
        conga_slap: "....X.......,...",
        shaker: "x.ooo.oox.ooo.oo",
        cowbell: "X...x...X...x...",
        kick: "x.......x.......",
    },
    "bolero": {
        conga: "o.....x.....x.x.",
        conga_slap: "....x.,.,...,...",
        shaker: "x.oox.oox.oox.oo",
        rim: "..,...,...,...,.",
    },
}

REGGAE_KITS = {
    "one drop": {kick: "........X.......", rim: "........X.......", closed_hat: "x.x.x.x.x.x.x.xo"},
    "rockers": {kick: "X...X...X...X...", snare: "........X.......", closed_hat: "x.xxx.x.x.xxx.x."},
    "steppers": {kick: "X...X...X...X...", rim: "...x..x....x..x.", closed_hat: "x,x,x,x,x,x,x,x,"},
    "dub": {
        kick: "........X.....o.",
        snare: "........X......,",
        closed_hat: "..x...x...x...x.",
        low_tom: "..............x.",
    },
}
REGGAE_BASSES = {
    "one drop": "R--R5-..R-.3-.5-",
    "rockers": "R-R-..5-8-..5-3-",
    "steppers": "R-.R-.R-5-.5-.8.",
    "dub": "R-----..5-3-R-..",
}
REGGAE_RHYTHMS = ("x-x-x---", "....x-x-", "x--x----", "..x-x-x-", "x-------")


def reggae(song: Song) -> Score:
    """Weight on the third beat, a heavy melodic bass, guitar and organ off the beat, room for echoes."""
    score = Score(song, swing=0.58, swing_unit=0.5, room_seconds=0.4, looseness=0.005)
    bass = Part("bass", finger_bass, 0.75, send=0.02)
    chop = Part("harmony", clean_guitar if song.groove != "dub" else piano, 0.5, pan=0.35, send=0.25, gate=0.5)
    bubble = Part("harmony", organ, 0.22, pan=-0.4, send=0.12, gate=0.6)
    lead = Part("lead", song.lead, 0.34, pan=0.05, send=0.45)
    brass = Part("harmony", trumpet, 0.14, pan=-0.15, send=0.35)
    for section in score.sections:
        beat_drums(score, section, REGGAE_KITS[song.groove], level=0.6)
        fill(score, section, (rim, high_tom, low_tom), 0.45)
        figure(score, section, chop, "....c.......c..." if section.name != "B" else "..c...c...c...c.", lowest=60)
        if section.name == "I":
            continue
        figure(score, section, bass, REGGAE_BASSES[song.groove], lowest=28)
        figure(score, section, bubble, "..c.c.c...c.c.c.", lowest=54)
        improvise(
            score,
            section,
            lead,
            "minor pentatonic" if 3 in section.chords[0].intervals else "pentatonic",
            60,
            79,
            REGGAE_RHYTHMS,
        )
        if section.name == "B":
            figure(score, section, brass, "c-.c-...........", lowest=62)
    close(score, {bass: 33, chop: 64, bubble: 58, lead: 67}, cymbal=open_hat)
    return score
