"""Measure the simple method of a task beside a running training, once, on the images kept aside."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from math import prod
from typing import Any

import numpy as np

from microforge.data.annotated_extent import part_of_large
from microforge.events import Preparing
from microforge.io.model_file import BaselineCard
from microforge.tasks.abilities import BringsModel, baseline_of, calibrated, question_for
from microforge.tasks.base import Task
from microforge.tasks.baselines import Baseline
from microforge.training.quality.doubt import ENOUGH_STEPS
from microforge.training.setup import Setup
from microforge.training.validation import PART_PIXELS
from microforge.types import Sample

#: The simple method is fitted on so many pixels of the images trained on, and measured on no more values (pixels of
#: all channels) of those kept aside than so many: it takes seconds, and memory in proportion.
LOOKED_AT_PIXELS, MEASURED_VALUES = 1_500_000, 16_000_000


class BaselineMeasurement:
    """The simple method beside a run; knows nothing until `measure` was gone through.

    It is fitted on images trained on and measured on those kept aside, as the model is: fitted on the one image it is
    measured on, a mean count would be exact. One that only chooses a class is fitted on those kept aside: a model that
    always gives one class must not look better by giving the right one.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        metric, direction = setup.task.monitor
        enough = 0 if setup.start is not None or isinstance(setup.task, BringsModel) else ENOUGH_STEPS
        self.card = BaselineCard(metric=metric, higher_is_better=direction == "max", enough_steps=enough)
        self.done = not setup.validation

    def restore(self, card: Mapping[str, Any]) -> None:
        """Go on with what was known before, until it is measured again."""
        self.card = BaselineCard.model_validate(dict(card))

    def forget(self, setup: Setup) -> None:
        """Measure again next time, as an image kept aside was changed."""
        self.setup = setup
        self.card = self.card.model_copy(update={"value": None, "images": 0})
        self.done = not self.setup.validation

    def measure(self, task: Task, stopped: Callable[[], bool]) -> Iterator[Preparing]:
        """Measure image by image; what can be measured in no reasonable time, or not at all, stays unknown.

        It is given up where `stopped` says so, and begun anew when it is asked for again.
        """
        simple = baseline_of(task)
        kept_aside = self.setup.validation
        if self.done or simple is None:
            return
        self.done = True
        if sum(prod(sample.image.shape) for sample in kept_aside) > MEASURED_VALUES:
            return
        # Odd images may defeat the simple method; the training is not to end with it.
        with suppress(ValueError, ArithmeticError, MemoryError):
            for event in self._measure(simple, calibrated(task), kept_aside):
                if stopped():
                    self.done = False
                    return
                yield event

    def _measure(self, simple: Baseline, task: Task, kept_aside: Sequence[Sample]) -> Iterator[Preparing]:
        for sample in kept_aside if simple.chooses else self._looked_at(task):
            simple.look(sample)
            yield Preparing("Measuring a simple method")
        tallies = []
        for sample in kept_aside:
            tallies.append(task.tally(simple.predict(sample), sample))
            yield Preparing("Measuring a simple method")
        value = float(task.summarise_all(tallies)[self.card.metric])
        found = {"kind": simple.kind, "name": simple.name, "value": value, "images": len(kept_aside)}
        self.card = self.card.model_copy(update=found)

    def _looked_at(self, task: Task) -> Iterator[Sample]:
        """Give images trained on, or parts of large ones, as the task asks about them."""
        pixels, rng = LOOKED_AT_PIXELS, np.random.default_rng(self.setup.config.seed)
        for sample in self.setup.training:
            large = sample.size > PART_PIXELS
            part = part_of_large(sample, PART_PIXELS, (0,) * (sample.image.ndim - 1), rng) if large else sample
            pixels -= part.size
            yield question_for(task, part)
            if pixels < 0:
                return
