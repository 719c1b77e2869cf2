"""The picture of an explanation: the attention curve above the track's mel spectrogram, signature moments marked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.db.text import displayable
from engine.errors import AudioError, QueryError
from engine.explain.results import Explanation, Moment
from engine.indexer.audio.spectrum import decibels, mel_edges, mel_filters, power_spectrum
from engine.indexer.pipeline.decoders import Decoders
from engine.indexer.pipeline.decoding import read_blocks
from engine.search.references import ResolvedTrack
from engine.util.plotting import COLOURS, GREY, INK, saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAMPLE_RATE = 22_050  # Hz, the rate of every encoder
N_FFT, HOP, BANDS = 2048, 512, 128
COLUMNS = 1500  # most columns; frames of a long track are averaged
BLOCK_SECONDS = 60.0  # decoded at a time: bounds memory
RANGE_DB = 80.0
LABELLED = 12  # moments with a label, heaviest first
LONGEST_TITLE = 90  # characters
PITCHES = (200, 500, 1000, 2000, 4000, 8000)  # Hz, ticks of the spectrogram
OTHER, SIGNATURE = COLOURS[0], COLOURS[6]
INCHES = (12.0, 6.4)


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """A mel spectrogram (BANDS, T) in dB below its maximum, and its length in seconds."""

    decibels: NDArray[np.float32]
    seconds: float


def draw_explanation(path: Path, decoders: Decoders, resolved: ResolvedTrack, explanation: Explanation) -> None:
    """Draw an explanation into a PNG file.

    Raises:
        QueryError: The track's file cannot be read, or the picture cannot be written.
    """
    try:
        spectrogram = mel_spectrogram(decoders, resolved.path, explanation.duration)
    except AudioError as error:
        raise QueryError(
            f"{displayable(resolved.path)}: the picture needs the file, which cannot be read ({error})",
            hint="connect the disk that holds it, or omit the picture",
        ) from error
    with saved(path, INCHES) as figure:
        panels = figure.subplots(3, 1, sharex=True, height_ratios=[0.55, 1.5, 3])
        _draw_spectrogram(panels[2], spectrogram)
        _draw_attention(panels[1], explanation)
        panels[0].set(xlim=(0, explanation.duration), title=_title(resolved))
        panels[0].axis("off")
        figure.legend(*panels[1].get_legend_handles_labels(), loc="outside lower right", ncols=2, fontsize=9)
        _mark_moments(panels, explanation)


def mel_spectrogram(decoders: Decoders, path: bytes, duration: float) -> Spectrogram:
    """Compute the mel spectrogram of a whole file.

    Args:
        decoders: Read the file.
        path: The file.
        duration: Estimated length in seconds; sets how many frames are averaged into a column.

    Raises:
        AudioError: The file cannot be decoded.
    """
    pooled = max(1, int(np.ceil(duration * SAMPLE_RATE / HOP / COLUMNS)))  # frames per column
    column = pooled * HOP  # samples
    block = max(1, round(BLOCK_SECONDS * SAMPLE_RATE / column)) * column / SAMPLE_RATE
    filters = mel_filters(N_FFT, SAMPLE_RATE, BANDS, 0.0, SAMPLE_RATE / 2)
    parts, samples = [], 0
    for sound in decoders.stream(read_blocks, path, block, SAMPLE_RATE):
        samples += len(sound)
        filled = np.pad(sound, (0, -len(sound) % column))
        mel = power_spectrum(filled, N_FFT, HOP)[: len(filled) // HOP] @ filters  # (T, BANDS)
        parts.append(mel.reshape(-1, pooled, BANDS).mean(axis=1).T)
    mel_decibels = decibels(np.concatenate(parts, axis=1), RANGE_DB)
    return Spectrogram(mel_decibels - mel_decibels.max(), samples / SAMPLE_RATE)


def _draw_spectrogram(axes: Axes, spectrogram: Spectrogram) -> None:
    columns = spectrogram.decibels.shape[1]
    axes.imshow(
        spectrogram.decibels, cmap="magma", vmin=-RANGE_DB, vmax=0, aspect="auto", origin="lower",
        extent=(0, spectrogram.seconds, -0.5, BANDS - 0.5), interpolation="auto" if columns > 200 else "nearest",
    )  # fmt: skip
    centres = mel_edges(BANDS, 0.0, SAMPLE_RATE / 2)[1:-1]
    axes.set_yticks(np.interp(PITCHES, centres, np.arange(BANDS)), [f"{pitch:,}" for pitch in PITCHES])
    axes.set(xlabel="time (minutes:seconds)", ylabel="frequency (Hz, mel scale)")
    axes.xaxis.set_major_locator(_time_locator(spectrogram.seconds))
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{int(seconds // 60)}:{int(seconds % 60):02}")


def _draw_attention(axes: Axes, explanation: Explanation) -> None:
    windows = explanation.windows
    starts, ends, weights = np.array([(w.start, w.end, w.weight) for w in windows]).T
    average = 1 / len(windows)
    heavy = weights >= average * (1 - 1e-6)
    axes.axhline(average, color=GREY, linewidth=1, linestyle="--", zorder=1)
    axes.plot((starts + ends) / 2, weights, color=INK, linewidth=1.2, zorder=2)
    kinds = ((heavy, SIGNATURE, "window in a signature moment (at least average)"), (~heavy, OTHER, "other window"))
    for chosen, colour, label in kinds:
        if chosen.any():
            place = (weights[chosen], starts[chosen], ends[chosen])
            axes.hlines(*place, colour, linewidth=5, alpha=0.9, zorder=3, label=label)
    axes.set(ylim=(0, max(weights) * 1.12), ylabel="share of attention")
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.{0 if average > 0.05 else 1}%}")
    axes.annotate(
        "average", (1, average), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
        color="#666666", fontsize=8, va="center", annotation_clip=False,
    )  # fmt: skip


def _mark_moments(panels: Any, explanation: Explanation) -> None:
    """Shade the moments in the curve, bracket them above it, and label the heaviest with genre and weight."""
    labels, curve, mel = panels
    for moment in explanation.moments:
        curve.axvspan(moment.start, moment.end, color=SIGNATURE, alpha=0.13, linewidth=0, zorder=0)
        labels.hlines(0, moment.start, moment.end, SIGNATURE, linewidth=4)
        for edge in (moment.start, moment.end):
            mel.axvline(edge, color="white", linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.8)
    labels.set_ylim(-0.25, 3)
    figure = labels.get_figure(root=True)
    figure.draw_without_rendering()  # fixes the width of a second
    ends: list[float] = [-np.inf, -np.inf]  # right edge of the last label in each row, pixels
    for rank, moment in sorted(enumerate(explanation.moments[:LABELLED], 1), key=lambda entry: entry[1].start):
        _write_moment(labels, moment, f"{rank}. {moment.genre} {moment.weight:.0%}", ends)


def _write_moment(axes: Axes, moment: Moment, words: str, ends: list[float]) -> None:
    """Label a moment above its middle, in the first row with room; omit the label if no row has any."""
    text = axes.text(
        (moment.start + moment.end) / 2, 0.45, words, ha="center", va="bottom", fontsize=9, color=INK, clip_on=False
    )
    extent = text.get_window_extent()
    free = [row for row, end in enumerate(ends) if extent.x0 > end]
    if not free:
        text.remove()
        return
    text.set_y(0.45 + 1.3 * free[0])
    ends[free[0]] = extent.x1 + 6


def _time_locator(seconds: float) -> Any:
    from matplotlib.ticker import MultipleLocator

    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
    return MultipleLocator(next((step for step in steps if seconds / step <= 16), 7200))


def _title(resolved: ResolvedTrack) -> str:
    track = resolved.track
    if track is not None and track.title:
        title = displayable(f"{track.artist} - {track.title}" if track.artist else track.title)
    else:
        title = displayable(resolved.path).rsplit("/", 1)[-1]
    return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"
