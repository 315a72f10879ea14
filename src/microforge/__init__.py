"""Microforge: annotate images, train U-Nets and run them, in napari or without a screen.

The names below are the whole public API; they are imported when first used, so that importing this package is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from microforge.config import TrainingConfig
    from microforge.evaluation.evaluate import evaluate
    from microforge.inference.folder.run import predict_folder
    from microforge.inference.predictor import Predictor
    from microforge.tasks import available_tasks
    from microforge.training.loop import train

__version__ = "0.1.0"

_HOMES = {
    "TrainingConfig": "microforge.config",
    "available_tasks": "microforge.tasks",
    "train": "microforge.training.loop",
    "Predictor": "microforge.inference.predictor",
    "predict_folder": "microforge.inference.folder.run",
    "evaluate": "microforge.evaluation.evaluate",
}

__all__ = [  # noqa: RUF022 - in the order of use
    "TrainingConfig",
    "train",
    "Predictor",
    "predict_folder",
    "evaluate",
    "available_tasks",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'microforge' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
