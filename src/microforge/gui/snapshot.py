"""What is annotated at one moment, as samples that later painting, renaming or deleting cannot change."""

from dataclasses import dataclass

import numpy as np

from microforge.errors import AxesError
from microforge.gui.layers import drawing_axes, image_of, labels_on, shown_dimensions
from microforge.gui.regions import Outline, mask_of, outlines_of
from microforge.gui.session import Annotated, Session
from microforge.types import Array, Image, Sample


@dataclass(frozen=True, eq=False)
class Snapshot:
    """An annotated image as it was; taking one is quick, `samples` may be called in any thread.

    Attributes
    ----------
    labels
        Drawn labels with axes `axes`.
    outlines
        Annotated areas; None where no region was asked for.
    """

    image: Image
    labels: Array
    axes: str
    outlines: tuple[Outline, ...] | None
    unpainted_is_background: bool
    validation: bool = False

    def samples(self) -> list[Sample]:
        """Give one sample per time point that says anything."""
        from microforge.data.axes import to_samples

        annotation = Image(self.image.name, self.labels, self.axes)
        samples = to_samples(self.image, annotation, self._mask())
        return [sample for sample in samples if _says_something(sample)]

    def _mask(self) -> Array | None:
        if self.outlines:
            mask = mask_of(self.outlines, self.labels.shape)
        elif self.unpainted_is_background:
            return None
        else:
            mask = self.labels > 0
        return mask.transpose([self.axes.index(letter) for letter in "TZYX" if letter in self.axes])


def snapshot_of(session: Session, item: Annotated, *, copy: bool = True, name: str | None = None) -> Snapshot:
    """Take a snapshot of one annotated image.

    Parameters
    ----------
    copy
        False shares the memory of the Labels layer: for counting, where a stroke more or less does not matter.
    name
        Name of the samples, if not the layer's own.

    Raises
    ------
    AxesError
        If nobody said what the dimensions are.
    AnnotationError
        If the labels do not fit the image.
    """
    image = image_of(item.image, session.axes_of(item.image))
    if not image.axes_known:
        raise AxesError("The meaning of its dimensions is not confirmed.", where=image.name, remedy="Use Annotate.")
    labels, axes = labels_on(item.labels, item.image, image.axes)
    image = Image(name or image.name, image.data, image.axes, image.pixel_size, image.channel_names, image.source)
    return Snapshot(
        image,
        labels.copy() if copy else labels,
        axes,
        _outlines(item, image.axes),
        item.unpainted_is_background,
        item.validation,
    )


def snapshots_of(session: Session, *, copy: bool = True) -> list[Snapshot]:
    """Take snapshots of every annotated image that is to be used."""
    return [snapshot_of(session, item, copy=copy) for item in session.annotated if item.use]


def _outlines(item: Annotated, axes: str) -> tuple[Outline, ...] | None:
    if item.region is None:
        return None
    letters = [axes.replace("S", "")[axis] for axis in shown_dimensions(axes)]
    keep = [i for i, letter in enumerate(letters) if letter in drawing_axes(axes)]
    # A Labels layer that someone made by hand may lack the channel slider.
    if item.labels.ndim < len(letters):
        keep = list(range(item.labels.ndim))
    return outlines_of(item.region, item.labels, keep)


def _says_something(sample: Sample) -> bool:
    """Whether anything is painted, or a region says that there is nothing."""
    if sample.annotation is None:
        return False
    return bool(np.any(sample.annotation)) or (sample.mask is not None and bool(sample.mask.any()))
