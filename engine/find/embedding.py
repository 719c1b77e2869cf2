"""Map words missing from the phrase table to its phrases by a text embedding: the extra `music-engine[find]`.

wordllama (MIT licence) carries in its wheel 256 numbers for each of 32,000 tokens, trained so that the mean over the
tokens of a text is near those of texts with the same meaning: 16 MB, no network at run time. The files are read
directly, as safetensors and JSON. A word maps to the phrase of the largest cosine, if that is at least 0.7. With each
single synonym of the table left out in turn, 24 % map to a phrase without a common word, 81 % of them correctly
(MiniLM-L6, five times the size: 33 %, 83 %). Loaded only if installed and a word is otherwise unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from engine.search.phrases import Phrase, Table

PACKAGES = ("wordllama", "tokenizers")
WEIGHTS, TOKENIZER = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
LEAST_COSINE = 0.7
SHORTEST = 4  # letters of a word that is looked up

Floats = NDArray[np.float32]


class TextEmbedding:
    """The mean of token vectors.

    Raises:
        ImportError: The packages are not installed.
        OSError: Their files are not at the expected paths.
        ValueError: The files are damaged, or of another version.
    """

    def __init__(self) -> None:
        folder = resources.files("wordllama")
        try:
            tensors = load(folder.joinpath(WEIGHTS).read_bytes())
        except (SafetensorError, KeyError) as error:  # KeyError: a type that NumPy lacks
            raise ValueError(f"expected token vectors in {WEIGHTS}, found {error}") from error
        self._tokenizer = _read_tokenizer(folder.joinpath(TOKENIZER).read_text("utf-8"))
        (self._vectors,) = tensors.values()  # (tokens, D)
        tokens, shape = self._tokenizer.get_vocab_size(), self._vectors.shape
        if len(shape) != 2 or shape[0] < tokens:
            raise ValueError(f"expected vectors of {tokens} tokens in {WEIGHTS}, found the shape {shape}")

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return the unit vectors (N, D) of texts."""
        tokens = [self._tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        means = np.stack([self._vectors[ids].astype(np.float32).mean(axis=0) for ids in tokens])
        unit: Floats = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
        return unit


def near_phrase(word: str, table: Table) -> Phrase | None:
    """Return the phrase of the table nearest in meaning to a word; None if none is near or the extra is missing."""
    if len(word) < SHORTEST or not word.isascii() or not word.isalpha():
        return None
    phrases = tuple(table.tags)
    embedded = _embedded(phrases) if installed() else None
    if embedded is None:
        return None
    cosines = embedded.vectors @ embedded.embedding.embed([word])[0]
    best = int(np.argmax(cosines))
    return phrases[best] if cosines[best] >= LEAST_COSINE else None


def installed() -> bool:
    """Return whether the extra is installed."""
    return all(find_spec(name) is not None for name in PACKAGES)


def _read_tokenizer(text: str) -> Any:
    """Return the tokenizer of a JSON text; raise ValueError if it is damaged."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the package raises this class itself
        raise ValueError(f"expected a tokenizer in {TOKENIZER}, found {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


@dataclass(frozen=True, eq=False)
class _Embedded:
    embedding: TextEmbedding
    vectors: Floats  # (phrases, D)


@lru_cache(maxsize=4)
def _embedded(phrases: tuple[Phrase, ...]) -> _Embedded | None:
    """Return phrases with their vectors; None unless the package's files are the expected ones."""
    try:
        embedding = TextEmbedding()
    except (ImportError, OSError, ValueError):
        return None
    return _Embedded(embedding, embedding.embed([" ".join(phrase) for phrase in phrases]))
