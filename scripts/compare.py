"""Print the comparison table of models/README.md: five encoders and two rivals on the same held-out clips.

    scripts/compare.py --data CLIPS.csv [--teacher musicnn_msd.npz] [--weights DIR] [--studies DIR] [--out FILE.md]

Encoders use their own heads. Mel statistics and MusiCNN have none and use logistic regression on the train split's
labels. CLIPS.csv is a table as for `engine train`, optionally with a column `cluster`. `--weights` takes
DIR/NAME.safetensors instead of the shipped weights. `--studies` takes output folders of `engine study`, for the table
of the papers' own protocols; without it that table is unchanged.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.flop_counter import FlopCounterMode

from engine.datasets.clip_embeddings import clip_windows
from engine.datasets.clips import Clip, ClipSamples
from engine.datasets.loading import read_dataset
from engine.evaluation.classification import evaluate_classification, restrict_to_known
from engine.evaluation.measure import predict
from engine.evaluation.retrieval import artist_hit, hubness, label_precision, nearest_of_others
from engine.models.checkpoint import load_encoder
from engine.models.encoder import SAMPLE_RATE, Encoder
from engine.models.features import LogMel, normalise_level
from engine.models.labels import GENRES, MOODS, VALENCE
from engine.models.registry import ARCHITECTURES
from engine.models.teacher import SAMPLE_RATE as TEACHER_RATE, Teacher
from engine.models.weights_files import SHIPPED, find_encoder

SETS = {"gtzan": "gtzan", "4qaed": "4qaed", "emotify": "emotify", "mirex": "mirex-mood"}
TIMED = 24  # clips encoded to measure the rate
BASELINE_SECONDS = 30  # of a clip, given to MusiCNN
PAPERS = {  # study, row, and the paper's result
    "mg_cam": ("paper1_table2", "MG-CAM", "89.3 % (GTZAN, 8 genres, tracks at random)"),
    "ts_resformer": ("paper2_table3", "5 TS-Resformer", "90.23 % (FMA-small, slices at random)"),
    "attention_signature": ("paper3_folds", "received attention", "no single figure (GTZAN, 6 folds)"),
    "icff_net": ("paper4_table3", "noise, shift, stretch: interlaced", "93.12 % (GTZAN, at random)"),
    "attention_cnn": ("paper5_layers", "genre (GTZAN), 4 layers, attention", "89.78 % (10 genres, slices at random)"),
}
COLUMNS = (
    "gtzan_genre", "quadrant", "emotify_genre", "p5_gtzan", "p5_quadrant", "p5_cluster", "shared_allmusic",
    "artist_hit5", "hub_skew", "valence", "allmusic_ap",
)  # fmt: skip
MAIN_COLUMNS = (
    "", "parameters", "MFLOP/s of audio", "tracks/s", "gtzan_genre", "quadrant", "p5_gtzan", "artist_hit5",
)  # fmt: skip
PAPER_COLUMNS = ("paper's protocol", "other artists, same training", "the paper says")

Describe = Callable[[ClipSamples, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions for a row of the table: unit signatures (N, D), probabilities of genres (N, G) and moods (N, M)."""

    signatures: np.ndarray
    genres: np.ndarray
    moods: np.ndarray


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--studies", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(".engine-cache"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clips = read_dataset(arguments.data).clips
    train, valid = (ClipSamples([c for c in clips if c.split == s], arguments.cache) for s in ("train", "valid"))
    clusters = _clusters(arguments.data, valid.clips)
    rows = [_encoder_row(name, arguments, valid, clusters) for name in ARCHITECTURES]
    rows += [_baseline_row("mel statistics", mel_statistics, 0, train, valid, clusters)]
    if arguments.teacher:
        teacher = Teacher(arguments.teacher)
        size = sum(weights.numel() for weights in teacher.buffers())
        rows += [_baseline_row("MusiCNN", lambda s, i: musicnn(teacher, s, i), size, train, valid, clusters)]
    tables = {"comparison": _table(rows, len(valid))}
    if arguments.studies:
        papers = [{"": f"`{name}`"} | _by_paper(name, arguments.studies) for name in ARCHITECTURES]
        tables["papers"] = _rows(papers, ["", *PAPER_COLUMNS])
    print("\n\n".join(tables.values()))
    for mark, table in tables.items() if arguments.out else ():
        arguments.out.write_text(_placed(arguments.out, mark, table), "utf-8")


def _clusters(table: Path, clips: list[Clip]) -> list[str]:
    with table.open(encoding="utf-8-sig", newline="") as handle:
        known = {table.parent / row["file"]: row.get("cluster") or "" for row in csv.DictReader(handle)}
    return [known.get(clip.path, "") for clip in clips]


