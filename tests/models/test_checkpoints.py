"""Checkpoints are read as saved, and foreign or damaged files are refused in one line.

Covers `checkpoint` and `weights_files`.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import EncoderError
from engine.models.checkpoint import build, contents, load_encoder
from engine.models.encoder import Encoder
from engine.models.labels import GENRES, MOODS
from engine.models.registry import ARCHITECTURES, load_classes
from engine.models.weights_files import (
    FORMAT,
    SHIPPED,
    EncoderFile,
    find_encoder,
    read_metadata,
    reference_centroids,
    shipped_path,
)
from tests.models.conftest import MakeTrack

HALF_PRECISION_COSINE = 0.999
SMALL = {"token_seconds": 1.0, "widths": [8, 16], "frame_dim": 24, "stem": 8, "dim": 64}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A small untrained encoder's checkpoint."""
    torch.manual_seed(3)
    path = tmp_path / "small.safetensors"
    write(path, build("attention_signature", SMALL))
    return path


def write(path: Path, encoder: Encoder, **metadata: str) -> None:
    """Write an encoder's checkpoint, some of its metadata replaced."""
    name = next(name for name in ARCHITECTURES if load_classes(name)[0] is type(encoder))
    tensors, found = contents(encoder, name, {"steps": 3})
    save_file(tensors, path, found | metadata)


def refusal(path: Path) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(EncoderError) as caught:
        load_encoder(find_encoder(str(path)))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_are_what_their_table_says(name: str) -> None:
    """Every shipped file has the hash, the name and the labels that it should have."""
    assert hashlib.sha256(shipped_path(name).read_bytes()).hexdigest() == SHIPPED[name]
    metadata = read_metadata(shipped_path(name))
    assert (metadata["format"], metadata["name"]) == (FORMAT, name)
    labels = json.loads(metadata["labels"])
    assert (labels["genres"], labels["moods"]) == (list(GENRES), list(MOODS))
    assert set(labels) <= {"genres", "moods", "words"}


def test_shipped_centroids_are_unit_rows() -> None:
    """The reference centroids are readable without the network: a unit row for each genre."""
    centroids = reference_centroids(find_encoder())
    assert centroids.shape[0] == len(GENRES)
    torch.testing.assert_close(torch.from_numpy(centroids).norm(dim=1), torch.ones(len(GENRES)), atol=1e-4, rtol=0)


def test_centroids_fit_the_genres(tmp_path: Path) -> None:
    """A file whose centroids are not one for each of its genres is refused before anything is named by them."""
    write(tmp_path / "odd.safetensors", build("attention_signature", SMALL), labels='{"genres": ["a"], "moods": ["b"]}')
    with pytest.raises(EncoderError, match="expected 1 centroids"):
        reference_centroids(find_encoder(str(tmp_path / "odd.safetensors")))


def test_half_precision_hardly_moves_a_signature(fresh: Encoder, make_track: MakeTrack, tmp_path: Path) -> None:
    """An encoder that was saved, its weights in half precision, gives nearly the signature that it gave before."""
    path = tmp_path / "new.safetensors"
    write(path, fresh)
    loaded = load_encoder(find_encoder(str(path)))
    windows = make_track(fresh.plan.samples, 4)
    before, after = (encoder.summarise(encoder.vectors_of(windows)) for encoder in (fresh, loaded))
    assert before.signature @ after.signature > HALF_PRECISION_COSINE
    np.testing.assert_allclose(after.genres, before.genres, atol=1e-2)
    assert path.stat().st_size < 2.2 * sum(p.numel() for p in fresh.parameters())


def test_loading_restores_every_tensor_and_setting(saved: Path) -> None:
    """Weights, statistics and settings come back as the file holds them, and the encoder is ready for inference."""
    loaded = load_encoder(find_encoder(str(saved)))
    assert not loaded.training
    assert (loaded.dim, loaded.plan.seconds, loaded.config.widths) == (64, 1.0, (8, 16))
    stored = load_file(saved)
    assert set(stored) == set(loaded.state_dict())
    assert all(torch.equal(value.float(), stored[name].float()) for name, value in loaded.state_dict().items())
    assert json.loads(read_metadata(saved)["training"]) == {"steps": 3}


def test_labels_are_the_encoders_own(tmp_path: Path) -> None:
    """An encoder of other labels is saved and loaded with them; its file names them without the network."""
    path, genres, moods = tmp_path / "own.safetensors", ("k-pop", "müzik", "日本"), ("glad", "gloomy")
    write(path, build("attention_signature", SMALL, genres, moods))
    file = find_encoder(str(path))
    assert (file.genres, file.moods) == (genres, moods)
    assert reference_centroids(file).shape == (3, 64)
    loaded = load_encoder(file)
    assert (loaded.genres, loaded.moods) == (genres, moods)
    assert (loaded.genre_head.out_features, loaded.mood_head.out_features) == (3, 2)


