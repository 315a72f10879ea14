"""A model ready to be applied: to a sample, an image of any axes, or a plain array."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from microforge.config import PredictionConfig
from microforge.data.axes import from_samples, to_samples
from microforge.data.normalise import Normaliser, is_constant, normaliser_for, recorded
from microforge.device import choose_device
from microforge.errors import ModelFileError, ModelMismatchError
from microforge.events import TileFinished
from microforge.inference.tiling import Output, TiledNetwork
from microforge.io.model_file import ModelFile, load_model
from microforge.networks.unet import UNet
from microforge.tasks import get_task
from microforge.types import Array, Image, Prediction, Sample

# Beyond this ratio between the pixel sizes of a model and an image, objects look to the network as another size.
PIXEL_SIZE_RATIO = 1.5


class Predictor:
    """Apply a model.

    Parameters
    ----------
    model
        A model file, or its path.
    config
        Device, tile size, and task options that replace the model's own.

    Raises
    ------
    ModelFileError
        If the model cannot be read.
    SettingsError
        If the device or an option cannot be used.
    """

    def __init__(self, model: ModelFile | Path | str, config: PredictionConfig | None = None) -> None:
        config = config or PredictionConfig()
        file = model if isinstance(model, ModelFile) else load_model(model)
        self.card = file.card
        self.task = get_task(self.card.task).from_options({**self.card.task_options, **config.task_options})
        self.device = choose_device(config.device)
        network = _build(file, self.device)
        self.network = TiledNetwork(network, self.task, self.device, config.tile_size, flips=config.flips)

    def run(self, sample: Sample) -> Iterator[TileFinished | Prediction]:
        """Yield progress and, last, the prediction of one sample; close the generator to cancel.

        Raises
        ------
        ModelMismatchError
            If the image has other channels or dimensions than the model.
        """
        self.check(sample)
        for item in self.network.run(sample.image, self.normaliser(sample)):
            yield item if isinstance(item, TileFinished) else self.finish(item, sample)

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]:
        """Yield progress and, last, the prediction of an image with named axes: labels ``(T)(Z)YX``."""
        samples = to_samples(image)
        predictions: list[Prediction] = []
        for sample in samples:
            for item in self.run(sample):
                if isinstance(item, Prediction):
                    predictions.append(item)
                elif len(samples) == 1:
                    yield item
            if len(samples) > 1:
                yield TileFinished(len(predictions), len(samples))
        yield _stacked(predictions, image)

    def predict(self, image: Image | Sample | Array, axes: str | None = None) -> Prediction:
        """Give the prediction at once; a plain array needs `axes` unless it is ``YX``, or ``ZYX`` for a 3D model."""
        if isinstance(image, Sample):
            *_, last = self.run(image)
        else:
            named = image if isinstance(image, Image) else Image("image", image, axes or self.card.axes)
            *_, last = self.run_image(named)
        if not isinstance(last, Prediction):
            raise ModelMismatchError("The image is empty.")
        return last

    def forward_many(self, samples: Sequence[Sample]) -> list[Output]:
        """Run small samples of one size together; `finish` turns each output into a prediction."""
        for sample in samples:
            self.check(sample)
        images = np.stack([self.normaliser(sample)(np.asarray(sample.image)) for sample in samples])
        return list(self.network.forward(images))

    def fits_one_tile(self, sample: Sample) -> bool:
        """Tell whether a sample is small enough for `forward_many`."""
        return max(sample.image.shape[1:]) <= self.network.tile_size

    def finish(self, output: Output, sample: Sample) -> Prediction:
        """Decode an activated output ``C(Z)YX``; needs no device, and may run in another thread."""
        prediction = recorded(self.task.decode(output), self.task, self.normaliser(sample))
        finer = self.card.network.upscale
        size = sample.pixel_size and (*sample.pixel_size[:-2], *(length / finer for length in sample.pixel_size[-2:]))
        figures = self.task.figures(prediction, sample)
        return replace(prediction, figures=figures, pixel_size=size, notes=(*prediction.notes, *self._notes(sample)))

    def normaliser(self, sample: Sample) -> Normaliser:
        """Give the normaliser of a sample's whole image."""
        return normaliser_for(sample.image, self.card.normalisation)

    def check(self, sample: Sample) -> None:
        """Refuse what the model was not made for."""
        wanted = self.card.network
        if sample.image.ndim - 1 != wanted.dims:
            raise ModelMismatchError(
                f"The image has {sample.image.ndim - 1} spatial dimensions, the model works on {wanted.dims} "
                f"({self.card.axes}).",
                where=sample.name,
                remedy="Check the axes: a time series must be named T, a stack Z.",
            )
        if sample.image.shape[0] != wanted.in_channels:
            names = f" ({', '.join(self.card.channel_names)})" if self.card.channel_names else ""
            raise ModelMismatchError(
                f"The image has {sample.image.shape[0]} channels, the model needs {wanted.in_channels}{names}.",
                where=sample.name,
                remedy="Choose an image with the same channels, or train a model for these.",
            )

    def _notes(self, sample: Sample) -> tuple[str, ...]:
        notes = []
        if is_constant(sample.image):
            notes.append("All pixels are equal: the result means nothing.")
        elif np.dtype(sample.image.dtype).kind == "f" and not np.isfinite(np.asarray(sample.image)).all():
            notes.append("Some pixels are NaN or infinite; they were taken as background.")
        if self.card.channel_names and sample.channel_names and self.card.channel_names != sample.channel_names:
            here, there = (", ".join(names) for names in (sample.channel_names, self.card.channel_names))
            notes.append(f"The channels are called {here}; those of the training images, {there}.")
        if self.card.pixel_size and sample.pixel_size:
            ratio = sample.pixel_size[-1] / self.card.pixel_size[-1]
            if not 1 / PIXEL_SIZE_RATIO < ratio < PIXEL_SIZE_RATIO:
                notes.append(f"The pixels are {ratio:.2g} times those of the training images: objects differ in size.")
        return tuple(notes)


def _build(file: ModelFile, device: torch.device) -> UNet:
    network = UNet(file.card.network)
    try:
        network.load_state_dict(dict(file.weights))
    except RuntimeError as error:
        raise ModelFileError("The weights do not fit the model's own card.", where=str(file.path or "")) from error
    layout = torch.channels_last if file.card.network.dims == 2 else torch.channels_last_3d
    return network.to(device).to(memory_format=layout).eval()  # type: ignore[call-overload,no-any-return]


def _stacked(predictions: Sequence[Prediction], image: Image) -> Prediction:
    """Put the time points of one image together; objects keep the numbers of their own time point."""
    notes = tuple(dict.fromkeys(note for prediction in predictions for note in prediction.notes))
    labels = [p.labels for p in predictions if p.labels is not None]
    images = [p.image for p in predictions if p.image is not None]
    return replace(
        predictions[0],
        figures=_mean([p.figures for p in predictions]),
        labels=from_samples(labels, image)[0] if labels else None,
        image=np.stack(images) if "T" in image.axes and images else predictions[0].image,
        notes=notes,
    )


def _mean(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in figures])) for name in figures[0]}
