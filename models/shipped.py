"""The weights that ship: a literal table, readable without torch."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

DEFAULT = "attention_signature"
DIGEST_LETTERS = 6

# name -> SHA-256 of weights/<name>.safetensors; its first six digits are the encoder's hash
SHIPPED: dict[str, str] = {
    "attention_signature": "730cd55dce431b1ad51912a77e8e2366c0ba932c8bde827272f99ac598aee6b8",
}


def encoder_id(name: str, digest: str) -> str:
    """`name@` and the first six hex digits of its weights' SHA-256."""
    return f"{name}@{digest[:DIGEST_LETTERS]}"


def shipped_ids() -> list[str]:
    """Ids of the encoders that ship."""
    return [encoder_id(name, digest) for name, digest in SHIPPED.items()]


def default_id() -> str:
    """Id of the encoder that a new library gets."""
    return encoder_id(DEFAULT, SHIPPED[DEFAULT])


def shipped_path(name: str) -> Path:
    """Where the weights of a shipped encoder lie."""
    return Path(str(resources.files("engine.models.weights"))) / f"{name}.safetensors"
