"""Turn images with named axes into samples ``C(Z)YX`` and back: the only place that permutes axes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from microforge.axes.lazy_view import LazyView
from microforge.axes.letters import check_axes, likely_axes, size_text, spatial_axes
from microforge.axes.time_points import split_points
from microforge.errors import AnnotationError, AxesError
from microforge.types import Array, ArrayLike, Image, Points, Sample

__all__ = ["check_axes", "from_samples", "likely_axes", "spatial_axes", "to_image_pairs", "to_samples"]

#: A target may be up to this many times finer than its image.
_FINEST = 4


def to_samples(
    image: Image, annotation: Image | None = None, mask: Array | None = None, points: Points | None = None
) -> list[Sample]:
    """Split an image into samples, one per time point, as views ``C(Z)YX`` that copy nothing.

    C and S both count as channels (C outermost); without them there is one channel.

    Parameters
    ----------
    annotation
        Labels with axes ``(T)(Z)YX`` of the image. Letters that differ are overlooked where the shape fits: stacks
        and time series are often confused in label files.
    mask
        bool, shaped as the labels: True where the annotation is complete.
    points
        Points with axes ``(T)(Z)YX``; see `microforge.axes.time_points.split_points`.

    Returns
    -------
    list of Sample
        Named as the image; of a time series ``name t=000`` and so on.

    Raises
    ------
    AxesError
        If the image's axes do not fit its shape.
    AnnotationError
        If labels, mask or points do not fit the image.
    """
    try:
        axes = check_axes(image.axes, image.data.shape)
    except AxesError as error:
        raise AxesError(error.problem, where=image.source or image.name, remedy=error.remedy) from error
    labels = None if annotation is None else _fitting_labels(image, annotation)
    if mask is not None:
        mask = _fitting_mask(image, mask)
    times = image.data.shape[axes.index("T")] if "T" in axes else 1
    at_times: Sequence[Points | None] = [None] * times if points is None else split_points(image, points)
    return [
        Sample(
            f"{image.name} t={t:03d}" if "T" in axes else image.name,
            one,
            None if labels is None else (labels[t] if "T" in axes else labels),
            None if mask is None else (mask[t] if "T" in axes else mask),
            image.pixel_size,
            image.channel_names,
            points=at_times[t],
            notes=() if annotation is None else annotation.notes,
        )
        for t, one in zip(range(times), _time_points(image.data, axes), strict=True)
    ]


def to_image_pairs(image: Image, targets: Sequence[Image]) -> list[Sample]:
    """Split an image and what it should become into samples, one per time point; arrays of numpy are not copied.

    Parameters
    ----------
    targets
        Images with axes ``(T)(C)(Z)YX`` of the same planes and time points; their Y and X may be 2, 3 or 4 times finer,
        the same for all. Channels of several targets follow one another (as float32 where their types differ).

    Returns
    -------
    list of Sample
        `annotation` is ``C(Z)YX``; `target_names` are the names of the targets' channels, else those of the targets.

    Raises
    ------
    AxesError
        If the axes of the image do not fit its shape, or those of a target must be asked for.
    AnnotationError
        If a target does not fit the image; names it and both sizes.
    """
    samples = to_samples(image)
    fitted = [_fitting_target(image, target) for target in targets]
    factors = [one.data.shape[one.axes.index("X")] // _length(image, "X") for one in fitted]
    for target, factor in zip(targets, factors, strict=True):
        if factor != factors[0]:
            raise AnnotationError(
                f"The target is {_named_size(target)}, but {targets[0].source or targets[0].name} is "
                f"{_named_size(targets[0])}.",
                where=target.source or target.name,
                remedy="All targets of an image must be of one size.",
            )
    names = tuple(name for target in fitted for name in _target_names(target))
    wanted = zip(*(_time_points(target.data, target.axes) for target in fitted), strict=True)
    return [
        replace(sample, annotation=_joined(channels), target_names=names if all(names) else ())
        for sample, channels in zip(samples, wanted, strict=True)
    ]


def from_samples(arrays: Sequence[Array], image: Image) -> tuple[Array, str]:
    """Put the results of an image's samples together again.

    Parameters
    ----------
    arrays
        One result per time point, ``(Z)YX`` or ``C(Z)YX``, all of one shape.

    Returns
    -------
    tuple
        The array ``(T)(C)(Z)YX`` and its axes; nothing is copied unless there is a T.
    """
    space = spatial_axes(image.axes)
    axes = ("C" if arrays[0].ndim > len(space) else "") + space
    if "T" not in image.axes:
        return arrays[0], axes
    return np.stack(arrays), f"T{axes}"


def _time_points(data: ArrayLike, axes: str) -> Iterator[Any]:
    if "C" in axes and "S" in axes and not _can_transpose(data):
        data = np.asarray(data[...])
    times = data.shape[axes.index("T")] if "T" in axes else 1
    for t in range(times):
        yield _turned(data, axes, t) if _can_transpose(data) else _lazy(data, axes, t)


def _can_transpose(data: ArrayLike) -> bool:
    return hasattr(data, "transpose") and hasattr(data, "reshape")


def _turned(data: Any, axes: str, time: int) -> Any:
    """Give one time point ``C(Z)YX`` of an array that can be transposed; a view unless C and S must be merged."""
    if "T" in axes:
        data = data[tuple(time if letter == "T" else slice(None) for letter in axes)]
        axes = axes.replace("T", "")
    order = [letter for letter in "CSZYX" if letter in axes]
    data = data.transpose([axes.index(letter) for letter in order])
    if "C" in axes and "S" in axes:
        return data.reshape((-1, *data.shape[2:]))
    return data if "C" in axes or "S" in axes else data[None]


def _lazy(data: ArrayLike, axes: str, time: int) -> LazyView:
    channel = next((axes.index(letter) for letter in "CS" if letter in axes), None)
    order = (channel, *(axes.index(letter) for letter in spatial_axes(axes)))
    return LazyView(data, order, {axes.index("T"): time} if "T" in axes else {})


def _expected(image: Image) -> tuple[str, tuple[int, ...]]:
    """Give the axes and the shape that labels of an image must have: ``(T)(Z)YX``."""
    axes = "".join(letter for letter in "TZYX" if letter in image.axes)
    return axes, tuple(image.data.shape[image.axes.index(letter)] for letter in axes)


def _fitting_labels(image: Image, annotation: Image) -> Array:
    axes, shape = _expected(image)
    labels = np.asarray(annotation.data)
    if labels.ndim == len(axes) and set(annotation.axes) == set(axes) and annotation.axes_known:
        labels = labels.transpose([annotation.axes.index(letter) for letter in axes])
    if [n for n in labels.shape if n > 1] == [n for n in shape if n > 1]:
        # Files leave out dimensions of length one.
        return labels.reshape(shape)
    if labels.shape != shape:
        raise AnnotationError(
            f"The labels are {_named_size(annotation)}, the image is {_named_size(image)}.",
            where=annotation.source or annotation.name,
            remedy=" ".join((_shape_remedy(annotation, shape, image.notes), *image.notes)),
        )
    return labels


def _fitting_mask(image: Image, mask: Array) -> Array:
    _, shape = _expected(image)
    if mask.shape != shape:
        raise AnnotationError(
            f"The mask is {size_text(mask.shape)}, the image {size_text(shape)} (channels aside).",
            where=image.source or image.name,
            remedy="Draw the regions again on this image.",
        )
    return mask.astype(bool, copy=False)


def _fitting_target(image: Image, target: Image) -> Image:
    """Give the target with axes T and Z exactly where the image has them.

    Raises
    ------
    AnnotationError
        If its planes, time points, height or width do not fit.
    """
    axes = _axes_of_target(image, target)
    data: Any = target.data if _can_transpose(target.data) else np.asarray(target.data[...])
    for letter in "TZ":
        if letter in axes and letter not in image.axes and data.shape[axes.index(letter)] == 1:
            data = data[tuple(0 if one == letter else slice(None) for one in axes)]
            axes = axes.replace(letter, "")
        elif letter not in axes and letter in image.axes and _length(image, letter) == 1:
            data, axes = data[None], letter + axes
    fitted = replace(target, data=data, axes=axes)
    if any(_length(fitted, letter) != _length(image, letter) for letter in "TZ") or not _factor(image, fitted):
        raise AnnotationError(
            f"The target is {_named_size(target)}, the image is {_named_size(image)}.",
            where=target.source or target.name,
            remedy=_target_remedy(image, fitted),
        )
    return fitted


def _axes_of_target(image: Image, target: Image) -> str:
    """Give the letters of a target; like the image's where nothing else is known, or stack and series are confused."""
    axes = check_axes(target.axes, target.data.shape)
    like, shape = _expected(image)
    plain = not {"C", "S"} & set(axes) and set(axes) != set(like)
    if len(axes) == len(like) and target.data.shape[:-2] == shape[:-2] and (plain or not target.axes_known):
        return like
    if target.axes_known or (like == "YX" and not {"T", "Z"} & set(axes)):
        return axes
    raise AxesError(
        f"What the dimensions of the target ({size_text(target.data.shape)}) mean is not known.",
        where=target.source or target.name,
        remedy=f"Say it with --target-axes, or in the window beside the layer, for instance {axes}.",
    )


