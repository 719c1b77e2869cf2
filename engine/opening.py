"""What opening a library decides: encoder, device, threads."""

from __future__ import annotations

import os
from pathlib import Path

from engine.db import Database, get_setting
from engine.errors import DeviceError, EncoderError
from engine.models.shipped import EncoderFile, encoder_id, find_encoder

DEVICES = ("auto", "cpu", "cuda")


def check_device(wanted: str) -> str:
    """`auto` resolved to "cpu" or "cuda"; raises DeviceError for a CUDA that is not there."""
    if wanted not in DEVICES:
        raise DeviceError(f"expected a device of {', '.join(DEVICES)}, found {wanted!r}")
    if wanted == "cpu":
        return wanted
    from engine.indexer.encoding import pick_device  # here: torch takes a second to load

    return pick_device(wanted)


def default_threads() -> int:
    """Half of the cores that this process may use, at least two: a player on the same machine keeps playing."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, max(2, cores // 2))


def choose_encoder(database: Database, spec: str | None) -> EncoderFile:
    """The encoder asked for, else the library's own, else the default."""
    with database.read() as connection:
        own = get_setting(connection, "encoder")
        wanted = spec or own
        noted = get_setting(connection, f"weights {wanted}") if wanted else None
    try:
        return find_encoder(wanted)
    except EncoderError:
        if noted is None or not Path(noted).exists():
            raise
        name, _, digest = (wanted or "").partition("@")
        found = find_encoder(noted)
        if found.id != encoder_id(name, digest):
            raise
        return found
