"""The registry of encoders: a new one is a module of its name and a line here.

It imports no torch, so that queries of stored embeddings start fast.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.models.encoder import Encoder


@dataclass(frozen=True)
class Architecture:
    """One architecture, in the module `engine.models.NAME`.

    Attributes:
        encoder: Name of its class there; its settings are the dataclass of that name with "Config" appended.
        segment_setting: Name of the setting with the length of a segment in seconds (`WindowPlan.segment_seconds`).
        digest: SHA-256 of the shipped weights, weights/NAME.safetensors; None if none ship.
    """

    encoder: str
    segment_setting: str
    digest: str | None = None


ARCHITECTURES: dict[str, Architecture] = {
    "mg_cam": Architecture(
        "MGCAM", "segment_seconds", "be86fee879c508872afb59342d5e3e657613fc4f85f8754bcb2303323aa0844b"
    ),
    "ts_resformer": Architecture(
        "TSResformer", "slice_seconds", "ce606a2c0f39d612979482200903848f4eb8be47f41cb5d562605dbc30e22034"
    ),
    "attention_signature": Architecture(
        "AttentionSignature", "token_seconds", "f5293da9b90b8697f7b509d62b7ddcbb458b4add0bb5f8ebb1f1c51e6d939eda"
    ),
    "icff_net": Architecture(
        "ICFFNet", "segment_seconds", "d643921e00b4de34e622a063dad0d95e0df5e1805b06534166451f6e583d4b79"
    ),
    "attention_cnn": Architecture(
        "AttentionCNN", "slice_seconds", "17746ef02bd304d9b7b165769c1ccb9d436dac8c01afb2df1c7642b85d730824"
    ),
}


def load_classes(name: str) -> tuple[type[Encoder], type]:
    """Import an architecture; return its class and the class of its settings."""
    architecture = ARCHITECTURES[name]
    module = importlib.import_module(f"engine.models.{name}")
    return getattr(module, architecture.encoder), getattr(module, f"{architecture.encoder}Config")
