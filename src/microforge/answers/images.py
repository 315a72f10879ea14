"""Predicted images as answers (denoised, restored, stained, finer grid), written frame by frame.

Time points are written as they come, and none is kept once it is written.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from microforge.annotations import IMAGE_PAIRS, AnnotationKind
from microforge.answers.base import AnswerKind, ImageType, Result, ResultRules, Statistics
from microforge.config import NetworkConfig
from microforge.errors import MicroforgeError
from microforge.io.writing import Layout, as_type, open_image, stored_type, write_image
from microforge.types import Array, Image, PixelSize, Prediction, Sample

#: Frames and small images of one size go through the network together, as many as fit into so many pixels.
BATCH_PIXELS = 1 << 19
#: A long series may have something to say of every time point: so many remarks are told.
_MOST_NOTES = 6


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


class ImageSeries(Result):
    """The image file of one input; axes, time interval and, if its type is kept, the dtype of the input go into it."""

    def __init__(self, path: Path, source: Image, frames: int, image_type: ImageType = "float32") -> None:
        super().__init__(source, path)
        self.frames, self.image_type = frames, image_type
        self.clipped = 0
        self.layout: Layout | None = None
        self.said: dict[str, None] = {}
        self._pixel_size: PixelSize | None = None
        self._measured: Counter[str] = Counter()
        self._stack = ExitStack()
        self._append: Callable[[Array], None] | None = None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """Complete the file, or remove it."""
        self._stack.__exit__(kind, error, trace)

    def add(self, prediction: Prediction) -> None:
        """Write the next time point, an image ``C(Z)YX``."""
        path = self.path
        assert path is not None
        assert prediction.image is not None
        pixels = _plane_order(prediction.image)
        if self._append is None or self.layout is None:
            self._pixel_size = prediction.pixel_size
            self.layout = self._layout(pixels.shape, prediction.channel_names)
            self._append = self._stack.enter_context(open_image(path, self.layout, durable=False))
        pixels, outside = as_type(pixels, self.layout.dtype)
        self._append(pixels)
        self.clipped += outside
        self.said |= dict.fromkeys(prediction.notes)
        self._measured.update({name: value / self.frames for name, value in prediction.statistics.items()})

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell of the image: what was said of its time points, and what its type has cost."""
        return (*first_notes(self.said), *self._type_notes())

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the image written.

        Raises
        ------
        MicroforgeError
            If no time point gave an image.
        """
        if self.layout is None:
            raise MicroforgeError("The model gives no image.", remedy="Please report it with this image.")
        return self.layout.shape

    @property
    def pixel_size(self) -> PixelSize | None:
        """Of the image written, whose grid may be finer."""
        return self._pixel_size

    @property
    def statistics(self) -> Statistics:
        """What was measured on the time points, as means."""
        return dict(self._measured)

    def _type_notes(self) -> list[str]:
        if self.layout is None or self.image_type == "float32":
            return []
        kind, source = self.layout.dtype, np.dtype(self.source.data.dtype).newbyteorder("=")
        if kind != source:
            return [f"Written as {kind}: image files for Fiji do not keep {source}."]
        if not self.clipped:
            return []
        share = 100 * self.clipped / int(np.prod(self.layout.shape, dtype=np.int64))
        return [f"{self.clipped:,} pixels ({share:.2g} %) did not fit {kind} and were clipped."]

    def _layout(self, shape: tuple[int, ...], channel_names: tuple[str, ...]) -> Layout:
        """Give the layout for time points ``(Z)CYX``; a single channel is no axis."""
        axes = "ZCYX"[-len(shape) :]
        if shape[-3] == 1:
            axes, shape = axes.replace("C", ""), (*shape[:-3], *shape[-2:])
        if "T" in self.source.axes:
            axes, shape = f"T{axes}", (self.frames, *shape)
        source = np.dtype(self.source.data.dtype)
        dtype = stored_type(source) if self.image_type == "source" else np.dtype(np.float32)
        return Layout(axes, shape, dtype, self.pixel_size, channel_names, self.source.time_interval)


def write_predicted(path: Path, prediction: Prediction, source: Image) -> None:
    """Write the image predicted of an open one as float32 TIFF, with the pixel size, channels and time of both.

    Parameters
    ----------
    prediction
        Its image is ``(T)C(Z)YX``, as `Predictor.run_image` gives it; a single channel is no axis of the file.

    Raises
    ------
    WriteError
        If the file cannot be written; one that was there is unchanged.
    """
    data = np.asarray(prediction.image)
    axes = "".join(letter for letter in "TCZYX" if letter in source.axes or letter == "C")
    names = prediction.channel_names or source.channel_names
    if data.shape[axes.index("C")] == 1:
        data, axes, names = data.take(0, axes.index("C")), axes.replace("C", ""), ()
    interval = source.time_interval
    write_image(path, data, axes, prediction.pixel_size, channel_names=names, time_interval=interval)


def first_notes(notes: Iterable[str]) -> tuple[str, ...]:
    """Give the first remarks, and how many more there are."""
    told = tuple(notes)
    if len(told) <= _MOST_NOTES:
        return told
    return (*told[:_MOST_NOTES], f"And {len(told) - _MOST_NOTES} more remarks on other time points.")


def _plane_order(image: Array) -> Array:
    """Turn ``CZYX`` into ``ZCYX``, the order of planes in ImageJ; ``CYX`` is that already."""
    return image if image.ndim == 3 else image.swapaxes(0, 1)
