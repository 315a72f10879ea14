"""Take objects over in the background, as one step of undo: from a few to those of a whole time series."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Layer

from microforge.events import RunFailed
from microforge.gui.layers.gestures import GROUND_KEY, FoundObjects, ShownLabels, found_over
from microforge.gui.layers.layer_axes import axes_of, letters_of_labels
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.background import Relay
from microforge.gui.session.painted_layers import annotation_of, labels_of
from microforge.gui.session.state import Session
from microforge.label_editing import Edit, confident, take, take_as_background, take_classes, unknown, worth_asking
from microforge.types import Array


@dataclass(frozen=True, eq=False)
class Laid:
    """What a network found at one time point, laid on what a person painted.

    Attributes
    ----------
    found
        Both, of the same part.
    target
        The labels that change: what is painted, or the strokes that say what is background.
    ground
        What such strokes say in that part, 0 where nothing; None where there are none.
    """

    found: FoundObjects
    target: ShownLabels
    ground: Array | None

    @property
    def said(self) -> npt.NDArray[np.bool_] | None:
        """Where strokes say that there is background."""
        return None if self.ground is None else np.asarray(self.ground > 0)


#: Decides what is taken: gives the edit of the part, with the first label that is free.
Way = Callable[[Laid, int], Edit]


def confident_ones(laid: Laid, first: int) -> Edit:
    """Take all objects that nobody has painted and that the network is sure of."""
    one = laid.found
    sure = confident(one.labels, one.found, one.confidence(), laid.said)
    return take(one.labels, one.found, sure.tolist(), first)


def as_annotation(laid: Laid, first: int) -> Edit:
    """Take all objects that nobody has painted."""
    return take(laid.found.labels, laid.found.found, unknown(laid.found.labels, laid.found.found).tolist(), first)


def as_classes(laid: Laid, _first: int) -> Edit:
    """Take the classes of all pixels that nobody has painted."""
    return take_classes(laid.found.labels, laid.found.found)


def asked_about(laid: Laid) -> list[int]:
    """Give the objects that a person is asked about, by their labels in what the network found."""
    one = laid.found
    return [int(label) for label in worth_asking(one.labels, one.found, one.confidence(), laid.said)]


def said_objects(laid: Laid, first: int) -> Edit:
    """Take the objects that a person was asked about."""
    return take(laid.found.labels, laid.found.found, asked_about(laid), first)


def said_background(laid: Laid, _first: int) -> Edit:
    """Say that the objects that a person was asked about are background."""
    assert laid.ground is not None
    return take_as_background(laid.ground, laid.found.labels, laid.found.found, asked_about(laid))


def lay(session: Session, item: Annotated, layer: Labels, ground: Labels | None = None) -> list[Laid]:
    """Lay what a layer of a network holds on what is painted on an image, for each time point that it saw.

    Parameters
    ----------
    ground
        The strokes that say what is background, where they are what changes.
    """
    laid, labels = [], labels_of(item)
    strokes = item.ground if ground is None else ground
    for shown in _time_points(labels, letters_of_labels(labels, axes_of(item.image, session.axes_of(item.image))[0])):
        found = found_over(layer, shown)
        if found is not None:
            part = shown.beside(strokes).labels[found.window] if isinstance(strokes, Labels) else None
            laid.append(Laid(found, shown if ground is None else shown.beside(ground), part))
    return laid


class ObjectTaking:
    """Take over what layers of a network hold, and say what was taken.

    Attributes
    ----------
    relay
        Where it is worked out; the layer is written to in the window's thread.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._laid: list[Laid] = []
        self._background = False
        self.relay = Relay("taking objects over")
        self.relay.event.connect(self._on_event)

    def start(self, image: Layer, layer: Labels, way: Way, ground: Labels | None = None) -> None:
        """Take over what a layer of a network holds on an image, as one step of undo; the brush is in hand then.

        Parameters
        ----------
        ground
            The strokes that say what is background, where they are what changes.
        """
        if self.relay.running:
            return
        item = annotation_of(self._session, image)
        labels = labels_of(item)
        _make_room(labels, layer)
        self._laid, self._background = lay(self._session, item, layer, ground), ground is not None
        laid = self._laid
        self.relay.start(lambda: _edits(laid, way, labels))

    def close(self) -> None:
        """Stop, and write nothing any more."""
        self.relay.end(1)

    def _on_event(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self._session.say(event.in_words, "error")
        elif isinstance(event, list):
            self._session.say(*self._words(self._write(event)))

    def _write(self, edits: Sequence[Edit]) -> int:
        """Write what is still true, as a person may have painted on meanwhile; give how many objects that is."""
        pairs = [(one.target, one.found.in_whole(edit)) for one, edit in zip(self._laid, edits, strict=True)]
        parts = [(target, edit.still_true(target.labels)) for target, edit in pairs]
        parts = [(target, edit) for target, edit in parts if len(edit)]
        if not parts:
            return 0
        layer, new = parts[0][0].layer, np.concatenate([edit.new for _, edit in parts])
        places = zip(*(target.places(edit) for target, edit in parts), strict=True)
        layer.data_setitem(tuple(np.concatenate(place) for place in places), new)
        self._session.viewer.layers.selection.active = layer
        layer.mode = "paint"
        return len(np.unique(new))

    def _words(self, count: int) -> tuple[str, str]:
        if not self._laid:
            return "The result does not lie on this image pixel by pixel: nothing was taken.", "warning"
        if not count:
            return "There is nothing to take that you have not painted already.", "info"
        if self._background:
            return f"That is background now. Ctrl+Z takes it back; key {GROUND_KEY.key}: paint objects again.", "info"
        what = f"{count:,} objects are yours now" if count > 1 else "1 object is yours now"
        back = "them" if count > 1 else "it"
        return f"{what}; what you painted stays as it is. Ctrl+Z takes {back} back.", "info"


def _make_room(labels: Labels, found: Labels) -> None:
    """Let a layer hold as many more objects as were found."""
    most = np.iinfo(labels.data.dtype).max
    if most < np.iinfo(np.int32).max and int(labels.data.max()) + int(np.asarray(found.data).max()) > most:
        labels.data = labels.data.astype(np.int32)


def _time_points(labels: Labels, axes: str) -> Iterator[ShownLabels]:
    """Give the labels of each time point in turn."""
    shown = [axis for axis, letter in enumerate(axes) if letter in "YX"]
    times = range(labels.data.shape[axes.index("T")]) if "T" in axes else range(1)
    for time in times:
        place = np.zeros(labels.ndim)
        if "T" in axes:
            place[axes.index("T")] = time
        yield ShownLabels(labels, axes, labels.data_to_world(place), shown)


def _edits(laid: Sequence[Laid], way: Way, labels: Labels) -> Iterator[list[Edit]]:
    edits, first = [], int(np.asarray(labels.data).max(initial=0)) + 1
    for one in laid:
        edits.append(way(one, first))
        first = max(first, int(edits[-1].new.max(initial=0)) + 1)
    yield edits
