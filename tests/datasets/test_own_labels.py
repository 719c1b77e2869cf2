"""An encoder of other labels, from labelled folders to the answers of a library."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file

from engine import Engine
from engine.errors import TrainingError
from engine.models.checkpoint import build, contents, load_encoder
from engine.models.labels import GENRES, MOODS
from engine.models.weights_files import find_encoder
from engine.training.heads import fit_heads
from engine.training.run import TrainingOptions, TrainingOutcome, train_encoder
from tests.conftest import write_song
from tests.training.test_running import SmallConfig

OWN = ("k-pop", "night drive")


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """A network that trains in a moment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.models.attention_signature.AttentionSignatureConfig", SmallConfig)
        patch.setattr(fit_heads, "PENALTIES", (1e-1,))
        yield


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two genres of three songs each; the tags say something else."""
    root = tmp_path_factory.mktemp("music")
    for number, genre in enumerate(("Night Drive", "K-Pop") * 3):
        (root / genre).mkdir(exist_ok=True)
        write_song(root / genre / f"{number}.wav", number, "Jazz" if number < 2 else None)
    return root


def options(music: Path, out: Path, **changes: str) -> TrainingOptions:
    """Two steps on the folders."""
    cache = str(out.parent / "cache")
    return TrainingOptions(data=str(music), out=str(out), steps=2, cache=cache, threads=1, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def outcome(music: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingOutcome:
    """One training on the folders' own names."""
    return train_encoder(options(music, tmp_path_factory.mktemp("own") / "own.safetensors"), show=False)


def test_heads_answer_with_the_folders_names(outcome: TrainingOutcome, music: Path) -> None:
    """The checkpoint knows the folders' genres, sorted, and the four moods; each has a centroid and is measured."""
    file = find_encoder(str(outcome.path))
    assert (file.genres, file.moods) == (OWN, MOODS)
    encoder = load_encoder(file)
    assert (encoder.genres, encoder.genre_head.out_features) == (OWN, 2)
    assert encoder.centroids.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-4)
    assert f"{music.name}, genre" in outcome.report.table


def test_labels_may_be_added_to_the_fifteen(music: Path, tmp_path: Path) -> None:
    """With "extend" the heads have the fifteen and the labels that fit none of them; "K-Pop" is pop already."""
    trained = train_encoder(options(music, tmp_path / "more.safetensors", labels="extend"), show=False)
    assert find_encoder(str(trained.path)).genres == (*GENRES, "night drive")


def test_other_labels_do_not_resume(music: Path, tmp_path: Path) -> None:
    """The state of a training on other labels of the same clips is refused."""
    train_encoder(options(music, tmp_path / "x.safetensors"), show=False)
    with pytest.raises(TrainingError, match="other settings or data"):
        train_encoder(options(music, tmp_path / "x.safetensors", labels="extend"), show=False)


def test_a_library_answers_with_its_encoders_names(outcome: TrainingOutcome, music: Path, tmp_path: Path) -> None:
    """Two encoders in one library each use their own names, in genres, centroids and neighbours."""
    own, library = str(outcome.path), tmp_path / "library.db"
    with Engine.open(library, encoder=own, device="cpu", threads=1) as engine:
        engine.index(music)
        answers = {own: engine.similar(1, 10)}
        assert {genre.genre for genre in answers[own].genres} == set(OWN)
        assert {centroid.genre for centroid in answers[own].centroids} == set(OWN)
        assert {mood.mood for mood in answers[own].moods} == set(MOODS)
        assert [match.genre_source for match in answers[own].matches] == ["prediction"] * 5  # none is tagged with OWN
        assert {match.genre for match in answers[own].matches} <= set(OWN)
    small = train_encoder(options(music, tmp_path / "more.safetensors", labels="extend"), show=False)
    with Engine.open(library, encoder=str(small.path), device="cpu", threads=1) as engine:
        engine.index(music)
        answer = engine.similar(1, 10)
        assert {genre.genre for genre in answer.genres} == {*GENRES, "night drive"}
        assert {match.genre for match in answer.matches if match.genre_source == "tag"} == {"jazz"}
        assert "k-pop" not in {match.genre for match in answer.matches}
    with Engine.open(library, device="cpu", threads=1) as engine:  # the library's own: the first one
        assert engine.similar(1, 10) == answers[own]


def test_a_tag_of_its_own_names_counts(outcome: TrainingOutcome, music: Path, tmp_path: Path) -> None:
    """A track that is tagged with one of the encoder's genres shows it as its tag."""
    for number, genre in enumerate(("NIGHT drive", "Jazz; K-Pop", "Rock")):
        write_song(tmp_path / f"{number}.wav", number, genre)
    with Engine.open(tmp_path / "library.db", encoder=str(outcome.path), device="cpu", threads=1) as engine:
        engine.index(tmp_path)
        found = {
            Path(m.path).name: (m.genre, m.genre_source)
            for m in engine.similar(write_song(tmp_path / "q.wav", 9)).matches
        }
    assert found["0.wav"] == ("night drive", "tag")
    assert found["1.wav"] == ("k-pop", "tag")
    assert found["2.wav"][1] == "prediction"


def test_words_are_not_carried_on(music: Path, tmp_path: Path) -> None:
    """A training that goes on from an encoder with words, which no clip names, gives an encoder without."""
    start = tmp_path / "worded.safetensors"
    tensors, metadata = contents(build("attention_signature", words=("harp", "choir")), "attention_signature", {})
    save_file(tensors, start, metadata)
    assert find_encoder(str(start)).words == ("harp", "choir")
    trained = train_encoder(options(music, tmp_path / "on.safetensors", start=str(start)), show=False)
    assert find_encoder(str(trained.path)).words == load_encoder(find_encoder(str(trained.path))).words == ()
