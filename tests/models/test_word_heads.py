"""Words: a head of their own, saved with the encoder, the same with and without torch."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from engine.errors import EncoderError
from engine.models.checkpoint import load_encoder
from engine.models.encoder import Encoder
from engine.models.numpy_heads import segment_words
from engine.models.weights_files import find_encoder, read_metadata
from tests.models.conftest import MakeTrack
from tests.models.test_checkpoints import write
from tests.words import WORDS, worded_encoder

ROUNDING = 1e-5  # of float32
HALF = 5e-3  # of a probability, by weights in half precision


@pytest.fixture
def worded(fresh: Encoder) -> Encoder:
    """Each architecture with words."""
    encoder = copy.deepcopy(fresh)
    torch.manual_seed(1)
    encoder.add_words(WORDS)
    return encoder


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The checkpoint of a small encoder with words."""
    path = tmp_path / "worded.safetensors"
    write(path, worded_encoder())
    return path


def test_an_encoder_without_words_has_no_head_for_them(fresh: Encoder, make_track: MakeTrack) -> None:
    """Without `add_words` there is no parameter of a word head, and a track has no words."""
    assert fresh.words == ()
    assert not [name for name, _ in fresh.named_parameters() if "word" in name]
    assert fresh.summarise(fresh.vectors_of(make_track(fresh.plan.samples, 1))).words.shape == (0,)


def test_a_word_is_the_logistic_function_of_the_sum_of_windows(worded: Encoder, make_track: MakeTrack) -> None:
    """Each probability is that of one row of the head on the attention-weighted sum of the windows, by itself."""
    heard = worded.summarise(worded.vectors_of(make_track(worded.plan.samples, 2)))
    raw = torch.from_numpy(heard.attention @ heard.segment_vectors)  # (D,)
    with torch.no_grad():
        logits = worded.word_head.weight @ raw + worded.word_head.bias
    np.testing.assert_allclose(heard.words, 1 / (1 + torch.exp(-logits)), atol=1e-4)
    with torch.no_grad():
        worded.word_head.bias[0] += 1
    again = worded.summarise(torch.from_numpy(heard.segment_vectors)).words
    assert again[0] > heard.words[0]
    np.testing.assert_allclose(again[1:], heard.words[1:], atol=ROUNDING)


def test_words_are_replaced_and_taken_away(worded: Encoder) -> None:
    """A second call gives a head for other words; none leaves the encoder as it was without."""
    worded.add_words(("harp",))
    assert (worded.words, worded.word_head.out_features) == (("harp",), 1)
    worded.add_words(())
    assert worded.words == ()
    assert not [name for name in worded.state_dict() if "word" in name]


def test_words_are_saved_and_loaded(worded: Encoder, make_track: MakeTrack, tmp_path: Path) -> None:
    """A checkpoint names its words, and the loaded encoder answers with them as the saved one did."""
    path = tmp_path / "new.safetensors"
    write(path, worded)
    file = find_encoder(str(path))
    assert file.words == WORDS
    loaded = load_encoder(file)
    assert loaded.words == WORDS
    vectors = worded.vectors_of(make_track(worded.plan.samples, 1))
    np.testing.assert_allclose(loaded.summarise(vectors).words, worded.summarise(vectors).words, atol=HALF)


def test_a_checkpoint_without_words_says_nothing_of_them(fresh: Encoder, tmp_path: Path) -> None:
    """Files of encoders without words are as they were before there were words, and have none."""
    path = tmp_path / "new.safetensors"
    write(path, fresh)
    assert list(json.loads(read_metadata(path)["labels"])) == ["genres", "moods"]
    assert find_encoder(str(path)).words == ()
    assert load_encoder(find_encoder(str(path))).words == ()


def test_words_of_segments_as_the_network_has_them(worded: Encoder, tmp_path: Path) -> None:
    """Without torch, a segment's words are those of a track that is that segment alone."""
    path = tmp_path / "new.safetensors"
    write(path, worded)
    file = find_encoder(str(path))
    vectors = torch.randn(20, worded.dim, generator=torch.Generator().manual_seed(1))
    found = segment_words(file, vectors.numpy())
    loaded = load_encoder(file)
    expected = np.stack([loaded.summarise(vector[None]).words for vector in vectors])
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    assert found.dtype == np.float32


def test_words_of_segments_stay_probabilities(saved: Path) -> None:
    """However large a vector is, its words are numbers from 0 to 1."""
    vectors = 1e6 * np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
    found = segment_words(find_encoder(str(saved)), vectors)
    assert found.shape == (4, len(WORDS))
    assert found.min() == 0
    assert found.max() == 1


def test_segments_have_no_words_where_the_encoder_has_none(fresh: Encoder, tmp_path: Path) -> None:
    """An encoder without words gives each segment none."""
    write(tmp_path / "new.safetensors", fresh)
    vectors = np.zeros((3, fresh.dim), np.float32)
    assert segment_words(find_encoder(str(tmp_path / "new.safetensors")), vectors).shape == (3, 0)


def test_words_that_the_weights_do_not_have(saved: Path, tmp_path: Path) -> None:
    """A file that names words without a head for them, or other words than its head has, is refused."""
    bare, other = tmp_path / "bare.safetensors", tmp_path / "other.safetensors"
    metadata, tensors = read_metadata(saved), load_file(saved)
    save_file({name: tensor for name, tensor in tensors.items() if "word" not in name}, bare, metadata)
    labels = json.loads(metadata["labels"]) | {"words": ["harp"]}
    save_file(tensors, other, metadata | {"labels": json.dumps(labels)})
    for path, message in ((bare, "expected a word head"), (other, "expected a word head of shape")):
        with pytest.raises(EncoderError, match=message):
            segment_words(find_encoder(str(path)), np.zeros((1, 64), np.float32))
        with pytest.raises(EncoderError, match="do not fit attention_signature"):
            load_encoder(find_encoder(str(path)))


def test_a_head_that_no_label_names(saved: Path) -> None:
    """A file with a word head that names no words is refused: nobody could tell what its outputs mean."""
    metadata, tensors = read_metadata(saved), load_file(saved)
    labels = json.loads(metadata["labels"])
    del labels["words"]
    save_file(tensors, saved, metadata | {"labels": json.dumps(labels)})
    with pytest.raises(EncoderError, match="do not fit attention_signature"):
        load_encoder(find_encoder(str(saved)))
