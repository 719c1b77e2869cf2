"""Weights on disk: shipped ones (`engine.models.registry`) and files that users trained. Imports no torch."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from engine.errors import EncoderError, brief
from engine.models.registry import ARCHITECTURES, VARIANTS
from engine.models.retired import RETIRED, retired_path

MALFORMED = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError)
"""Errors that reading a foreign header may raise."""
FORMAT = "music-engine encoder 1"
DEFAULT = "attention_signature"
DIGEST_LETTERS = 6
NAME = re.compile(r"[a-z0-9_]{1,64}")  # of an architecture
FROM_TRAINING = "name a .safetensors file from `engine train`"

SHIPPED: dict[str, str] = {name: each.digest for name, each in sorted(ARCHITECTURES.items()) if each.digest}
"""SHA-256 of weights/NAME.safetensors, by name; its first six digits are the encoder's hash."""


@dataclass(frozen=True)
class EncoderFile:
    """Weights on disk.

    Attributes:
        name: The architecture, a key of `engine.models.registry.ARCHITECTURES`.
        digest: SHA-256 of the file, in hex.
        path: The file.
        heads_digest: SHA-256 of the file if it has only the heads of retired weights; else None.
        variant: Key of `engine.models.registry.VARIANTS`, or None for the architecture itself.
    """

    name: str
    digest: str
    path: Path
    heads_digest: str | None = None
    variant: str | None = None

    @cached_property
    def id(self) -> str:
        """The variant's name, else the architecture's, `@` and six hex digits."""
        return encoder_id(self.variant or self.name, self.digest)

    @cached_property
    def genres(self) -> tuple[str, ...]:
        """Outputs of the genre head, in order; raises EncoderError if the file does not list them."""
        return self._labels["genres"]

    @cached_property
    def moods(self) -> tuple[str, ...]:
        """Outputs of the mood head, in order; raises EncoderError if the file does not list them."""
        return self._labels["moods"]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Outputs of the word head, in order; empty for an encoder without words.

        Raises:
            EncoderError: The file does not list its labels.
        """
        return self._labels["words"]

    @cached_property
    def dimensions(self) -> int:
        """D, the numbers of a signature; raises EncoderError if the file does not state it."""
        try:
            with safe_open(self.path, framework="np") as tensors:
                return int(tensors.get_slice("centroids").get_shape()[1])
        except (SafetensorError, OSError, *MALFORMED) as error:
            raise EncoderError(
                f"expected genre centroids in the weights {self.path}, found none: {brief(error)}"
            ) from error

    @cached_property
    def _labels(self) -> dict[str, tuple[str, ...]]:
        return read_labels(self.path)


def encoder_id(name: str, digest: str) -> str:
    """Return `name@` and the first six hex digits of its weights' SHA-256."""
    return f"{name}@{digest[:DIGEST_LETTERS]}"


def shipped_ids() -> list[str]:
    """Return the ids of the shipped encoders, variants last."""
    variants = [encoder_id(name, SHIPPED[variant.architecture]) for name, variant in VARIANTS.items()]
    return [encoder_id(name, digest) for name, digest in SHIPPED.items()] + variants


def default_id() -> str:
    """Return the id of a new library's encoder."""
    return encoder_id(DEFAULT, SHIPPED[DEFAULT])


def is_retired(encoder: str) -> bool:
    """Whether an encoder's network, or that of the architecture it is a variant of, no longer ships."""
    name, _, digest = encoder.partition("@")
    return encoder_id(_architecture_of(name), digest) in RETIRED


def shipped_path(name: str) -> Path:
    """Return the path of a shipped encoder's weights."""
    return Path(str(resources.files("engine.models.weights"))) / f"{name}.safetensors"


