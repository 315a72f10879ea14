"""What the panels of *Review* share that measure a model image by image."""

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QWidget

from microforge.annotations import AnnotationKind
from microforge.gui.evaluating import Case, MakePredictor
from microforge.gui.review.case_view import CaseView
from microforge.gui.review.source import ReviewSource
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note

#: Milliseconds between showing what is measured so far.
_PERIOD = 250


class CaseReview(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Measure a model on images whose truth is known, and gather a case for each.

    Parameters
    ----------
    kind
        What is known of the images.
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(self, session: Session, kind: AnnotationKind, make: MakePredictor | None) -> None:
        super().__init__()
        self.cases: list[Case] = []
        self._task: Any = None
        self.source = ReviewSource(session, kind, make)
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
