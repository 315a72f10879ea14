"""Small pictures of what a model found, with what is wrong in colour; come here for the examples of a report."""

import io
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from scipy.ndimage import uniform_filter

from microforge.evaluation.cases import Case, CaseOrigin, case_of
from microforge.evaluation.object_errors import FINDING_COLOURS, find_object_errors
from microforge.intensities import plain
from microforge.tasks.abilities import LocatesErrors
from microforge.tasks.base import Task
from microforge.tasks.instances.scores import ObjectTask
from microforge.types import Array, Labels, Prediction, Sample

Rgb = npt.NDArray[np.uint8]
#: The plane of a stack, and the part of it ``YX``.
PlaneWindow = tuple[int | slice, ...]
#: Sides in pixels, of a picture and of each where several stand side by side.
SIDE, SMALL_SIDE = 224, 160
#: What is right is drawn so.
RIGHT = "#5ad17a"
_COLOURS, _SHOWN, _DOT = 64, (1, 99.5), 2


def picture_of(task: Task, prediction: Prediction, sample: Sample) -> Rgb:
    """Draw what was found in an image, and what of it is wrong.

    Parameters
    ----------
    prediction, sample
        Of one time point; of a stack one plane is drawn, and of a large image a part: where most is wrong.

    Returns
    -------
    uint8 ``YXS``, red, green and blue. Images that were predicted stand between what they were made of and what they
    should be.
    """
    if prediction.image is not None and prediction.labels is None and prediction.points is None:
        return _side_by_side(prediction.image, sample)
    look = _looked_at(task, prediction, sample)
    plane = () if sample.image.ndim == 3 else (int(look.sum((1, 2)).argmax()),)
    window = _window(look[plane], SIDE)
    place: PlaneWindow = (*plane, *window)
    base = np.repeat(_grey(sample, place)[..., None], 3, axis=2)
    if prediction.labels is not None:
        base[_outlines(prediction.labels[place])] = _rgb(RIGHT)
        _draw_wrong(base, task, prediction, sample, place)
    elif prediction.points is not None:
        _draw_points(base, case_of(task, prediction, sample, CaseOrigin()), plane, window)
    return base


def png(pixels: Rgb, side: int | None = None) -> bytes:
    """Write a picture as PNG of few colours, which keeps a page small; `side` is that of a smaller copy."""
    picture = Picture.fromarray(pixels)
    if side is not None:
        picture.thumbnail((side, side))
    written = io.BytesIO()
    picture.quantize(_COLOURS).save(written, "PNG", optimize=True)
    return written.getvalue()


def _looked_at(task: Task, prediction: Prediction, sample: Sample) -> npt.NDArray[np.bool_]:
    """Give where to look, bool ``(Z)YX``: at what is wrong, else at what was found, else nowhere."""
    if prediction.labels is not None:
        wrong = task.errors(prediction, sample) if _is_known(task, prediction, sample) else np.zeros(1, bool)
        return wrong if wrong.any() else np.asarray(prediction.labels > 0)
    look = np.zeros(tuple(sample.image.shape[1:]), bool)
    if prediction.points is not None and len(prediction.points):
        most = np.array(look.shape) - 1
        look[tuple(np.round(prediction.points.coordinates).astype(int).clip(0, most).T)] = True
    return look


def _is_known(task: Task, prediction: Prediction, sample: Sample) -> TypeGuard[LocatesErrors]:
    """Tell whether it is known which pixels of labels are wrong."""
    labels, truth = prediction.labels, sample.annotation
    alike = labels is not None and truth is not None and truth.shape == labels.shape
    return alike and isinstance(task, LocatesErrors)


