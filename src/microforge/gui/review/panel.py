"""The tab *Review*: objects, images, counts or classes, whatever the model gives."""

from qtpy.QtWidgets import QVBoxLayout, QWidget

from microforge.annotations import IMAGE_CLASSES, IMAGE_PAIRS, LABELS, POINTS, AnnotationKind
from microforge.gui.review.counts import CountReview
from microforge.gui.review.image_classes import ClassReview
from microforge.gui.review.images import ImageReview
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Picker, add_row, rows
from microforge.inference.protocols import MakePredictor, SamplePredictor


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
        self.objects = ReviewPanel(session)
        self.images = ImageReview(session)
        self.counts = CountReview(session, make)
        self.classes = ClassReview(session, make)
        self._of: dict[AnnotationKind, QWidget] = {
            LABELS: self.objects,
            IMAGE_PAIRS: self.images,
            POINTS: self.counts,
            IMAGE_CLASSES: self.classes,
        }
        self.what = Picker(
            "Objects and classes of pixels are compared in Labels layers, results that are images pixel by pixel; "
            "models that count or give images a class are measured on images of which the truth is known."
        )
        titles = ("objects", "images", "counts of cells", "classes of images")
        self.what.set_choices(list(zip(titles, self._of.values(), strict=True)))
        form = rows()
        add_row(form, "Compare", self.what)
        page = QVBoxLayout(self)
        page.addLayout(form)
        for panel in self._of.values():
            page.addWidget(panel)
        page.addStretch(1)
        self.objects.layout().setContentsMargins(0, 0, 0, 0)
        self.what.value_changed.connect(self._on_what)
        session.changed.connect(self._on_session_changed)
        self._on_session_changed()
        self._show()

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        self.counts.set_colours(background, text)

    def _on_session_changed(self) -> None:
        if self._task != self._session.config.task:
            self._task = self._session.config.task
            self.what.set_value(self._of.get(self._session.task.answer.truth, self.objects))

    def _on_what(self, _: object) -> None:
        self._show()

    def _show(self) -> None:
        for panel in self._of.values():
            panel.setVisible(panel is self.what.value())
