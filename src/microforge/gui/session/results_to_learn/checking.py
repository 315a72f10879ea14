"""Check what a network found one by one: the queue, what was answered, and how many errors are probably left.

Come here when the order in which things are asked about is odd. The order itself is that of
`microforge.evaluation.queue`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from napari.layers import Layer
from psygnal import Signal

from microforge.evaluation.queue import errors_left
from microforge.events import RunFailed
from microforge.gui.layers.results import CERTAINTY, DETAILS
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session

#: Pixels of the side of what is asked about, at least, for the zoom.
_SMALLEST_SIDE = 10.0


class Checking:
    """What is asked about on an image, and what was answered so far; `ObjectChecking` and `PointChecking` write it.

    Attributes
    ----------
    queue
        What is asked about, the least certain first.
    place
        Which of them is asked about now; their number when all are through.
    answers
        What takes back what was said of those before, in their order; None where she skipped one.
    certainty
        What the confidence of the result is worth, in words; empty where it is not known.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.queue: Sequence[Any] = ()
        self.answers: list[Callable[[], object] | None] = []
        self.place, self.certainty, self._found = 0, "", False
        self.relay = Relay("finding what to check")
        self.relay.event.connect(self._on_event)

    @property
    def asked(self) -> Any:
        """What is asked about now: `one` of the queue, and the `corners` of its box in pixels of `layer`."""
        return self.queue[self.place] if self.place < len(self.queue) else None

    @property
    def done(self) -> bool:
        """Whether all that there was to ask about was asked about."""
        return self._found and self.asked is None

    @property
    def layer(self) -> Layer | None:
        """The layer that is selected while she is asked; None while nothing is checked."""
        raise NotImplementedError

    def question(self) -> str:
        """Ask in words."""
        raise NotImplementedError

    def right(self) -> None:
        """Take what is asked about over as hers."""
        raise NotImplementedError

    def wrong(self) -> None:
        """Say that it is not there."""
        raise NotImplementedError

    def repair(self) -> None:
        """Take it over, and in hand."""
        raise NotImplementedError

    def begin(self, layer: Layer, find: Callable[[], Iterator[object]]) -> None:
        """Find out, in the background, what is to be checked of a result."""
        self.certainty = str(layer.metadata.get(DETAILS, {}).get(CERTAINTY, ""))
        self.relay.start(find)

    def stop(self) -> None:
        """Ask about nothing any more; what was answered stays."""
        self.relay.stop()
        self.queue, self.answers, self.place, self._found = (), [], 0, False
        self.changed.emit()

    def close(self) -> None:
        """Stop, and hear no more of what runs."""
        self.relay.end(1)

    def skip(self) -> None:
        """Leave it as it is, and ask about the next."""
        if self.asked is not None:
            self.go_on(None)

    def back(self) -> None:
        """Take the last answer back, and ask again."""
        if not self.answers:
            return
        take_back = self.answers.pop()
        if take_back is not None:
            take_back()
        self.place -= 1
        self.changed.emit()

    def go_on(self, take_back: Callable[[], object] | None) -> None:
        """Ask about the next; `take_back` undoes what was said, None where nothing was."""
        self.answers.append(take_back)
        self.place += 1
        self.changed.emit()

    def usual_side(self) -> float:
        """Give the usual longer side of the boxes of objects, in pixels."""
        sides = [max(one.one.mask.shape[-2:]) for one in self.queue if one.one.found]
        return max(float(np.median(sides)), _SMALLEST_SIDE) if sides else _SMALLEST_SIDE

    def words(self) -> str:
        """Say how far she is, and how many errors are probably left."""
        if not self.queue:
            return ""
        checked = sum(answer is not None for answer in self.answers)
        through = f"{checked:,} of {len(self.queue):,} checked"
        if not self.certainty.startswith("calibrated"):
            return f"{through}. How many errors are left is not known: the model is not calibrated"
        left = round(errors_left(asked.one for asked in (*self._skipped(), *self.queue[self.place :])))
        return f"{through}; about {left:,} error{'s' * (left != 1)} left among the rest"

    def _skipped(self) -> list[Any]:
        return [asked for asked, answer in zip(self.queue, self.answers, strict=False) if answer is None]

    def _on_event(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self.failed.emit(event.in_words)
        elif isinstance(event, list):
            self.queue, self._found = event, True
            self.changed.emit()
