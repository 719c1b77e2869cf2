"""Apply an encoder's heads to single segments in NumPy, so that stored embeddings are queried without torch."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine.errors import EncoderError, brief
from engine.models.registry import ARCHITECTURES
from engine.models.weights_files import MALFORMED, EncoderFile, check_digest, read_metadata


@dataclass(frozen=True, eq=False)
class LinearHead:
    """A head's weight (C, D) and bias (C,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def segment_seconds(file: EncoderFile) -> float:
    """Return the length of an encoder's segments in seconds; raise EncoderError if its file does not state it."""
    try:
        settings = json.loads(read_metadata(file.path)["config"])
        seconds = float(settings[ARCHITECTURES[file.name].segment_setting])
    except MALFORMED as error:
        raise EncoderError(f"expected the length of a segment in the weights {file.path}, found none") from error
    if not 0 < seconds < math.inf:
        raise EncoderError(f"expected a segment of more than 0 s in the weights {file.path}, found {seconds}")
    return seconds


def segment_genres(file: EncoderFile, vectors: NDArray[np.float32]) -> list[str]:
    """Return the likeliest genre of each segment, as if the track were that segment alone.

    The genre head is linear in every architecture, and mg_cam's softplus is monotonic, so argmax_c (W h + b)_c is the
    likeliest genre.

    Args:
        file: The encoder's.
        vectors: h, (S, D), not normalised.

    Returns:
        S names out of `file.genres`.

    Raises:
        EncoderError: The weights are missing, damaged, or others than named.
    """
    outputs = _outputs(file, "genre", len(file.genres), vectors)
    return [file.genres[best] for best in np.argmax(outputs, axis=1)]


def segment_words(file: EncoderFile, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probability of each word in each segment, as if the track were that segment alone.

    Args:
        file: The encoder's.
        vectors: h, (S, D), not normalised.

    Returns:
        Probabilities (S, V) in the order of `file.words`; V is 0 for an encoder without words.

    Raises:
        EncoderError: The weights are missing, damaged, or others than named.
    """
    if not file.words:
        return np.zeros((len(vectors), 0), np.float32)
    outputs = _outputs(file, "word", len(file.words), vectors)
    return 0.5 * np.tanh(0.5 * outputs) + 0.5  # 1 / (1 + exp(-x)) without overflow


def word_head(file: EncoderFile, dimensions: int) -> LinearHead:
    """Return the head that predicts an encoder's words from the sum of segments before it is normalised.

    Args:
        file: The encoder's.
        dimensions: D.

    Raises:
        EncoderError: The weights are missing, damaged, others than named, or without words.
    """
    return _head(file, "word", len(file.words), dimensions)


def _outputs(file: EncoderFile, head: str, count: int, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a linear head with `count` outputs to vectors (S, D) -> (S, count)."""
    linear = _head(file, head, count, vectors.shape[1])
    return vectors @ linear.weight.T + linear.bias


def _head(file: EncoderFile, head: str, count: int, dimensions: int) -> LinearHead:
    check_digest(file)
    try:
        with safe_open(file.path, framework="np") as tensors:
            weight, bias = (
                np.asarray(tensors.get_tensor(f"{head}_head.{part}"), np.float32) for part in ("weight", "bias")
            )
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise EncoderError(f"expected a {head} head in the weights {file.path}, found none: {brief(error)}") from error
    expected = (count, dimensions)
    if weight.shape != expected or bias.shape != expected[:1]:
        raise EncoderError(
            f"expected a {head} head of shape {expected} in the weights {file.path}, found {weight.shape}"
        )
    return LinearHead(weight, bias)
