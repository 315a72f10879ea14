"""One training step: forward, backward, update, average. Knows nothing of files, time or screens."""

from collections.abc import Mapping

import torch
from torch import Tensor

from microforge.config import NetworkConfig
from microforge.device import compute_dtype
from microforge.networks.unet import UNet
from microforge.tasks.base import Task
from microforge.training.step.averaging import AveragedWeights
from microforge.training.step.optimiser import Optimiser
from microforge.types import Batch


class Learner:
    """A network with its average and optimiser; `step` counts the updates made."""

    def __init__(
        self, task: Task, config: NetworkConfig, device: torch.device, learning_rate: float | None, seed: int
    ) -> None:
        torch.manual_seed(seed)
        layout = torch.channels_last if config.dims == 2 else torch.channels_last_3d
        self.task, self.device, self.dtype = task, device, compute_dtype(device)
        self.network = UNet(config).to(device).to(memory_format=layout)  # type: ignore[call-overload]
        self.average = AveragedWeights(self.network, UNet(config).to(device).to(memory_format=layout))  # type: ignore[call-overload]
        self.optimiser = Optimiser(self.network, learning_rate)
        self.step = 0

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with another model's weights; those of another shape (other classes, say) begin afresh."""
        own = self.network.state_dict()
        fitting = {name: w for name, w in weights.items() if name in own and own[name].shape == w.shape}
        self.network.load_state_dict({**own, **fitting})
        self.average.load(self.network.state_dict())

    def learn(self, batch: Batch, pace: float) -> Tensor:
        """Make one update and give the loss, still on the device: reading it at once would make the device wait."""
        with torch.autocast(self.device.type, self.dtype, self.dtype != torch.float32):
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
