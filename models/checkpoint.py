"""Checkpoints: one safetensors file with weights (half precision), settings, labels and the training's parameters.

The file's SHA-256 identifies the encoder: signatures of two files never mix. Nothing is unpickled.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.errors import EncoderError, brief
from engine.models.encoder import Encoder, Placement, WindowPlan
from engine.models.labels import GENRES, MOODS
from engine.models.registry import ARCHITECTURES, VARIANTS, load_classes
from engine.models.weights_files import DEFAULT, FORMAT, MALFORMED, EncoderFile, check_digest, default_id, read_metadata

BEFORE_SCORES = {"score": "linear"}  # of files written before `score` was a setting
SHORTEST, LONGEST = 0.1, 600.0  # seconds of a window
MOST_WINDOWS = 10_000
LARGEST_SETTING = 10**6


def build(
    name: str,
    config: dict[str, Any] | None = None,
    genres: tuple[str, ...] = GENRES,
    moods: tuple[str, ...] = MOODS,
    words: tuple[str, ...] = (),
) -> Encoder:
    """Return an untrained encoder with heads for these labels; raise EncoderError for an unknown name or setting."""
    if name not in ARCHITECTURES:
        raise EncoderError(f"unknown encoder '{name}'; expected one of: {', '.join(ARCHITECTURES)}")
    architecture, settings = load_classes(name)
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in (config or {}).items()}
    _check_choices(name, settings, lists)
    _check_numbers(name, lists)
    try:
        encoder = architecture(settings(**lists))  # type: ignore[call-arg, unused-ignore]
    except (*MALFORMED, RuntimeError, ArithmeticError, AssertionError, MemoryError) as error:
        raise EncoderError(f"settings of {name} do not fit this version of Engine: {brief(error)}") from error
    if not _is_sensible(encoder.plan):
        raise EncoderError(f"expected windows of {SHORTEST} to {LONGEST} s in the settings of {name}, found others")
    if (genres, moods) != (encoder.genres, encoder.moods):
        encoder.add_heads(genres, moods)
    if words:
        encoder.add_words(words)
    return encoder


def _is_sensible(plan: WindowPlan) -> bool:
    lengths = SHORTEST <= plan.seconds <= LONGEST  # false for NaN
    return lengths and 1 <= plan.count <= MOST_WINDOWS and 1 <= plan.segments <= MOST_WINDOWS


def _check_numbers(name: str, given: dict[str, Any]) -> None:
    """Raise EncoderError for a negative or huge setting, which torch would reject only in use."""
    for setting, value in given.items():
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and not 0 <= number <= LARGEST_SETTING:
                raise EncoderError(
                    f"expected {brief(setting)} of {name} to be from 0 to {LARGEST_SETTING}, found {brief(number)}"
                )


def _check_choices(name: str, settings: type, given: dict[str, Any]) -> None:
    """Raise EncoderError for a value outside a setting's Literal type, which dataclasses do not check."""
    for setting, hint in get_type_hints(settings).items():
        if setting in given and get_origin(hint) is Literal and given[setting] not in get_args(hint):
            words = ", ".join(get_args(hint))
            raise EncoderError(
                f"expected {setting} of {name} to be one of {words}, found {brief(repr(given[setting]))}"
            )


def contents(encoder: Encoder, name: str, training: dict[str, Any]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors (weights in half precision, statistics in full) and metadata of a checkpoint of `encoder`."""
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
        "placement": encoder.plan.placement,
        "training": json.dumps(training),
    }
    return tensors, metadata


def load_encoder(file: EncoderFile, device: str = "cpu") -> Encoder:
    """Load weights for inference, after checking the file's digest against its id.

    Raises:
        EncoderError: Missing, damaged or other weights; or a retired encoder, of which only the heads ship.
    """
    check_digest(file)
    if file.heads_digest:
        raise EncoderError(
            f"the network of {file.id} no longer ships",
            hint="stored signatures still answer, but new files can be encoded "
            f"with {default_id()} only: engine --encoder {DEFAULT} index PATH adds its signatures beside them",
        )
    encoder = build(file.name, _config(file), file.genres, file.moods, file.words)
    count = VARIANTS[file.variant].windows if file.variant else encoder.plan.count
    encoder.plan = dataclasses.replace(encoder.plan, count=count, placement=_placement(file))
    try:
        with safe_open(file.path, framework="pt") as tensors:
            if "metric.weight" in tensors.keys():  # noqa: SIM118
                encoder.add_metric()
            encoder.load_state_dict({key: tensors.get_tensor(key).float() for key in tensors.keys()})  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, *MALFORMED) as error:
        raise EncoderError(f"weights {file.path} do not fit {file.name}: {brief(error)}") from error
    return encoder.eval().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _placement(file: EncoderFile) -> Placement:
    """Return the placement of windows; files written before the setting existed read the whole track."""
    found = read_metadata(file.path).get("placement", "whole")
    if found not in get_args(Placement):
        raise EncoderError(
            f"expected windows placed by sound or whole in the weights {file.path}, found {found[:80]!r}"
        )
    return cast("Placement", found)


def _config(file: EncoderFile) -> dict[str, Any]:
    try:
        return BEFORE_SCORES | dict(json.loads(read_metadata(file.path)["config"]))
    except MALFORMED as error:
        raise EncoderError(f"expected settings in the weights {file.path}, found none: {brief(error)}") from error
