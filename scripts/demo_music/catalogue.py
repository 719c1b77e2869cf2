"""The collection: every piece's tags, harmony and, where one is quoted, its tune (all in the public domain).

Progressions and tunes are in C or A minor; each piece moves them to its own key. Bands and albums are invented.
"""

from collections.abc import Callable

from .instruments import (
    clean_guitar,
    electric_piano,
    fiddle,
    flute,
    harmonica,
    harpsichord,
    lead_guitar,
    nylon_guitar,
    organ,
    piano,
    power_chord,
    saxophone,
    steel_guitar,
    strings,
    synth_lead,
    trumpet,
    vibraphone,
)
from .score import Song
from .tunes import (
    AULD_LANG_SYNE,
    CANON,
    GREENSLEEVES,
    LA_CUCARACHA,
    MINUET,
    MOUNTAIN_KING,
    ODE_TO_JOY,
    OH_SUSANNA,
    PRELUDE,
    SAINTS,
    SCARBOROUGH_FAIR,
)

TWELVE_BARS = "C7 C7 C7 C7 | F7 F7 C7 C7 | G7 F7 C7 G7"
QUICK_CHANGE = "C7 F7 C7 C7 | F7 F7 C7 A7 | D7 G7 C7 G7"
MINOR_TWELVE = "Am7 Am7 Am7 Am7 | Dm7 Dm7 Am7 Am7 | F7 E7 Am7 E7"


def catalogue() -> list[Song]:
    """Every piece of the collection, in a fixed order."""
    return [*_blues(), *_classical(), *_disco(), *_folk(), *_hiphop(), *_jazz(), *_latin(), *_metal(), *_reggae()]


def _album(style: str, bands: tuple[str, str], albums: tuple[str, str], year: int, seed: int) -> Callable[..., Song]:
    """A maker of one style's songs, which take turns between two bands and count on from `year` and `seed`."""
    made: list[Song] = []

    def song(
        title: str, key: int, tempo: float, form: str, chords: dict[str, str], lead, backing, groove, tunes=None
    ) -> Song:  # type: ignore[no-untyped-def]
        i = len(made)
        tags = (style, title, bands[i % 2], albums[i % 2], year + 3 * i)
        made.append(Song(*tags, key, tempo, form, chords, lead, backing, groove, tunes or {}, seed + i))
        return made[-1]

    return song


def _blues() -> list[Song]:
    song = _album("blues", ("Delta Mile Trio", "Ruby Lane"), ("Twelve to the Bar", "Smoke on the Porch"), 1958, 100)
    intro = "C7 G7"
    return [
        song("Gravel Road Shuffle", 4, 112, "I A", {"I": intro, "A": TWELVE_BARS}, harmonica, organ, "shuffle"),
        song("Late Rent", -3, 92, "I A", {"I": intro, "A": QUICK_CHANGE}, lead_guitar, piano, "slow"),
        song(
            "Porchlight Boogie",
            0,
            126,
            "I A B",
            {"I": intro, "A": TWELVE_BARS, "B": "F7 F7 C7 C7"},
            harmonica,
            piano,
            "rock",
        ),
        song("Blue Before Noon", 2, 104, "I A", {"I": "Am7 E7", "A": MINOR_TWELVE}, clean_guitar, organ, "shuffle"),
    ]


def _classical() -> list[Song]:
    song = _album(
        "classical", ("Linden Chamber Players", "Aurel Stein Ensemble"), ("Old Masters", "By Candlelight"), 1984, 200
    )
    return [
        song("Prelude in C", 0, 72, "A B", *PRELUDE[:1], strings, harpsichord, "arpeggio", PRELUDE[1]),
        song("Ode to Joy", 2, 104, "A B", *ODE_TO_JOY[:1], strings, piano, "alberti", ODE_TO_JOY[1]),
        song("Canon in D", 2, 104, "I A B", *CANON[:1], fiddle, harpsichord, "canon", CANON[1]),
        song("Minuet in G", -5, 126, "A B", *MINUET[:1], flute, piano, "minuet", MINUET[1]),
    ]


