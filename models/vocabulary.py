"""The vocabulary of the word head, and the sources of each word's training targets.

Three sources: the fifty tags of MusiCNN (Pons and Serra 2019, trained on the Million Song Dataset's Last.fm tags);
those of YAMNet's 521 AudioSet classes (Gemmeke et al. 2017) for music, voices, rooms, crowds and noise;
and the AllMusic moods of the 4Q audio emotion data set (Panda, Malheiro, Paiva 2018). A word found in several
sources is listed once, with all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

# In the order of the network's outputs, as it spells them.
MUSICNN_TAGS = (
    "rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s", "alternative rock", "jazz",
    "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul", "indie rock", "Mellow", "electronica",
    "80s", "folk", "90s", "chill", "instrumental", "punk", "oldies", "blues", "hard rock", "ambient", "acoustic",
    "experimental", "female vocalist", "guitar", "Hip-Hop", "70s", "party", "country", "easy listening", "sexy",
    "catchy", "funk", "electro", "heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy",
)  # fmt: skip
MUSICNN_WORDS = {
    "female vocalists": "female vocals",
    "female vocalist": "female vocals",
    "male vocalists": "male vocals",
    "chillout": "chill",
}  # renamed tags; the others are used case-folded

YAMNET_CLASSES = 521
# Output of the network -> word; the outputs are numbered as in yamnet_class_map.csv.
YAMNET_WORDS = {
    0: "speech", 1: "child speech", 2: "conversation", 3: "narration", 5: "speech synthesizer", 6: "shouting",
    11: "screaming", 12: "whispering", 13: "laughter",
    24: "singing", 25: "choir", 26: "yodeling", 27: "chanting", 28: "mantra", 29: "child singing",
    30: "synthetic singing", 31: "rapping", 32: "humming", 35: "whistling",
    57: "finger snapping", 58: "clapping", 61: "cheering", 62: "applause", 63: "chatter", 64: "crowd",
    132: "music", 134: "plucked strings", 135: "guitar", 136: "electric guitar", 137: "bass guitar",
    138: "acoustic guitar", 139: "slide guitar", 140: "guitar tapping", 141: "strumming", 142: "banjo", 143: "sitar",
    144: "mandolin", 145: "zither", 146: "ukulele", 147: "keyboard", 148: "piano", 149: "electric piano", 150: "organ",
    151: "electronic organ", 152: "hammond organ", 153: "synthesizer", 154: "sampler", 155: "harpsichord",
    156: "percussion", 157: "drum kit", 158: "drum machine", 159: "drum", 160: "snare drum", 161: "rimshot",
    162: "drum roll", 163: "bass drum", 164: "timpani", 165: "tabla", 166: "cymbal", 167: "hi-hat", 168: "wood block",
    169: "tambourine", 170: "rattle", 171: "maracas", 172: "gong", 173: "tubular bells", 174: "mallet percussion",
    175: "marimba or xylophone", 176: "glockenspiel", 177: "vibraphone", 178: "steelpan",
    179: "orchestra", 180: "brass", 181: "french horn", 182: "trumpet", 183: "trombone", 184: "bowed strings",
    185: "string section", 186: "violin", 187: "pizzicato", 188: "cello", 189: "double bass", 190: "woodwind",
    191: "flute", 192: "saxophone", 193: "clarinet", 194: "harp", 195: "bell", 196: "church bell", 197: "jingle bells",
    200: "chimes", 201: "wind chimes", 203: "harmonica", 204: "accordion", 205: "bagpipes", 206: "didgeridoo",
    208: "theremin", 209: "singing bowl", 210: "turntable scratching",
    211: "pop", 212: "hip-hop", 213: "beatboxing", 214: "rock", 215: "heavy metal", 216: "punk", 217: "grunge",
    218: "progressive rock", 219: "rock and roll", 220: "psychedelic rock", 221: "rnb", 222: "soul", 223: "reggae",
    224: "country", 225: "swing", 226: "bluegrass", 227: "funk", 228: "folk", 229: "middle eastern", 230: "jazz",
    231: "disco", 232: "classical", 233: "opera", 234: "electronic", 235: "house", 236: "techno", 237: "dubstep",
    238: "drum and bass", 239: "electronica", 240: "electronic dance music", 241: "ambient", 242: "trance",
    243: "latin", 244: "salsa", 245: "flamenco", 246: "blues", 247: "children's music", 248: "new age",
    249: "vocal music", 250: "a cappella", 251: "african", 252: "afrobeat", 253: "christian", 254: "gospel",
    255: "asian", 256: "carnatic", 257: "bollywood", 258: "ska", 259: "traditional", 260: "indie",
    262: "background music", 263: "theme music", 264: "jingle", 265: "soundtrack", 266: "lullaby",
    267: "video game music", 268: "christmas", 269: "dance",
    271: "happy", 272: "sad", 273: "tender", 274: "exciting", 275: "angry", 276: "scary",
    458: "chorus effect", 494: "silence", 498: "sound effect", 500: "small room", 501: "large room or hall",
    502: "public space", 503: "outdoors in a city", 504: "outdoors in nature", 505: "reverberation", 506: "echo",
    507: "noise", 508: "environmental noise", 509: "static", 510: "mains hum", 511: "distortion", 514: "white noise",
    519: "radio", 520: "field recording",
}  # fmt: skip

# In the data set's spelling: moods of at least 15 training clips.
MOODS = (
    "Joyous", "Sad", "Gloomy", "Angry", "Hostile", "Harsh", "Calm/Peaceful", "Bitter", "Exciting", "Cheerful", "Happy",
    "Reckless", "Greasy", "Soothing", "Bleak", "Fiery", "Fierce", "Spicy", "Tense/Anxious", "Sexy", "Gentle", "Lazy",
    "Anguished/Distraught", "Somber", "Delicate", "Volatile", "Soft/Quiet", "Outrageous", "Precious", "Weary",
    "Uncompromising", "Rebellious", "Menacing", "Lush", "Nervous/Jittery", "Refined", "Spiritual", "Sensual",
    "Hypnotic", "Reserved", "Intense", "Sweet", "Negative", "Sparkling", "Complex", "Reverent", "Innocent",
    "Malevolent", "Ominous", "Elegant", "Lively", "Energetic", "Ethereal", "Playful", "Fun", "Organic", "Dreamy",
    "Atmospheric", "Restrained", "Humorous", "Relaxed", "Positive", "Elaborate", "Messy", "Cathartic", "Eccentric",
    "Light", "Summery", "Brooding", "Carefree", "Confident", "Nocturnal", "Sophisticated", "Rousing", "Romantic",
    "Intimate", "Smooth", "Rowdy", "Snide", "Cynical/Sarcastic", "Sexual", "Cerebral", "Theatrical", "Urgent", "Gutsy",
    "Poignant", "Laid-Back/Mellow", "Earthy", "Outraged", "Rustic", "Amiable/Good-Natured", "Boisterous",
    "Sentimental", "Angst-Ridden", "Warm", "Nostalgic", "Passionate", "Detached", "Bittersweet", "Melancholy",
    "Strong", "Lonely", "Thuggish", "Unsettling", "Rollicking", "Bright", "Whimsical", "Confrontational", "Stylish",
    "Nihilistic", "Giddy", "Eerie",
)  # fmt: skip
MOOD_WORDS = {
    "Calm/Peaceful": "calm",
    "Tense/Anxious": "tense",
    "Anguished/Distraught": "anguished",
    "Soft/Quiet": "soft",
    "Nervous/Jittery": "nervous",
    "Cynical/Sarcastic": "cynical",
    "Laid-Back/Mellow": "mellow",
    "Amiable/Good-Natured": "good-natured",
}  # renamed moods; the others are used case-folded


@dataclass(frozen=True)
class Word:
    """A word and its sources; a word has at least one.

    Attributes:
        word: For display: case-folded English, without commas or semicolons.
        musicnn: Its outputs among MusiCNN's 50.
        yamnet: Its outputs among YAMNet's 521.
        mood_word: Its AllMusic mood, in the 4Q data set's spelling.
    """

    word: str
    musicnn: tuple[int, ...] = ()
    yamnet: tuple[int, ...] = ()
    mood_word: str | None = None


def _merged() -> tuple[Word, ...]:
    musicnn = [MUSICNN_WORDS.get(tag, tag.casefold()) for tag in MUSICNN_TAGS]
    moods = {MOOD_WORDS.get(mood, mood.casefold()): mood for mood in MOODS}
    return tuple(
        Word(
            word,
            tuple(index for index, name in enumerate(musicnn) if name == word),
            tuple(index for index, name in YAMNET_WORDS.items() if name == word),
            moods.get(word),
        )
        for word in dict.fromkeys([*musicnn, *YAMNET_WORDS.values(), *moods])
    )


WORDS: tuple[Word, ...] = _merged()  # MusiCNN's tags, then YAMNet's further words, then moods
