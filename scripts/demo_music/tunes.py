"""Tunes in the public domain with their harmonies, written in C or A minor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Arrangement:
    """Progressions and melodies, each by section: I (the introduction), A and B."""

    chords: dict[str, str]
    tunes: dict[str, str]


# J. S. Bach, The Well-Tempered Clavier I (1722), with a slow line above its second half.
PRELUDE = Arrangement(
    {"A": "C Dm7 G7 C Am", "B": "D7 G Dm7 G7 C"},
    {"B": "F#5*2 A5*2 | G5*4 | F5*2 D5*2 | B4*2 D5*2 | C5*4"},
)
# L. van Beethoven, Ninth Symphony (1824).
ODE_TO_JOY = Arrangement(
    {"A": "C G,C C G | C G,C C G,C", "B": "G G,C G,E D,G | C G,C C G,C"},
    {
        "A": "E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | E5*1.5 D5*.5 D5*2 |"
        " E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | D5*1.5 C5*.5 C5*2",
        "B": "D5 D5 E5 C5 | D5 E5*.5 F5*.5 E5 C5 | D5 E5*.5 F5*.5 E5 D5 | C5 D5 G4*2 |"
        " E5 E5 F5 G5 | G5 F5 E5 D5 | C5 C5 D5 E5 | D5*1.5 C5*.5 C5*2",
    },
)
# J. Pachelbel, Canon (about 1680).
CANON = Arrangement(
    {"I": "C,G Am,Em F,C F,G", "A": "C,G Am,Em F,C F,G", "B": "C,G Am,Em F,C F,G C,G Am,Em F,C F,G"},
    {
        "A": "E5*2 D5*2 | C5*2 B4*2 | A4*2 G4*2 | A4*2 B4*2",
        "B": "C5 E5 G5 F5 | E5 C5 E5 D5 | C5 A4 C5 G5 | F5 A5 G5 F5 |"
        " E5*.5 C5*.5 D5*.5 E5*.5 D5*.5 B4*.5 C5*.5 D5*.5 | C5*.5 E5*.5 D5*.5 C5*.5 B4*.5 G4*.5 A4*.5 B4*.5 |"
        " A4*.5 C5*.5 B4*.5 A4*.5 G4*.5 C5*.5 D5*.5 E5*.5 | F5*.5 E5*.5 F5*.5 A5*.5 G5*.5 F5*.5 E5*.5 D5*.5",
    },
)
# C. Petzold, from the Notebook for Anna Magdalena Bach (1725).
MINUET = Arrangement(
    {"A": "C C F C | F C G7 G7 | C C F C", "B": "F C G7 C | C G7 D7 G | C F G7 C"},
    {
        "A": "G5 C5*.5 D5*.5 E5*.5 F5*.5 | G5 C5 C5 | A5 F5*.5 G5*.5 A5*.5 B5*.5 | C6 C5 C5 |"
        " F5 G5*.5 F5*.5 E5*.5 D5*.5 | E5 F5*.5 E5*.5 D5*.5 C5*.5 | B4 C5*.5 D5*.5 E5*.5 C5*.5 | D5*3 |"
        " G5 C5*.5 D5*.5 E5*.5 F5*.5 | G5 C5 C5 | A5 F5*.5 G5*.5 A5*.5 B5*.5 | C6 C5 C5",
        "B": "F5 G5*.5 F5*.5 E5*.5 D5*.5 | E5 F5*.5 E5*.5 D5*.5 C5*.5 | D5 E5*.5 D5*.5 C5*.5 B4*.5 | C5*3 |"
        " E5 C5*.5 D5*.5 E5*.5 C5*.5 | D5 G4*.5 A4*.5 B4*.5 G4*.5 | A4 F#4*.5 G4*.5 A4*.5 F#4*.5 | G4*3 |"
        " E5 C5*.5 D5*.5 E5*.5 C5*.5 | A5 F5*.5 G5*.5 A5 | D5 E5*.5 D5*.5 C5*.5 B4*.5 | C5*3",
    },
)
# English, sixteenth century.
GREENSLEEVES = Arrangement(
    {"I": "Am Am G Am", "A": "Am Am G G Am Am E E", "B": "C C G G Am E Am Am"},
    {
        "A": "C5*2 D5 | E5*1.5 F5*.5 E5 | D5*2 B4 | G4*1.5 A4*.5 B4 | C5*2 A4 | A4*1.5 G#4*.5 A4 | B4*2 G#4 | E4*2 A4",
        "B": "G5*3 | G5*1.5 F#5*.5 E5 | D5*2 B4 | G4*1.5 A4*.5 B4 | C5*1.5 B4*.5 A4 | G#4*1.5 F#4*.5 G#4 | A4*3 | A4*3",
    },
)
# Scottish, eighteenth century.
AULD_LANG_SYNE = Arrangement(
    {"I": "C G", "A": "C G C F | C G Am,G C", "B": "C G C F | C G Am,G C"},
    {
        "A": "C5*1.5 C5*.5 C5 E5 | D5*1.5 C5*.5 D5 E5 | C5*1.5 C5*.5 E5 G5 | A5*3 A5 |"
        " G5*1.5 E5*.5 E5 C5 | D5*1.5 C5*.5 D5 E5 | C5*1.5 A4*.5 A4 G4 | C5*3 A5",
        "B": "G5*1.5 E5*.5 E5 C5 | D5*1.5 C5*.5 D5 A5 | G5*1.5 E5*.5 E5 G5 | A5*3 A5 |"
        " G5*1.5 E5*.5 E5 C5 | D5*1.5 C5*.5 D5 E5 | C5*1.5 A4*.5 A4 G4 | C5*4",
    },
)
# English, seventeenth century.
SCARBOROUGH_FAIR = Arrangement(
    {"I": "Am G", "A": "Am Am G Am C Am D Am", "B": "Am C C G Am G G Am"},
    {
        "A": "A4*2 A4 | E5*2 E5 | B4*1.5 C5*.5 B4 | A4*3 | r E5 G5 | A5*2 G5 | E5 F#5 D5 | E5*3",
        "B": "A5 A5 A5 | G5*2 E5 | E5 D5 C5 | B4*2 G4 | A4*2 E5 | D5*2 C5 | B4 A4 G4 | A4*3",
    },
)
# S. Foster (1848).
OH_SUSANNA = Arrangement(
    {"I": "C C G C", "A": "C C C G C C C,G C", "B": "F F C G C C C,G C"},
    {
        "A": "E5 G5 G5*1.5 A5*.5 | G5 E5 C5*1.5 D5*.5 | E5 E5 D5 C5 | D5*3 C5*.5 D5*.5 |"
        " E5 G5 G5*1.5 A5*.5 | G5 E5 C5*1.5 D5*.5 | E5 E5 D5 D5 | C5*4",
        "B": "F5*2 F5*2 | A5 A5*2 A5 | G5 G5 E5 C5 | D5*3 C5*.5 D5*.5 |"
        " E5 G5 G5*1.5 A5*.5 | G5 E5 C5*1.5 D5*.5 | E5 E5 D5 D5 | C5*4",
    },
)
# American, nineteenth century.
SAINTS = Arrangement(
    {
        "I": "C6,A7 Dm7,G7",
        "A": "C6 C6 C6 C6 | C6 C6 G7 G7 | C6 C7 F6 Fm6 | C6 Am7,D7 G7 C6",
        "B": "C6 A7 Dm7 G7 C7 F6 G7 C6",
    },
    {
        "A": "G5*4 | r C5 E5 F5 | G5*4 | r C5 E5 F5 | G5*2 E5*2 | C5*2 E5*2 | D5*4 | r E5 E5 D5 |"
        " C5*3 C5 | E5*2 G5 G5 | F5*4 | r*2 E5 F5 | G5*2 E5*2 | C5*2 D5*2 | C5*4 | r*4",
    },
)
# Mexican, nineteenth century.
LA_CUCARACHA = Arrangement(
    {"I": "C G7", "A": "C C C G7 | G7 G7 G7 C", "B": "F C G7 C F C"},
    {
        "A": "G4*.5 G4*.5 G4*.5 C5*1.5 E5 | G4*.5 G4*.5 G4*.5 C5*1.5 E5 | "
        " C5*.5 r*.5 C5*.5 B4*.5 B4*.5 A4*.5 A4*.5 G4*.5 | G4*2 r*2 |"
        " G4*.5 G4*.5 G4*.5 B4*1.5 D5 | G4*.5 G4*.5 G4*.5 B4*1.5 D5 |"
        " G5*.5 r*.5 A5*.5 G5*.5 F5*.5 E5*.5 D5*.5 C5*.5 | C5*2 r*2",
    },
)
# E. Grieg, Peer Gynt (1875).
MOUNTAIN_KING = Arrangement(
    {"A": "A5 A5 A5 C5", "B": "E5 A5 E5 A5 F5 E5"},
    {
        "A": "A4*.5 B4*.5 C5*.5 D5*.5 E5*.5 C5*.5 E5 | D#5*.5 B4*.5 D#5 D5*.5 Bb4*.5 D5 |"
        " A4*.5 B4*.5 C5*.5 D5*.5 E5*.5 C5*.5 E5*.5 A5*.5 | G5*.5 E5*.5 C5*.5 E5*.5 G5*2",
    },
)
