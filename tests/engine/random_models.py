"""Models of image tasks with random weights: enough to test what is done with their answers."""

import torch

from microforge.config import NetworkConfig
from microforge.io.model_file import ModelCard, ModelFile
from microforge.networks.unet import UNet

SMALL = {"width": 8, "pools": ((2, 2),)}
SMALL_3D = {"dims": 3, "width": 4, "stem": (1, 2, 2), "pools": ((1, 2, 2),)}


def random_model(task: str = "denoising", dims: int = 2, **shape: object) -> ModelFile:
    """Give a small residual network with the card of a task; `shape` are fields of the network's settings."""
    config = NetworkConfig.model_validate({**(SMALL_3D if dims == 3 else SMALL), "residual": True, **shape})
    torch.manual_seed(3)
    network = UNet(config)
    torch.nn.init.normal_(network.head.weight, std=0.05)
    options = {"channels": config.out_channels}
    card = ModelCard(task=task, task_options=options, network=config, axes="ZYX"[-dims:])
    return ModelFile(card, network.state_dict())
