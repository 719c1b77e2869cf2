"""The output of every benchmark: a table, and JSON that names the machine, the versions and the repetitions."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

PACKAGES = ("music-engine", "torch", "faiss-gpu-cu12", "numpy", "av", "sqlalchemy")


def machine() -> dict[str, Any]:
    """Processor, cores that this process may use, memory, system, versions."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "versions": {name: _version(name) for name in PACKAGES},
    }


def milliseconds(call: Callable[[int], object], repetitions: int, warm: int = 1) -> list[float]:
    """The time of each call in ms, after some warm-up calls; each call gets its number."""
    for i in range(warm):
        call(i)
    taken = []
    for i in range(repetitions):
        began = perf_counter()
        call(warm + i)
        taken.append(1e3 * (perf_counter() - began))
    return taken


def percentiles(taken: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99."""
    return {f"p{p}": float(np.percentile(taken, p)) for p in (50, 95, 99)}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of the same columns as Markdown; floats with three significant digits."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_shown(row.get(name, "")) for name in names) + " |" for row in rows]
    return "\n".join(lines)


def report(name: str, rows: Sequence[dict[str, Any]], out: Path | None, **settings: Any) -> None:
    """Print the table and the machine that it was measured on; with OUT, also write NAME.json there."""
    found = machine()
    print(table(rows))
    described = ", ".join(f"{key} {value}" for key, value in settings.items())
    print(f"\n{described}; {found['cores']} cores of {found['cpu']}, {found['memory_gb']} GB; {found['system']}")
    if out:
        out.mkdir(parents=True, exist_ok=True)
        document = {"benchmark": name, "machine": found, "settings": settings, "rows": list(rows)}
        (out / f"{name}.json").write_text(json.dumps(document, indent=1, default=str) + "\n", "utf-8")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)