def test_the_id_is_the_hash_of_the_file(saved: Path) -> None:
    """A file's id ends in the first six digits of its SHA-256, so other weights have another id."""
    file = find_encoder(str(saved))
    assert file.id == "attention_signature@" + hashlib.sha256(saved.read_bytes()).hexdigest()[:6]
    write(saved, build("attention_signature", SMALL))
    assert find_encoder(str(saved)).id != file.id


def test_changed_weights_are_refused(saved: Path) -> None:
    """A file of which one bit changed since it was named is refused: its hash is wrong."""
    file = find_encoder(str(saved))
    data = bytearray(saved.read_bytes())
    data[-1] ^= 1
    saved.write_bytes(data)
    with pytest.raises(EncoderError, match=f"wrong hash.*{file.id}"):
        load_encoder(file)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_files_are_refused(saved: Path, share: float) -> None:
    """A file that was cut short anywhere is refused, and the message names it."""
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    assert str(saved) in refusal(saved)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    """A path without a file, and a folder, are refused."""
    assert "cannot read" in refusal(tmp_path / "none.safetensors")
    (tmp_path / "folder.safetensors").mkdir()
    assert "cannot read" in refusal(tmp_path / "folder.safetensors")
    with pytest.raises(EncoderError, match=r"none\.safetensors"):
        load_encoder(EncoderFile("attention_signature", "0" * 64, tmp_path / "none.safetensors"))


def test_pickles_are_refused(tmp_path: Path) -> None:
    """A pickled torch file under the right name is refused and not run."""
    path = tmp_path / "pickle.safetensors"
    torch.save({"a": torch.zeros(3)}, path)
    assert "cannot read" in refusal(path)


def test_foreign_safetensors_are_refused(tmp_path: Path) -> None:
    """Somebody else's safetensors file is recognised by its metadata."""
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path, {"format": "pt"})
    assert "another safetensors file" in refusal(path)
    save_file({"weight": torch.zeros(3)}, path)
    assert "another safetensors file" in refusal(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"name": "resnet"}, "unknown encoder 'resnet'"),
        ({"config": "{"}, "expected settings"),
        ({"config": "[1]"}, "expected settings"),
        ({"config": '{"colour": 3}'}, "settings of attention_signature do not fit"),
        ({"config": '{"dim": 32}'}, "do not fit attention_signature"),
        ({"labels": '{"genres": ["polka"], "moods": ["glad"]}'}, "do not fit attention_signature"),
        ({"labels": '{"genres": ["polka"], "moods": []}'}, "distinct names of moods"),
        ({"labels": '{"genres": ["polka", "polka"], "moods": ["glad"]}'}, "distinct names of genres"),
        ({"labels": '{"genres": ["a\\u001b[2J"], "moods": ["glad"]}'}, "distinct names of genres"),
        ({"labels": '{"genres": [7], "moods": ["glad"]}'}, "distinct names of genres"),
        ({"labels": '{"genres": ["polka"]}'}, "expected genres and moods"),
        ({"labels": '{"genres": ["polka"], "moods": ["glad"], "words": ["harp", "harp"]}'}, "distinct names of words"),
        ({"labels": '{"genres": ["polka"], "moods": ["glad"], "words": ["a\\u001b[2J"]}'}, "distinct names of words"),
        ({"labels": '{"genres": ["polka"], "moods": ["glad"], "words": [7]}'}, "distinct names of words"),
        ({"labels": '{"genres": ["polka"], "moods": ["glad"], "words": null}'}, "expected genres and moods"),
        ({"labels": '["polka"]'}, "expected genres and moods"),
        ({"labels": "["}, "expected genres and moods"),
    ],
)
def test_metadata_that_does_not_fit_is_refused(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    """Another architecture, broken or unknown settings, sizes or labels other than the weights': one line each."""
    path = tmp_path / "odd.safetensors"
    write(path, build("attention_signature", SMALL), **metadata)
    assert message in refusal(path)


@pytest.mark.parametrize("spec", ["icff", "attention_signature@000000", "Attention_Signature", "@"])
def test_unknown_names_list_what_there_is(spec: str) -> None:
    """An encoder that is not installed is refused with the list of those that are."""
    with pytest.raises(EncoderError, match=r"installed: .*attention_signature@"):
        find_encoder(spec)


def test_unknown_architectures_are_refused() -> None:
    """`build` knows the registry's names only."""
    with pytest.raises(EncoderError, match="expected one of: mg_cam, ts_resformer, attention_signature"):
        build("perceptron")
