"""Hints to the user before and during training (few objects, NaN, overfitting), each given once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from microforge.data.duplicates import Duplicate
from microforge.data.normalise import blank, intensity_range
from microforge.data.split import Split
from microforge.events import RunAdvice
from microforge.intensities import UNUSABLE, spread_out, usable
from microforge.tasks.base import Direction, Task
from microforge.types import Sample

FEW_OBJECTS = 20
UNLIKE = 8.0
PATIENCE_SECONDS = 60.0
FALLING = 0.97
LEAST_WORSE = 0.02


def advice_on_data(task: Task, training: Sequence[Sample]) -> Iterator[RunAdvice]:
    """Look at the images and annotations before the first step."""
    if task.annotation.of_places and (places := sum(_places(task, sample) for sample in training)) < FEW_OBJECTS:
        yield RunAdvice("few", f"Only {places} {task.result} to learn from: more give a better model.", "warning")
    dtypes = sorted({np.dtype(sample.image.dtype).name for sample in training})
    if len(dtypes) > 1:
        yield RunAdvice("dtypes", f"The images have different number types ({', '.join(dtypes)}); each is normalised.")
    yield from _unlike_the_others(training)


def unmeasured(task: Task) -> RunAdvice:
    """Say why nothing is kept aside, and what to do."""
    least, things = task.enough.total, task.goals.unit if task.goals else "piece"
    few = f"fewer than {least:.0f} {things}s are annotated" if least else "too little is annotated"
    text = f"Quality is unknown: {few}, so that all is learnt from. Annotate more, or keep an image aside yourself."
    return RunAdvice("no-validation", text)


def duplicates_told(pairs: Sequence[Duplicate], split: Split) -> Iterator[RunAdvice]:
    """Tell of images that show the same: a warning where one is learnt from and the other measures."""
    apart = [pair for pair in pairs if split.role(pair.first) != split.role(pair.second)]
    together = [pair for pair in pairs if pair not in apart]
    if apart:
        text = "one is learnt from and one is kept aside: quality will look better than it is on other images."
        yield RunAdvice("duplicates apart", f"{_same(apart)}, of which {text}", "warning")
    if together:
        text = f"{_same(together)}: such images are learnt from together, or kept aside together."
        yield RunAdvice("duplicates", text)


def _same(pairs: Sequence[Duplicate]) -> str:
    """Name images that show the same, the first two pairs of them."""
    named = [f"{pair.first.series} and {pair.second.series}" for pair in pairs[:2]]
    more = f", and {len(pairs) - 2} more pairs" if len(pairs) > 2 else ""
    picture = "the same picture" if all(pair.is_copy for pair in pairs) else "nearly the same picture"
    return f"{'; '.join(named)}{more} are {picture}"


def _places(task: Task, sample: Sample) -> int:
    return len(task.focus(sample) if sample.points is None else sample.points)


def _unlike_the_others(samples: Sequence[Sample]) -> Iterator[RunAdvice]:
    for sample in samples:
        # Some of the pixels: thousands of frames on disk are not all read for a hint.
        channels = range(sample.image.shape[0]) if np.dtype(sample.image.dtype).kind == "f" else ()
        if not all(usable(spread_out(sample.image, channel)).all() for channel in channels):
            text = f"{sample.name}: pixels that are {UNUSABLE} are taken as background."
            yield RunAdvice(f"nan {sample.name}", text)
    if len(samples) < 4:
        return
    spans = np.array([float(np.max(np.subtract(*intensity_range(s.image)[::-1]))) for s in samples])
    middle = float(np.median(spans))
    for sample, span in zip(samples, spans, strict=True):
        if not middle / UNLIKE < span < middle * UNLIKE:
            text = f"{sample.name}: its intensities span {span:.3g}, the others' about {middle:.3g}. Is it alike?"
            yield RunAdvice(f"unlike {sample.name}", text)


def blank_images(samples: Sequence[Sample]) -> dict[str, str]:
    """Names of the images in which nothing can be seen, and why."""
    return {sample.name: words for sample in samples if (words := blank(sample.image))}


class Watcher:
    """Follow loss and validation, and say what they mean.

    Parameters
    ----------
    chance
        By which part validation metrics vary for no reason.
    """

    def __init__(self, direction: Direction, metric_noise: float = 0.0) -> None:
        self.sign, self.metric_noise = 1 if direction == "max" else -1, metric_noise
        self.early: list[float] = []
        self.late: list[float] = []
        self.said: set[str] = set()
        self.best: tuple[float, float] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What was noted so far, as plain values."""
        return {"early": self.early, "late": self.late, "said": sorted(self.said), "best": self.best}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what was noted before."""
        self.early, self.late, self.said = list(state["early"]), list(state["late"]), set(state["said"])
        self.best = None if state["best"] is None else (float(state["best"][0]), float(state["best"][1]))

    def loss(self, value: float, seconds: float) -> RunAdvice | None:
        """Note a loss; tell when it does not fall after a minute."""
        kept = self.early if len(self.early) < 50 else self.late
        kept.append(value)
        del self.late[:-50]
        waited = seconds > PATIENCE_SECONDS and len(self.late) == 50
        if waited and np.mean(self.late) > FALLING * np.mean(self.early):
            text = "The network does not learn: it is as wrong as at first. Check that annotations lie on their images."
            return self._once(RunAdvice("not-falling", text, "warning"))
        return None

    def validation(self, value: float, seconds: float) -> RunAdvice | None:
        """Note a validation figure; tell when it has been getting worse for long (overfitting)."""
        if self.best is None or self.sign * value > self.sign * self.best[0]:
            self.best = (value, seconds)
        since = seconds - self.best[1]
        worse = self.sign * (self.best[0] - value) > max(LEAST_WORSE, self.metric_noise * abs(self.best[0]))
        if worse and since > max(PATIENCE_SECONDS, 0.5 * self.best[1]):
            text = (
                "Quality on what is kept aside gets worse since its best. Look at the preview: if good results vanish, "
                "something is not annotated where you say that all is; else the network learns these images by heart. "
                "Stop, or annotate more."
            )
            return self._once(RunAdvice("overfitting", text, "warning"))
        return None

    def _once(self, advice: RunAdvice) -> RunAdvice | None:
        if advice.code in self.said:
            return None
        self.said.add(advice.code)
        return advice
