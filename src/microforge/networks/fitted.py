"""Models that are no networks: anything that fits on batches and answers tiles; come here to bring a random forest.

A task brings one by its `model` (see `microforge.tasks.abilities.BringsModel`). Its weights are arrays, kept in the
same model files as those of networks: no pickle.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from microforge.config import NetworkConfig
from microforge.types import Array, Floats


class PredictsTiles(Protocol):
    """What gives raw outputs for tiles: a network, or what stands for one."""

    @property
    def config(self) -> NetworkConfig:
        """Its shape; margins and alignment of tiles follow it."""

    def __call__(self, x: Tensor) -> Tensor:
        """Give raw outputs ``NC(Z)YX`` for normalised images ``NC(Z)YX``."""


@runtime_checkable
class GivesFeatures(Protocol):
    """Tells what a place looks like to it, by which places can be compared."""

    def features(self, x: Tensor) -> Tensor:
        """Give features ``NC(Z)YX``, on a coarser grid, of normalised images ``NC(Z)YX``."""


class FittedModel(Protocol):
    """A model that learns from batches in a way of its own."""

    def fit(self, image: Floats, target: Floats, weight: Floats) -> float:
        """Learn from a batch of normalised patches, all ``NC(Z)YX``; give how badly it answered."""

    def predict(self, image: Floats) -> Floats:
        """Give raw outputs ``NC(Z)YX`` of normalised images ``NC(Z)YX``, on the same grid; also before any `fit`."""

    def arrays(self) -> Mapping[str, Array]:
        """Give all it has learnt, as named arrays."""

    def load(self, arrays: Mapping[str, Array]) -> None:
        """Take what was learnt back.

        Raises
        ------
        KeyError, ValueError
            If the arrays are not those of such a model.
        """


class FittedNetwork:
    """Lets a fitted model stand where a network is asked for tiles."""

    def __init__(self, model: FittedModel, config: NetworkConfig) -> None:
        self.model, self.config = model, config

    def __call__(self, x: Tensor) -> Tensor:
        """Give raw outputs ``NC(Z)YX``; the model computes on the processor."""
        return torch.from_numpy(self.model.predict(x.float().cpu().numpy())).to(x.device)

    def weights(self) -> dict[str, Tensor]:
        """Give copies of all the model has learnt."""
        return {name: torch.from_numpy(np.array(array)) for name, array in self.model.arrays().items()}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take what was learnt back."""
        self.model.load({name: tensor.detach().cpu().numpy() for name, tensor in weights.items()})
