"""Explanations: windows and moments of a track, and the exact split of a cosine."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import Engine, Moment, QueryError
from engine.embedding import TrackEmbedding
from engine.explain.explanation import decompose, make_timeline, signature_moments
from engine.models.labels import GENRES as LABELS
from engine.util.plotting import COLOURS
from tests.audio import tone, write_audio
from tests.conftest import RATE, SECONDS, Collection, FirstRun, make_song, write_song
from tests.evaluation.test_plots import colours

WINDOW = 4.0  # seconds, of the encoder that ships
WINDOWS = 10
STORED = 1e-3  # by which float16 windows may move a cosine
SIGNATURE_COLOUR = COLOURS[6]


def row(*weights: float, seconds: float = 4.0, step: float = 4.0) -> tuple[Moment, ...]:
    """Windows of these weights, one each `step` seconds; genres a, b, c ..."""
    return tuple(Moment(i * step, i * step + seconds, w, "abcdefghij"[i]) for i, w in enumerate(weights))


def embedding(
    starts: NDArray[np.float32], attention: NDArray[np.float32], vectors: NDArray[np.float32]
) -> TrackEmbedding:
    """An embedding with these segments."""
    none = np.zeros(0, np.float32)
    return TrackEmbedding(none, none, none, starts, attention, vectors)


def random_windows(seed: int, count: int, dim: int = 6) -> TrackEmbedding:
    """Random windows of 2 s, one each second, in no order."""
    random = np.random.default_rng(seed)
    attention = random.random(count, dtype=np.float32)
    vectors = random.standard_normal((count, dim)).astype(np.float32)
    return embedding(random.permutation(count).astype(np.float32), attention / attention.sum(), vectors)


def test_windows(shared: Engine) -> None:
    """The windows lie in time order from the first to the last second, and their weights sum to 1."""
    explained = shared.explain(1)
    assert explained.duration == pytest.approx(SECONDS, abs=0.01)
    assert len(explained.windows) == WINDOWS
    assert [window.start for window in explained.windows] == sorted(window.start for window in explained.windows)
    assert explained.windows[0].start == 0
    assert explained.windows[-1].end == pytest.approx(explained.duration)
    assert all(window.end - window.start == pytest.approx(WINDOW, abs=1e-4) for window in explained.windows)
    assert math.isclose(sum(window.weight for window in explained.windows), 1, abs_tol=1e-9)
    assert {window.genre for window in explained.windows} <= set(LABELS)


def test_file_outside(shared: Engine, tmp_path: Path) -> None:
    """A file outside the library is heard, and explained as it is once the library holds it."""
    path = write_song(tmp_path / "new.wav", 81, seconds=SECONDS)
    outside = shared.explain(path)
    with Engine.open(tmp_path / "other.db", device="cpu") as other:
        other.index(path)
        inside = other.explain(path)
    assert len(outside.windows) == WINDOWS
    for before, after in zip(outside.windows, inside.windows, strict=True):
        assert (before.start, before.end, before.weight) == pytest.approx((after.start, after.end, after.weight))
    assert shared.stats().tracks == 16


def test_copy_outside(shared: Engine, first_run: FirstRun, tmp_path: Path) -> None:
    """A copy of a track, under any name, is explained as the track is."""
    shutil.copy(first_run.collection.song(3), tmp_path / "copy.wav")
    assert shared.explain(tmp_path / "copy.wav") == shared.explain(first_run.collection.song(3))


def test_one_window(shared: Engine, tmp_path: Path) -> None:
    """A track shorter than a window is one window and one moment of all the weight, and ends where the track ends."""
    write_audio(tmp_path / "short.wav", make_song(82, 2.0), RATE)
    explained = shared.explain(tmp_path / "short.wav")
    (window,), (moment,) = explained.windows, explained.moments
    assert window == moment
    assert (window.start, window.end, window.weight) == pytest.approx((0, 2, 1))


def test_moments_are_merged() -> None:
    """Windows of at least average weight that touch make one moment: the sum, and the genre of the heaviest."""
    moments = signature_moments(row(0.2, 0.3, 0.05, 0.25, 0.05, 0.15))
    assert [(m.start, m.end, m.genre) for m in moments] == [(0.0, 8.0, "b"), (12.0, 16.0, "d")]
    assert [m.weight for m in moments] == pytest.approx([0.5, 0.25])


def test_moments_overlap() -> None:
    """Overlapping windows merge; windows with a gap between them do not; the heaviest moment comes first."""
    assert [(m.start, m.end) for m in signature_moments(row(0.5, 0.5, step=3.0))] == [(0.0, 7.0)]
    apart = signature_moments(row(0.35, 0.4, 0.25, step=9.0))
    assert [(m.start, m.end, m.genre) for m in apart] == [(9.0, 13.0, "b"), (0.0, 4.0, "a")]


def test_equal_weights() -> None:
    """Where no window outweighs another, all of them are moments, however the average is rounded."""
    (moment,) = signature_moments(row(*[0.1 - 1e-9] * 10))
    assert (moment.start, moment.end, moment.genre) == (0.0, 40.0, "a")


def test_moments_are_apart(shared: Engine) -> None:
    """The moments of a track do not overlap, are heaviest first, and weigh at least the average window."""
    for track in range(1, 9):
        moments = shared.explain(track).moments
        assert [m.weight for m in moments] == sorted((m.weight for m in moments), reverse=True)
        assert all(1 / WINDOWS - 1e-6 <= m.weight <= 1 + 1e-9 for m in moments)
        assert all(a.end < b.start for a, b in pairwise(sorted(moments, key=lambda m: m.start)))


def test_timeline_is_in_order() -> None:
    """Windows that an encoder reads in another order are brought into that of time, each with its own numbers."""
    found = random_windows(1, 5)
    timeline = make_timeline(found, 6.0, 2.0)
    assert timeline.starts.tolist() == [0, 1, 2, 3, 4]
    for start, vector in zip(found.starts, found.segment_vectors, strict=True):
        np.testing.assert_array_equal(timeline.vectors[int(start)], vector)


def test_silence_after_the_end() -> None:
    """Of windows that reach beyond a short track's end, only what lies in the track is counted."""
    found = embedding(np.array([0, 3, 6], np.float32), np.full(3, 1 / 3, np.float32), np.eye(3, dtype=np.float32))
    timeline = make_timeline(found, 5.0, 3.0)
    assert (timeline.starts.tolist(), timeline.ends.tolist()) == ([0, 3, 5], [3, 5, 5])


