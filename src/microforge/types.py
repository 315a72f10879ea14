"""Values that travel through the engine: Image, Sample, Points, Target, Batch, Prediction; all frozen.

Axes are written as in the whole project: an image is ``C(Z)YX``, a label image ``(Z)YX``, a tensor ``NC(Z)YX``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

Array = npt.NDArray[Any]
Labels = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
#: A part of an image: one slice per axis ``(Z)YX``.
Window = tuple[slice, ...]
PixelSize = tuple[float, ...]
#: What ground is on which nothing is painted: background near painted objects, background everywhere, not looked at.
Unpainted = Literal["around", "background", "unknown"]


class ArrayLike(Protocol):
    """What an image may be: a numpy array, a memmap, or a zarr or dask array, read window by window."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def ndim(self) -> int: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

    def __getitem__(self, key: Any, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class Points:
    """Points on an image: one per cell, each of a kind.

    Attributes
    ----------
    coordinates
        float32 ``(N, D)``, pixel coordinates in the order of `axes`; whole numbers are the centres of pixels.
    kind
        int32 ``(N,)``, an index into `kinds`.
    kinds
        Names of the kinds that were looked for, also of those of which there is none; a single one may have no name.
    axes
        What the columns are: ``(T)(Z)YX``.
    """

    coordinates: npt.NDArray[np.float32]
    kind: npt.NDArray[np.int32]
    kinds: tuple[str, ...] = ("",)
    axes: str = "YX"

    def __len__(self) -> int:
        return len(self.coordinates)

    def of_kind(self, name: str) -> npt.NDArray[np.float32]:
        """Give the coordinates of one kind; none where the kind is not known."""
        if name not in self.kinds:
            return self.coordinates[:0]
        return np.asarray(self.coordinates[self.kind == self.kinds.index(name)])

    def only(self, chosen: npt.NDArray[Any]) -> "Points":
        """Give some of the points, chosen by a bool array or by indices."""
        return replace(self, coordinates=self.coordinates[chosen], kind=self.kind[chosen])

    def inside(self, mask: npt.NDArray[np.bool_]) -> "Points":
        """Give the points in a region; where it lacks the first axes, at any place along these."""
        return self.only(self.are_inside(mask))

    def are_inside(self, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Tell of each point whether it is in a region, bool ``(N,)``."""
        pixels = np.round(self.coordinates[:, -mask.ndim :]).astype(int)
        return np.asarray(mask[tuple(np.clip(pixels, 0, np.array(mask.shape) - 1).T)])

    def part(self, window: tuple[slice, ...]) -> "Points":
        """Give the points inside a window of pixels, counted from its corner."""
        low = np.array([side.start for side in window], np.float32)
        high = np.array([side.stop for side in window], np.float32)
        # A pixel reaches half a pixel to either side of its centre.
        inside = (self.coordinates >= low - 0.5) & (self.coordinates < high - 0.5)
        part = self.only(np.all(inside, axis=1))
        return replace(part, coordinates=part.coordinates - low)


@dataclass(frozen=True, eq=False)
class Image:
    """An array as a file or a layer gave it, with the meaning of its axes.

    Attributes
    ----------
    data
        Any real dtype, axes as in `axes`; may be lazy.
    axes
        One letter of ``T C Z Y X S`` per dimension (``S`` = RGB samples).
    pixel_size
        ``(Y, X)`` or ``(Z, Y, X)`` in micrometre; None where unknown.
    axes_known
        False where the letters are only the likely reading of a shape: a person should confirm them.
    time_interval
        Seconds between time points; None where unknown.
    notes
        What a person must know of how the file was read (stored turned, a thumbnail left out).
    """

    name: str
    data: ArrayLike
    axes: str
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    source: str = ""
    axes_known: bool = True
    time_interval: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Sample:
    """One time point of one position, with what a person said about it.

    Attributes
    ----------
    image
        ``C(Z)YX``, array-like, any real dtype, intensities as recorded.
    annotation
        For label tasks an int32 or uint32 ``(Z)YX`` label image, 0 = background; for image tasks the image wanted,
        ``C(Z)YX`` of any real dtype, whose YX may be a whole number of times finer; None for an image without one.
    mask
        bool ``(Z)YX`` on the grid of the image, True where the annotation is complete; None = everywhere.
    pixel_size
        ``(Z)YX`` in micrometre; None where unknown.
    channel_names, target_names
        Of the channels of image and annotation, where they have names.
    points
        The points of a counting task, axes ``(Z)YX``; None where none were given, which is not the same as no cell.
    class_name
        The class of the whole image, for tasks that tell images apart; empty where none was given.
    objects
        What is known of each annotated object besides its outline: one array per column, `label` names the object.
    notes
        What a person must know of how the annotation was read.
    outlined
        Whether the annotation was drawn as outlines, each of one object.
    partner
        Another recording of the same thing, ``C(Z)YX`` on the same grid, to be learnt from where it is a file and read
        window by window, as the image is.
    whole
        The image ``C(Z)YX`` that this is a part of, where that decides about intensities; None = it is whole.
    partly_painted
        Whether some objects only are painted, or points set, outside the mask: a task may find out itself which of that
        ground is background.
    group
        What it belongs to, such as a slide or a well, where a person said so: all of a group learns, or measures.
    inferred
        Whether the mask is what a task found out so: outside it there may be objects like those painted.
    """

    name: str
    image: ArrayLike
    annotation: Array | None = None
    mask: npt.NDArray[np.bool_] | None = None
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()
    points: Points | None = None
    class_name: str = ""
    objects: Mapping[str, Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    outlined: bool = False
    partner: ArrayLike | None = None
    whole: ArrayLike | None = None
    partly_painted: bool = False
    group: str = ""
    inferred: bool = False

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Where the annotation says something, bool ``(Z)YX``."""
        return np.ones(tuple(self.image.shape[1:]), bool) if self.mask is None else self.mask

    @property
    def series(self) -> str:
        """Name of the image it is of: time points of one resemble each other, and are called ``series t=000``."""
        return series_of(self.name)

    @property
    def size(self) -> int:
        """How many pixels ``(Z)YX`` it has."""
        return prod(self.image.shape[1:])

    @property
    def known_size(self) -> int:
        """How many pixels the annotation says something of."""
        return prod(self.image.shape[1:]) if self.mask is None else int(self.mask.sum())

    @property
    def weight(self) -> Floats | None:
        """What each pixel counts for in training, float32 ``1(Z)YX``: 1 where known, else 0; None = 1 everywhere."""
        return None if self.mask is None else self.mask[None].astype(np.float32)

    def known_points(self, points: Points) -> Points:
        """Give the points, set or found, that lie inside what is annotated."""
        return points if self.mask is None else points.inside(self.mask)

    def part(self, window: tuple[slice, ...]) -> "Sample":
        """Give the part of image, annotation, points and mask inside a window ``(Z)YX`` of pixels, as views."""
        return replace(
            self,
            image=self.image[(slice(None), *window)],
            annotation=None if self.annotation is None else self._annotation_part(window),
            mask=None if self.mask is None else self.mask[window],
            partner=None if self.partner is None else self.partner[(slice(None), *window)],
            points=None if self.points is None else self.points.part(window),
        )

    def _annotation_part(self, window: tuple[slice, ...]) -> Array:
        assert self.annotation is not None
        if self.annotation.ndim < self.image.ndim:
            return self.annotation[window]
        finer = self.annotation.shape[-1] // self.image.shape[-1]
        return self.annotation[(slice(None), *finer_window(window, finer))]


def series_of(name: str) -> str:
    """Give the name of the series that a sample of this name is a time point of."""
    return name.split(" t=")[0]


def box_of(mask: npt.NDArray[np.bool_]) -> Window:
    """Give the smallest window that holds all that is true; slices of no length where nothing is."""
    sides = []
    for axis in range(mask.ndim):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        sides.append(slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0))
    return tuple(sides)


def finer_window(window: tuple[slice, ...], factor: int) -> tuple[slice, ...]:
    """Give a window ``(Z)YX`` on a grid whose YX is `factor` times finer."""
    finer = (slice(side.start * factor, side.stop * factor) for side in window[-2:])
    return (*window[:-2], *finer)


@dataclass(frozen=True, eq=False)
class Target:
    """What the network should answer for a sample: `value` ``C(Z)YX`` and `weight` ``1(Z)YX``, both float32.

    A `weight` of None is 1 everywhere: thousands of frames need no plane of ones each.

    `labels` ``L(Z)YX`` are whole numbers below 2**24 (objects, classes), which are warped to the nearest one: targets
    that do not survive warping (affinities, offsets, borders) are made from them batch by batch, in `corrupt`.

    All are on the output grid. Values are in units that survive warping (class probability, normalised distance,
    density), or intensities; `value` has no channels where the task makes its targets from the image of each batch.
    Planes of classes are made, and frames on disk read, window by window.
    """

    value: ArrayLike
    weight: npt.NDArray[np.float32] | None = None
    labels: Labels | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """Patches on the training device: three float32 tensors ``NC(Z)YX`` (`weight` has one channel).

    `target` and `weight` are on the output grid. `area` ``(N,)`` is how many recorded pixels a pixel of each patch
    stands for, where patches were scaled: what is counted per pixel grows with it. `labels` are int32
    ``NL(Z)YX`` where the task gives some, 0 outside the image.
    """

    image: "torch.Tensor"
    target: "torch.Tensor"
    weight: "torch.Tensor"
    names: tuple[str, ...] = ()
    area: "torch.Tensor | None" = None
    labels: "torch.Tensor | None" = None


@dataclass(frozen=True, eq=False)
class NearMiss:
    """A place where a model nearly found another object, beside those it found or within one.

    Attributes
    ----------
    start
        Its first pixel along ``(T)(Z)YX``.
    mask
        bool ``(Z)YX``, its pixels, counted from there.
    confidence
        How likely an object is there that was not found, from 0 to 1.
    """

    start: tuple[int, ...]
    mask: npt.NDArray[np.bool_]
    confidence: float


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about one image; a task fills the fields that it makes.

    Attributes
    ----------
    labels
        int32 ``(Z)YX`` label or class image, on the grid of the input.
    image
        float32 ``C(Z)YX``, for tasks whose answer is an image or a probability; on the output grid.
    statistics
        What was measured on the whole image (noise before and after), by name; of a time series the mean.
    image_name
        What the image is, one word for a layer: probability, denoised, restored.
    channel_names
        Of the image; empty where the channels have no names.
    pixel_size
        Of the output grid, in micrometre.
    points
        The cells found; `measurements` then has one row for each, with its kind and confidence.
    class_name
        The class of the whole image; of a time series the classes of its time points, with their numbers.
    measurements
        One array per column, one row per object (column ``label`` names it) or point.
    left_out
        How many objects or points an option of the task has left out, by the option's name.
    evidence
        What the confidence of each object or point is made of, one array per name; of one time point only.
    near_misses
        Places where something was nearly found, the likeliest first; where somebody has asked for them.
    certainty
        What the confidence of objects and points is worth, in words: on how many of them it was calibrated.
    """

    labels: Labels | None = None
    image: npt.NDArray[np.float32] | None = None
    points: Points | None = None
    class_name: str = ""
    measurements: Mapping[str, Array] = field(default_factory=dict)
    statistics: Mapping[str, float] = field(default_factory=dict)
    image_name: str = "probability"
    channel_names: tuple[str, ...] = ()
    pixel_size: PixelSize | None = None
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, Array] = field(default_factory=dict)
    near_misses: tuple[NearMiss, ...] = ()
    certainty: str = ""


@dataclass(frozen=True)
class Count:
    """How many cells of a kind there are.

    `low` and `high` bound it where the errors of counts were measured on images kept aside.
    """

    kind: str
    value: float
    low: float | None = None
    high: float | None = None
