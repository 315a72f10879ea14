"""What review panels share that measure a model: the cases, and opening them as layers."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QLabel, QWidget

from microforge.errors import MicroforgeError
from microforge.evaluation.cases import Case
from microforge.events import RunFailed
from microforge.gui.review.layers import (
    ERRORS_EXPLAINED,
    POINTS_EXPLAINED,
    ReadCase,
    open_image_of,
    read_cases,
    show_cases,
)
from microforge.gui.review.source import ReviewSource, TruthQuestion
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note
from microforge.inference.protocols import MakePredictor, SamplePredictor

#: Milliseconds between showing what is measured so far.
_PERIOD = 250


class CaseReview(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Measure a model on images whose truth is known, and gather a case for each.

    Parameters
    ----------
    question
        What is known of the images, and asked of a model.
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(self, session: Session, question: TruthQuestion, make: MakePredictor[SamplePredictor] | None) -> None:
        super().__init__()
        self.cases: list[Case] = []
        self._task: Any = None
        self.source = ReviewSource(session, question, make)
        self.scores = QLabel()
        self.scores.setWordWrap(True)
        self.note = Note()
        self.view = CaseView(session, self.note)
        self._timer = QTimer(singleShot=True, interval=_PERIOD)
        self._timer.timeout.connect(self.refresh)
        self.source.began.connect(self._on_began)
        self.source.case.connect(self._on_case)
        self.source.ended.connect(self.refresh)
        session.closing.connect(self.close_down)

    def refresh(self) -> None:
        """Show what is measured so far."""
        raise NotImplementedError

    def forget(self) -> None:
        """Let go of what was chosen among the cases of the last time."""
        raise NotImplementedError

    def metrics(self) -> dict[str, float]:
        """Give the figures of all images measured so far."""
        metrics: dict[str, float] = self._task.summarise_all(case.tally for case in self.cases)
        return metrics

    def close_down(self) -> None:
        """Stop what runs."""
        self._timer.stop()
        self.source.close_down()
        self.view.close_down()

    def _on_began(self, task: Any) -> None:
        self.cases, self._task = [], task
        self.note.say("")
        self.forget()
        self.refresh()

    def _on_case(self, case: Case) -> None:
        self.cases.append(case)
        if not self._timer.isActive():
            self._timer.start()


class CaseView(QObject):  # type: ignore[misc]  # qtpy has no types
    """Shows one image, or several side by side; says so in a note."""

    def __init__(self, session: Session, note: Note) -> None:
        super().__init__()
        self._session, self._note = session, note
        self._wanted: Sequence[Case] = ()
        self.relay = Relay("opening an image")
        self.relay.event.connect(self._on_read)
        self.relay.finished.connect(self._on_finished)

    def open(self, cases: Sequence[Case]) -> None:
        """Show these; where others are being read, the last asked for win."""
        self._wanted = cases
        if self.relay.running:
            return
        self._wanted = ()
        try:
            known = [(case, open_image_of(self._session, case)) for case in cases]
            self.relay.start(partial(read_cases, known))
        except MicroforgeError as error:
            self._note.say(str(error), "error")

    def close_down(self) -> None:
        """Wait for what is being read."""
        self.relay.end(10)

    def _on_read(self, event: ReadCase | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self._note.say(" ".join(part for part in (event.where, event.problem, event.remedy) if part), "error")
            return
        show_cases(self._session, event.images)
        names = " beside ".join(case.name for case, _ in event.images)
        points = any(case.truth is not None for case, _ in event.images)
        rings = any(case.errors for case, _ in event.images)
        explained = POINTS_EXPLAINED if points else ERRORS_EXPLAINED if rings else ""
        self._note.say(f"{names}. {explained}" if explained else names, "info")

    def _on_finished(self) -> None:
        if self._wanted:
            self.open(self._wanted)
