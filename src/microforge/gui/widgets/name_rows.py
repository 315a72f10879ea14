"""List of names to edit: per line a button, the name, perhaps more, and a button that removes the line."""

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QWidget

from microforge.gui.widgets.basics import remover


class NameRows(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Lines that tell by their place in the list what a person wants with them."""

    picked = Signal(int)
    renamed = Signal(int, str)
    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Any, ...]] = []
        self._grid = name_grid(self)

    def more(self) -> tuple[QWidget, ...]:
        """Make what stands between name and remove button."""
        return ()

    def set_length(self, count: int) -> None:
        """Have so many lines; those there are stay, so that nobody is interrupted while typing a name."""
        while len(self._rows) > count:
            for widget in self._rows.pop():
                widget.setParent(None)
                widget.deleteLater()
        while len(self._rows) < count:
            self._add_row(len(self._rows))

    def names(self) -> list[str]:
        """Give the names as they are shown."""
        return [row[1].text() for row in self._rows]

    def ask_name(self, number: int) -> None:
        """Let a person type a name."""
        line = self._rows[number][1]
        line.setFocus()
        line.selectAll()

    def show_name(self, number: int, name: str) -> None:
        """Show a name, unless another is being typed."""
        line = self._rows[number][1]
        if not line.hasFocus() or not line.isModified():
            line.setText(name)

    def _add_row(self, number: int) -> None:
        pick, line = QPushButton(), QLineEdit()
        pick.clicked.connect(lambda: self.picked.emit(number))
        line.editingFinished.connect(lambda: self._on_edited(number))
        row = (pick, line, *self.more(), remover("", lambda: self.removed.emit(number)))
        fill_row(self._grid, number, *row)
        self._rows.append(row)

    def _on_edited(self, number: int) -> None:
        line = self._rows[number][1]
        if line.isModified():
            line.setModified(False)
            self.renamed.emit(number, in_one_line(line.text()))


def in_one_line(name: str) -> str:
    """Give a name without line ends, tabs and other signs that no field shows and no table keeps."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())


def name_grid(page: QWidget) -> QGridLayout:
    """Make the layout of lines with a name in the second column."""
    grid = QGridLayout(page)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setSpacing(4)
    grid.setColumnStretch(1, 1)
    return grid


def fill_row(grid: QGridLayout, number: int, *widgets: QWidget) -> None:
    """Put widgets into a line."""
    for column, widget in enumerate(widgets):
        grid.addWidget(widget, number, column, Qt.AlignmentFlag.AlignVCenter)
