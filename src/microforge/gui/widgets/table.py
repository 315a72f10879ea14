"""Small table of texts that can be copied to a spreadsheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QApplication, QHeaderView, QTableView, QWidget

from microforge.gui.widgets.basics import plain_tip

#: Lines shown before the table scrolls, at least and at most.
_FEWEST, _MOST = 2, 9


@dataclass(frozen=True)
class Column:
    """A column: its header, what it means, and whether it holds numbers or may be edited."""

    title: str
    tip: str
    is_number: bool = False


class RowsModel(QAbstractTableModel):  # type: ignore[misc]  # qtpy has no types
    """Rows under headers; a subclass says by `text` and `tip` what a cell shows."""

    def __init__(self, columns: Sequence[Column] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns: list[Column] = list(columns)
        self.rows: list[Any] = []

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def text(self, row: int, column: int) -> str:
        """Give what stands in a cell."""
        return str(self.rows[row][column])

    def tip(self, row: int, column: int) -> str:
        """Give the tooltip of a cell; the whole text unless a subclass knows more."""
        return self.text(row, column)

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.tip(index.row(), index.column()))
        if role == Qt.ItemDataRole.TextAlignmentRole and self.columns[index.column()].is_number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        return {Qt.ItemDataRole.DisplayRole: column.title, Qt.ItemDataRole.ToolTipRole: column.tip}.get(role)


class RowsView(QTableView):  # type: ignore[misc]  # qtpy has no types
    """The view of a table whose rows are low, without a grid, and selected as a whole."""

    def __init__(self, tip: str = "") -> None:
        super().__init__()
        self.setToolTip(tip)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)


class TextModel(RowsModel):
    """Rows of texts; `edited` tells of a cell that a person has changed."""

    edited = Signal(int, int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.editable: set[tuple[int, int]] = set()

    def set_content(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], editable: Sequence[tuple[int, int]] = ()
    ) -> None:
        """Show other lines; new texts of the same lines keep what is selected."""
        if [list(columns), list(rows), set(editable)] == [self.columns, self.rows, self.editable]:
            return
        same = list(columns) == self.columns and len(rows) == len(self.rows)
        if not same:
            self.beginResetModel()
        self.columns, self.rows, self.editable = list(columns), list(rows), set(editable)
        if not same:
            self.endResetModel()
        elif rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(columns) - 1))

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        return super().data(index, Qt.ItemDataRole.DisplayRole if role == Qt.ItemDataRole.EditRole else role)

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: D102
        if role != Qt.ItemDataRole.EditRole or (index.row(), index.column()) not in self.editable:
            return False
        self.edited.emit(index.row(), index.column(), str(value).strip())
        return True

    def flags(self, index: QModelIndex) -> Any:  # noqa: D102 - Qt's name
        usual = super().flags(index)
        changeable = (index.row(), index.column()) in self.editable
        return usual | Qt.ItemFlag.ItemIsEditable if changeable else usual


class SmallTable(RowsView):
    """The view of a `TextModel`, as high as its lines need; `chosen` gives the line a person goes to."""

    chosen = Signal(int)

    def __init__(self, tip: str = "") -> None:
        super().__init__(tip)
        self.texts = TextModel(self)
        self.setModel(self.texts)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.horizontalHeader().setStretchLastSection(True)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def set_content(
        self, columns: Sequence[Column], rows: Sequence[Sequence[str]], editable: Sequence[tuple[int, int]] = ()
    ) -> None:
        """Show these lines."""
        self.texts.set_content(columns, rows, editable)
        # Of many lines the widths are found from the first.
        self.horizontalHeader().setResizeContentsPrecision(50)
        # A last column that stretches keeps Qt's usual width after a reset, which may be more than there is room for.
        self.horizontalHeader().setStretchLastSection(False)
        self.resizeColumnsToContents()
        self.horizontalHeader().setStretchLastSection(True)
        line = self.verticalHeader().defaultSectionSize()
        lines = min(max(len(rows), _FEWEST), _MOST)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + lines * line + 2 * self.frameWidth() + 14)

    def copy(self) -> None:
        """Put the table on the clipboard, cells apart by tabs."""
        lines = [[column.title for column in self.texts.columns], *self.texts.rows]
        QApplication.clipboard().setText("\n".join("\t".join(line) for line in lines))

    def _on_row(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.row())
