"""Checkpoints: save and resume a run exactly; two generations, written atomically."""

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from microforge.errors import ModelFileError
from microforge.io.atomic import atomic_path
from microforge.training.history.run_folder import CHECKPOINT_NAMES

DAMAGED = "checkpoint-damaged.safetensors"


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Named tensors (``network.``, ``average.``, ``best.``, ``optimiser.`` ...) and plain values."""

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Give the tensors below a name."""
        return {key[len(name) + 1 :]: tensor for key, tensor in self.tensors.items() if key.startswith(name + ".")}


def save_checkpoint(folder: Path, parts: Mapping[str, Mapping[str, Tensor]], values: Mapping[str, Any]) -> Path:
    """Write a checkpoint; the one before stays as the previous generation.

    Raises
    ------
    WriteError
        If there is no room for it; the one before is whole.
    """
    tensors = {
        f"{part}.{name}": tensor.detach().cpu().contiguous().clone()
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    text = json.dumps(values)
    content = save(tensors, metadata={"values": text, "checksum": _checksum(tensors, text)})
    path, previous = (folder / name for name in CHECKPOINT_NAMES)
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
        if path.exists():
            os.replace(path, previous)
    return path


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the newest checkpoint that is whole; a damaged newer one is put aside, so that it cannot replace that one.

    Raises
    ------
    ModelFileError
        If there is none.
    """
    found = [folder / name for name in CHECKPOINT_NAMES if (folder / name).exists()]
    damaged: list[Path] = []
    for path in found:
        try:
            checkpoint = _read(path)
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
            damaged.append(path)
            continue
        for one in damaged:
            with suppress(OSError):
                os.replace(one, folder / DAMAGED)
        return checkpoint
    if found:
        raise unusable(folder)
    raise ModelFileError(
        "There is no checkpoint to continue from.",
        where=str(folder),
        remedy="Start a new run; it may start_from a model.",
    )


def unusable(folder: Path) -> ModelFileError:
    """Give what is said of a checkpoint that makes no sense."""
    return ModelFileError(
        "The checkpoint is damaged, or of another program.",
        where=str(folder),
        kept="Nothing in the folder was changed.",
        remedy="Start a new run; it may start_from the model of this one.",
    )


def _read(path: Path) -> Checkpoint:
    # Read here and not by the library, which opens no file whose name is not UTF-8.
    content = path.read_bytes()
    tensors, length = load(content), int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    text = metadata["values"]
    # Checkpoints of older versions have no checksum.
    if metadata.get("checksum", "") not in ("", _checksum(tensors, text)):
        raise ValueError("some bits of it were changed")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise ValueError("its values are none")
    return Checkpoint(tensors, values)


def _checksum(tensors: Mapping[str, Tensor], values: str) -> str:
    digest = hashlib.blake2b(values.encode(), digest_size=16)
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