def test_decomposition() -> None:
    """Each pair adds a_i b_j <h_i, h_j> over the norms, and all of them sum to the cosine of the two sums."""
    a, b = make_timeline(random_windows(2, 4), 5.0, 2.0), make_timeline(random_windows(3, 7), 8.0, 2.0)
    raw_a, raw_b = a.weights @ a.vectors, b.weights @ b.vectors
    norms = np.linalg.norm(raw_a) * np.linalg.norm(raw_b)
    found = decompose(a, b)
    assert found.cosine == pytest.approx(raw_a @ raw_b / norms, abs=1e-12)
    assert sum(pair.contribution for pair in found.pairs) == pytest.approx(found.cosine, abs=1e-12)
    assert len({(pair.a, pair.b) for pair in found.pairs}) == 4 * 7
    for pair in found.pairs:
        i, j = int(pair.a.start), int(pair.b.start)
        expected = a.weights[i] * b.weights[j] * (a.vectors[i] @ b.vectors[j]) / norms
        assert pair.contribution == pytest.approx(expected, abs=1e-12)
        assert (pair.a.end, pair.b.end) == (min(i + 2, 5), min(j + 2, 8))
    contributions = [pair.contribution for pair in found.pairs]
    assert contributions == sorted(contributions, reverse=True)


def test_opposites() -> None:
    """Where the cosine is below 0 the similarity is 0."""
    one = random_windows(4, 3)
    a = make_timeline(one, 4.0, 2.0)
    b = make_timeline(embedding(one.starts, one.attention, -one.segment_vectors), 4.0, 2.0)
    found = decompose(a, b)
    assert (found.cosine, found.similarity) == (pytest.approx(-1), 0)


def test_no_angle() -> None:
    """Windows that cancel out have no angle: refused, never a number that is none."""
    one = random_windows(5, 2)
    vectors = np.array([[1, 0], [-1, 0]], np.float32)
    half = make_timeline(embedding(one.starts, np.full(2, 0.5, np.float32), vectors), 3.0, 2.0)
    with pytest.raises(QueryError, match="expected windows"):
        decompose(half, half)


def test_pair_is_the_similarity(shared: Engine) -> None:
    """The explained cosine is that of the stored signatures, within what float16 costs."""
    for match in shared.similar(1, 100).matches:
        found = shared.explain_pair(1, match.track_id)
        assert found.similarity == pytest.approx(match.similarity, abs=STORED)
        assert len(found.pairs) == WINDOWS**2
        assert sum(pair.contribution for pair in found.pairs) == pytest.approx(found.cosine, abs=1e-9)


def test_itself(shared: Engine) -> None:
    """A track beside itself has a cosine of 1, and no pair of other windows is worth more than both with themselves."""
    found = shared.explain_pair(2, "id:2")
    assert (found.cosine, found.similarity) == (pytest.approx(1), pytest.approx(1))
    assert found.similarity <= 1
    turned = {(pair.b, pair.a): pair.contribution for pair in found.pairs}
    assert all(turned[pair.a, pair.b] == pytest.approx(pair.contribution) for pair in found.pairs)