def _encoder_row(name: str, arguments: argparse.Namespace, valid: ClipSamples, clusters: list[str]) -> dict[str, str]:
    path = arguments.weights / f"{name}.safetensors" if arguments.weights else None
    if path is None and name not in SHIPPED:
        return {"": name} | dict.fromkeys(COLUMNS, "")
    file = find_encoder(str(path) if path else name)
    encoder = load_encoder(file)
    found = predict(encoder, valid)
    row = {
        "": f"`{name}`",
        "parameters": f"{sum(p.numel() for p in encoder.parameters()) / 1e6:.2f} M",
        "MFLOP/s of audio": f"{_flops(encoder) / 1e6:.0f}",
        "tracks/s": _rate(lambda i: encoder.summarise(encoder.vectors_of(clip_windows(valid, i, encoder.plan)))),
    }
    return row | _measured(Answers(found.signatures, found.genres, found.moods), valid.clips, clusters)


def _flops(encoder: Encoder) -> float:
    """Count floating-point operations (a multiply-add is two) per second of audio."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        features = encoder.front_end(torch.randn(1, encoder.plan.samples) * 0.1)
    front_end = counter.get_total_flops()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        encoder.embed(features)
    return (counter.get_total_flops() + front_end) / encoder.plan.seconds


def _rate(signature_of: Callable[[int], object]) -> str:
    """Measure tracks per second on this CPU, front-end and network, from decoded samples."""
    signature_of(0)
    began = time.perf_counter()
    for i in range(TIMED):
        signature_of(i)
    return f"{TIMED / (time.perf_counter() - began):.1f}"


def _by_paper(name: str, studies: Path) -> dict[str, str]:
    study, row, claim = PAPERS[name]
    columns = {"paper's protocol": "", "other artists, same training": "", "the paper says": claim}
    for path in sorted((studies / study / "rows").glob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        if document["name"] == row:
            shares = [figures[0] for figures in document["figures"].values()]  # accuracy comes first
            cells = [f"{f['value']:.3f} ({f['low']:.2f} to {f['high']:.2f}, {f['clips']})" for f in shares]
            columns["paper's protocol"], columns["other artists, same training"] = cells
    return columns


def _measured(answers: Answers, clips: list[Clip], clusters: list[str]) -> dict[str, str]:
    sets = np.array([clip.dataset for clip in clips])
    artists = [clip.artist for clip in clips]
    genres = np.array([[name in clip.genres for name in GENRES] for clip in clips])
    moods = np.array([[name == clip.mood for name in MOODS] for clip in clips])
    cluster = np.array([[name == mine for name in sorted(set(clusters) - {""})] for mine in clusters])
    values = {}
    for column, name in (("gtzan_genre", "gtzan"), ("emotify_genre", "emotify")):
        values[column] = _accuracy(answers.genres, genres, GENRES, np.flatnonzero(sets == SETS[name]))
    values["quadrant"] = _accuracy(answers.moods, moods, MOODS, np.flatnonzero(moods.any(axis=1)))
    for column, name, labels in (
        ("p5_gtzan", "gtzan", genres), ("p5_quadrant", "4qaed", moods), ("p5_cluster", "mirex", cluster),
        ("shared_allmusic", "4qaed", _raw_labels(clips)),
    ):  # fmt: skip
        rows = np.flatnonzero(sets == SETS[name])
        if len(rows) and labels.shape[1]:
            own = nearest_of_others(answers.signatures[rows], [artists[i] for i in rows], [name] * len(rows), 5)
            figure = label_precision(own, labels[rows], 5)
            values[column] = figure.value if figure else float("nan")
    queries = np.flatnonzero(sets != SETS["gtzan"])
    hit = artist_hit(answers.signatures, artists, queries)
    values["artist_hit5"] = hit.value if hit else float("nan")
    values["hub_skew"] = hubness(answers.signatures)[0].value
    values["valence"] = _valence(answers.moods, moods)
    rows = np.flatnonzero((sets == SETS["4qaed"]) & genres.any(axis=1))
    found = evaluate_classification(*restrict_to_known(answers.genres[rows], genres[rows], GENRES)).figures
    values["allmusic_ap"] = next((f.value for f in found if f.name == "average precision"), float("nan"))
    return {name: f"{values[name]:.3f}" for name in COLUMNS if name in values}


def _raw_labels(clips: list[Clip]) -> np.ndarray:
    names = sorted({label for clip in clips for label in clip.labels})
    return np.array([[name in clip.labels for name in names] for clip in clips])


def _accuracy(probabilities: np.ndarray, allowed: np.ndarray, names: tuple[str, ...], rows: np.ndarray) -> float:
    rows = rows[allowed[rows].any(axis=1)]
    return evaluate_classification(*restrict_to_known(probabilities[rows], allowed[rows], names)).figures[0].value


def _valence(moods: np.ndarray, truth: np.ndarray) -> float:
    columns = [MOODS.index(mood) for mood in VALENCE.values()]
    rows = np.flatnonzero(truth[:, columns].any(axis=1))
    return _accuracy(moods[:, columns], truth[:, columns], tuple(VALENCE), rows)


def mel_statistics(source: ClipSamples, index: int) -> np.ndarray:
    """Return mean and deviation over time of a 96-band log-mel, (192,)."""
    windows = torch.from_numpy(source.read(index, 0, source.length(index)))[None]
    with torch.no_grad():
        mel = LogMel(SAMPLE_RATE, 1024, 441, 96, 20.0, 8000.0)(normalise_level(windows))[0]
    return torch.cat([mel.mean(dim=1), mel.std(dim=1)]).numpy()


def musicnn(teacher: Teacher, source: ClipSamples, index: int) -> np.ndarray:
    """Return MusiCNN's 200 features, averaged over ten patches of three seconds."""
    length = source.length(index)
    starts = np.linspace(0, max(0, length - 3 * SAMPLE_RATE), 10).astype(int)
    patches = torch.from_numpy(np.stack([source.read(index, int(start), 3 * SAMPLE_RATE) for start in starts]))
    spectrum = torch.fft.rfft(patches)[:, : 3 * TEACHER_RATE // 2 + 1]
    at_teacher = torch.fft.irfft(spectrum, n=3 * TEACHER_RATE) * (TEACHER_RATE / SAMPLE_RATE)
    return teacher(teacher.log_mel(at_teacher))[0].mean(dim=0).numpy()


def _baseline_row(
    name: str, describe: Describe, size: int, train: ClipSamples, valid: ClipSamples, clusters: list[str]
) -> dict[str, str]:
    """Measure z-scored features; heads are logistic regressions, one per labelled data set."""
    described = {s: np.stack([describe(s, i) for i in range(len(s))]) for s in (train, valid)}
    scale = StandardScaler().fit(described[train])
    signatures = F.normalize(torch.from_numpy(scale.transform(described[valid])).double(), dim=1).numpy()
    genres, moods = (np.full((len(valid), len(names)), 1 / len(names)) for names in (GENRES, MOODS))
    for dataset in sorted({clip.dataset for clip in train.clips}):
        for names, out, label in ((GENRES, genres, _one_genre), (MOODS, moods, lambda clip: clip.mood)):
            known = [i for i, clip in enumerate(train.clips) if clip.dataset == dataset and label(clip)]
            targets = [i for i, clip in enumerate(valid.clips) if clip.dataset == dataset]
            if len({label(train.clips[i]) for i in known}) < 2 or not targets:
                continue
            model = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=[1e-3, 1e-2, 1e-1], cv=4, max_iter=2000))
            model.fit(described[train][known], [names.index(label(train.clips[i])) for i in known])
            out[np.ix_(targets, model.classes_)] = model.predict_proba(described[valid][targets])
            out[targets] /= out[targets].sum(axis=1, keepdims=True)
    with FlopCounterMode(display=False) as counter:
        describe(valid, 0)
    row = {
        "": name,
        "parameters": f"{size / 1e6:.2f} M",
        "MFLOP/s of audio": f"{counter.get_total_flops() / 1e6 / BASELINE_SECONDS:.0f}" if size else "0",
        "tracks/s": _rate(lambda i: describe(valid, i)),
    }
    return row | _measured(Answers(signatures, genres, moods), valid.clips, clusters)


def _one_genre(clip: Clip) -> str | None:
    return min(clip.genres) if clip.genres else None


def _table(rows: list[dict[str, str]], clips: int) -> str:
    """Return the main figures as one table, and all others behind it."""
    others = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in MAIN_COLUMNS]
    note = f"{clips} clips of the valid split; {torch.get_num_threads()} threads of this CPU."
    details = ["<details><summary>Other figures</summary>", _rows(rows, ["", *others]), "</details>"]
    return "\n\n".join([_rows(rows, list(MAIN_COLUMNS)), note, *details])


def _rows(rows: list[dict[str, str]], names: list[str]) -> str:
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *("| " + " | ".join(row.get(name, "") for name in names) + " |" for row in rows)])


def _placed(path: Path, mark: str, table: str) -> str:
    """Return the file's text with the table between its marks, or the table alone if there is no file."""
    begin, end = f"<!-- {mark} -->", "<!-- end -->"
    text = path.read_text("utf-8") if path.exists() else ""
    if begin not in text:
        text += f"{begin}\n{end}\n"
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    main()
