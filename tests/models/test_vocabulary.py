"""The vocabulary: distinct words, each with its sources."""

from engine.models.teacher import TAGS
from engine.models.vocabulary import MOODS, MUSICNN_TAGS, MUSICNN_WORDS, WORDS, YAMNET_CLASSES, YAMNET_WORDS

BY_NAME = {word.word: word for word in WORDS}


def test_words_are_distinct_case_folded_and_can_be_listed_with_commas_or_semicolons() -> None:
    """No word repeats, has capitals, or holds what separates words where they are shown."""
    assert len(BY_NAME) == len(WORDS)
    for name in BY_NAME:
        assert name == name.casefold().strip()
        assert name.isprintable()
        assert not set(",;") & set(name)


def test_every_output_of_a_teacher_means_one_word() -> None:
    """All fifty tags are used, each once; outputs of YAMNet lie within its 521 and are used once."""
    assert len(MUSICNN_TAGS) == TAGS
    assert sorted(index for word in WORDS for index in word.musicnn) == list(range(TAGS))
    outputs = [index for word in WORDS for index in word.yamnet]
    assert sorted(outputs) == sorted(YAMNET_WORDS)
    assert set(outputs) <= set(range(YAMNET_CLASSES))


def test_every_mood_means_one_word_and_every_word_has_a_source() -> None:
    """Each of the data set's moods is one word's; a word without a source could not be taught."""
    assert sorted(word.mood_word for word in WORDS if word.mood_word) == sorted(MOODS)
    assert all(word.musicnn or word.yamnet or word.mood_word for word in WORDS)


def test_a_word_that_several_sources_know_is_one_word() -> None:
    """Tags, classes and moods of one meaning meet, whatever they are called there."""
    assert (BY_NAME["jazz"].musicnn, BY_NAME["jazz"].yamnet) == ((9,), (230,))
    assert (BY_NAME["hip-hop"].musicnn, BY_NAME["hip-hop"].yamnet) == ((33,), (212,))
    assert BY_NAME["female vocals"].musicnn == (5, 31)
    assert (BY_NAME["sad"].musicnn, BY_NAME["sad"].yamnet, BY_NAME["sad"].mood_word) == ((47,), (272,), "Sad")
    assert BY_NAME["calm"].mood_word == "Calm/Peaceful"


def test_outputs_of_yamnet_are_numbered_as_in_its_class_map() -> None:
    """Words at both ends of every run of classes stand where yamnet_class_map.csv has them."""
    known = {0: "speech", 24: "singing", 62: "applause", 132: "music", 148: "piano", 192: "saxophone", 211: "pop"}
    known |= {
        232: "classical",
        269: "dance",
        276: "scary",
        494: "silence",
        505: "reverberation",
        520: "field recording",
    }
    assert {index: YAMNET_WORDS[index] for index in known} == known


def test_tags_are_in_the_order_of_musicnns_outputs() -> None:
    """Words from the first to the last output stand where the network has them."""
    known = {
        0: "rock",
        10: "beautiful",
        19: "80s",
        20: "folk",
        24: "punk",
        26: "blues",
        29: "acoustic",
        39: "catchy",
        49: "happy",
    }
    assert {index: MUSICNN_TAGS[index] for index in known} == known
    assert {index: word.word for word in WORDS for index in word.musicnn if index in known} == known


def test_renamed_tags_are_tags() -> None:
    """Every tag that is called otherwise is one that the network has."""
    assert set(MUSICNN_WORDS) <= set(MUSICNN_TAGS)