def _window(wrong: npt.NDArray[np.bool_], side: int) -> tuple[slice, slice]:
    """Give the part ``YX`` of this side in which most is true."""
    if max(wrong.shape) <= side or not wrong.any():
        middle = tuple(n // 2 for n in wrong.shape)
    else:
        dense = uniform_filter(wrong.astype(np.float32), side, mode="constant")
        middle = tuple(int(n) for n in np.unravel_index(int(dense.argmax()), wrong.shape))
    starts = (max(0, min(at - side // 2, n - side)) for at, n in zip(middle, wrong.shape, strict=True))
    first, second = (slice(start, start + side) for start in starts)
    return first, second


def _grey(sample: Sample, place: PlaneWindow) -> Rgb:
    return _stretched(plain(np.asarray(sample.image[(slice(None), *place)])).mean(0))


def _stretched(pixels: Array) -> Rgb:
    finite = pixels[np.isfinite(pixels)]
    low, high = np.percentile(finite, _SHOWN) if finite.size else (0.0, 1.0)
    shown = np.nan_to_num((pixels - low) / max(high - low, 1e-9)).clip(0, 1)
    return np.asarray(shown * 255, np.uint8)


def _draw_wrong(base: Rgb, task: Task, prediction: Prediction, sample: Sample, place: PlaneWindow) -> None:
    """Outline objects with which something went wrong in the colour of their kind, or tint pixels that are wrong."""
    if not _is_known(task, prediction, sample):
        return
    assert prediction.labels is not None
    if not isinstance(task, ObjectTask):
        base[task.errors(prediction, sample)[place]] = _rgb(FINDING_COLOURS["missed"])
        return
    findings = find_object_errors(task.match(prediction, sample))
    for where, labels in (("prediction", prediction.labels[place]), ("truth", np.asarray(sample.annotation)[place])):
        for kind, colour in FINDING_COLOURS.items():
            wrong = [one.label for one in findings if one.kind == kind and one.where == where]
            base[_outlines(np.where(np.isin(labels, wrong), labels, 0))] = _rgb(colour)


def _draw_points(base: Rgb, case: Case, plane: tuple[int, ...], window: tuple[slice, ...]) -> None:
    """Set a dot on each point: found, missed, or none."""
    for points, failed, colour in (
        (case.found, case.extra, FINDING_COLOURS["extra"]),
        (case.truth, case.missed, FINDING_COLOURS["missed"]),
    ):
        if points is None or failed is None:
            continue
        for at, wrong in zip(points.coordinates, failed, strict=True):
            if not plane or round(float(at[0])) == plane[0]:
                _dot(base, at[-2:] - [side.start for side in window], colour if wrong else RIGHT)


def _dot(base: Rgb, at: Array, colour: str) -> None:
    y, x = (round(float(value)) for value in at)
    if 0 <= y < base.shape[0] and 0 <= x < base.shape[1]:
        base[max(y - _DOT, 0) : y + _DOT + 1, max(x - _DOT, 0) : x + _DOT + 1] = _rgb(colour)


def _side_by_side(found: Array, sample: Sample) -> Rgb:
    """Put the image, what was made of it, and what it should be, beside each other."""
    plane = () if sample.image.ndim == 3 else (sample.image.shape[1] // 2,)
    window = _window(np.zeros(tuple(sample.image.shape[-2:]), bool), SMALL_SIDE)
    shown = [_grey(sample, (*plane, *window))]
    for image in (found, sample.annotation):
        if image is not None and image.ndim == sample.image.ndim:
            finer = max(1, image.shape[-1] // sample.image.shape[-1])
            part = tuple(slice(side.start * finer, side.stop * finer, finer) for side in window)
            shown.append(_stretched(np.asarray(image[(slice(None), *plane, *part)]).mean(0)))
    return np.repeat(np.concatenate(shown, axis=1)[..., None], 3, axis=2)


def _outlines(labels: Labels) -> npt.NDArray[np.bool_]:
    """Give the pixels of objects that touch something else, within the objects."""
    edges = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differs = np.diff(labels.astype(np.int64), axis=axis) != 0
        before = tuple(slice(None, -1) if a == axis else slice(None) for a in (0, 1))
        after = tuple(slice(1, None) if a == axis else slice(None) for a in (0, 1))
        edges[before] |= differs
        edges[after] |= differs
    return edges & (np.asarray(labels) > 0)


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
