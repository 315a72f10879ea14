"""One training step: forward, backward, update, average. Knows nothing of files, time or screens."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from microforge.config import NetworkConfig
from microforge.device import computing_in, training_dtype
from microforge.networks.fitted import FittedNetwork, PredictsTiles
from microforge.networks.unet import UNet, count_parameters
from microforge.tasks.abilities import BringsModel
from microforge.tasks.base import Task
from microforge.training.step.averaging import AveragedWeights
from microforge.training.step.optimiser import Optimiser
from microforge.types import Batch


class Learns(Protocol):
    """What a run trains; `step` counts the updates made."""

    step: int

    @property
    def predictor(self) -> PredictsTiles:
        """What answers with what was learnt so far."""

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with another model's weights, as far as they fit."""

    def learn(self, batch: Batch, pace: float) -> Tensor:
        """Make one update and give the loss, perhaps still on the device."""

    @property
    def skipped(self) -> Tensor:
        """How many updates in a row were left out, as their gradients were not finite; perhaps still on the device."""

    def forget_gradients(self) -> None:
        """Let go of memory, as the last update could not be finished."""

    def weights(self) -> dict[str, Tensor]:
        """Give copies of what `predictor` answers with."""

    def take_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Answer with these weights."""

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give the whole state as named tensors."""

    def load(self, parts: Mapping[str, Mapping[str, Tensor]], step: int) -> None:
        """Take a whole state back."""


def make_learner(
    task: Task, config: NetworkConfig, device: torch.device, learning_rate: float | None, seed: int
) -> Learns:
    """Give what trains the network of a task, or the model that it brings."""
    if isinstance(task, BringsModel):
        return FittedLearner(FittedNetwork(task.model(config), config))
    return Learner(task, config, device, learning_rate, seed)


class Learner:
    """A network with its average and optimiser; `step` counts the updates made."""

    def __init__(
        self, task: Task, config: NetworkConfig, device: torch.device, learning_rate: float | None, seed: int
    ) -> None:
        layout = torch.channels_last if config.dims == 2 else torch.channels_last_3d
        self.task, self.device, self.dtype = task, device, training_dtype(device)
        with torch.random.fork_rng(devices=[]):  # what else uses torch in this process keeps its random numbers
            torch.default_generator.manual_seed(seed)
            network, copy = (UNet(config).to(device).to(memory_format=layout) for _ in range(2))  # type: ignore[call-overload]
        self.network, self.average = network, AveragedWeights(network, copy)
        self.optimiser = Optimiser(self.network, learning_rate)
        self.step = 0

    @property
    def predictor(self) -> PredictsTiles:
        """The network with the averaged weights."""
        return self.average.network

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return count_parameters(self.network)

    @property
    def skipped(self) -> Tensor:
        """How many updates in a row were left out, still on the device."""
        return self.optimiser.skipped

    def weights(self) -> dict[str, Tensor]:
        """Give copies of the averaged weights."""
        return self.average.weights()

    def take_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the average."""
        self.average.load(weights)

    def forget_gradients(self) -> None:
        """Let go of half-made gradients."""
        self.optimiser.clear()

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with another model's weights; those of another shape (other classes, say) begin afresh."""
        own = self.network.state_dict()
        fitting = {name: w for name, w in weights.items() if name in own and own[name].shape == w.shape}
        self.network.load_state_dict({**own, **fitting})
        self.average.load(self.network.state_dict())

    def learn(self, batch: Batch, pace: float) -> Tensor:
        """Make one update and give the loss, still on the device: reading it at once would make the device wait."""
        with computing_in(self.device, self.dtype):
            output = self.network(batch.image)
        loss = self.task.loss(output.float(), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step(pace)
        self.step += 1
        self.average.update(self.step)
        return loss.detach()

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give the whole state as named tensors."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.weights(),
            "optimiser": self.optimiser.tensors(),
        }

    def load(self, parts: Mapping[str, Mapping[str, Tensor]], step: int) -> None:
        """Take a whole state back."""
        self.network.load_state_dict(dict(parts["network"]))
        self.average.load(parts["average"])
        self.optimiser.load_tensors(parts["optimiser"])
        self.step = step


class FittedLearner:
    """A model that learns in a way of its own; there is no gradient and no average."""

    def __init__(self, network: FittedNetwork) -> None:
        self.network, self.step = network, 0

    @property
    def predictor(self) -> PredictsTiles:
        """The model as it is."""
        return self.network

    @property
    def parameters(self) -> int:
        """How many numbers are learnt by now."""
        return sum(array.size for array in self.network.model.arrays().values())

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with what another model has learnt."""
        self.network.load(weights)

    def learn(self, batch: Batch, pace: float) -> Tensor:
        """Fit the batch."""
        image, target, weight = (t.float().cpu().numpy() for t in (batch.image, batch.target, batch.weight))
        self.step += 1
        return torch.tensor(self.network.model.fit(image, target, weight))

    @property
    def skipped(self) -> Tensor:
        """None: there are no gradients."""
        return torch.zeros(())

    def forget_gradients(self) -> None:
        """There are none."""

    def weights(self) -> dict[str, Tensor]:
        """Give copies of all it has learnt."""
        return self.network.weights()

    def take_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take what was learnt back."""
        self.network.load(weights)

    def parts(self) -> dict[str, dict[str, Tensor]]:
        """Give the whole state."""
        return {"network": self.network.weights(), "average": {}, "optimiser": {}}

    def load(self, parts: Mapping[str, Mapping[str, Tensor]], step: int) -> None:
        """Take a whole state back."""
        self.network.load(parts["network"])
        self.step = step
