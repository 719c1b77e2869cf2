"""Variants (`models/registry.py`): the weights of an architecture, read in fewer windows, under an id of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import Engine
from engine.errors import EncoderError
from engine.models.checkpoint import load_encoder
from engine.models.registry import VARIANTS
from engine.models.retired import RETIRED
from engine.models.weights_files import find_encoder, is_retired, shipped_ids
from tests.conftest import SECONDS, write_song


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_has_its_own_id_and_fewer_windows(name: str) -> None:
    """It shares the weights of its architecture, by name and by id, and reads the windows that its line says."""
    file, base = find_encoder(name), find_encoder(VARIANTS[name].architecture)
    assert (file.path, file.digest) == (base.path, base.digest)
    assert file.id == f"{name}@{base.digest[:6]}"
    assert find_encoder(file.id) == file
    assert file.id in shipped_ids()
    assert load_encoder(file).plan.count == VARIANTS[name].windows < load_encoder(base).plan.count


def test_other_weights_of_a_variant_are_refused() -> None:
    """A hash that does not ship is refused as that of an architecture is."""
    with pytest.raises(EncoderError, match=r"weights of 'attention_signature_fast@000000' are not installed"):
        find_encoder("attention_signature_fast@000000")


def test_retired_weights_retire_their_variant() -> None:
    """A library made by a variant of earlier weights keeps its heads."""
    retired = next(each for each in RETIRED if each.startswith("attention_signature@"))
    variant = retired.replace("@", "_fast@")
    assert is_retired(variant)
    assert not is_retired(find_encoder("attention_signature_fast").id)
    assert find_encoder(variant).id == variant
    assert find_encoder(variant).path == find_encoder(retired).path


def test_signatures_of_a_variant_are_kept_apart(tmp_path: Path) -> None:
    """One library holds both; each encoder answers from its own signatures, and the variant reads five windows."""
    library = tmp_path / "library.db"
    songs = [write_song(tmp_path / f"{seed}.wav", seed, seconds=SECONDS) for seed in (1, 2)]
    windows, similarities = {}, {}
    for encoder in ("attention_signature", "attention_signature_fast"):
        with Engine.open(library, encoder=encoder) as engine:
            engine.index(songs)
            windows[encoder] = len(engine.explain(songs[0]).windows)
            similarities[encoder] = engine.similar(songs[0], k=1).matches[0].similarity
            counts = {count.encoder: count.tracks for count in engine.stats().encoders}
    assert windows == {"attention_signature": 10, "attention_signature_fast": 5}
    assert counts == {find_encoder(name).id: 2 for name in windows}
    assert similarities["attention_signature"] != similarities["attention_signature_fast"]