def find_encoder(spec: str | None = None) -> EncoderFile:
    """Return the weights for `NAME`, `NAME@HASH` or the path of a .safetensors file; None is the default.

    Raises:
        EncoderError: There is no such encoder; the hint lists the installed ones.
    """
    spec = spec or DEFAULT
    if spec.endswith(".safetensors"):
        path = Path(spec)
        return EncoderFile(read_metadata(path)["name"], file_digest(path), path)
    name, _, digest = spec.partition("@")
    base, named = _architecture_of(name), name if name in VARIANTS else None
    retired = RETIRED.get(f"{base}@{digest}")
    if retired:
        path = retired_path(f"{base}@{digest}")
        return EncoderFile(base, retired.digest, path, retired.heads_digest, named)
    known = ", ".join(shipped_ids())
    if base not in SHIPPED:
        raise EncoderError(
            f"unknown encoder '{spec}'", hint=f"installed: {known}; or give a .safetensors file from `engine train`"
        )
    if digest and digest != SHIPPED[base][:DIGEST_LETTERS]:
        raise EncoderError(
            f"weights of '{spec}' are not installed",
            hint=f"installed: {known}; use one of these or give its .safetensors file",
        )
    return EncoderFile(base, SHIPPED[base], shipped_path(base), variant=named)


def _architecture_of(name: str) -> str:
    """Return the architecture whose weights a variant uses, or the name itself."""
    return VARIANTS[name].architecture if name in VARIANTS else name


def read_metadata(path: Path) -> dict[str, str]:
    """Return a checkpoint's metadata; raise EncoderError if the file is missing or not a checkpoint of Engine."""
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 (long names); a pipe could block
        raise EncoderError(
            f"expected an encoder's weights in {path}, cannot read them: not a regular file", hint=FROM_TRAINING
        )
    try:
        with safe_open(path, framework="np") as file:
            metadata: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise EncoderError(
            f"expected an encoder's weights in {path}, cannot read them: {brief(error)}", hint=FROM_TRAINING
        ) from error
    if metadata.get("format") != FORMAT or not NAME.fullmatch(metadata.get("name", "")):
        raise EncoderError(
            f"expected an encoder's weights in {path}, found another safetensors file", hint=FROM_TRAINING
        )
    return metadata


def read_labels(path: Path) -> dict[str, tuple[str, ...]]:
    """Return "genres", "moods" and "words" of a checkpoint, in the order of its heads' outputs; words may be absent.

    Raises:
        EncoderError: The file is missing, or does not list distinct, printable names of genres, moods and, if any,
            words.
    """
    try:
        found = json.loads(read_metadata(path)["labels"])
        named = {"words": (), **found}
        labels = {kind: tuple(named[kind]) for kind in ("genres", "moods", "words")}
    except MALFORMED as error:
        raise EncoderError(
            f"expected genres and moods in the weights {path}, cannot read them: {brief(error)}"
        ) from error
    for kind, names in labels.items():
        printable = all(isinstance(name, str) and name and name.isprintable() for name in names)
        if (not names and kind != "words") or not printable or len(set(names)) < len(names):
            raise EncoderError(
                f"expected distinct names of {kind} in the weights {path}, found {brief(list(names[:9]))}"
            )
    return labels


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EncoderError(
            f"expected an encoder's weights in {path}: {error.strerror}", hint="install music-engine again"
        ) from error


def check_digest(file: EncoderFile) -> None:
    """Raise EncoderError unless the file's digest matches its id."""
    found, expected = file_digest(file.path), file.heads_digest or file.digest
    if found != expected:
        raise EncoderError(
            f"weights {file.path} have the wrong hash: expected {expected[:12]} ({file.id}), found {found[:12]}",
            hint="install music-engine again",
        )


def reference_centroids(file: EncoderFile) -> NDArray[np.float32]:
    """Return an encoder's reference centroids (G, D): a unit row per genre, zero for a genre without.

    Raises:
        EncoderError: The weights are missing, damaged, or do not match the id.
    """
    check_digest(file)
    try:
        with safe_open(file.path, framework="np") as tensors:
            centroids = np.asarray(tensors.get_tensor("centroids"), np.float32)
    except (SafetensorError, OSError, *MALFORMED) as error:
        raise EncoderError(
            f"expected genre centroids in the weights {file.path}, found none: {brief(error)}"
        ) from error
    if centroids.ndim != 2 or len(centroids) != len(file.genres) or not np.isfinite(centroids).all():
        raise EncoderError(
            f"expected {len(file.genres)} centroids in the weights {file.path}, found shape {centroids.shape[:4]}"
        )
    return centroids
