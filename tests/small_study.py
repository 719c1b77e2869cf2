"""The text of a small study: an encoder of a few thousand weights, with and without its attention."""

from __future__ import annotations

from collections.abc import Sequence


def study_text(*, title: str, steps: int, batch: int, shares: Sequence[float]) -> str:
    """Return the TOML of the study; see `engine.study.plan`."""
    return f"""title = "{title}"
claim = "attention helps"
encoder = "attention_cnn"
steps = {steps}
batch = {batch}
learning_rate = 0.003
shares = {list(shares)}
[config]
slices = 3
slice_seconds = 0.5
bands = 32
widths = [4, 8, 8]
dim = 8
[[rows]]
name = "with"
paper = "90 %"
[[rows]]
name = "without"
config = {{ attention = false }}
"""
