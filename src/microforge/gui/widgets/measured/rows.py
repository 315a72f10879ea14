"""Measurements as the rows of a table that is sorted and filtered; a row is known by its place in the columns given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QWidget

from microforge.gui.widgets.table import Column, RowsModel
from microforge.measurements.distributions import number_text, numbers_of, outliers
from microforge.measurements.headings import Heading, shown_headings
from microforge.types import Array, Doubles

#: Letters of values that are far from the others; read on dark ground and on light.
OUTLIER = "#d98a00"


class MeasuredRows(RowsModel):
    """Rows of measurements; what is shown of 10,000 is written when it is seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.headings: list[Heading] = []
        self._values: dict[str, Array] = {}
        self._numbers: dict[str, Doubles] = {}
        self._far: dict[str, npt.NDArray[np.bool_]] = {}
        self._here: npt.NDArray[np.bool_] = np.zeros(0, bool)
        self._sorted: tuple[str, bool] = ("", False)
        self._lines: dict[int, int] = {}

    def set_values(
        self, values: Mapping[str, Array], leave_out: Sequence[str] = (), said: Mapping[str, str] | None = None
    ) -> None:
        """Show other measurements, one array per column; all their rows; `said` is told of columns by their names."""
        self._values = {name: np.asarray(column) for name, column in values.items()}
        headings = [heading for heading in shown_headings(self._values) if heading.name not in leave_out]
        more = said or {}
        self.headings = [replace(one, meaning=f"{one.meaning} {more.get(one.name, '')}".strip()) for one in headings]
        found = {heading.name: numbers_of(self._values[heading.name]) for heading in self.headings}
        self._numbers = {name: numbers for name, numbers in found.items() if numbers is not None}
        self._far = {one.name: outliers(self._numbers[one.name]) for one in self.measured}
        self.columns = [Column(one.text, one.meaning, is_number=one.name in self._numbers) for one in self.headings]
        self.restrict(np.ones(len(next(iter(self._values.values()), ())), bool))

    def restrict(self, here: npt.NDArray[np.bool_]) -> None:
        """Show only some of the rows."""
        self._here = here
        self._arrange()

    @property
    def count(self) -> int:
        """How many rows there are, shown or not."""
        return len(self._here)

    def has(self, name: str) -> bool:
        """Whether there is a column of this name."""
        return name in self._values

    @property
    def measured(self) -> list[Heading]:
        """The columns that can be drawn: measurements, and numbers at that."""
        return [one for one in self.headings if one.measured and one.name in self._numbers]

    @property
    def shown(self) -> npt.NDArray[np.int64]:
        """The rows shown, in ascending order."""
        return np.flatnonzero(self._here)

    def numbers(self, name: str) -> Doubles:
        """Give a column of numbers, of all rows."""
        return self._numbers[name]

    def column(self, name: str) -> Array:
        """Give a column as it was given."""
        return self._values[name]

    def far(self, name: str) -> npt.NDArray[np.bool_]:
        """Tell which values of a column are far from the others."""
        return self._far[name]

    def line_of(self, row: int) -> int | None:
        """Give on which line a row stands; None where it is not shown."""
        return self._lines.get(row)

    def sort(self, column: int, order: Any = Qt.SortOrder.AscendingOrder) -> None:  # noqa: D102 - Qt's name
        name = self.headings[column].name if 0 <= column < len(self.headings) else ""
        self._sorted = (name, order == Qt.SortOrder.DescendingOrder)
        self._arrange()

    def text(self, row: int, column: int) -> str:
        """Give what stands in a cell."""
        heading, value = self.headings[column], self._values[self.headings[column].name][self.rows[row]]
        if heading.name not in self._numbers:
            return "" if value is None else str(value)
        number = float(self._numbers[heading.name][self.rows[row]])
        # Labels and frames are names, which have no comma at the thousands.
        return number_text(number) if heading.measured or not number.is_integer() else f"{number:.0f}"

    def tip(self, row: int, column: int) -> str:
        """Say of a value that is far from the others that it is."""
        text, far = self.text(row, column), self._is_far(row, column)
        return f"{text}: far from the other objects" if far else text

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if role == Qt.ItemDataRole.ForegroundRole and index.isValid() and self._is_far(index.row(), index.column()):
            return QBrush(QColor(OUTLIER))
        return super().data(index, role)

    def _is_far(self, row: int, column: int) -> bool:
        far = self._far.get(self.headings[column].name)
        return far is not None and bool(far[self.rows[row]])

    def _arrange(self) -> None:
        rows, (name, descending) = self.shown, self._sorted
        if name in self._values:
            keys = self._numbers[name][rows] if name in self._numbers else self._values[name][rows].astype(str)
            order = np.argsort(keys, kind="stable")
            known = int(np.isfinite(keys).sum()) if name in self._numbers else len(keys)
            # Missing values are last either way.
            order = np.concatenate([order[:known][::-1], order[known:]]) if descending else order
            rows = rows[order]
        self._lines = {row: line for line, row in enumerate(rows.tolist())}
        self.set_rows(rows.tolist())
