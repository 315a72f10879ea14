"""Two models on the same images: on how many each is better, by how much, and whether that may be chance.

Come here for what is said of a model that went on learning, and for `microforge compare`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, isfinite, sqrt

import numpy as np

from microforge.answers.quality import Severity
from microforge.tasks.base import Task
from microforge.types import series_of

#: Scores that differ by this part of the larger one are alike.
SAME_WITHIN = 0.005
#: Below this probability that chance gives as many wins, it is not called chance.
MAY_BE_CHANCE = 0.1
#: With fewer images that differ nobody can tell, whatever the scores.
FEW = 4
#: Of as many images an interval of the mean says something.
ENOUGH_FOR_INTERVAL = 3


@dataclass(frozen=True)
class PairedScores:
    """How a second model stands beside a first, image by image.

    Attributes
    ----------
    better, worse, alike
        On how many images it is.
    mean
        Mean difference of the scores, second minus first, in the units of the metric.
    low, high
        Bounds of that mean, 95 % (Student's t over images); None with fewer than three images.
    mean_is_better
        Whether that mean speaks for the second; None where it is nought.
    """

    better: int
    worse: int
    alike: int
    mean: float
    low: float | None
    high: float | None
    mean_is_better: bool | None

    @property
    def images(self) -> int:
        """How many images both were scored on."""
        return self.better + self.worse + self.alike

    @property
    def chance(self) -> float:
        """How probable it is that chance alone gives a difference as clear: two-sided sign test, ties left out."""
        decided, most = self.better + self.worse, max(self.better, self.worse)
        tail: float = sum(comb(decided, wins) for wins in range(most, decided + 1)) / 2**decided
        return min(1.0, 2 * tail)

    def in_words(self, other: str, images: str = "images kept aside") -> tuple[str, Severity]:
        """Say whether the second is better than `other`, honestly where images are few; a warning where it is worse.

        Parameters
        ----------
        other
            What the first is called: "before", "the model it started from".
        images
            What the images are called.
        """
        if not self.images:
            return f"Whether it is better than {other} cannot be told: both were measured on no common image.", "ok"
        where = f"the one image of the {images}" if self.images == 1 else f"{self.images} {images}"
        if self.better == self.worse == 0:
            return f"As good as {other} on {'all ' if self.images > 1 else ''}{where}.", "ok"
        counts = f"better on {self.better}, worse on {self.worse} of {where}"
        if self.alike >= self.better + self.worse and self.chance > MAY_BE_CHANCE:
            return f"About as good as {other}: {counts}.", "ok"
        if self.better > self.worse and self.mean_is_better is not False:
            return f"Better than {other} on {self._of(self.better, where)}{self._rest('worse', self.worse)}.", "ok"
        if self.worse > self.better and self.mean_is_better is not True:
            return f"Worse than {other} on {self._of(self.worse, where)}{self._rest('better', self.better)}.", "warning"
        return f"Neither better nor worse than {other}: {counts}.", "ok"

    def _of(self, wins: int, where: str) -> str:
        return where if self.images == 1 else f"all {where}" if wins == self.images else f"{wins} of {where}"

    def _rest(self, other_way: str, images: int) -> str:
        """Say of how many the opposite holds, where that is not the rest, and how far chance may have a part in it."""
        opposite = f", {other_way} on {images or 'none'}" if self.alike else ""
        return opposite + self._caution()

    def _caution(self) -> str:
        if self.better + self.worse < FEW:
            return "; so few do not tell for sure"
        return ", which may be chance" if self.chance > MAY_BE_CHANCE else ""


def compare_scores(first: Mapping[str, float], second: Mapping[str, float], *, higher_is_better: bool) -> PairedScores:
    """Compare scores of two models by image name; images that only one has a finite score of do not count."""
    names = [name for name in first if name in second and isfinite(first[name]) and isfinite(second[name])]
    before, after = (np.array([scores[name] for name in names], float) for scores in (first, second))
    difference, sign = after - before, 1 if higher_is_better else -1
    alike = np.abs(difference) <= SAME_WITHIN * np.maximum(np.abs(before), np.abs(after))
    better = int(((sign * difference > 0) & ~alike).sum())
    mean = float(difference.mean()) if names else 0.0
    low, high = _interval(difference)
    towards = None if mean == 0 else sign * mean > 0
    return PairedScores(better, len(names) - better - int(alike.sum()), int(alike.sum()), mean, low, high, towards)


def image_scores(task: Task, tallies: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Give the metric that decides for each image, of a time series one for all its time points.

    Parameters
    ----------
    tallies
        By the names of samples.
    """
    series: dict[str, Counter[str]] = {}
    for name, tally in tallies.items():
        series.setdefault(series_of(name), Counter()).update(tally)
    return {name: float(task.summarise(tally)[task.monitor[0]]) for name, tally in series.items()}


def _interval(difference: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float | None, float | None]:
    """Give the bounds of the mean of so many differences."""
    if len(difference) < ENOUGH_FOR_INTERVAL:
        return None, None
    from scipy.stats import t

    half = float(t.ppf(0.975, len(difference) - 1)) * float(difference.std(ddof=1)) / sqrt(len(difference))
    mean = float(difference.mean())
    return mean - half, mean + half
