"""Review of objects, image by image: scores, the worst first, each opened with what went wrong in colour."""

from qtpy.QtWidgets import QLabel

from microforge.annotations import LABELS
from microforge.evaluation.cases import Case, worst_cases
from microforge.evaluation.object_errors import FINDING_COLOURS, FINDING_KINDS
from microforge.gui.review.by_image.case_review import CaseReview
from microforge.gui.review.source import TruthQuestion
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import stacked
from microforge.gui.widgets.table import Column, SmallTable
from microforge.inference.protocols import MakePredictor, SamplePredictor

_QUESTION = TruthQuestion(
    LABELS,
    "Annotations: a folder",
    "Label images, or outlines (ROIs, GeoJSON, COCO), named as the images.",
    ("folder",),
    "find objects",
)


class ObjectCaseReview(CaseReview):
    """Measure a model that finds objects on many images, and look at those where it is worst.

    Parameters
    ----------
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(self, session: Session, make: MakePredictor[SamplePredictor] | None = None) -> None:
        super().__init__(session, _QUESTION, make)
        self.listed: list[Case] = []
        self.table = SmallTable("The images, the worst first. Click one to see it with what went wrong.")
        self.key = QLabel("  ".join(f"<span style='color: {c}'>◯</span> {kind}" for kind, c in FINDING_COLOURS.items()))
        self.key.setToolTip("The rings around objects with which something went wrong.")
        self.key.setWordWrap(True)
        stacked(self, self.source, self.scores, self.table, self.key, self.note).addStretch(1)
        self.table.chosen.connect(self._on_chosen)
        self.refresh()

    def refresh(self) -> None:
        """Show what is measured so far."""
        for widget in (self.scores, self.table, self.key):
            widget.setVisible(bool(self.cases))
        if not self.cases:
            return
        metric = self._task.monitor[0]
        self.listed = worst_cases(self._task, self.cases)
        figures = self.metrics()
        quality = self._task.in_words(figures)
        words = f"{quality.text} " if quality is not None else ""
        self.scores.setText(f"{words}{metric} {figures[metric]:.3f} on {len(self.cases):,} images.")
        self.table.set_content(self._columns(metric), [self._line(case, metric) for case in self.listed])

    def forget(self) -> None:
        """List no image."""
        self.listed = []

    def _columns(self, metric: str) -> list[Column]:
        kinds = [Column(kind, text, is_number=True) for kind, text in FINDING_KINDS.items()]
        return [Column("Image", "Click to see the image."), Column(metric, "1 = all is right.", is_number=True), *kinds]

    def _line(self, case: Case, metric: str) -> list[str]:
        score = self._task.summarise(case.tally)[metric]
        counts = [sum(error.kind == kind for error in case.errors) for kind in FINDING_KINDS]
        return [case.name, f"{score:.2f}", *(str(count or "·") for count in counts)]

    def _on_chosen(self, number: int) -> None:
        if number < len(self.listed):
            self.view.open([self.listed[number]])
