"""Moving average of the weights: by a power law at first, then exponential (EMA); good at any moment."""

from collections.abc import Mapping

import torch
from torch import Tensor

from microforge.networks.unet import UNet

# Exponent of the power-law average (Karras et al. 2024, arXiv 2312.02696): about the last 10 % of the steps count, so
# that early previews do not show the untrained network.
EXPONENT = 16.0
# From step 3,400 on the last 200 steps count: an annotation changed in a long run must show in the preview soon. That
# costs a little: validation loss 0.6625 against 0.6620, 0.6639 against 0.6631 without it (6,000 steps, two seeds).
LONGEST = 0.995


class AveragedWeights:
    """Running average of a network's weights, in a copy of the network."""

    def __init__(self, network: UNet, copy: UNet) -> None:
        self.source, self.network = network, copy.eval()
        self.network.load_state_dict(network.state_dict())
        self._pairs = list(zip(self.network.parameters(), self.source.parameters(), strict=True))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Include the weights after step number `step` (from 1)."""
        keep = min(LONGEST, (1 - 1 / step) ** (EXPONENT + 1))
        torch._foreach_lerp_([a for a, _ in self._pairs], [b for _, b in self._pairs], 1 - keep)

    def weights(self) -> dict[str, Tensor]:
        """Give copies of the averaged weights."""
        return {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Set the average."""
        self.network.load_state_dict(dict(weights))
