"""Numeric precision: bf16 on processors that compute it quickly and correctly, float32 otherwise."""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from engine.db.places import make_private_folder, open_regular
from engine.errors import DeviceError, OutputError
from engine.util.atomic_files import ANYTHING, replacing
from engine.util.paths import default_cache

PRECISIONS = ("auto", "float32")
PROBE_SECONDS = 60.0
PROBE = """
import torch
torch.manual_seed(0)
torch.set_num_threads(1)
with torch.inference_mode():
    x = torch.randn(4, 16, 24, 24).contiguous(memory_format=torch.channels_last)
    body = [torch.nn.Conv2d(16, 32, 3), torch.nn.BatchNorm2d(32), torch.nn.ReLU(), torch.nn.Flatten()]
    layers = torch.nn.Sequential(*body, torch.nn.LazyLinear(64)).eval()
    exact = layers(x)
    with torch.autocast("cpu", torch.bfloat16):
        found = layers(x).float()
raise SystemExit(0 if torch.nn.functional.cosine_similarity(exact, found).min() > 0.999 else 1)
"""


def check_precision(wanted: str) -> str:
    """Return a valid precision; raise DeviceError for an unknown one."""
    if wanted not in PRECISIONS:
        raise DeviceError(
            f"expected a precision of {' or '.join(PRECISIONS)}, found {wanted!r}", hint="auto is the default"
        )
    return wanted


def computes_in_bf16(device: str) -> bool:
    """Whether "auto" means bf16 on a device, "cpu" or "cuda"."""
    import torch

    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    claims = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, claim, bool)() for claim in claims) and _bf16_works()


def _bf16_works() -> bool:
    """Whether this processor's bf16 works, tested once in another process, which may crash."""
    cache = default_cache()
    if cache is None:
        return _try_bf16()
    verdict = cache / f"bf16-{_machine()}"
    with suppress(OSError), open_regular(verdict) as handle:
        return handle.read() == b"works"
    works = _try_bf16()
    with suppress(OSError, OutputError):  # repeat the test next time
        make_private_folder(verdict.parent)
        with replacing(verdict, ANYTHING) as handle:
            handle.write(b"works" if works else b"fails")
    return works


def _try_bf16() -> bool:
    try:
        tried = subprocess.run(
            [sys.executable, "-c", PROBE], stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def _machine() -> str:
    """Return the key of the cached test: the processor, its flags, and torch."""
    import torch

    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        lines = sorted({line for line in lines if line.startswith(("model name", "flags", "microcode"))})
    except OSError:
        lines = [platform.processor(), platform.machine()]
    return hashlib.sha256("\n".join([torch.__version__, *lines]).encode()).hexdigest()[:16]
