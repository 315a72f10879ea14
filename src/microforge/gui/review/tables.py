"""Tables of *Review*: list of segmentation errors, and confusion matrix of image classification."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from microforge.evaluation.object_errors import FINDING_KINDS, ObjectFinding
from microforge.gui.widgets.table import Column, RowsModel, RowsView

FINDING_COLUMNS = (
    Column("What", "; ".join(f"{kind}: {text}" for kind, text in FINDING_KINDS.items())),
    Column(
        "Label",
        "The label of the object: in the truth for missed, split and outline, else in the prediction.",
        is_number=True,
    ),
    Column("Pixels", "Size of the object.", True),
    Column("Overlap", "Overlap with its partner: 1 = the same pixels.", True),
)
#: Of what is right and what is wrong; shaded by opacity, so that text is readable on dark and light.
_RIGHT, _WRONG = "#2f9e5f", "#e0484d"
_FAINTEST, _STRONGEST = 25, 190


class FindingsModel(RowsModel):
    """What a comparison found, one line per object to look at, in the order given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(FINDING_COLUMNS, parent)

    @property
    def findings(self) -> list[ObjectFinding]:
        """The findings shown."""
        return self.rows

    def text(self, row: int, column: int) -> str:
        """Give a property of a finding."""
        finding = self.findings[row]
        overlap = f"{finding.overlap:.2f}" if finding.overlap else ""
        return (finding.kind, str(finding.label), f"{finding.size:,.0f}", overlap)[column]

    def tip(self, row: int, column: int) -> str:
        """Explain the kind of error."""
        return FINDING_KINDS[self.findings[row].kind]


class FindingsTable(RowsView):
    """The view of a `FindingsModel`; `chosen` gives the finding of the line a person goes to."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Click a line, or walk with the arrow keys, to see the object in the middle of the view.")
        self.found = FindingsModel(self)
        self.setModel(self.found)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumHeight(180)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def _on_row(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self.found.findings[current.row()])


class ConfusionModel(RowsModel):
    """One row per true class, one column per class that the model says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.names: Sequence[str] = ()

    @property
    def counts(self) -> Sequence[Sequence[int]]:
        """How often images of each class are taken for each class."""
        return self.rows

    def set_counts(self, names: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Show these."""
        self.names = names
        self.columns = [Column(f"says {name}", "What the model says.") for name in names]
        self.set_rows(counts)

    def text(self, row: int, column: int) -> str:
        """Give a count; none beside the diagonal is a dot."""
        count = self.counts[row][column]
        return f"{count:,}" if count or row == column else "·"

    def tip(self, row: int, column: int) -> str:
        """Say a count in words."""
        count, total = self.counts[row][column], sum(self.counts[row])
        return f"{count:,} of {total:,} images of '{self.names[row]}': '{self.names[column]}'"

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if index.isValid() and role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignCenter)
        if index.isValid() and role == Qt.ItemDataRole.BackgroundRole:
            return self._shade(index.row(), index.column())
        return super().data(index, role)

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if orientation == Qt.Orientation.Horizontal or section >= len(self.names):
            return super().headerData(section, orientation, role)
        texts = {Qt.ItemDataRole.DisplayRole: self.names[section], Qt.ItemDataRole.ToolTipRole: "The true class."}
        return texts.get(role)

    def _shade(self, row: int, column: int) -> QBrush | None:
        count = self.counts[row][column]
        if not count:
            return None
        colour = QColor(_RIGHT if row == column else _WRONG)
        part = count / max(sum(self.counts[row]), 1)
        colour.setAlpha(round(_FAINTEST + part * (_STRONGEST - _FAINTEST)))
        return QBrush(colour)


class ConfusionTable(QTableView):  # type: ignore[misc]  # qtpy has no types
    """The view of a `ConfusionModel`; `chosen` gives the true class and the one said of the cell that was clicked."""

    chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.matrix = ConfusionModel(self)
        self.setModel(self.matrix)
        self.setToolTip("Lines: the true class. Columns: what the model says. Click a cell to list its images.")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 14)
        self.clicked.connect(self._on_clicked)

    def show_counts(self, names: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Show how often images of each class are taken for each class."""
        self.matrix.set_counts(names, counts)
        lines = len(names) * self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + lines + 2 * self.frameWidth() + 2)

    def _on_clicked(self, index: QModelIndex) -> None:
        names = self.matrix.names
        self.chosen.emit(names[index.row()], names[index.column()])
