"""Images as the network sees them, where it works at another scale than theirs, and its answers brought back.

Objects of 12 pixels are told apart better when they are enlarged, those of 150 better and faster when they are shrunk.
Everything a person says and sees is in the pixels of the image: come here for the way there and back.
"""

from dataclasses import replace

import numpy as np

from microforge.data.scale.rescaling import Rescaled, nearest
from microforge.tasks.abilities import at_working_scale, working_scale
from microforge.tasks.base import Task
from microforge.types import ArrayLike, Floats, Prediction, Sample


def as_seen(image: ArrayLike, task: Task) -> ArrayLike:
    """Give an image ``C(Z)YX`` at the scale at which a task's network works; itself where that is its own."""
    scale = working_scale(task, image.ndim - 1)
    return image if set(scale) == {1.0} else Rescaled(image, scale)


def sample_as_seen(sample: Sample, task: Task) -> Sample:
    """Give a sample with image, labels and mask at the scale at which a task's network works."""
    scale = working_scale(task, sample.image.ndim - 1)
    if set(scale) == {1.0}:
        return sample
    size = sample.pixel_size
    return replace(
        sample,
        image=Rescaled(sample.image, scale),
        annotation=None if sample.annotation is None else nearest(sample.annotation, scale),
        mask=None if sample.mask is None else nearest(sample.mask, scale),
        pixel_size=None if size is None else tuple(length / f for length, f in zip(size, scale, strict=True)),
    )


def decoded(task: Task, output: Floats, shape: tuple[int, ...]) -> Prediction:
    """Decode an activated output ``C(Z)YX`` of an image that was seen as `as_seen` gives it.

    An answer that is coarser than the image is brought to its grid first, so that outlines are smooth; a finer one is
    decoded first, so that narrow gaps are not lost.

    Parameters
    ----------
    shape
        Of the image, ``(Z)YX``.

    Returns
    -------
    Prediction
        On the grid of the image, objects as the task counts them there.
    """
    scale = working_scale(task, output.ndim - 1)
    if set(scale) == {1.0}:
        return task.decode(output)
    if max(scale) <= 1:
        return task.decode(on_image(task, output, shape))
    found = at_working_scale(task).decode(output)
    assert found.labels is not None
    return _with_labels(found, nearest(found.labels, tuple(1 / factor for factor in scale), shape))


def on_image(task: Task, output: Floats, shape: tuple[int, ...]) -> Floats:
    """Give an activated output ``C(Z)YX`` on the grid of its image, whose shape ``(Z)YX`` is given."""
    scale = working_scale(task, output.ndim - 1)
    if set(scale) == {1.0}:
        return output
    return np.asarray(Rescaled(output, tuple(1 / factor for factor in scale), shape), np.float32)


def _with_labels(found: Prediction, labels: np.ndarray) -> Prediction:
    """Give a result with labels on another grid; what is nowhere nearest to a pixel of that is left out."""
    kept = np.zeros(int(labels.max(initial=0)) + 1, bool)
    kept[labels] = True
    kept[0] = False
    number = np.cumsum(kept).astype(np.int32) * kept
    known = found.measurements["label"]
    rows = np.array([label < len(kept) and bool(kept[label]) for label in known], bool)
    columns = {name: np.asarray(column)[rows] for name, column in found.measurements.items()}
    columns["label"] = number[columns["label"]]
    evidence = {name: np.asarray(values)[rows] for name, values in found.evidence.items()}
    return replace(found, labels=number[labels], measurements=columns, evidence=evidence)
