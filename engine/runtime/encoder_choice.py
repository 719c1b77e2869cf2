"""The encoder that a library opens with."""

from __future__ import annotations

import os

from engine.db import Database, get_setting
from engine.errors import EncoderError
from engine.models.weights_files import (
    DEFAULT,
    EncoderFile,
    default_id,
    encoder_id,
    find_encoder,
    is_retired,
    shipped_ids,
)


def choose_encoder(database: Database, spec: str | None) -> EncoderFile:
    """Return the given encoder, else the library's own, else the default.

    Raises:
        EncoderError: Its weights are missing; for the library's own, the message names the alternatives.
    """
    with database.read() as connection:
        own = get_setting(connection, "encoder")
        recorded = get_setting(connection, f"weights {spec or own}") if spec or own else None
    if own and not spec and not is_retired(own) and not is_installed(own, recorded):
        raise EncoderError(
            f"this library was made with {own}, whose weights are no longer installed",
            hint="index it with "
            f"{default_id()}: engine --encoder {DEFAULT} index PATH (its signatures stay beside the new ones)",
        )
    wanted = spec or own
    try:
        return find_encoder(wanted)
    except EncoderError:
        found = _recorded(wanted, recorded)
        if found is None:
            raise
        return found


def is_installed(encoder: str, recorded: str | None) -> bool:
    """Whether an encoder's weights ship, or are still where the library recorded them."""
    return encoder in shipped_ids() or _recorded(encoder, recorded) is not None


def _recorded(encoder: str | None, recorded: str | None) -> EncoderFile | None:
    """Return the weights at the recorded path if they still have this id."""
    if encoder is None or recorded is None or not os.path.exists(recorded):  # noqa: PTH110
        return None
    name, _, digest = encoder.partition("@")
    found = find_encoder(recorded)
    return found if found.id == encoder_id(name, digest) else None
