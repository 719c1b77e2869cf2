"""The genres that ID3 numbers: eighty of ID3v1, and those added by Winamp."""

from __future__ import annotations

import re

# fmt: off
NAMES = (
    "Blues", "Classic Rock", "Country", "Dance", "Disco", "Funk", "Grunge", "Hip-Hop", "Jazz", "Metal", "New Age",
    "Oldies", "Other", "Pop", "R&B", "Rap", "Reggae", "Rock", "Techno", "Industrial", "Alternative", "Ska",
    "Death Metal", "Pranks", "Soundtrack", "Euro-Techno", "Ambient", "Trip-Hop", "Vocal", "Jazz+Funk", "Fusion",
    "Trance", "Classical", "Instrumental", "Acid", "House", "Game", "Sound Clip", "Gospel", "Noise", "AlternRock",
    "Bass", "Soul", "Punk", "Space", "Meditative", "Instrumental Pop", "Instrumental Rock", "Ethnic", "Gothic",
    "Darkwave", "Techno-Industrial", "Electronic", "Pop-Folk", "Eurodance", "Dream", "Southern Rock", "Comedy", "Cult",
    "Gangsta", "Top 40", "Christian Rap", "Pop/Funk", "Jungle", "Native American", "Cabaret", "New Wave",
    "Psychedelic", "Rave", "Showtunes", "Trailer", "Lo-Fi", "Tribal", "Acid Punk", "Acid Jazz", "Polka", "Retro",
    "Musical", "Rock & Roll", "Hard Rock",
    "Folk", "Folk-Rock", "National Folk", "Swing", "Fast Fusion", "Bebop", "Latin", "Revival", "Celtic", "Bluegrass",
    "Avantgarde", "Gothic Rock", "Progressive Rock", "Psychedelic Rock", "Symphonic Rock", "Slow Rock", "Big Band",
    "Chorus", "Easy Listening", "Acoustic", "Humour", "Speech", "Chanson", "Opera", "Chamber Music", "Sonata",
    "Symphony", "Booty Bass", "Primus", "Porn Groove", "Satire", "Slow Jam", "Club", "Tango", "Samba", "Folklore",
    "Ballad", "Power Ballad", "Rhythmic Soul", "Freestyle", "Duet", "Punk Rock", "Drum Solo", "A Cappella",
    "Euro-House", "Dance Hall", "Goa", "Drum & Bass", "Club-House", "Hardcore Techno", "Terror", "Indie", "BritPop",
    "Afro-Punk", "Polsk Punk", "Beat", "Christian Gangsta Rap", "Heavy Metal", "Black Metal", "Crossover",
    "Contemporary Christian", "Christian Rock", "Merengue", "Salsa", "Thrash Metal", "Anime", "JPop", "Synthpop",
    "Abstract", "Art Rock", "Baroque", "Bhangra", "Big Beat", "Breakbeat", "Chillout", "Downtempo", "Dub", "EBM",
    "Eclectic", "Electro", "Electroclash", "Emo", "Experimental", "Garage", "Global", "IDM", "Illbient",
    "Industro-Goth", "Jam Band", "Krautrock", "Leftfield", "Lounge", "Math Rock", "New Romantic", "Nu-Breakz",
    "Post-Punk", "Post-Rock", "Psytrance", "Shoegaze", "Space Rock", "Trop Rock", "World Music", "Neoclassical",
    "Audiobook", "Audio Theatre", "Neue Deutsche Welle", "Podcast", "Indie Rock", "G-Funk", "Dubstep", "Garage Rock",
    "Psybient",
)
# fmt: on
KEYWORDS = {"RX": "Remix", "CR": "Cover"}
NO_GENRE = 255

CODE = re.compile(r"\s*\(([0-9]{1,3}|RX|CR)\)")
NUMBER = re.compile(r"[0-9]{1,3}")


def genre_name(number: int) -> str | None:
    """The genre of a number; None if it has none."""
    return NAMES[number] if 0 <= number < len(NAMES) else None


def split_genre(text: str) -> list[str]:
    """The genres of one value of TCON.

    Codes in parentheses may come before a name that refines them ("(4)Eurodisco"); a name that begins with a
    parenthesis has it twice; since ID3v2.4 a code may stand alone. Other text that begins with digits is a name.
    """
    text = text.strip()
    found, at = [], 0
    while (match := CODE.match(text, at)) is not None:
        found += _named(match[1])
        at = match.end()
    text = text[at:].lstrip()
    if text.startswith("(("):
        text = text[1:]
    rest = _named(text) if NUMBER.fullmatch(text) or text in KEYWORDS else [text]
    return [name for name in dict.fromkeys([*found, *rest]) if name]


def _named(code: str) -> list[str]:
    if code in KEYWORDS:
        return [KEYWORDS[code]]
    number = int(code)
    return [] if number == NO_GENRE else [genre_name(number) or code]
