"""Check, count and cut out label annotations: what tasks with painted labels share."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.annotations.blurred_labels import check_not_blurred
from microforge.annotations.object_labels import check_not_inverted, separated
from microforge.errors import AnnotationError
from microforge.label_numbers import label_sizes, renumbered
from microforge.types import Array, Sample

Box = tuple[slice, ...]


def checked_labels(sample: Sample) -> Sample:
    """Give the sample with int32 labels.

    Parameters
    ----------
    sample
        With an annotation ``(Z)YX`` of any dtype.

    Raises
    ------
    AnnotationError
        If there is no annotation, its shape differs from the image's, or its values are not labels, or no more.
    """
    labels = sample.annotation
    if labels is None:
        raise AnnotationError("There is no annotation.", where=sample.name, remedy="Paint or load labels for it.")
    if labels.shape != tuple(sample.image.shape[1:]):
        raise AnnotationError(
            f"The labels have the shape {labels.shape}, the image {tuple(sample.image.shape[1:])}.",
            where=sample.name,
            remedy="Check that this is the annotation of this image.",
        )
    labels = _whole_numbers(labels, sample.name)
    check_not_blurred(labels, sample.name)
    return replace(sample, annotation=labels)


def checked_objects(sample: Sample) -> Sample:
    """Give the sample with int32 labels, each of them one object.

    An image that holds one label only, in several pieces, is a mask, whose pieces are the objects; and so are pieces
    far apart where numbers were cut off.

    Raises
    ------
    AnnotationError
        As `checked_labels`, and if the background has a number.
    """
    sample = checked_labels(sample)
    assert sample.annotation is not None
    if sample.mask is None:
        check_not_inverted(sample.annotation, sample.name)
    parts = _components_of_mask(sample.annotation)
    return replace(sample, annotation=parts if parts is not sample.annotation else separated(parts).labels)


def splitting(given: Sample, used: Sample) -> str:
    """Say in words how `checked_objects` made more objects of an annotation; empty where it did not."""
    if given.annotation is None or used.annotation is None:
        return ""
    painted = _whole_numbers(given.annotation, given.name)
    if len(label_sizes(used.annotation)) == len(label_sizes(painted)):
        return ""
    if _components_of_mask(painted) is not painted:
        return "the annotation is a mask with one value; its separate pieces are taken as objects"
    _, torn, top = separated(painted)
    labels = f"{torn} label{'s are' if torn != 1 else ' is'} in several pieces far apart"
    if not top:
        return f"{labels}, as those of classes or of colours used in turn: each piece is taken as an object of its own"
    return (
        f"{labels}, as if numbers above {top:,} had been cut off: each piece is taken as an object of its own. "
        f"An object that got the number 0 so is lost: save the labels as {16 if top < 256 else 32}-bit TIFF"
    )


def _whole_numbers(labels: Array, name: str) -> Array:
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all() or (labels != np.round(labels)).any():
            raise AnnotationError(
                "The labels are not whole numbers: this looks like an image or a probability map.",
                where=name,
                remedy="Give a label image: 0 = background, 1, 2, 3 ... = objects.",
            )
    elif labels.dtype.kind not in "bui":
        raise AnnotationError(f"Labels of the type {labels.dtype} cannot be used.", where=name)
    if labels.size and labels.min() < 0:
        raise AnnotationError("There are negative labels.", where=name, remedy="0 is background, objects count from 1.")
    if labels.size and labels.max() >= 2**31:
        return renumbered(labels)
    return labels.astype(np.int32, copy=False)


def _components_of_mask(labels: Array) -> Array:
    """Split a binary mask; an image whose only label is one connected piece stays as it is."""
    if labels.size == 0 or labels.max() == 0 or len(np.unique(labels)) > 2:
        return labels
    parts, count = ndimage.label(labels > 0, np.ones((3,) * labels.ndim))
    return labels if count < 2 else np.asarray(parts, np.int32)


def object_count(sample: Sample) -> int:
    """Number of labels that are learnt from in a sample, quickly."""
    labels = sample.annotation
    if labels is None:
        return 0
    mask = None if sample.partly_painted else sample.mask
    return len(label_sizes(labels if mask is None else labels[mask]))


def cut_out(labels: Array) -> Iterator[tuple[int, Box, npt.NDArray[np.bool_]]]:
    """Give every object's label, bounding box and mask inside it."""
    numbered = renumbered(labels)
    for label, box in enumerate(ndimage.find_objects(numbered), start=1):
        if box is not None:
            yield label, box, numbered[box] == label
