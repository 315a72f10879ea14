"""Check objects one by one: each answer becomes her annotation, as one step of undo.

Come here when an answer ends up in the wrong place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer

from microforge.errors import MicroforgeError
from microforge.evaluation.queue import ToCheck, queue_of
from microforge.gui.layers.gestures import ShownLabels
from microforge.gui.layers.layer_axes import axes_of, letters_of_labels
from microforge.gui.layers.results import DETAILS, NEAR_MISSES
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.painted_layers import annotation_of, ground_of, labels_of
from microforge.gui.session.results_to_learn.checking import Checking
from microforge.gui.session.results_to_learn.objects import Laid, lay
from microforge.gui.session.state import Session
from microforge.label_editing import Edit, take, take_as_background, unknown
from microforge.types import NearMiss, Window


@dataclass(frozen=True, eq=False)
class Doubtful:
    """What a person is asked about, and where it lies."""

    laid: Laid
    one: ToCheck

    @property
    def window(self) -> Window:
        """Its box in the part of the image that the network saw."""
        sides = zip(self.one.start, self.one.mask.shape, strict=True)
        return tuple(slice(first, first + length) for first, length in sides)

    def corners(self) -> tuple[list[float], list[float]]:
        """Give the first and the last pixel of its box, in pixels of the layer she paints on."""
        first = [side.start + begin.start for side, begin in zip(self.window, self.laid.found.window, strict=True)]
        last = [place + length - 1 for place, length in zip(first, self.one.mask.shape, strict=True)]
        return self.laid.target.in_layer(first), self.laid.target.in_layer(last)


class ObjectChecking(Checking):
    """Asks about the objects of a result, and the places where one was nearly found."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._item: Annotated | None = None

    @property
    def layer(self) -> Labels | None:
        """The layer she paints on, while something is checked."""
        labels = None if self._item is None else self._item.labels
        return labels if isinstance(labels, Labels) else None

    def start(self, image: Layer, layer: Labels) -> None:
        """Find out what is to be checked of what a network found on an image.

        Raises
        ------
        MicroforgeError
            If the result does not lie on the image pixel by pixel, or there is no room for an annotation.
        """
        self.stop()
        item = annotation_of(self._session, image)
        laid = lay(self._session, item, layer)
        if not laid:
            raise MicroforgeError("The result does not lie on this image pixel by pixel.", where=layer.name)
        self._item = item
        axes = letters_of_labels(labels_of(item), axes_of(image, self._session.axes_of(image))[0])
        # Places are told in the usual order of axes.
        usual = "".join(letter for letter in axes if letter in "ZYX") in ("YX", "ZYX")
        near = layer.metadata.get(DETAILS, {}).get(NEAR_MISSES, ()) if usual else ()
        self.begin(layer, lambda: _queue(laid, near))

    def stop(self) -> None:
        """Ask about nothing any more; what was answered stays."""
        self._item = None
        super().stop()

    def question(self) -> str:
        """Ask whether an object is right, or whether there is one."""
        one = self.asked.one
        if one.found:
            return f"Is the object in the box right? (The model: {100 * one.confidence:.0f} % sure.)"
        yes = f"{100 * (1 - one.confidence):.0f} % yes"
        return f"Nothing was found in the box. Is there an object? (The model: {yes}.)"

    def right(self) -> None:
        """Take what is asked about over as an object of hers."""
        self._take()

    def wrong(self) -> None:
        """Say that there is background where it lies; what she has painted there stays."""
        asked, item = self.asked, self._item
        if asked is None or item is None:
            return
        ground = asked.laid.target.beside(ground_of(self._session, item))
        painted = asked.laid.target.beside(labels_of(item))
        said, hers = (one.labels[asked.laid.found.window][asked.window] for one in (ground, painted))
        self._write(ground, _shifted(take_as_background(said, hers, asked.one.mask.astype(np.int32), [1]), asked))

    def repair(self) -> None:
        """Take it over, with the brush in hand."""
        labels, label = self.layer, self._take()
        if labels is not None:
            labels.selected_label = label or labels.selected_label
            labels.mode = "paint"

    def _take(self) -> int:
        """Take what is asked about over; give its label, 0 where she has painted there already."""
        asked, labels = self.asked, self.layer
        if asked is None or labels is None:
            return 0
        label = int(np.asarray(labels.data).max(initial=0)) + 1
        if label > np.iinfo(labels.data.dtype).max:
            labels.data = labels.data.astype(np.int32)
        target = asked.laid.target.beside(labels)
        part = target.labels[asked.laid.found.window][asked.window]
        edit = _shifted(take(part, asked.one.mask.astype(np.int32), [1], label), asked)
        self._write(target, edit)
        return label if len(edit) else 0

    def _write(self, target: ShownLabels, edit: Edit) -> None:
        target.write(edit)
        self.go_on(lambda: target.write(edit.back().still_true(target.labels)))


def _queue(laid: Sequence[Laid], near: Sequence[NearMiss]) -> Iterator[list[Doubtful]]:
    """Give what is to be checked, of all time points together."""
    asked = [Doubtful(one, item) for time, one in enumerate(laid) for item in _of_one(one, _at(near, time, one))]
    yield sorted(asked, key=lambda one: one.one.confidence)


def _of_one(laid: Laid, near: Sequence[NearMiss]) -> list[ToCheck]:
    """Give what is to be checked at one time point: what she has painted, or called background, is not."""
    sure, labels = laid.found.confidence(), laid.found.labels
    columns = {"label": np.array(list(sure), np.int64), "confidence": np.array(list(sure.values()), np.float64)}
    said = labels > 0 if laid.said is None else (labels > 0) | laid.said
    unpainted = set(unknown(labels, laid.found.found).tolist())
    queue = queue_of(laid.found.found, columns, near)
    return [one for one in queue if (not one.found or one.number in unpainted) and not _is_said(one, said)]


def _is_said(one: ToCheck, said: npt.NDArray[np.bool_]) -> bool:
    """Whether she has said already what most of it is."""
    window = tuple(slice(first, first + n) for first, n in zip(one.start, one.mask.shape, strict=True))
    return bool((said[window] & one.mask).sum() * 2 > one.mask.sum())


def _at(near: Sequence[NearMiss], time: int, laid: Laid) -> list[NearMiss]:
    """Give the places of one time point, without it; none of them may lie outside what she can paint on."""
    found = laid.found.found
    here = [one for one in near if len(one.start) == found.ndim or one.start[0] == time]
    places = [NearMiss(one.start[-found.ndim :], one.mask, one.confidence) for one in here]
    return [
        one
        for one in places
        if all(a + n <= length for a, n, length in zip(one.start, one.mask.shape, found.shape, strict=True))
    ]


def _shifted(edit: Edit, asked: Doubtful) -> Edit:
    """Give an edit of the box as one of all the labels on the screen."""
    where = tuple(places + side.start for places, side in zip(edit.where, asked.window, strict=True))
    return asked.laid.found.in_whole(Edit(where, edit.old, edit.new))
