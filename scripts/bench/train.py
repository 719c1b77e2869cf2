"""Training speed of each encoder: `scripts/bench/train.py [--device cuda] [--out DIR]`.

A step is forward, backward and AdamW on windows of noise, as many as twelve clips of thirty seconds hold; front-ends
are left out, as a training reads their features from its cache. In float32, and in bf16.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from reporting import report

from engine.models.checkpoint import build
from engine.models.encoder import Encoder
from engine.models.registry import ARCHITECTURES

CLIPS = 12
CLIP_SECONDS = 30.0
STEPS = 5


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = [_row(name, arguments.device) for name in ARCHITECTURES]
    report("train", rows, arguments.out, device=arguments.device, threads=arguments.threads, steps=STEPS, clips=CLIPS)


def _row(name: str, device: str) -> dict[str, Any]:
    torch.manual_seed(0)
    encoder = build(name).to(device).train()
    count = max(1, round(CLIPS * CLIP_SECONDS / encoder.plan.seconds))
    with torch.no_grad():
        features = encoder.front_end(torch.randn(count, encoder.plan.samples, device=device) * 0.1)
    clips = count * encoder.plan.seconds / CLIP_SECONDS
    row: dict[str, Any] = {"encoder": name}
    for precision in (torch.float32, torch.bfloat16):
        row[f"{str(precision).removeprefix('torch.')} clips/s"] = clips / _step_seconds(encoder, features, precision)
    print(row, flush=True)
    return row


def _step_seconds(encoder: Encoder, features: dict[str, torch.Tensor], precision: torch.dtype) -> float:
    device = encoder.device.type
    optimiser = torch.optim.AdamW(encoder.parameters(), 1e-4)
    began = 0.0
    for step in range(STEPS + 1):
        if step == 1:  # the first one does not count
            _wait(device)
            began = perf_counter()
        with torch.autocast(device, precision, enabled=precision is not torch.float32):
            loss = encoder.embed(features).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    _wait(device)
    return (perf_counter() - began) / STEPS


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