def _disco() -> list[Song]:
    song = _album(
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


def _folk() -> list[Song]:
    song = _album("folk", ("The Hawthorn Gate", "Wren & Alder"), ("Under the Hill", "Rivers and Roads"), 1968, 400)
    return [
        song("Greensleeves", 0, 168, "I A A B", *GREENSLEEVES[:1], flute, steel_guitar, "waltz", GREENSLEEVES[1]),
        song(
            "Auld Lang Syne", -3, 122, "I A B", *AULD_LANG_SYNE[:1], fiddle, nylon_guitar, "travis", AULD_LANG_SYNE[1]
        ),
        song(
            "Scarborough Fair",
            4,
            144,
            "I A B A",
            *SCARBOROUGH_FAIR[:1],
            fiddle,
            nylon_guitar,
            "waltz",
            SCARBOROUGH_FAIR[1],
        ),
        song("Oh! Susanna", 2, 160, "I A B", *OH_SUSANNA[:1], harmonica, steel_guitar, "reel", OH_SUSANNA[1]),
    ]


def _hiphop() -> list[Song]:
    song = _album("hiphop", ("Corner Static", "Mx. Lowercase"), ("Tape Hiss", "Block Letters"), 1994, 500)
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


def _jazz() -> list[Song]:
    song = _album("jazz", ("The Quarter Past Quartet", "Inez Farrow Trio"), ("Last Set", "Blue Umbrella"), 1957, 600)
    changes = "Cmaj7 Am7 Dm7 G7 | Em7 A7 Dm7 G7"
    bridge = "Gm7 C7 Fmaj7 Fmaj7 | Am7 D7 Dm7 G7"
    return [
        song("When the Saints", -2, 196, "I A B", *SAINTS[:1], trumpet, piano, "swing", SAINTS[1]),
        song(
            "Rain Check",
            3,
            84,
            "I A B",
            {"I": "Am7 E7", "A": "Am7 Dm7 G7 Cmaj7", "B": "Fmaj7 Bm7b5 E7b9 Am7"},
            saxophone,
            piano,
            "ballad",
        ),
        song(
            "Hat Trick",
            5,
            208,
            "I A B A",
            {"I": "Cmaj7,Am7 Dm7,G7", "A": changes, "B": bridge},
            saxophone,
            vibraphone,
            "bop",
        ),
        song(
            "Boats at Anchor",
            0,
            132,
            "I A B",
            {"I": "Cmaj7 Dm7,G7", "A": "Cmaj9 Cmaj9 D9 D9 | Dm9 G7 Cmaj9 G7", "B": bridge},
            flute,
            nylon_guitar,
            "bossa",
        ),
    ]


def _latin() -> list[Song]:
    song = _album("latin", ("Orquesta Malecón", "Los Faroles"), ("Noche en el Puerto", "Calle Ocho y Media"), 1971, 700)
    minor = {"I": "Am E7", "A": "Am Dm E7 Am", "B": "Dm Am E7 Am Dm Am E7 E7"}
    return [
        song("La Cucaracha", 0, 112, "I A B", *LA_CUCARACHA[:1], trumpet, piano, "son", LA_CUCARACHA[1]),
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


def _metal() -> list[Song]:
    song = _album("metal", ("Iron Cathedral", "Vulture Parade"), ("Anvil Hymns", "Eleven Funerals"), 1986, 800)
    return [
        song(
            "Hall of the Mountain King",
            -3,
            144,
            "A B A B",
            *MOUNTAIN_KING[:1],
            lead_guitar,
            power_chord,
            "march",
            MOUNTAIN_KING[1],
        ),
        song(
            "Siege Engine",
            -5,
            168,
            "A B A B",
            {"A": "A5 A5 A5 C5 A5 A5", "B": "F5 G5 A5 A5 F5 G5"},
            lead_guitar,
            power_chord,
            "gallop",
        ),
        song(
            "Paper Tiger Burns",
            -5,
            192,
            "A B A B",
            {"A": "A5 A5 A5 A5 Bb5 A5 G5 A5", "B": "D5 D5 C5 C5 Bb5 Bb5"},
            lead_guitar,
            power_chord,
            "thrash",
        ),
        song(
            "Slow Eclipse",
            -7,
            76,
            "A B",
            {"A": "A5 A5 Bb5 A5 D5", "B": "A5 C5 G5 F5 A5"},
            lead_guitar,
            power_chord,
            "doom",
        ),
    ]


def _reggae() -> list[Song]:
    song = _album("reggae", ("Tamarind Root", "King Harbour Sound"), ("Third Beat", "Harbour Dub"), 1974, 900)
    return [
        song(
            "Easy Morning", 2, 76, "I A B", {"I": "C F", "A": "C F C G", "B": "Am F C G"}, harmonica, organ, "one drop"
        ),
        song(
            "Kingston Ledger",
            0,
            84,
            "I A B",
            {"I": "Am Dm", "A": "Am Dm Am G", "B": "F G Am Am F G"},
            trumpet,
            organ,
            "rockers",
        ),
        song(
            "Forward Step",
            -3,
            80,
            "I A B",
            {"I": "Am Am", "A": "Am G F G", "B": "Dm Am G Am"},
            saxophone,
            organ,
            "steppers",
        ),
        song(
            "Echo Chamber Four",
            5,
            72,
            "I A B",
            {"I": "Am Am", "A": "Am Am Dm Am", "B": "Am Am Dm Em"},
            flute,
            organ,
            "dub",
        ),
    ]
