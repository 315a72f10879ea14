"""Review of counts: errors by image, missed and extra cells."""

from collections.abc import Mapping, Sequence

from qtpy.QtWidgets import QWidget

from microforge.annotations import POINTS
from microforge.evaluation.cases import Case, mean_count_error
from microforge.gui.review.by_image.case_review import CaseReview
from microforge.gui.review.count_plot import CountPlot
from microforge.gui.review.source import TruthQuestion
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import beside, button, stacked
from microforge.inference.protocols import MakePredictor, SamplePredictor

COUNTS_EXPLAINED = (
    "MAE: cells a count is off, on average. RMSE: the same, with large errors weighing more. Bias: whether counts are "
    "too high or too low on average. MAPE: the error in percent of the true count. F1 of the points: 1 = each cell has "
    "a point and each point a cell. Interval: how often the true count lies in it; 90 % is promised. Predicting the "
    "mean: what anyone reaches who answers the mean count for every image. Report figures of images not learnt from."
)
_QUESTION = TruthQuestion(
    POINTS,
    "Points: a folder",
    "Tables (CSV) with y and x, or ImageJ ROIs, named as the images.",
    ("folder",),
    "count cells",
)


class CountReview(CaseReview):
    """Measure a model that counts, see which images it counts wrongly, and why.

    Parameters
    ----------
    make
        Makes the predictor; the engine's own by default.
    """

    def __init__(self, session: Session, make: MakePredictor[SamplePredictor] | None = None) -> None:
        super().__init__(session, _QUESTION, make)
        self._opened: list[int] = []
        self.plot = CountPlot()
        self.scores.setToolTip(COUNTS_EXPLAINED)
        self.worst = button("Worst image", "Open the image whose count is off most.", self._open_worst)
        self.best = button("Best image", "Open the image whose count is off least.", self._open_best)
        self.both = button("Both side by side", "Open the worst and the best image beside each other.", self._open_both)
        self._buttons = QWidget()
        self._buttons.setLayout(beside(self.worst, self.best, wide=(0, 1)))
        page = stacked(self, self.source, self.plot, self.scores, self._buttons, self.both, self.note)
        page.addStretch(1)
        self.plot.chosen.connect(self.open)
        self.refresh()

    def refresh(self) -> None:
        """Show what is measured so far."""
        found = bool(self.cases)
        for widget in (self.plot, self.scores, self._buttons, self.both):
            widget.setVisible(found)
        if found:
            self.plot.show_cases(self.cases, self._opened)
            self.scores.setText(scores_text(self.metrics(), self.cases, self._task.radius))

    def open(self, number: int) -> None:
        """Open an image as layers."""
        self._open([number])

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        self.plot.set_colours(background, text)

    def forget(self) -> None:
        """Mark no image."""
        self._opened = []

    def _order(self) -> list[int]:
        """Give the numbers of the images, best first."""
        return sorted(range(len(self.cases)), key=lambda k: self.cases[k].error)

    def _open_worst(self) -> None:
        self.open(self._order()[-1])

    def _open_best(self) -> None:
        self.open(self._order()[0])

    def _open_both(self) -> None:
        order = self._order()
        self._open(list(dict.fromkeys((order[-1], order[0]))))

    def _open(self, numbers: list[int]) -> None:
        self._opened = numbers
        self.plot.show_cases(self.cases, numbers)
        self.view.open([self.cases[k] for k in numbers])


def scores_text(metrics: Mapping[str, float], cases: Sequence[Case], radius: float) -> str:
    """Give the figures as a small table."""
    number = len(cases)
    bias = metrics["bias"]
    way = "right" if abs(bias) < 0.05 else "too many" if bias > 0 else "too few"
    lines = [
        ("images", f"{number:,}"),
        ("MAE (average error)", f"{metrics['MAE']:.1f} cells"),
        ("MAE of predicting the mean", f"{mean_count_error(cases):.1f} cells"),
        ("RMSE", f"{metrics['RMSE']:.1f} cells"),
        ("bias", f"{bias:+.1f} ({way})"),
        ("MAPE", f"{100 * metrics['MAPE']:.0f} %"),
        (f"F1 of the points ({radius:.0f} px)", f"{metrics['F1']:.2f}"),
        (
            "true count in the interval",
            f"{100 * metrics['coverage']:.0f} %" if "coverage" in metrics else "no interval",
        ),
    ]
    cells = "".join(f"<tr><td>{title}&nbsp;</td><td align=right>{text}</td></tr>" for title, text in lines)
    return f"<table width='100%'>{cells}</table>"
