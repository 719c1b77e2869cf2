"""Checkpoints: one safetensors file holds weights (half precision), config, labels and how they were trained.

The file's SHA-256 is the encoder's identity: signatures of two files never mix. Nothing is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import EncoderError
from engine.models.attention_signature import AttentionSignature, AttentionSignatureConfig
from engine.models.encoder import Encoder
from engine.models.labels import GENRES, MOODS
from engine.models.shipped import DEFAULT, SHIPPED, encoder_id, shipped_path

FORMAT = "music-engine encoder 1"
ARCHITECTURES: dict[str, tuple[type[Encoder], type]] = {
    "attention_signature": (AttentionSignature, AttentionSignatureConfig),
}


@dataclass(frozen=True)
class EncoderFile:
    """Weights on disk.

    Attributes:
        name: The architecture, a key of ARCHITECTURES.
        digest: SHA-256 of the file, in hex.
        path: Where it lies.
    """

    name: str
    digest: str
    path: Path

    @property
    def id(self) -> str:
        """`name@` and six hex digits."""
        return encoder_id(self.name, self.digest)


def build(name: str, config: dict[str, Any] | None = None) -> Encoder:
    """A fresh encoder; raises EncoderError when the name or a setting is unknown."""
    if name not in ARCHITECTURES:
        raise EncoderError(f"unknown encoder '{name}'; expected one of: {', '.join(ARCHITECTURES)}")
    architecture, settings = ARCHITECTURES[name]
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in (config or {}).items()}
    try:
        return architecture(settings(**lists))  # type: ignore[call-arg]
    except TypeError as error:
        raise EncoderError(f"settings of {name} do not fit this version of Engine: {error}") from error


def contents(encoder: Encoder, name: str, training: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What a checkpoint of `encoder` holds: tensors (weights in half precision, statistics in full) and metadata."""
    tensors = {
        key: value.detach().contiguous().half()
        if key in dict(encoder.named_parameters())
        else value.detach().contiguous()
        for key, value in encoder.state_dict().items()
    }
    metadata = {
        "format": FORMAT,
        "name": name,
        "config": json.dumps(dataclasses.asdict(encoder.config)),
        "labels": json.dumps({"genres": GENRES, "moods": MOODS}),
        "training": json.dumps(training),
    }
    return tensors, metadata


def find_encoder(spec: str | None = None) -> EncoderFile:
    """The weights that `NAME`, `NAME@HASH` or a path of a .safetensors file means; None is the default.

    Raises:
        EncoderError: There is no such encoder; the message lists those there are.
    """
    spec = spec or DEFAULT
    if spec.endswith(".safetensors"):
        path = Path(spec)
        return EncoderFile(read_metadata(path)["name"], file_digest(path), path)
    name, _, digest = spec.partition("@")
    known = ", ".join(encoder_id(*pair) for pair in SHIPPED.items())
    if name not in SHIPPED:
        raise EncoderError(
            f"unknown encoder '{spec}'; installed: {known}; or give a .safetensors file from `engine train`"
        )
    if digest and encoder_id(name, SHIPPED[name]) != spec:
        raise EncoderError(
            f"weights of '{spec}' are not installed; installed: {known}; use one of these, or give its .safetensors file"
        )
    return EncoderFile(name, SHIPPED[name], shipped_path(name))


def load_encoder(file: EncoderFile, device: str = "cpu") -> Encoder:
    """Load weights, after checking that the file is what its id says, ready for inference.

    Raises:
        EncoderError: Missing, damaged, or other weights than named.
    """
    found = file_digest(file.path)
    if found != file.digest:
        raise EncoderError(
            f"weights {file.path} have the wrong hash: expected {file.id}, found SHA-256 {found[:12]}; install music-engine again"
        )
    metadata = read_metadata(file.path)
    encoder = build(file.name, json.loads(metadata["config"]))
    try:
        with safe_open(file.path, framework="pt") as tensors:
            encoder.load_state_dict({key: tensors.get_tensor(key).float() for key in tensors.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError) as error:
        raise EncoderError(
            f"weights {file.path} do not fit {file.name}: {' '.join(str(error).split())[:200]}"
        ) from error
    return encoder.eval().to(device).to(memory_format=torch.channels_last)


def read_metadata(path: Path) -> dict[str, str]:
    """Metadata of a checkpoint; raises EncoderError when the file is missing or is no checkpoint of Engine's."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"expected an encoder's weights in {path}, cannot read them: {error}") from error
    if metadata.get("format") != FORMAT or "name" not in metadata:
        raise EncoderError(f"expected an encoder's weights in {path}, found another safetensors file")
    return metadata


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EncoderError(
            f"expected an encoder's weights in {path}: {error.strerror}; install music-engine again"
        ) from error
