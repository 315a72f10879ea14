"""Apply a model to a sample, an image with any axes, or a plain array: `microforge.Predictor`."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
import torch

from microforge.answers.time_series import PredictionStack
from microforge.axes.samples import to_samples
from microforge.config import PredictionConfig
from microforge.data.normalise import Normaliser, blank, normaliser_for, recorded
from microforge.data.scale.seen import as_seen, decoded, on_image
from microforge.device import choose_device
from microforge.errors import MicroforgeError, ModelFileError, ModelMismatchError, OutOfMemoryError
from microforge.events import TileFinished
from microforge.inference.redecode import KeptOutputs
from microforge.inference.tiling import Output, TiledNetwork
from microforge.intensities import UNUSABLE, usable
from microforge.io.images import let_go
from microforge.io.model_file import ModelCard, ModelFile, load_model
from microforge.memory import available_memory, bytes_text
from microforge.networks.fitted import FittedNetwork, PredictsTiles
from microforge.networks.unet import network_with
from microforge.tasks import Task, get_task
from microforge.tasks.abilities import BringsModel, suspected_by, working_scale
from microforge.types import Array, Floats, Image, Prediction, Sample

# Beyond this ratio between the pixel sizes of a model and an image, objects look to the network as another size.
PIXEL_SIZE_RATIO = 1.5
#: Images whose answer takes fewer bytes than this are tried without asking how much memory is free.
_ALWAYS_TRIED = 1 << 28


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
        network = _build(file, self.task, self.device)
        self.network = TiledNetwork(
            network, self.task, self.device, config.tile_size, flips=config.flips, poses=self.card.poses
        )
        # Before and after the network the same one is needed, and finding it means reading the image.
        self._normalisers: WeakKeyDictionary[Sample, Normaliser] = WeakKeyDictionary()
        #: Samples of which pixels were no intensities, as seen when they were read for the network.
        self._incomplete: WeakSet[Sample] = WeakSet()
        #: Where the network's answers are kept, to be decoded again; None = nowhere, as nobody looks at the results.
        self.keeps: KeptOutputs | None = None

    def run(self, sample: Sample) -> Iterator[TileFinished | Prediction]:
        """Yield progress and, last, the prediction of one sample; close the generator to cancel.

        Raises
        ------
        ModelMismatchError
            If the image has other channels or dimensions than the model.
        OutOfMemoryError
            If it is so large that its answer cannot fit into the memory that is free.
        """
        self.check(sample)
        self.check_memory(sample)
        for item in self.network.run(sample.image, partial(self._normalised, sample)):
            yield item if isinstance(item, TileFinished) else self.finish(item, sample)

    def run_frames(self, samples: Sequence[Sample]) -> Iterator[TileFinished | Prediction]:
        """Yield the prediction of each sample of one size in turn, each followed by the progress of them all.

        Small ones go through the network together.
        """
        done = 0
        while done < len(samples):
            group = samples[done : done + self._together(samples[done])]
            for item in self._run_group(group):
                if isinstance(item, TileFinished):
                    yield TileFinished(done * item.total + item.done, len(samples) * item.total)
                else:
                    done += 1
                    yield item
                    if len(group) > 1:
                        yield TileFinished(done, len(samples))

    def _together(self, sample: Sample) -> int:
        """Give how many samples like this one fit through the network at once."""
        pixels = int(np.prod(sample.image.shape[1:]))
        return max(1, self.batch_pixels // pixels) if self.fits_one_tile(sample) else 1

    def _run_group(self, group: Sequence[Sample]) -> Iterator[TileFinished | Prediction]:
        outputs: Sequence[Output] = ()
        if len(group) > 1:
            # What fails for all together is tried, and told, one by one.
            with suppress(MicroforgeError, RuntimeError, MemoryError):
                outputs = self.forward_many(group)
        for k, sample in enumerate(group):
            if outputs:
                yield self.finish(outputs[k], sample)
            else:
                yield from self.run(sample)

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]:
        """Yield progress and, last, the prediction of an image with named axes: labels ``(T)(Z)YX``."""
        samples = to_samples(image)
        stack = PredictionStack(len(samples) if "T" in image.axes else None)
        for item in self.run_frames(samples):
            if isinstance(item, Prediction):
                stack.add(item)
                let_go(image.data)
            else:
                yield item
        yield stack.prediction()

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
        images = np.stack([self._normalised(one, np.asarray(as_seen(one.image, self.task))) for one in samples])
        return list(self.network.forward(images))

    @property
    def batch_pixels(self) -> int:
        """How many pixels of small images are best put through the network together, as far as memory allows."""
        seen = prod(working_scale(self.task, self.card.network.dims))
        return int(self.network.batch_pixels / seen)

    def fits_one_tile(self, sample: Sample) -> bool:
        """Tell whether a sample is small enough for `forward_many`."""
        return max(as_seen(sample.image, self.task).shape[1:]) <= self.network.tile_size

    def finish(self, output: Output, sample: Sample) -> Prediction:
        """Decode an activated output ``C(Z)YX``; needs no device, and may run in another thread."""
        finish = partial(
            _finished,
            sample=sample,
            normaliser=self.normaliser(sample),
            card=self.card,
            notes=self._notes(sample),
            suspects=self.keeps is not None,
        )
        if self.keeps is not None:
            self.keeps.add(output, finish)
        return finish(output, self.task)

    def prepare(self, sample: Sample) -> None:
        """Find what the network needs to know of a sample; in another thread, so that the network need not wait."""
        self.normaliser(sample)

    def normaliser(self, sample: Sample) -> Normaliser:
        """Give the normaliser of a sample's whole image."""
        found = self._normalisers.get(sample)
        if found is None:
            whole = sample.image if sample.whole is None else sample.whole
            found = self._normalisers[sample] = normaliser_for(whole, self.card.normalisation)
        return found

    def _normalised(self, sample: Sample, part: Array) -> Floats:
        """Normalise a part of a sample, and note whether all its pixels are intensities."""
        if part.dtype.kind == "f" and not usable(part).all():
            self._incomplete.add(sample)
        return self.normaliser(sample)(part)

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

    def needed_memory(self, sample: Sample) -> int:
        """Estimate the bytes that the answer for a sample takes while it is made, besides the image itself."""
        network, pixels = self.card.network, prod(sample.image.shape[1:])
        seen = prod(as_seen(sample.image, self.task).shape[1:])
        working = max(pixels, seen) * self.task.answer.working_bytes
        return seen * 4 * network.out_channels * network.upscale**2 + working

    def check_memory(self, sample: Sample) -> None:
        """Refuse, before anything is computed, an image whose answer cannot fit into the memory that is free."""
        needed = self.needed_memory(sample)
        if needed < _ALWAYS_TRIED or needed <= (free := available_memory()):
            return
        size = " x ".join(f"{length:,}" for length in sample.image.shape[1:])
        raise OutOfMemoryError(
            f"The image is too large for the memory: {size} pixels need about {bytes_text(needed)} at once, and "
            f"{bytes_text(free)} are free.",
            where=sample.name,
            remedy="Close other programs, cut the image into parts (crop it), use binned images and a model trained on "
            "such, or a computer with more memory.",
        )

    def _notes(self, sample: Sample) -> tuple[str, ...]:
        notes = []
        if words := blank(sample.image):
            notes.append(f"{words[0].upper()}{words[1:]}: the result means nothing.")
        elif sample in self._incomplete:
            notes.append(f"Some pixels are {UNUSABLE}; they were taken as background.")
        if self.card.channel_names and sample.channel_names and self.card.channel_names != sample.channel_names:
            here, there = (", ".join(names) for names in (sample.channel_names, self.card.channel_names))
            notes.append(f"The channels are called {here}; those of the training images, {there}.")
        if self.card.pixel_size and sample.pixel_size:
            ratio = sample.pixel_size[-1] / self.card.pixel_size[-1]
            if not 1 / PIXEL_SIZE_RATIO < ratio < PIXEL_SIZE_RATIO:
                notes.append(f"The pixels are {ratio:.2g} times those of the training images: objects differ in size.")
        return tuple(notes)


