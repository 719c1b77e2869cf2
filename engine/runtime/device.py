"""The device that the network runs on."""

from __future__ import annotations

from engine.errors import DeviceError

DEVICES = ("auto", "cpu", "cuda")


def check_device(wanted: str) -> str:
    """Return "cpu" or "cuda" for a requested device, which may be "auto".

    Raises:
        DeviceError: There is no such device.
    """
    if wanted not in DEVICES:
        raise DeviceError(
            f"expected a device of {', '.join(DEVICES)}, found {wanted!r}", hint="auto takes the best there is"
        )
    if wanted == "cpu":
        return wanted
    from engine.indexer.pipeline.encoding import pick_device  # torch takes a second to load

    return pick_device(wanted)
