"""Checkpoints: one safetensors file holds weights (half precision), config, labels and how they were trained.

The file's SHA-256 is the encoder's identity: signatures of two files never mix. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import EncoderError
from engine.models.attention_cnn import AttentionCNN, AttentionCNNConfig
from engine.models.attention_signature import AttentionSignature, AttentionSignatureConfig
from engine.models.encoder import Encoder
from engine.models.icff_net import ICFFNet, ICFFNetConfig
from engine.models.labels import GENRES, MOODS
from engine.models.mg_cam import MGCAM, MGCAMConfig
from engine.models.shipped import FORMAT, EncoderFile, check_digest, read_metadata
from engine.models.ts_resformer import TSResformer, TSResformerConfig

ARCHITECTURES: dict[str, tuple[type[Encoder], type]] = {
    "mg_cam": (MGCAM, MGCAMConfig),
    "ts_resformer": (TSResformer, TSResformerConfig),
    "attention_signature": (AttentionSignature, AttentionSignatureConfig),
    "icff_net": (ICFFNet, ICFFNetConfig),
    "attention_cnn": (AttentionCNN, AttentionCNNConfig),
}

BEFORE_SCORES = {"score": "linear"}  # of files written before the way of weighing segments was a setting


def build(
    name: str,
    config: dict[str, Any] | None = None,
    genres: tuple[str, ...] = GENRES,
    moods: tuple[str, ...] = MOODS,
    words: tuple[str, ...] = (),
) -> Encoder:
    """A fresh encoder whose heads answer with these names; raises EncoderError for an unknown name or setting."""
    if name not in ARCHITECTURES:
        raise EncoderError(f"unknown encoder '{name}'; expected one of: {', '.join(ARCHITECTURES)}")
    architecture, settings = ARCHITECTURES[name]
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in (config or {}).items()}
    _check_choices(name, settings, lists)
    try:
        encoder = architecture(settings(**lists))  # type: ignore[call-arg, unused-ignore]
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise EncoderError(f"settings of {name} do not fit this version of Engine: {error}") from error
    if (genres, moods) != (encoder.genres, encoder.moods):
        encoder.add_heads(genres, moods)
    if words:
        encoder.add_words(words)
    return encoder


def _check_choices(name: str, settings: type, given: dict[str, Any]) -> None:
    """A setting that is one of a few words must be one of them: dataclasses do not look."""
    for setting, hint in get_type_hints(settings).items():
        if setting in given and get_origin(hint) is Literal and given[setting] not in get_args(hint):
            words = ", ".join(get_args(hint))
            raise EncoderError(f"expected {setting} of {name} to be one of {words}, found {given[setting]!r}")


def contents(encoder: Encoder, name: str, training: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What a checkpoint of `encoder` holds: tensors (weights in half precision, statistics in full) and metadata."""
    tensors = {
        key: value.detach().contiguous().half()
        if key in dict(encoder.named_parameters())
        else value.detach().contiguous()
        for key, value in encoder.state_dict().items()
    }
    labels = {"genres": encoder.genres, "moods": encoder.moods} | ({"words": encoder.words} if encoder.words else {})
    metadata = {
        "format": FORMAT,
        "name": name,
        "config": json.dumps(dataclasses.asdict(encoder.config)),
        "labels": json.dumps(labels),
        "training": json.dumps(training),
    }
    return tensors, metadata


def load_encoder(file: EncoderFile, device: str = "cpu") -> Encoder:
    """Load weights, after checking that the file is what its id says, ready for inference.

    Raises:
        EncoderError: Missing, damaged, or other weights than named.
    """
    check_digest(file)
    encoder = build(file.name, _config(file), file.genres, file.moods, file.words)
    try:
        with safe_open(file.path, framework="pt") as tensors:
            encoder.load_state_dict({key: tensors.get_tensor(key).float() for key in tensors.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError) as error:
        raise EncoderError(
            f"weights {file.path} do not fit {file.name}: {' '.join(str(error).split())[:200]}"
        ) from error
    return encoder.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _config(file: EncoderFile) -> dict[str, Any]:
    try:
        return BEFORE_SCORES | dict(json.loads(read_metadata(file.path)["config"]))
    except (KeyError, TypeError, ValueError) as error:
        raise EncoderError(f"expected settings in the weights {file.path}, found none: {error}") from error
