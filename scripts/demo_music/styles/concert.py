"""Classical: written-out music, no drums. Jazz: a trio or quartet over changes, walking and swinging."""

from ..arrange import beat_drums, chord_at, close, figure, hold, improvise, sing, strike
from ..drums import brush, closed_hat, kick, ride, rim, snare
from ..instruments import harpsichord, piano, strings, upright_bass
from ..score import Part, Score, Section, Song
from ..theory import scale

CELLO_LINES = {"arpeggio": "R---------------", "alberti": "R-------5-------", "canon": "R-------"}
KEYBOARD_FIGURES = {
    "arpeggio": "R58tf8tfR58tf8tf",  # the prelude's, over two octaves
    "alberti": "R5t58-..R5t58-..",
    "canon": "R-5-8-t-f-t-8-5-",
}


def classical(song: Song) -> Score:
    """A keyboard figure, strings and a solo voice, in a large hall and with free time."""
    beats_per_bar = 3 if song.groove == "minuet" else 4
    score = Score(song, beats_per_bar, room_seconds=0.5, looseness=0.012)
    keyboard = Part("harmony", song.backing, 0.4, pan=-0.2, send=0.3, gate=1.3)
    section_strings = Part("harmony", strings, 0.16, pan=0.35, send=0.4, gate=1.0)
    cello = Part("bass", strings, 0.26, pan=0.2, send=0.35)
    lead = Part("lead", song.lead, 0.42, pan=0.1, send=0.4)
    for section in score.sections:
        last = section.name == "B"
        if beats_per_bar == 3:
            figure(score, section, keyboard, "R-5-t-5-8-5-" if last else "R-..5-..8-..", lowest=48)
            figure(score, section, cello, "R-----------", lowest=36)
        else:
            figure(score, section, keyboard, KEYBOARD_FIGURES[song.groove], lowest=48)
            figure(score, section, cello, CELLO_LINES[song.groove], lowest=36)
        if last:
            hold(score, section, section_strings, 64)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
    _cadence(score, keyboard, cello, section_strings)
    return score


def _cadence(score: Score, keyboard: Part, cello: Part, section_strings: Part) -> None:
    """The tonic, broken upwards, over a held octave."""
    opening = score.sections[0].chords[0]
    spread = 0.12 if keyboard.voice in (piano, harpsichord) else 0.03
    strike(score, keyboard, score.end, 4, [opening.degree(d, 48) for d in "R58tf"], spread)
    strike(score, section_strings, score.end, 3.5, opening.voicing(64))
    score.note(cello, score.end, 3.5, opening.degree("R", 36))


SWING_KITS = {
    "swing": {
        ride: "X...X..xX...X..x",
        closed_hat: "....x.......x...",
        kick: ",.......,.....,.",
        snare: "......,.......o.",
    },
    "ballad": {brush: "x...X...x...X...", closed_hat: "....o.......o...", kick: ",.......,......."},
    "bop": {
        ride: "X.x.X.xxX.x.X.xx",
        closed_hat: "....x.......x...",
        kick: "....,.....o.....",
        snare: "..o....,...o..,.",
    },
    "bossa": {ride: "o.o.o.o.o.o.o.o.", rim: "x..x..x...x..x..", kick: "x..ox..ox..ox..o"},
}
JAZZ_COMPS = {
    "swing": "c-....c-.....c-.",
    "ballad": "c-------c-----..",
    "bop": "...c-.....c-..c-",
    "bossa": "c-.c-.c-..c-.c-.",
}
SOLO_RHYTHMS = ("xxxxxxxx", "x-xx.xx-", ".xxxx-x-", "x--xx--.", "..xxxxx-", "x-x-xxx-")
BALLAD_RHYTHMS = ("x---x-x-", "x-----xx", "..x-x---", "x--xx---")


def jazz(song: Song) -> Score:
    """A head, then a solo, over walking bass and comping; a bossa walks straight and in two."""
    straight = song.groove == "bossa"
    score = Score(song, swing=0.5 if straight else 0.63, room_seconds=0.3, looseness=0.009)
    bass = Part("bass", upright_bass, 0.5, send=0.06)
    comp = Part("harmony", song.backing, 0.36, pan=-0.3, send=0.15, gate=0.8)
    lead = Part("lead", song.lead, 0.36, pan=0.2, send=0.25)
    solo = Part("lead", piano if song.backing is not piano else song.lead, 0.36, pan=-0.1, send=0.2)
    for section in score.sections:
        beat_drums(score, section, SWING_KITS[song.groove], level=0.42 if section.name == "B" else 0.34)
        figure(score, section, comp, JAZZ_COMPS[song.groove], lowest=54)
        if straight:
            figure(score, section, bass, "R--5--5-R--5--5-", lowest=31)
        else:
            _walk(score, section, bass)
        if section.name in song.tunes:
            sing(score, section, lead, song.tunes[section.name])
        elif section.name != "I":
            rhythms = BALLAD_RHYTHMS if song.groove in ("ballad", "bossa") else SOLO_RHYTHMS
            improvise(
                score,
                section,
                lead if section.name == "A" else solo,
                "dorian" if "m" in _first(song) else "bebop",
                60,
                84,
                rhythms,
            )
    close(score, {bass: 36, comp: 60, lead: 67}, final="R357", cymbal=ride)
    return score


def _walk(score: Score, section: Section, bass: Part) -> None:
    """A note a beat: the root where a chord begins, then steps towards the next root, reached by a semitone."""
    end = section.beat + section.beats
    place = section.chords[0].degree("R", 33)
    for beat in range(round(section.beat), round(end)):
        chord, following = chord_at(section, beat), chord_at(section, beat + 1 if beat + 1 < end else section.beat)
        if beat == chord.beat:
            place = chord.degree("R", 33)
        elif following.beat == beat + 1 or beat + 1 == end:
            place = following.degree("R", 33) + (1 if place > following.degree("R", 33) else -1)
        else:
            steps = [
                p
                for p in scale("dorian" if 3 in chord.intervals else "bebop", chord.root, place - 4, place + 5)
                if p != place
            ]
            place = max(28, int(score.rng.choice([p for p in steps if 30 <= p <= 52])))
        score.note(bass, beat, 0.95, place)


def _first(song: Song) -> str:
    """The song's opening chord, less the letters that only look minor."""
    return song.chords[song.form.split()[0]].split()[0].split(",")[0].replace("maj", "")
