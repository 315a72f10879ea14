"""Confusion matrix of image classification, shaded by the part of each true class."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

#: Of what is right and what is wrong; shaded by opacity, so that text is readable on dark and light.
_RIGHT, _WRONG = "#2f9e5f", "#e0484d"
_FAINTEST, _STRONGEST = 25, 190


class ConfusionModel(QAbstractTableModel):  # type: ignore[misc]  # qtpy has no types
    """One row per true class, one column per class that the model says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.names: Sequence[str] = ()
        self.counts: Sequence[Sequence[int]] = ()

    def set_counts(self, names: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Show these."""
        self.beginResetModel()
        self.names, self.counts = names, counts
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.names)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.names)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        count = self.counts[row][column]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{count:,}" if count or row == column else "·"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignCenter)
        if role == Qt.ItemDataRole.BackgroundRole and count:
            colour = QColor(_RIGHT if row == column else _WRONG)
            part = count / max(sum(self.counts[row]), 1)
            colour.setAlpha(round(_FAINTEST + part * (_STRONGEST - _FAINTEST)))
            return QBrush(colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{count:,} of {sum(self.counts[row]):,} images of '{self.names[row]}': '{self.names[column]}'"
        return None

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if section >= len(self.names):
            return None
        across = orientation == Qt.Orientation.Horizontal
        if role == Qt.ItemDataRole.DisplayRole:
            return f"says {self.names[section]}" if across else self.names[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return "What the model says." if across else "The true class."
        return None


class ConfusionTable(QTableView):  # type: ignore[misc]  # qtpy has no types
    """The view of a `ConfusionModel`; `chosen` gives the true class and the one said of the cell that was clicked."""

    chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self.matrix = ConfusionModel(self)
        self.setModel(self.matrix)
        self.setToolTip("Lines: the true class. Columns: what the model says. Click a cell to list its images.")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
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
