"""From when on a preview is worth looking at: come here when a person sees nonsense, or nothing, for too long.

In its first steps a network calls everything an object, or nothing. A person who sees that thinks that her strokes are
wrong.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np

from microforge.events import TileFinished
from microforge.tasks.abilities import BringsModel, baseline_of, question_for
from microforge.tasks.base import Task
from microforge.training.quality.doubt import ENOUGH_STEPS, is_of_use
from microforge.training.setup import Setup
from microforge.types import Prediction, Sample

#: The network is compared with the simple method on so many pixels that are learnt from: it takes a moment.
PIXELS = 65_536
#: Of large images the part with most objects is looked for around so many of them.
FOCUS = 200
#: After so many steps previews are shown whatever they are: the simple method may be hard to beat.
LAST = ENOUGH_STEPS // 2

Predict = Callable[[Sample], Iterator[TileFinished | Prediction]]


class FirstLook:
    """Whether previews are worth looking at by now; once they are, they stay so."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._simple: float | None = None
        knows = setup.start is not None or setup.record is not None or isinstance(setup.task, BringsModel)
        self.reached = knows or baseline_of(setup.task) is None or not setup.training

    def steps_left(self, step: int) -> int:
        """Give in how many steps previews are shown at the latest."""
        return max(LAST - step, 0)

    def try_it(self, task: Task, step: int, predict: Predict) -> Iterator[TileFinished]:
        """Compare what the network says of a part that it learns from with what the simple method says."""
        if not self.reached and self.steps_left(step) == 0:
            self.reached = True
        if self.reached:
            return
        part = self._part(task)
        for item in predict(part):
            if isinstance(item, TileFinished):
                yield item
            else:
                self.reached = self._is_better(task, part, item)

    def _part(self, task: Task) -> Sample:
        """Give what is learnt from, or of a large image the part with most of what is annotated."""
        sample = self.setup.training[0]
        shape = np.array(sample.image.shape[1:])
        if sample.size <= PIXELS:
            return question_for(task, sample)
        side = np.minimum(shape, round(PIXELS ** (1 / len(shape))))
        places = task.focus(sample)[:FOCUS]
        near = [np.all(np.abs(places - place) < side / 2, axis=1).sum() for place in places]
        middle = places[int(np.argmax(near))] if near else shape / 2
        start = np.clip(middle - side / 2, 0, shape - side).astype(int)
        window = tuple(slice(int(a), int(a + n)) for a, n in zip(start, side, strict=True))
        return question_for(task, replace(sample.part(window), whole=sample.image))

    def _is_better(self, task: Task, part: Sample, prediction: Prediction) -> bool:
        metric, direction = task.monitor
        # Odd images may defeat the simple method; then the steps decide.
        with suppress(ValueError, ArithmeticError, MemoryError):
            if self._simple is None:
                self._simple = self._simple_value(task, part, metric)
            value = task.score(prediction, part)[metric]
            better = direction == "max"
            return is_of_use(value, self._simple, higher_is_better=better, symptom=task.degenerate(prediction))
        return False

    def _simple_value(self, task: Task, part: Sample, metric: str) -> float:
        simple = baseline_of(task)
        assert simple is not None
        simple.look(part)
        return float(task.score(simple.predict(part), part)[metric])
