"""The encoder that a library opens with."""

from __future__ import annotations

from pathlib import Path

from engine.db import Database, get_setting
from engine.errors import EncoderError
from engine.models.retired import RETIRED
from engine.models.weights_files import DEFAULT, EncoderFile, default_id, encoder_id, find_encoder, shipped_ids


def choose_encoder(database: Database, spec: str | None) -> EncoderFile:
    """The encoder asked for, else the library's own, else the default.

    Raises:
        EncoderError: Its weights are not here; for the library's own, the message says how to go on with others.
    """
    with database.read() as connection:
        own = get_setting(connection, "encoder")
        noted = get_setting(connection, f"weights {spec or own}") if spec or own else None
    if own and not spec and own not in RETIRED and not is_installed(own, noted):
        raise EncoderError(
            f"this library was made with {own}, whose weights are no longer installed; hear it again with "
            f"{default_id()}: engine --encoder {DEFAULT} index PATH (what is there stays, beside it)"
        )
    wanted = spec or own
    try:
        return find_encoder(wanted)
    except EncoderError:
        found = _noted(wanted, noted)
        if found is None:
            raise
        return found


def is_installed(encoder: str, noted: str | None) -> bool:
    """Whether an encoder's weights ship, or lie where the library noted them."""
    return encoder in shipped_ids() or _noted(encoder, noted) is not None


def _noted(encoder: str | None, noted: str | None) -> EncoderFile | None:
    """Weights where a library noted them, if they are still those of this id."""
    if encoder is None or noted is None or not Path(noted).exists():
        return None
    name, _, digest = encoder.partition("@")
    found = find_encoder(noted)
    return found if found.id == encoder_id(name, digest) else None
