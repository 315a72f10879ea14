"""Constant baselines: the mean count, the majority class."""

from collections import Counter

import numpy as np

from microforge.tasks.baselines.base import Baseline
from microforge.types import Points, Prediction, Sample


class MeanCount(Baseline):
    """As many cells as there are on average on such an area, of each kind, nowhere in particular."""

    kind = "the mean count"

    def __init__(self) -> None:
        self.total: Counter[int] = Counter()
        self.images = self.pixels = 0

    def look(self, sample: Sample) -> None:
        """Count the points where they are known."""
        assert sample.points is not None
        self.images += 1
        self.pixels += sample.known_size
        self.total.update(sample.known_points(sample.points).kind.tolist())

    def predict(self, sample: Sample) -> Prediction:
        """Spread the mean evenly over what is annotated, and show no point."""
        assert sample.points is not None
        kinds, known = sample.points.kinds, sample.known
        # Exactly 1 where all images are of one size.
        area = sample.known_size * self.images / max(self.pixels, 1)
        means = [self.total[kind] / max(self.images, 1) * area for kind in range(len(kinds))]
        even = known / max(int(known.sum()), 1)
        nowhere = Points(np.zeros((0, known.ndim), np.float32), np.zeros(0, np.int32), kinds, sample.points.axes)
        return Prediction(image=np.stack([mean * even for mean in means]).astype(np.float32), points=nowhere)

    @property
    def name(self) -> str:
        """Tell the mean."""
        return f"always the mean count of these images ({self.total.total() / max(self.images, 1):.1f}), no places"


class MajorityClass(Baseline):
    """The most frequent class."""

    kind = "the most frequent class"
    chooses = True

    def __init__(self) -> None:
        self.classes: Counter[str] = Counter()

    def look(self, sample: Sample) -> None:
        """Count the classes."""
        self.classes.update([sample.class_name])

    def predict(self, sample: Sample) -> Prediction:
        """Give the most frequent one."""
        return Prediction(class_name=self.classes.most_common(1)[0][0])

    @property
    def name(self) -> str:
        """Tell which."""
        return f"always the most frequent class ({self.classes.most_common(1)[0][0]})"


class MajorityPixel(Baseline):
    """The most frequent class of pixels."""

    kind = "one class everywhere"
    chooses = True

    def __init__(self) -> None:
        self.pixels: Counter[int] = Counter()

    def look(self, sample: Sample) -> None:
        """Count the pixels of each class."""
        assert sample.annotation is not None
        values, counts = np.unique(sample.annotation[sample.known], return_counts=True)
        self.pixels.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))

    def predict(self, sample: Sample) -> Prediction:
        """Give every pixel the most frequent one."""
        return Prediction(labels=np.full(sample.image.shape[1:], self.value, np.int32))

    @property
    def value(self) -> int:
        """The label value of the most frequent class."""
        return self.pixels.most_common(1)[0][0] if self.pixels else 0

    @property
    def name(self) -> str:
        """Tell which."""
        return f"the most frequent class everywhere (label {self.value})"
