"""Check what a network found one by one: what a person answers becomes her annotation, each answer one step of undo.

Come here when an answer ends up in the wrong place, or the order in which things are asked about is odd. The order
itself is that of `microforge.evaluation.queue`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer
from psygnal import Signal

from microforge.errors import MicroforgeError
from microforge.evaluation.queue import ToCheck, errors_left, queue_of
from microforge.events import RunFailed
from microforge.gui.layers.gestures import ShownLabels
from microforge.gui.layers.layer_axes import axes_of, letters_of_labels
from microforge.gui.layers.results import CERTAINTY, DETAILS, NEAR_MISSES
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.background import Relay
from microforge.gui.session.painted_layers import annotation_of, ground_of, labels_of
from microforge.gui.session.results_to_learn.objects import Laid, lay
from microforge.gui.session.state import Session
from microforge.label_editing import Edit, take, take_as_background, unknown
from microforge.types import NearMiss, Window

#: Pixels of the side of an object, where none was found.
_SIDE = 20.0


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


@dataclass(frozen=True, eq=False)
class Answer:
    """What was written for one of the queue, and where; nothing where nobody said anything."""

    target: ShownLabels | None = None
    edit: Edit | None = None


class Checking:
    """The queue of an image, and what was answered so far.

    Attributes
    ----------
    queue
        What is asked about, the least certain first.
    place
        Which of them is asked about now; their number when all are through.
    answers
        What was said of those before, in their order.
    certainty
        What the confidence of the result is worth, in words; empty where it is not known.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, session: Session) -> None:
        self._session = session
        self._item: Annotated | None = None
        self.queue: Sequence[Doubtful] = ()
        self.answers: list[Answer | None] = []
        self.place, self.certainty, self._found = 0, "", False
        self.relay = Relay("finding what to check")
        self.relay.event.connect(self._on_event)

    @property
    def asked(self) -> Doubtful | None:
        """What is asked about now."""
        return self.queue[self.place] if self.place < len(self.queue) else None

    @property
    def done(self) -> bool:
        """Whether all that there was to ask about was asked about."""
        return self._found and self.asked is None

    @property
    def labels(self) -> Labels | None:
        """The layer she paints on, while something is checked."""
        labels = None if self._item is None else self._item.labels
        return labels if isinstance(labels, Labels) else None

    def start(self, image: Layer, layer: Labels) -> None:
        """Find out, in the background, what is to be checked of what a network found on an image.

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
        self._item, details = item, layer.metadata.get(DETAILS, {})
        self.certainty = str(details.get(CERTAINTY, ""))
        axes = letters_of_labels(labels_of(item), axes_of(image, self._session.axes_of(image))[0])
        # Places are told in the usual order of axes.
        usual = "".join(letter for letter in axes if letter in "ZYX") in ("YX", "ZYX")
        near = details.get(NEAR_MISSES, ()) if usual else ()
        self.relay.start(lambda: _queue(laid, near))

    def stop(self) -> None:
        """Ask about nothing any more; what was answered stays."""
        self.relay.stop()
        self._item, self.queue, self.answers, self.place, self._found = None, (), [], 0, False
        self.changed.emit()

    def close(self) -> None:
        """Stop, and hear no more of what runs."""
        self.relay.end(1)

    def right(self) -> int:
        """Take what is asked about over as hers; give its label, 0 where she has painted there already."""
        asked, labels = self.asked, self.labels
        if asked is None or labels is None:
            return 0
        label = int(np.asarray(labels.data).max(initial=0)) + 1
        if label > np.iinfo(labels.data.dtype).max:
            labels.data = labels.data.astype(np.int32)
        part = asked.laid.target.beside(labels).labels[asked.laid.found.window][asked.window]
        edit = _shifted(take(part, asked.one.mask.astype(np.int32), [1], label), asked)
        self._write(asked.laid.target.beside(labels), edit)
        return label if len(edit) else 0

    def wrong(self) -> None:
        """Say that there is background where it lies; what she has painted there stays."""
        asked, item = self.asked, self._item
        if asked is None or item is None:
            return
        ground = asked.laid.target.beside(ground_of(self._session, item))
        painted = asked.laid.target.beside(labels_of(item))
        said, hers = (one.labels[asked.laid.found.window][asked.window] for one in (ground, painted))
        edit = take_as_background(said, hers, asked.one.mask.astype(np.int32), [1])
        self._write(ground, _shifted(edit, asked))

    def skip(self) -> None:
        """Leave it as it is, and ask about the next."""
        if self.asked is not None:
            self._go_on(None)

    def back(self) -> None:
        """Take the last answer back, and ask again."""
        if not self.answers:
            return
        answer = self.answers.pop()
        if answer is not None and answer.target is not None and answer.edit is not None:
            answer.target.write(answer.edit.back().still_true(answer.target.labels))
        self.place -= 1
        self.changed.emit()

    def usual_side(self) -> float:
        """Give the usual longer side of the boxes of objects, in pixels."""
        sides = [max(one.one.mask.shape[-2:]) for one in self.queue if one.one.found]
        return float(np.median(sides)) if sides else _SIDE

    def words(self) -> str:
        """Say how far she is, and how many errors are probably left."""
        if not self.queue:
            return ""
        checked = sum(answer is not None for answer in self.answers)
        through = f"{checked:,} of {len(self.queue):,} checked"
        if not self.certainty.startswith("calibrated"):
            return f"{through}. How many errors are left is not known: the model is not calibrated"
        open_ones = [*self._skipped(), *self.queue[self.place :]]
        left = round(errors_left(asked.one for asked in open_ones))
        return f"{through}; about {left:,} error{'s' * (left != 1)} left among the rest"

    def _skipped(self) -> Iterator[Doubtful]:
        return (asked for asked, answer in zip(self.queue, self.answers, strict=False) if answer is None)

    def _write(self, target: ShownLabels, edit: Edit) -> None:
        target.write(edit)
        self._go_on(Answer(target, edit))

    def _go_on(self, answer: Answer | None) -> None:
        self.answers.append(answer)
        self.place += 1
        self.changed.emit()

    def _on_event(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self.failed.emit(event.in_words)
        elif self._item is not None:
            assert isinstance(event, list)
            self.queue, self._found = event, True
            self.changed.emit()


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
