"""Checkpoints: save and resume a run exactly; two generations, written atomically."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from microforge.errors import ModelFileError
from microforge.io.atomic import atomic_path

NAMES = ("checkpoint.safetensors", "checkpoint-previous.safetensors")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Named tensors (``network.``, ``average.``, ``best.``, ``optimiser.`` ...) and plain values."""

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Give the tensors below a name."""
        return {key[len(name) + 1 :]: tensor for key, tensor in self.tensors.items() if key.startswith(name + ".")}


def save_checkpoint(folder: Path, parts: Mapping[str, Mapping[str, Tensor]], values: Mapping[str, Any]) -> Path:
    """Write a checkpoint; the one before stays as the previous generation."""
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().contiguous().clone()
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    path, previous = (folder / name for name in NAMES)
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata={"values": json.dumps(values)})
        if path.exists():
            os.replace(path, previous)
    return path


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the newest checkpoint that is whole.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    for name in NAMES:
        path = folder / name
        if path.exists():
            try:
                return _read(path)
            except (OSError, SafetensorError, ValueError):
                continue  # a damaged newest generation: the previous one is whole
    raise ModelFileError(
        "There is no checkpoint to continue from.",
        where=str(folder),
        remedy="Start a new run; it may start_from a model.",
    )


def _read(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a mapping
        return Checkpoint(tensors, json.loads(file.metadata()["values"]))