def _length(image: Image, letter: str) -> int:
    return image.data.shape[image.axes.index(letter)] if letter in image.axes else 0


def _factor(image: Image, target: Image) -> int:
    """Give how many times finer the target is, 0 if it does not fit."""
    for factor in range(1, _FINEST + 1):
        if all(_length(target, letter) == factor * _length(image, letter) for letter in "YX"):
            return factor
    return 0


def _target_remedy(image: Image, target: Image) -> str:
    if any(_length(target, letter) != _length(image, letter) for letter in "TZ"):
        return "A target must have the planes and time points of its image; check the axes of both."
    if _factor(target, image) > 1:
        return "The image is the finer of the two: perhaps image and target are swapped."
    return (
        "A target shows the very field of its image, neither cropped nor shifted: of the same size, or for "
        "super-resolution exactly 2, 3 or 4 times finer in both directions."
    )


def _target_names(target: Image) -> tuple[str, ...]:
    channels = max(1, _length(target, "C")) * max(1, _length(target, "S"))
    if len(target.channel_names) == channels:
        return target.channel_names
    if channels == 1 or not target.name:
        return (target.name,)
    return tuple(f"{target.name} {number}" for number in range(1, channels + 1))


def _joined(targets: Sequence[Any]) -> Array:
    """Put the channels of targets after one another; a single one stays a view."""
    if len(targets) == 1:
        return np.asanyarray(targets[0])
    one_type = len({target.dtype for target in targets}) == 1
    return np.concatenate([np.asarray(one, None if one_type else np.float32) for one in targets])


def _named_size(image: Image) -> str:
    plain = image.axes == "YX"
    return size_text(image.data.shape) + ("" if plain else f" ({image.axes})")


def _shape_remedy(annotation: Image, shape: tuple[int, ...], notes: tuple[str, ...]) -> str:
    if not notes and sorted(annotation.data.shape) == sorted(shape):
        return "The axes seem to be in another order: save the labels as the image is."
    if annotation.data.ndim != len(shape):
        return "Labels have the image's planes and time points, but no channels; check the axes of both."
    return "Check that the labels were made on this very image, neither cropped nor rescaled."
