"""The panel *Review*: choose what is compared."""

from typing import TypeVar

from qtpy.QtWidgets import QVBoxLayout, QWidget

from microforge.gui.review import known_reviews
from microforge.gui.review.checking.panel import CheckPanel
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Picker, Themed, rows
from microforge.inference.protocols import MakePredictor, SamplePredictor

_Panel = TypeVar("_Panel", bound=QWidget)


class ReviewTab(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose what is compared; follows the task chosen.

    Parameters
    ----------
    make
        Makes the predictor of what is measured here; the engine's own by default.
    """

    def __init__(self, session: Session, make: MakePredictor[SamplePredictor] | None = None) -> None:
        super().__init__()
        self._session = session
        self._task = ""
        self.panels = {review: review.make(session, make) for review in known_reviews()}
        self.what = Picker(
            "Objects and classes of pixels are compared in Labels layers, results that are images pixel by pixel; "
            "models that count or give images a class are measured on images of which the truth is known."
        )
        self.what.set_choices([(review.title, panel) for review, panel in self.panels.items()])
        self.check = CheckPanel(session)
        page = QVBoxLayout(self)
        page.addWidget(self.check)
        page.addLayout(rows(("Compare", self.what)))
        for panel in self.panels.values():
            page.addWidget(panel)
        page.addStretch(1)
        self.what.value_changed.connect(self._show)
        session.changed.connect(self._on_session_changed)
        self._on_session_changed()
        self._show()

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        for panel in self.panels.values():
            if isinstance(panel, Themed):
                panel.set_colours(background, text)

    def part(self, kind: type[_Panel]) -> _Panel:
        """Give the panel of a kind."""
        return next(panel for panel in self.panels.values() if isinstance(panel, kind))

    def _on_session_changed(self) -> None:
        if self._task != self._session.config.task:
            self._task = self._session.config.task
            answer = self._session.task_class.answer
            fitting = [panel for review, panel in self.panels.items() if answer in review.answers]
            self.what.set_value((fitting or list(self.panels.values()))[0])

    def _show(self) -> None:
        for panel in self.panels.values():
            panel.setVisible(panel is self.what.value())
