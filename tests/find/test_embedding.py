"""Words beyond the table, by the text embedding of the extra."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from engine import Engine
from engine.find import embedding
from engine.find.embedding import TOKENIZER, WEIGHTS, TextEmbedding, near_phrase
from engine.find.parsing import read
from engine.models.vocabulary import WORDS
from engine.search.phrases import table_of

pytest.importorskip("wordllama.config", reason="needs music-engine[find]", exc_type=ImportError)
BFLOAT16 = b'@\0\0\0\0\0\0\0{"one":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}'.ljust(8 + 64) + bytes(8)
TABLE = table_of(tuple(word.word for word in WORDS))


@pytest.mark.parametrize(
    ("word", "phrase"), [("snowfall", "snow"), ("fingerstyle", "fingerpicked"), ("choirboys", "choir")]
)
def test_a_word_of_the_same_meaning_is_found(word: str, phrase: str) -> None:
    """A word counts as the nearest phrase of the table."""
    assert near_phrase(word, TABLE) == (phrase,)
    term = read(f"no {word}", TABLE, guess=near_phrase).terms[0]
    assert (term.words, term.tags, term.weight) == (f"no {word}", TABLE.tags[(phrase,)], -1)


@pytest.mark.parametrize("word", ["chivalry", "zzxqv", "the", "klaviermusik", "спокойное", "12345", "nan", "x" * 5_000])
def test_other_words_stay_unknown(word: str) -> None:
    """Nonsense, other languages and numbers are near nothing."""
    assert near_phrase(word, TABLE) is None


def test_without_the_extra_words_are_ignored(described: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is missing, or its files are not those expected, an unknown word is ignored."""
    monkeypatch.setattr(embedding, "PACKAGES", ("no_such_package",))
    assert described.find("piano choirboys").ignored == ("choirboys",)
    monkeypatch.undo()
    assert described.find("piano choirboys").ignored == ()
    monkeypatch.setattr(embedding, "WEIGHTS", "weights/none.safetensors")
    embedding._embedded.cache_clear()
    assert described.find("piano choirboys").ignored == ("choirboys",)
    embedding._embedded.cache_clear()


def _weights(vectors: np.ndarray) -> bytes:
    return save({"embedding.weight": vectors})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (TOKENIZER, b""),
        (TOKENIZER, b"{}"),
        (TOKENIZER, b'{"version": "9"}'),
        (TOKENIZER, b"\xff"),
        (WEIGHTS, b""),
        (WEIGHTS, _weights(np.ones((5, 8), np.float16))),
        (WEIGHTS, _weights(np.ones(40_000, np.float16))),
        (WEIGHTS, BFLOAT16),
        (WEIGHTS, save({"one": np.ones((4, 4)), "two": np.ones((4, 4))})),
    ],
    ids=["no text", "no model", "another version", "no UTF-8", "no weights", "few rows", "1-D", "a type", "two"],
)
def test_damaged_files_are_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes) -> None:
    """With a damaged file, or one of another version, words beyond the table are unknown."""
    for each in (WEIGHTS, TOKENIZER):
        (tmp_path / each).parent.mkdir()
        (tmp_path / each).write_bytes(resources.files("wordllama").joinpath(each).read_bytes())
    (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(embedding.resources, "files", lambda _: tmp_path)
    embedding._embedded.cache_clear()
    with pytest.raises(ValueError, match=r"."):
        TextEmbedding()
    assert near_phrase("snowfall", TABLE) is None
    embedding._embedded.cache_clear()


def test_it_is_loaded_for_unknown_words_only() -> None:
    """The table alone loads neither the embedding nor its tokenizer."""
    code = (
        "import sys\nfrom engine.find.embedding import near_phrase\nfrom engine.find.parsing import read\n"
        "from engine.search.phrases import table_of\n"
        "read('calm piano', table_of(('calm', 'piano')), guess=near_phrase)\n"
        "print(*[name for name in ('tokenizers', 'wordllama', 'torch') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