def _finished(
    output: Output,
    task: Task,
    sample: Sample,
    normaliser: Normaliser,
    card: ModelCard,
    notes: tuple[str, ...],
    *,
    suspects: bool,
) -> Prediction:
    """Decode an activated output; knows nothing of the network, so that it may be kept without it.

    With `suspects` it tells too where something was nearly found, for a person who looks at the result.
    """
    shape = tuple(sample.image.shape[1:])
    prediction = recorded(decoded(task, output, shape), task, normaliser)
    if suspects:
        prediction = replace(prediction, near_misses=suspected_by(task, on_image(task, output, shape), prediction))
    finer = card.network.upscale
    size = sample.pixel_size and (*sample.pixel_size[:-2], *(length / finer for length in sample.pixel_size[-2:]))
    statistics = task.statistics(prediction, sample)
    return replace(prediction, statistics=statistics, pixel_size=size, notes=(*prediction.notes, *notes))


def _build(file: ModelFile, task: Task, device: torch.device) -> PredictsTiles:
    config = file.card.network
    try:
        if isinstance(task, BringsModel):
            fitted = FittedNetwork(task.model(config), config)
            fitted.load(file.weights)
            return fitted
        network = network_with(config, file.weights)
    except (RuntimeError, KeyError, ValueError) as error:
        raise ModelFileError("The weights do not fit the model's own card.", where=str(file.path or "")) from error
    layout = torch.channels_last if file.card.network.dims == 2 else torch.channels_last_3d
    return network.to(device).to(memory_format=layout).eval()  # type: ignore[call-overload,no-any-return]
