"""Check, count and cut out label annotations: what tasks with painted labels share."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from microforge.errors import AnnotationError
from microforge.label_numbers import label_sizes, renumbered
from microforge.types import Array, Sample

Box = tuple[slice, ...]


def checked_labels(sample: Sample, *, split_masks: bool) -> Sample:
    """Give the sample with int32 labels.

    Parameters
    ----------
    sample
        With an annotation ``(Z)YX`` of any dtype.
    split_masks
        Split an image that holds one label only, in several pieces, into connected components.

    Raises
    ------
    AnnotationError
        If there is no annotation, its shape differs from the image's, or its values are not labels.
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
    if split_masks:
        labels = _components_of_mask(labels)
    return replace(sample, annotation=labels)


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


def was_split(before: Sample, after: Sample) -> bool:
    """Whether a check gave an annotation more labels than were painted."""
    if before.annotation is None or after.annotation is None or before.annotation.size == 0:
        return False
    return bool(after.annotation.max() > before.annotation.max()) or bool(
        before.annotation.max() == 255 and after.annotation.max() not in (0, 255)
    )


def object_count(sample: Sample) -> int:
    """Number of labels within the annotated part of a sample, quickly."""
    labels = sample.annotation
    if labels is None:
        return 0
    return len(label_sizes(labels if sample.mask is None else labels[sample.mask]))


def cut_out(labels: Array) -> Iterator[tuple[int, Box, npt.NDArray[np.bool_]]]:
    """Give every object's label, bounding box and mask inside it."""
    numbered = renumbered(labels)
    for label, box in enumerate(ndimage.find_objects(numbered), start=1):
        if box is not None:
            yield label, box, numbered[box] == label
