"""Images as answers: denoised, restored, stained, on a finer grid."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.answers.base import AnswerKind, Result, ResultRules
from microforge.answers.images import ImageSeries
from microforge.config import NetworkConfig
from microforge.types import Image, Sample


class PredictedImage(AnswerKind):
    """An image, written time point by time point."""

    name: ClassVar[str] = "image"
    truth: ClassVar[AnnotationKind] = IMAGE_PAIRS

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        """Give what writes the time points."""
        return ImageSeries(path, source, len(samples), rules.image_type)

    def described(self, result: str, network: NetworkConfig, channel_names: Sequence[str]) -> str:
        """Say how many channels, and whether the grid is finer."""
        channels = network.out_channels
        finer = f", {network.upscale} times finer" if network.upscale > 1 else ""
        named = f" ({', '.join(channel_names)})" if channel_names else ""
        return f"{result} image, {channels} channel{'s' * (channels != 1)}{named}{finer}"


PREDICTED_IMAGE = PredictedImage()
