"""The open images as candidates for annotation: which ground of each nobody annotated yet.

Come here for what the window asks the engine about what to annotate next.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from napari.layers import Image as ImageLayer

from microforge.errors import MicroforgeError
from microforge.evaluation.label_next import Candidate, Part, Suggestion
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.session.annotations import serves
from microforge.gui.session.snapshot import Snapshot, snapshot_of
from microforge.gui.session.state import Session
from microforge.tasks import Task
from microforge.types import Image


def candidates_of(session: Session) -> list[tuple[ImageLayer, Candidate]]:
    """Give each open image whose dimensions are known; taking them is quick, opening one may be done in any thread."""
    found = []
    for layer in session.images():
        image = image_of(layer, session.axes_of(layer))
        if image.axes_known:
            parts = partial(_parts, image, _snapshot(session, layer), session.task)
            found.append((layer, Candidate(layer.name, parts)))
    return found


def place_of(session: Session, layer: ImageLayer, one: Suggestion) -> tuple[list[float], list[tuple[float, float]]]:
    """Give the middle of a region, and where it begins and ends along each dimension, in pixels of its layer."""
    letters = axes_of(layer, session.axes_of(layer))[0].upper().removesuffix("S")
    sides = dict(zip("ZYX"[-len(one.window) :], one.window, strict=True)) | {"T": slice(one.time, one.time + 1)}
    known = [sides.get(letter, slice(0, 1)) for letter in letters]
    middle = [float((side.start + side.stop - 1) // 2) for side in known]
    return middle, [(side.start - 0.5, side.stop - 0.5) for side in known]


def _snapshot(session: Session, layer: ImageLayer) -> Snapshot | None:
    item = session.annotated_of(layer)
    if item is None or not serves(item, session.kind):
        return None
    try:
        return snapshot_of(session, item, copy=False)
    except MicroforgeError:
        # What cannot be learnt from is not annotated; Train says why.
        return None


def _parts(image: Image, snapshot: Snapshot | None, task: Task) -> Sequence[Part]:
    from microforge.axes.samples import to_samples

    known = {} if snapshot is None else _known(snapshot, task)
    return [Part(sample, known.get(sample.name, False)) for sample in to_samples(image)]


def _known(snapshot: Snapshot, task: Task) -> Mapping[str, npt.NDArray[np.bool_] | bool]:
    """Give where each time point is annotated, as the task takes it."""
    try:
        checked = [task.check(sample) for sample in snapshot.samples()]
    except MicroforgeError:
        return {}
    return {sample.name: True if sample.mask is None else sample.mask for sample in checked}
