"""The tab *Review*: objects or images, whatever the model gives."""

from qtpy.QtWidgets import QVBoxLayout, QWidget

from microforge.gui.image_review import ImageReview
from microforge.gui.parts import Picker, add_row, rows
from microforge.gui.review_panel import ReviewPanel
from microforge.gui.session import Session
from microforge.types import Annotation


class ReviewTab(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose what is compared; follows the task chosen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._task = ""
        self.objects = ReviewPanel(session)
        self.images = ImageReview(session)
        self.what = Picker("Objects and classes are compared in Labels layers, results that are images pixel by pixel.")
        self.what.set_choices([("objects", self.objects), ("images", self.images)])
        form = rows()
        add_row(form, "Compare", self.what)
        page = QVBoxLayout(self)
        page.addLayout(form)
        page.addWidget(self.objects)
        page.addWidget(self.images)
        page.addStretch(1)
        self.objects.layout().setContentsMargins(0, 0, 0, 0)
        self.what.value_changed.connect(lambda _: self._show())
        session.changed.connect(self._on_session_changed)
        self._on_session_changed()
        self._show()

    def _on_session_changed(self) -> None:
        if self._task != self._session.config.task:
            self._task = self._session.config.task
            images = self._session.task.truth is Annotation.IMAGE
            self.what.set_value(self.images if images else self.objects)

    def _show(self) -> None:
        for panel in (self.objects, self.images):
            panel.setVisible(panel is self.what.value())
