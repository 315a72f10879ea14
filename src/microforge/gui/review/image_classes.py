"""Review of image classes: confusion matrix, wrong images."""

from collections import Counter
from collections.abc import Sequence
from html import escape

from qtpy.QtCore import QModelIndex

from microforge.annotations import IMAGE_CLASSES
from microforge.answers.words import percent
from microforge.evaluation.cases import Case, confusion_table
from microforge.gui.review.by_image.case_review import CaseReview
from microforge.gui.review.source import TruthQuestion
from microforge.gui.review.tables import ConfusionTable
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, stacked
from microforge.gui.widgets.table import Column, SmallTable
from microforge.inference.protocols import MakePredictor, SamplePredictor

_COLUMNS = (
    Column("Image", "Click to see the image."),
    Column("Sure", "How probable the model finds it.", is_number=True),
)
_QUESTION = TruthQuestion(
    IMAGE_CLASSES,
    "Classes: a table or folder",
    "A table (CSV) with the columns image and class, or the folder whose sub-folders are the classes.",
    ("folder", "files"),
    "give images a class",
)


class ClassReview(CaseReview):
    """Measure a model that gives images a class, and look at those it takes for another.

    Parameters
    ----------
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(self, session: Session, make: MakePredictor[SamplePredictor] | None = None) -> None:
        super().__init__(session, _QUESTION, make)
        self.listed: list[Case] = []
        self.matrix = ConfusionTable()
        self.which = Note()
        self.list = SmallTable("The images of the cell that was clicked. Click one to see it.")
        stacked(self, self.source, self.scores, self.matrix, self.which, self.list, self.note).addStretch(1)
        self.matrix.chosen.connect(self.list_cell)
        self.list.chosen.connect(self._on_listed)
        self.refresh()

    def refresh(self) -> None:
        """Show what is measured so far."""
        found = bool(self.cases)
        for widget in (self.matrix, self.scores):
            widget.setVisible(found)
        self.list.setVisible(bool(self.listed))
        if found:
            names = self._names()
            self.matrix.show_counts(names, confusion_table(self.cases, names))
            self.scores.setText(self._scores())

    def list_cell(self, true: str, said: str) -> None:
        """List the images of a class that the model takes for a class, the surest first."""
        found = [case for case in self.cases if (case.class_name, case.said) == (true, said)]
        self.listed = sorted(found, key=lambda case: -(case.probabilities or {}).get(said, 0.0))
        number = f"{len(found)} image{'s' * (len(found) != 1)}" if found else "No image"
        self.which.say(f"{number} of the class '{true}', and the model says '{said}'.")
        lines = [[case.name, percent((case.probabilities or {}).get(case.said, 0.0))] for case in self.listed]
        self.list.clearSelection()
        self.list.selectionModel().setCurrentIndex(QModelIndex(), self.list.selectionModel().SelectionFlag.Clear)
        self.list.set_content(_COLUMNS, lines)
        self.list.setVisible(bool(lines))

    def forget(self) -> None:
        """List no cell."""
        self.listed = []
        self.which.say("")

    def _names(self) -> Sequence[str]:
        seen = (name for case in self.cases for name in (case.class_name, case.said))
        return tuple(dict.fromkeys((*self._task.class_names, *seen)))

    def _scores(self) -> str:
        metrics = self.metrics()
        name, most = Counter(case.class_name for case in self.cases).most_common(1)[0]
        return (
            f"<b>{100 * metrics['accuracy']:.1f} %</b> of {len(self.cases):,} images are right "
            f"(each class weighing the same: {100 * metrics['balanced accuracy']:.1f} %). "
            f"Answering '{escape(name)}' every time: {100 * most / len(self.cases):.1f} %."
        )

    def _on_listed(self, number: int) -> None:
        self.view.open([self.listed[number]])
