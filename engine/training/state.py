"""The state of a training on disk: everything needed to resume, in one safetensors file, replaced atomically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from engine.errors import TrainingError, brief
from engine.models.weights_files import FORMAT, MALFORMED
from engine.util.atomic_files import ANYTHING, Kind, replacing, safetensors_kind

WEIGHTS = safetensors_kind("encoder from `engine train`", lambda metadata: metadata.get("format") == FORMAT)
STATE = safetensors_kind("state of a training", lambda metadata: {"step", "settings"} <= set(metadata))


class Average:
    """Exponential moving average of a module's parameters and buffers, with a warm-up over the first steps."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Add the module's values with weight 1 - decay; early steps have a greater weight."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, value in module.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, weight)
            else:
                self.values[name].copy_(value)


def save_state(
    path: Path,
    step: int,
    settings: dict[str, Any],
    module: nn.Module,
    average: Average,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the state of a training atomically.

    Raises:
        TrainingError: It cannot be written; the previous state remains.
    """
    tensors = {f"module.{name}": value for name, value in module.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.values.items()}
    for index, slot in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in slot.items()}
    tensors = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    write_safetensors(path, tensors, {"step": str(step), "settings": json.dumps(settings, sort_keys=True)}, STATE)


def load_state(
    path: Path, settings: dict[str, Any], module: nn.Module, average: Average, optimizer: torch.optim.Optimizer
) -> int:
    """Restore a saved state; return the number of completed steps.

    Raises:
        TrainingError: The file is damaged, or belongs to a training with other settings.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if json.loads(metadata.get("settings", "null")) != json.loads(json.dumps(settings)):
                raise TrainingError(
                    f"{path} holds a training with other settings or data",
                    hint="give the same ones, or remove the file to start over",
                )
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            step = int(metadata["step"])
        module.load_state_dict(_under("module.", tensors))
        average.values = _under("average.", tensors)
        optimizer.load_state_dict({"state": _slots(tensors), "param_groups": optimizer.state_dict()["param_groups"]})
    except (SafetensorError, OSError, RuntimeError, *MALFORMED) as error:
        raise TrainingError(
            f"expected the state of a training in {path}, cannot read it: {brief(error)}",
            hint="remove it to start over",
        ) from error
    return step


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], kind: Kind = ANYTHING) -> None:
    """Write a safetensors file atomically, replacing only a file of the same kind; raise TrainingError on failure."""
    try:
        with replacing(path, kind) as handle:
            handle.writelines(_serialised(tensors, metadata))
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"cannot write {path}: {error}", hint="free space or choose another place, then run the command again"
        ) from error


def _serialised(tensors: dict[str, Tensor], metadata: dict[str, str]) -> list[bytes | memoryview]:
    """Serialise with sorted metadata: safetensors orders them randomly, and the file's hash is the encoder's id."""
    data = memoryview(save(tensors, metadata))
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(bytes(data[8:start]))
    text = json.dumps(header | {"__metadata__": dict(sorted(metadata.items()))}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [len(text).to_bytes(8, "little"), text, data[start:]]


def _slots(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    """Group AdamW's moments by parameter number."""
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in _under("optimizer.", tensors).items():
        index, _, key = name.partition(".")
        slots.setdefault(int(index), {})[key] = value
    return slots


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
