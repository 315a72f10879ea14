"""What is needed of a predictor, by who uses it, and how one is made; come here to stand in for a network.

Torch is imported only when a predictor is made.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from microforge.config import PredictionConfig
from microforge.events import TileFinished
from microforge.inference.redecode import KeptOutputs
from microforge.tasks.base import Task
from microforge.types import Image, Prediction, Sample

if TYPE_CHECKING:
    from microforge.inference.predictor import Predictor


class HasTask(Protocol):
    """Knows which question it answers."""

    @property
    def task(self) -> Task: ...  # noqa: D102


class SamplePredictor(HasTask, Protocol):
    """Predicts samples, each at once: to measure a model."""

    def predict(self, image: Sample) -> Prediction: ...  # noqa: D102


class ImagePredictor(HasTask, Protocol):
    """Predicts whole images with their time points, in steps: for images that are open."""

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]: ...  # noqa: D102


@runtime_checkable
class KeepsOutputs(Protocol):
    """Can keep what its network answers, to be decoded again."""

    keeps: KeptOutputs | None


class FramePredictor(Protocol):
    """Predicts the time points of an image one after the other."""

    def run_frames(self, samples: Sequence[Sample]) -> Iterator[TileFinished | Prediction]: ...  # noqa: D102


class FolderPredictor(FramePredictor, Protocol):
    """Predicts files: small ones together, large ones in tiles, decoding in another thread."""

    @property
    def device(self) -> Any: ...  # noqa: D102

    @property
    def batch_pixels(self) -> int: ...  # noqa: D102

    def prepare(self, sample: Sample) -> None: ...  # noqa: D102

    def fits_one_tile(self, sample: Sample) -> bool: ...  # noqa: D102

    def forward_many(self, samples: Sequence[Sample]) -> Sequence[Any]: ...  # noqa: D102

    def finish(self, output: Any, sample: Sample) -> Prediction: ...  # noqa: D102


_Made = TypeVar("_Made", covariant=True)
#: Makes a predictor of one of the kinds above, as `make_predictor` makes the engine's own.
MakePredictor = Callable[[Path, PredictionConfig], _Made]


def make_predictor(model: Path, config: PredictionConfig) -> "Predictor":
    """Load a model."""
    from microforge.inference.predictor import Predictor

    return Predictor(model, config)