def test_too_many_pairs(shared: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pairs of windows than fit a memory are refused, with what to ask instead."""
    monkeypatch.setattr("engine.explain.explanation.MOST_PAIRS", WINDOWS**2)
    assert len(shared.explain_pair(1, 2).pairs) == WINDOWS**2
    monkeypatch.setattr("engine.explain.explanation.MOST_PAIRS", WINDOWS**2 - 1)
    with pytest.raises(QueryError, match="--coverage windows"):
        shared.explain_pair(1, 2)


class OtherProcess:
    """Computes embeddings with a library of its own, as the server's second process does."""

    def __init__(self, library: Engine) -> None:
        self.library = library

    def embed(self, path: bytes, part: tuple[float, float] | None = None) -> TrackEmbedding:
        """Return the embedding of a file."""
        assert part is None
        return self.library.embedding(os.fsdecode(path))


def test_a_longer_file_elsewhere(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """Where another process computes the embedding of a changed file, windows lie in the file as it is now."""
    before = engine.explain(3)
    write_song(own.song(2), 2, seconds=60)
    with Engine.open(tmp_path / "other.db", device="cpu") as other:
        engine.embed_with(OtherProcess(other))
        now = engine.explain(3)
    assert now.duration == pytest.approx(60, abs=0.5)
    assert now.windows[-1].end > 50 > before.windows[-1].end
    assert all(window.end > window.start for window in now.windows)


@pytest.mark.parametrize("name", ["nowhere.wav", "999", "id:0", -1, ""])
def test_unknown(shared: Engine, name: int | str) -> None:
    """A name of nothing is refused in one line, alone and on either side of a pair."""
    for ask in (shared.explain, lambda n: shared.explain_pair(n, 1), lambda n: shared.explain_pair(1, n)):
        with pytest.raises(QueryError) as caught:
            ask(name)
        assert "\n" not in str(caught.value)


def test_no_sound(shared: Engine, tmp_path: Path) -> None:
    """A file without sound is refused by its name."""
    (tmp_path / "bad.mp3").write_bytes(b"no sound at all")
    with pytest.raises(QueryError, match=r"bad\.mp3"):
        shared.explain(tmp_path / "bad.mp3")


def test_stored_answers_need_neither_torch_nor_file(own: Collection) -> None:
    """What the library holds is explained without torch or FAISS being loaded, while the files are away."""
    shutil.rmtree(own.folder)
    code = (
        "import sys\nfrom engine import Engine\n"
        f"with Engine.open({str(own.library)!r}) as engine:\n"
        "    assert len(engine.explain(1).windows) == 10 and len(engine.explain_pair(1, 2).pairs) == 100\n"
        "print('LOADED', *[name for name in ('torch', 'faiss', 'librosa', 'matplotlib') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1].strip() == "LOADED"


def test_picture(shared: Engine, tmp_path: Path) -> None:
    """A picture is a PNG with the signature moments in their colour; an older one is replaced."""
    path = tmp_path / "pictures" / "why.png"
    path.parent.mkdir()
    shared.explain(2, plot=path)
    explained = shared.explain(1, plot=path)
    assert explained == shared.explain(1)
    assert colours(path)[SIGNATURE_COLOUR] > 1000
    assert [file.name for file in path.parent.iterdir()] == ["why.png"]


def test_picture_of_any_name(shared: Engine, tmp_path: Path) -> None:
    """Dollars, control characters and scripts without letters in the font do not keep a picture from being drawn."""
    name = "a$x^$ \x1b[2J音楽" + "very long " * 15
    write_audio(tmp_path / f"{name}.wav", tone(330, 3.0, RATE), RATE)
    shared.explain(tmp_path / f"{name}.wav", plot=os.fspath(tmp_path / "PICTURE.PNG"))
    assert colours(tmp_path / "PICTURE.PNG")


def test_picture_without_file(engine: Engine, own: Collection, tmp_path: Path) -> None:
    """While the drive is away the explanation stands and its picture is refused, which leaves no file."""
    whole = engine.explain(1)
    own.song(0).unlink()
    assert engine.explain(1) == whole
    with pytest.raises(QueryError, match=r"song00\.wav: the picture needs the file"):
        engine.explain(1, plot=tmp_path / "why.png")
    assert not (tmp_path / "why.png").exists()


@pytest.mark.parametrize("name", ["song.mp3", "picture", "nowhere/x.png", "a\0.png", "folder.png"])
def test_no_place_for_a_picture(shared: Engine, tmp_path: Path, name: str) -> None:
    """A picture goes into a folder that is there, under a name that ends in .png, and over no folder."""
    (tmp_path / "pictures" / "folder.png").mkdir(parents=True)
    with pytest.raises(QueryError) as caught:
        shared.explain(1, plot=f"{tmp_path}/pictures/{name}")
    assert "\n" not in str(caught.value)
    assert [file.name for file in (tmp_path / "pictures").iterdir()] == ["folder.png"]
