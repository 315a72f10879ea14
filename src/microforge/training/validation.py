"""Validation during training, fitting of count gains and intervals, and the live preview."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from microforge.data.annotated_extent import crop_to_annotation, part_of_large
from microforge.data.normalise import Normaliser, normaliser_for, recorded
from microforge.data.scale.seen import decoded, on_image
from microforge.evaluation.worst_places import worst_of, worst_places
from microforge.events import Preparing, PreviewAwaited, PreviewReady, TileFinished, TrainingEvent, WorstPlace
from microforge.inference.tiling import TiledNetwork
from microforge.networks.fitted import PredictsTiles
from microforge.networks.unet import receptive_field
from microforge.tasks.abilities import LevelsCounts, LocatesErrors, calibrated, judged_by, suspected_by, trusting
from microforge.tasks.confidence import Judged
from microforge.training.mailbox import Live, PreviewRequest
from microforge.training.quality.first_look import FirstLook
from microforge.training.setup import Setup
from microforge.types import ArrayLike, Floats, NearMiss, Prediction, Sample

Tallies = list[Mapping[str, float]]
#: Images trained on are looked at before each measurement too, so many pixels of them at most; and at the end.
LEVEL_PIXELS, LAST_LEVEL_PIXELS = 1_500_000, 6_000_000
#: Of larger images parts are looked at, of several at least so large ones: one alone would not be typical of all.
PART_PIXELS = 300_000


class Validator:
    """Predicts with the averaged weights; keeps the task with what it has learnt from that."""

    def __init__(self, setup: Setup, network: PredictsTiles, live: Live) -> None:
        self.live, self.task = live, setup.task
        self.network = TiledNetwork(network, setup.task, setup.device)
        self.first_look = FirstLook(setup)
        self.use(setup)
        #: What the results of all images kept aside have in common, where that is what a model without use gives.
        self.symptom = ""
        #: What was counted on each image, by the name of its sample, when they were measured last.
        self.tallies: Mapping[str, Mapping[str, float]] = {}
        #: What was right and wrong on them.
        self._judged: list[Mapping[str, Judged]] = []
        #: Where most was wrong when these images were measured last.
        self.worst: tuple[WorstPlace, ...] = ()

    def use(self, setup: Setup) -> None:
        """Measure on the images of this setup from now on."""
        self.setup = setup
        self._normalisers: dict[str, Normaliser] = {}
        # Samples come in no order that matters, but those of one series follow each other.
        count = len(setup.training)
        spread = [setup.training[k] for k in sorted(range(count), key=lambda k: (k * 7919 + 13) % max(count, 1))]
        self.spread = spread if isinstance(setup.task, LevelsCounts) else []
        self.learnt = list(self._looked_at(LEVEL_PIXELS))
        self.first_look.setup = setup

    @property
    def options(self) -> dict[str, Any]:
        """The options of the task, with what was measured."""
        return self.task.options.model_dump(mode="json")

    def take_options(self, options: Mapping[str, Any]) -> None:
        """Go on with options of before."""
        self.task = self.network.task = type(self.task).from_options(options)

    def level(self, *, last: bool = False) -> Iterator[TrainingEvent]:
        """Let the task make up for what is common to all errors on images trained on; at the end on more of them."""
        task, pixels = self.task, LAST_LEVEL_PIXELS if last else LEVEL_PIXELS
        compared: Tallies = []
        if not isinstance(task, LevelsCounts):
            return
        for whole, sample in self._looked_at(pixels) if last else self.learnt:
            pixels -= sample.size
            if pixels < 0 and compared:
                break
            for item in self.network.run(sample.image, self._normaliser(whole)):
                if isinstance(item, TileFinished):
                    yield Preparing("Measuring")
                else:
                    compared.append(task.compare(item, sample))
        if compared:
            self.task = self.network.task = task.level(compared)

    def validate(self, *, last: bool = False) -> Generator[TrainingEvent, None, dict[str, float] | None]:
        """Give the metrics on the images kept aside; None when asked to stop meanwhile, unless it is the last time."""
        # Intervals found on these very images would hold on them too well.
        before, self.task = self.task, calibrated(self.task)
        tallies = yield from self._tallies(self.setup.validation, last=last)
        if len(tallies) < len(self.setup.validation):
            self.task = before
            return None
        series = [sample.series for sample in self.setup.validation]
        self.task = self.network.task = trusting(calibrated(self.task, tallies, series), self._judged)
        names = (sample.name for sample in self.setup.validation)
        self.tallies = dict(zip(names, tallies, strict=True))
        return self.task.summarise_all(tallies)

    def predict(self, sample: Sample) -> Prediction:
        """Give what is found in an image, at once."""
        *_, last = self._predict(sample.image, self._normaliser(sample))
        assert isinstance(last, Prediction)
        return last

    def preview(self, request: PreviewRequest, step: int, speed: float) -> Iterator[TrainingEvent]:
        """Predict what is looked at, if that is worth looking at by now; `speed` is in steps per second."""
        for _ in self.first_look.try_it(self.task, step, lambda s: self._predict(s.image, self._normaliser(s))):
            yield Preparing("Preview")
        if not self.first_look.reached:
            yield PreviewAwaited(step, request.token, self.first_look.steps_left(step) / max(speed, 1e-3))
            return
        begun, image = time.perf_counter(), request.sample.image
        normaliser = normaliser_for(request.whole, self.setup.normalisation)
        near: list[NearMiss] = []
        for item in self._predict(image, normaliser, lambda *seen: near.extend(suspected_by(self.task, *seen))):
            if isinstance(item, Prediction):
                shown = replace(item, near_misses=tuple(near))
                yield PreviewReady(step, request.token, shown, time.perf_counter() - begun)
            else:
                yield Preparing("Preview")
                if self.live.stopping:
                    return

    def _tallies(self, samples: Sequence[Sample], *, last: bool) -> Generator[TrainingEvent, None, Tallies]:
        """Tally samples; fewer when asked to stop."""
        tallies: Tallies = []
        symptoms: set[str] = set()
        places: list[WorstPlace] = []
        self._judged = []
        for done, sample in enumerate(samples, start=1):
            for item in self._predict(sample.image, self._normaliser(sample), partial(self._judge, sample)):
                if isinstance(item, Prediction):
                    tallies.append(self.task.tally(item, sample))
                    symptoms.add(self.task.degenerate(item))
                    if isinstance(self.task, LocatesErrors):
                        places += worst_places(self.task.errors(item, sample), item, sample)
                    continue
                yield Preparing("Measuring", done / len(samples))
                if self.live.discarding or (self.live.stopping and not last):
                    return tallies
        self.worst = worst_of(places)
        self.symptom = symptoms.pop() if len(symptoms) == 1 else ""
        return tallies

    def _judge(self, sample: Sample, output: Floats, prediction: Prediction) -> None:
        self._judged.append(judged_by(self.task, output, prediction, sample))

    def _predict(
        self, image: ArrayLike, normaliser: Normaliser, look: Callable[[Floats, Prediction], None] | None = None
    ) -> Iterator[TileFinished | Prediction]:
        """Predict; `look` is shown what the prediction was decoded from, too, on the grid of the image."""
        shape = tuple(image.shape[1:])
        for item in self.network.run(image, normaliser):
            if isinstance(item, TileFinished):
                yield item
                continue
            prediction = recorded(decoded(self.task, item, shape), self.task, normaliser)
            if look is not None:
                look(on_image(self.task, item, shape), prediction)
            yield prediction

    def _looked_at(self, limit: int) -> Iterator[tuple[Sample, Sample]]:
        """Give images, and what is annotated of each or a part of it where that is large, until these are enough."""
        context, rng = receptive_field(self.setup.plan.network), np.random.default_rng(self.setup.config.seed)
        # What is seen around a part takes its share of the limit.
        pixels, most = 0, max(PART_PIXELS, int(0.6 * limit) // max(len(self.spread), 1))
        for whole in self.spread:
            part = crop_to_annotation(whole, context)
            if part.size > limit:
                part = part_of_large(whole, most, context, rng)
            yield whole, part
            pixels += part.size
            if pixels > limit:
                return

    def _normaliser(self, sample: Sample) -> Normaliser:
        if sample.name not in self._normalisers:
            whole = sample.image if sample.whole is None else sample.whole
            self._normalisers[sample.name] = normaliser_for(whole, self.setup.normalisation)
        return self._normalisers[sample.name]
