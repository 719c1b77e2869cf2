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
        "MGCAM", "segment_seconds", "2fe73b1719b43d53a7092bdfb1677e05226003e4f0854510c95830e414fe4130"
    ),
    "ts_resformer": Architecture(
        "TSResformer", "slice_seconds", "0b5a8ed592fcf0df44d5f85d11cc4b3b94bd111a9e8fa5f20a13086e70774c6e"
    ),
    "attention_signature": Architecture(
        "AttentionSignature", "token_seconds", "c667adc578cf2830ec86593e2c1b712a969aef998ab68c14eba10d03c365875d"
    ),
    "icff_net": Architecture(
        "ICFFNet", "segment_seconds", "9cecf02ab18ed83abca869f4cd9c468ca335c3b5bc294e12c838a2241ff3dcf8"
    ),
    "attention_cnn": Architecture(
        "AttentionCNN", "slice_seconds", "6f4da1c6fd3cd5d34ebcfaa12a57f205123cccf9ef82474a199af7aefd6e82b0"
    ),
}


@dataclass(frozen=True)
class Variant:
    """An encoder with the weights of another that reads fewer windows of each track: less work, other signatures.

    Attributes:
        architecture: Key of ARCHITECTURES, whose shipped weights it uses.
        windows: Windows read of each track, in place of the architecture's own number.
    """

    architecture: str
    windows: int


VARIANTS: dict[str, Variant] = {"attention_signature_fast": Variant("attention_signature", windows=5)}


def load_classes(name: str) -> tuple[type[Encoder], type]:
    """Import an architecture; return its class and the class of its settings."""
    architecture = ARCHITECTURES[name]
    module = importlib.import_module(f"engine.models.{name}")
    return getattr(module, architecture.encoder), getattr(module, f"{architecture.encoder}Config")
