"""Latin: clave and montuno, or dembow."""

from ..arrange import beat_drums, close, figure, improvise, sing
from ..drums import clave, closed_hat, conga, conga_slap, cowbell, crisp_snare, disco_kick, kick, rim, shaker
from ..instruments import electric_piano, finger_bass, flute, nylon_guitar, piano, synth_bass, synth_lead, trumpet
from ..score import Part, Score
from ..song import Song, credited_to
from ..tunes import (
    LA_CUCARACHA,
)

LATIN_GRIDS = {  # over two bars: clave, congas; then bass and montuno
    "son": ("x..x..x...x.x...x..x..x.....x.x.", "..R--.5-....8-R-..R--.5-....8-R-", "8.tf.8t.f8.t.f8."),
    "cha": ("x.....x...x.x...x.....x...x.x...", "R---..5-8---R-..R---..5-8-7-5-..", "c.c.c..c.c.cc.c."),
    "bolero": ("x..x..x...x.x...x..x..x...x.x...", "R-----5-8---5---R-----5-8---5---", "R58t58R58t58R5t8"),
}
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
DEMBOW = {
    disco_kick: "X...X...X...X...",
    crisp_snare: "...X..X....X..X.",
    closed_hat: "o.o.o.o.o.o.o.o.",
    shaker: ",,,,,,,,,,,,,,,,",
}
LATIN_RHYTHMS = (".xx.xx--", "x-.xx-x-", "xx.x-xx-", "..x-xxx-", "x--x--x-")


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to(
        "latin", ("Orquesta Malecón", "Los Faroles"), ("Noche en el Puerto", "Calle Ocho y Media"), 1971, 700
    )
    minor = {"I": "Am E7", "A": "Am Dm E7 Am", "B": "Dm Am E7 Am Dm Am E7 E7"}
    return [
        song("La Cucaracha", 0, 112, "I A B", LA_CUCARACHA.chords, trumpet, piano, "son", LA_CUCARACHA.tunes),
        song("Azúcar Morena", 3, 124, "I A A B", minor, flute, piano, "cha"),
        song(
            "Perreo de Abril",
            -2,
            94,
            "I A B",
            {"I": "Am F", "A": "Am F C G", "B": "Am F C G Dm F"},
            synth_lead,
            electric_piano,
            "dembow",
        ),
        song(
            "Farol de Esquina",
            -4,
            100,
            "I A B",
            {"I": "C G7", "A": "C Am Dm G7", "B": "F C Dm G7 Em7 A7 Dm7 G7"},
            trumpet,
            nylon_guitar,
            "bolero",
        ),
    ]


def play(song: Song) -> Score:
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
