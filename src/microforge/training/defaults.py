"""Default patch size, batch size and network, chosen from the data and the device."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from microforge.config import NetworkConfig, TrainingConfig
from microforge.data.scale.rescaling import rescaled_shape
from microforge.errors import ModelMismatchError, NotEnoughDataError
from microforge.io.model_file import ModelCard
from microforge.networks.unet import receptive_field
from microforge.tasks.abilities import hints_of, network_for, working_scale
from microforge.tasks.base import Task
from microforge.types import Sample

NETWORK_WIDTH = {"cpu": 32, "gpu": 32}
PATCH = {2: {"cpu": 128, "gpu": 256}, 3: {"cpu": 48, "gpu": 96}}
BATCH = {2: {"cpu": 8, "gpu": 16}, 3: {"cpu": 4, "gpu": 4}}
DEPTH = {2: 2, 3: 2}
#: Tasks that need to see far get a deeper network, up to this depth.
DEEPEST = 4
# Planes much further apart than pixels are not folded or pooled together with them.
ANISOTROPIC = 1.6
MOST_PLANES = 32


@dataclass(frozen=True)
class Plan:
    """What was chosen; `patch` is ``(Z)YX``, a multiple of `stride`."""

    network: NetworkConfig
    patch: tuple[int, ...]
    batch_size: int
    stride: tuple[int, ...]

    def describe(self) -> dict[str, str]:
        """Give the choices in words, for a panel or a terminal."""
        return {
            "patch size": " x ".join(map(str, self.patch)) + " px",
            "batch size": str(self.batch_size),
            "network": f"U-Net {self.network.dims}D, width {self.network.width}, depth {len(self.network.pools)}",
        }


def make_plan(
    config: TrainingConfig, task: Task, samples: Sequence[Sample], device: torch.device, start: ModelCard | None = None
) -> Plan:
    """Choose what the settings leave open; a model to start from decides the network.

    Raises
    ------
    NotEnoughDataError
        If the images do not agree in channels or dimensions.
    ModelMismatchError
        If the model to start from does not fit the images or the task.
    """
    dims, channels = _agreed(samples)
    kind = "cpu" if device.type == "cpu" else "gpu"
    if start is not None:
        network = _network_of(start, task, dims, channels)
    else:
        network = _fresh_network(config, task, samples, kind)
    hints, stride = hints_of(task), stride_of(network, task)
    scale = working_scale(task, dims)
    shapes = [rescaled_shape(sample.image.shape[1:], scale) for sample in samples]
    patch = _patch(config, shapes, stride, PATCH[dims][kind] * hints.input_downsampling * hints.patch_scale)
    return Plan(network, patch, config.batch_size or BATCH[dims][kind], stride)


def stride_of(network: NetworkConfig, task: Task) -> tuple[int, ...]:
    """Give what sides of patches ``(Z)YX`` are multiples of."""
    finer = hints_of(task).input_downsampling
    return (*network.stride[:-2], *(s * finer for s in network.stride[-2:]))


def _fresh_network(config: TrainingConfig, task: Task, samples: Sequence[Sample], kind: str) -> NetworkConfig:
    """Give the network of the depth asked for, or the least deep one that sees as far as the task needs."""
    dims, channels = _agreed(samples)
    networks = []
    for depth in [config.depth] if config.depth else range(DEPTH[dims], DEEPEST + 1):
        stem, pools = _down_sampling(samples, dims, depth)
        plain = NetworkConfig(
            dims=2 if dims == 2 else 3,
            in_channels=channels,
            out_channels=task.out_channels,
            width=config.width or NETWORK_WIDTH[kind],
            stem=stem,
            pools=pools,
        )
        networks.append(network_for(task, plain))
    wanted = hints_of(task).min_receptive_field
    return next((one for one in networks if receptive_field(one)[-1] >= wanted), networks[-1])


def _agreed(samples: Sequence[Sample]) -> tuple[int, int]:
    kinds = {(s.image.ndim - 1, s.image.shape[0]) for s in samples}
    if len(kinds) != 1:
        found = "; ".join(f"{dims}D with {channels} channels" for dims, channels in sorted(kinds))
        raise NotEnoughDataError(
            f"The images differ in kind: {found}.", remedy="Train on images with the same dimensions and channels."
        )
    return kinds.pop()


def _network_of(card: ModelCard, task: Task, dims: int, channels: int) -> NetworkConfig:
    network = card.network
    if (network.dims, network.in_channels) != (dims, channels):
        raise ModelMismatchError(
            f"The model to start from is for {network.dims}D images with {network.in_channels} channels, "
            f"these are {dims}D with {channels}.",
            remedy="Choose another model, or start from none.",
        )
    return network_for(task, network.model_copy(update={"out_channels": task.out_channels, "head": "pixels"}))


def _down_sampling(
    samples: Sequence[Sample], dims: int, depth: int
) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Fold and pool YX always, Z only once its voxels are no longer than those of YX, and while planes are left."""
    if dims == 2:
        return (2, 2), ((2, 2),) * depth
    ratio = float(np.median([s.pixel_size[0] / s.pixel_size[-1] if s.pixel_size else 1.0 for s in samples]))
    planes = min(s.image.shape[1] for s in samples)
    steps = []
    for _ in range(depth + 1):
        together = ratio < ANISOTROPIC and planes >= 8
        steps.append((2 if together else 1, 2, 2))
        ratio, planes = (ratio, planes // 2) if together else (ratio / 2, planes)
    return steps[0], tuple(steps[1:])


def _patch(
    config: TrainingConfig, shapes: Sequence[tuple[int, ...]], stride: tuple[int, ...], usual: int
) -> tuple[int, ...]:
    """Give a patch that is a multiple of `stride` and, where images (of `shapes`, as seen) are smaller, no larger."""
    typical = np.median(np.array(shapes), axis=0)
    side = config.patch_size or min(usual, max(int(typical[-2:].max()), 32))
    wanted = [side, side]
    if len(stride) == 3:
        wanted = [config.patch_depth or min(int(typical[0]), MOST_PLANES, side), *wanted]
    return tuple(max(n // s, 1) * s if n >= s else s for n, s in zip(wanted, stride, strict=True))
