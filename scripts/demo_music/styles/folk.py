"""Folk: plucked strings and an old tune, hardly a drum."""

from ..arrange import beat_drums, close, figure, hold, sing
from ..drums import open_hat, shaker, stomp
from ..instruments import banjo, fiddle, flute, harmonica, nylon_guitar, organ, steel_guitar, upright_bass
from ..score import Part, Score
from ..song import Song, credited_to
from ..tunes import (
    AULD_LANG_SYNE,
    GREENSLEEVES,
    OH_SUSANNA,
    SCARBOROUGH_FAIR,
)

FOLK_PICKINGS = {  # by groove: beats a bar, guitar's grid, percussion
    "waltz": (3, "R.5.t.8.t.5.", {shaker: "o.....,...,."}),
    "travis": (4, "R.8.5.t.R.8.5.t.", {stomp: "x.......o.......", shaker: "..,...,...,...,."}),
    "reel": (4, "R.s.5.s.R.s.5.s.", {stomp: "X...x...X...x...", shaker: "o,o,o,o,o,o,o,o,"}),
}


def songs() -> list[Song]:
    """The collection's pieces in this style."""
    song = credited_to("folk", ("The Hawthorn Gate", "Wren & Alder"), ("Under the Hill", "Rivers and Roads"), 1968, 400)
    return [
        song("Greensleeves", 0, 168, "I A A B", GREENSLEEVES.chords, flute, steel_guitar, "waltz", GREENSLEEVES.tunes),
        song(
            "Auld Lang Syne",
            -3,
            122,
            "I A B",
            AULD_LANG_SYNE.chords,
            fiddle,
            nylon_guitar,
            "travis",
            AULD_LANG_SYNE.tunes,
        ),
        song(
            "Scarborough Fair",
            4,
            144,
            "I A B A",
            SCARBOROUGH_FAIR.chords,
            fiddle,
            nylon_guitar,
            "waltz",
            SCARBOROUGH_FAIR.tunes,
        ),
        song("Oh! Susanna", 2, 160, "I A B", OH_SUSANNA.chords, harmonica, steel_guitar, "reel", OH_SUSANNA.tunes),
    ]


def play(song: Song) -> Score:
    """A picked guitar and a double bass under a traditional tune; a banjo or a drone joins the second time round."""
    beats_per_bar, picking, percussion = FOLK_PICKINGS[song.groove]
    score = Score(song, beats_per_bar, room_seconds=0.25, looseness=0.008)
    guitar = Part("harmony", song.backing, 0.5, pan=-0.3, send=0.15, gate=1.5)
    bass = Part("bass", upright_bass, 0.45, send=0.06)
    lead = Part("lead", song.lead, 0.4, pan=0.15, send=0.3)
    second = Part("harmony", banjo if beats_per_bar == 4 else organ, 0.2 if beats_per_bar == 4 else 0.07, 0.5, 0.2)
    for section in score.sections:
        figure(score, section, guitar, picking, lowest=45)
        if section.name == "I":
            continue
        figure(score, section, bass, "R-----5-----" if beats_per_bar == 3 else "R---5---", lowest=31)
        sing(score, section, lead, song.tunes[section.name])
        if section.name == "B":
            beat_drums(score, section, percussion, level=0.5)
            if beats_per_bar == 4:
                figure(score, section, second, "8t5f8t5f8t5f8t5f", lowest=55)
            else:
                hold(score, section, second, 62)
    close(score, {guitar: 52, bass: 36, lead: 69}, cymbal=shaker if beats_per_bar == 3 else open_hat)
    return score
