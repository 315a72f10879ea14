"""What a person has drawn on an image, and the samples it makes: the same in a window and of a project on the disk.

Come here for what ground counts as known where only some of an image is annotated.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from microforge.axes.areas import Outline, mask_of
from microforge.axes.samples import to_image_pairs, to_samples
from microforge.types import Array, Image, Points, Sample, Unpainted


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """An image, and what belongs to it; of labels, points, targets and class only what is to be learnt from is given.

    Attributes
    ----------
    axes
        Of what is drawn: ``(T)(Z)YX``.
    labels
        With axes `axes`; None where they are not what is learnt from.
    ground
        Where strokes say that there is background, not 0, of the shape of `labels`; None where there are none.
    outlines
        Annotated areas; None where no region was asked for.
    unpainted
        What ground outside the areas is on which nothing is drawn.
    targets
        The images it should become.
    points
        In pixels, all time points.
    no_cells
        Whether it is known that there are no cells where there is no point at all.
    class_name
        The class of the whole image.
    """

    image: Image
    axes: str
    labels: Array | None = None
    ground: Array | None = None
    outlines: tuple[Outline, ...] | None = None
    unpainted: Unpainted = "background"
    targets: tuple[Image, ...] = ()
    points: Points | None = None
    no_cells: bool = False
    class_name: str = ""

    def samples(self, known: Collection[str] = ()) -> list[Sample]:
        """Give one sample per time point that says anything.

        Parameters
        ----------
        known
            Names of samples that said something before: where all is erased, they say that nothing is known.

        Raises
        ------
        MicroforgeError
            If what is given does not fit the image.
        """
        if self.labels is None:
            return self._without_labels(known)
        annotation = Image(self.image.name, self.labels, self.axes)
        samples = to_samples(self.image, annotation, self._mask())
        if self.unpainted == "around":
            samples = [replace(sample, partly_painted=True) for sample in samples]
        return self._that_say_something(samples, known)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each of `axes`."""
        return tuple(self.image.data.shape[self.image.axes.index(letter)] for letter in self.axes)

    def _without_labels(self, known: Collection[str]) -> list[Sample]:
        plain = to_samples(self.image, None, self._mask(), self.points)
        if self.points is not None:
            plain = [replace(sample, partly_painted=self.unpainted == "around") for sample in plain]
            return self._that_say_something(plain, known)
        if not self.targets:
            return [replace(sample, class_name=self.class_name) for sample in plain]
        pairs = to_image_pairs(self.image, self.targets)
        return [replace(pair, mask=sample.mask) for pair, sample in zip(pairs, plain, strict=True)]

    def _that_say_something(self, samples: list[Sample], known: Collection[str]) -> list[Sample]:
        if self.no_cells and self.points is not None and not len(self.points):
            # The user has looked everywhere, and there is none.
            samples = [_masked(sample, complete=True) for sample in samples]
        talking = [(sample, _says_something(sample)) for sample in samples]
        return [
            sample if says else _masked(sample, complete=False)
            for sample, says in talking
            if says or sample.name in known
        ]

    def _mask(self) -> Array | None:
        drawn = None if self.labels is None else self.labels > 0
        if drawn is not None and self.ground is not None:
            drawn |= self.ground > 0
        if self.outlines:
            mask = mask_of(self.outlines, self.shape)
            if drawn is not None and (self.unpainted == "around" or self.ground is not None):
                mask |= drawn
        elif self.unpainted == "background" or drawn is None:
            return None
        else:
            mask = drawn
        return mask.transpose([self.axes.index(letter) for letter in "TZYX" if letter in self.axes])


def _masked(sample: Sample, *, complete: bool) -> Sample:
    """Give the sample where all is annotated, or nothing; a mask that it has stays."""
    return sample if sample.mask is not None else replace(sample, mask=np.full(sample.image.shape[1:], complete))


def _says_something(sample: Sample) -> bool:
    """Whether anything is painted or clicked, or a region says that there is nothing."""
    if sample.mask is not None and sample.mask.any():
        return True
    return bool(sample.points) if sample.annotation is None else bool(np.any(sample.annotation))
