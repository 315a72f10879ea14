"""Fill planes between painted ones, in the background: a stack of many objects takes longer than a moment."""

from collections.abc import Iterator

from microforge.events import RunFailed
from microforge.gui.layers.gestures import Hand, ShownLabels
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.label_editing import Edit, fill_between, planes_filled


class PlaneFilling:
    """Ask the engine for the planes between, and paint them as one step of undo."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: ShownLabels | None = None
        self.relay = Relay("filling planes")
        self.relay.event.connect(self._on_event)

    def start(self, hand: Hand) -> None:
        """Fill the planes of all objects of the time point that is shown; say what was filled."""
        if self.relay.running:
            return
        viewer = self._session.viewer
        planes = [place for place, letter in enumerate(hand.axes) if letter in "YX"]
        displayed = [place + viewer.dims.ndim - hand.layer.ndim for place in planes]
        self._shown = shown = hand.shown(viewer.dims.point, displayed)
        if shown.labels.ndim < len("ZYX"):
            self._session.say("Only stacks have planes between others.", "info")
            return
        self.relay.start(lambda: _asked(shown))

    def close(self) -> None:
        """Stop, and write nothing any more."""
        self.relay.end(1)

    def _on_event(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self._session.say(event.in_words, "error")
        elif self._shown is not None:
            self._session.say(_words(_written(self._shown, event if isinstance(event, Edit) else None)), "info")


def _asked(shown: ShownLabels) -> Iterator[Edit | str]:
    yield fill_between(shown.labels) or ""


def _written(shown: ShownLabels, edit: Edit | None) -> Edit | None:
    """Write what is still true: a person may have painted on meanwhile."""
    edit = None if edit is None else edit.still_true(shown.labels)
    return edit if edit is not None and shown.write(edit) else None


def _words(edit: Edit | None) -> str:
    if edit is None:
        return "No object is painted on two planes with an empty one between: nothing was filled."
    objects, planes = planes_filled(edit)
    return (
        f"Filled {planes} plane{'s' * (planes != 1)} of {objects} object{'s' * (objects != 1)}. Ctrl+Z takes it back."
    )
