"""Models with random weights: enough to test what is done with their answers."""

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


def counting_model(kinds: tuple[str, ...] = (), dims: int = 2) -> ModelFile:
    """Give a model that counts something, but not cells."""
    options = {"kinds": kinds, "spacing": 12.0, "anisotropy": (1.0,) * dims}
    return _model(
        "counting",
        options,
        NetworkConfig.model_validate({**(SMALL_3D if dims == 3 else SMALL), "out_channels": len(kinds) or 1}),
    )


def classifying_model(names: tuple[str, ...] = ("bad", "good")) -> ModelFile:
    """Give a model that tells images apart by nothing."""
    config = NetworkConfig.model_validate({**SMALL, "out_channels": len(names) + 1, "head": "image"})
    return _model("classification", {"names": names, "weights": (1.0,) * len(names)}, config)


def _model(task: str, options: dict[str, object], config: NetworkConfig) -> ModelFile:
    torch.manual_seed(3)
    network = UNet(config)
    for weight in network.head.parameters():
        torch.nn.init.normal_(weight, 0.05, 0.1)
    card = ModelCard(task=task, task_options=options, network=config, axes="YX" if config.dims == 2 else "ZYX")
    return ModelFile(card, network.state_dict())
