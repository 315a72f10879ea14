"""List of cell types for counting: a row with colour, number of points and name for each kind of cells."""

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QToolButton, QWidget

from microforge.gui.annotate.tools.class_list import swatch_style
from microforge.gui.session.cell_types import Kind


class KindList(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Show kinds, and tell by their place in the list what a person wants with them."""

    picked = Signal(int)
    renamed = Signal(int, str)
    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[QPushButton, QLineEdit, QToolButton]] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(1, 1)

    def show_kinds(self, kinds: Sequence[Kind]) -> None:
        """Show these kinds; the rows stay, so that nobody is interrupted while typing a name."""
        while len(self._rows) > len(kinds):
            for widget in self._rows.pop():
                widget.setParent(None)
                widget.deleteLater()
        while len(self._rows) < len(kinds):
            self._add_row(len(self._rows))
        for row, kind in zip(self._rows, kinds, strict=True):
            _fill(row, kind)

    def names(self) -> list[str]:
        """Give the names as they are shown."""
        return [line.text() for _, line, _ in self._rows]

    def ask_name(self, number: int) -> None:
        """Let a person type the name of a kind."""
        line = self._rows[number][1]
        line.setFocus()
        line.selectAll()

    def _add_row(self, number: int) -> None:
        pick = QPushButton()
        pick.setMinimumWidth(44)
        pick.clicked.connect(lambda: self.picked.emit(number))
        line = QLineEdit()
        line.setPlaceholderText("name, if there are several kinds")
        line.editingFinished.connect(lambda: self._on_edited(number))
        remove = QToolButton()
        remove.setText("×")
        remove.setToolTip("Learn from these dots no more; their layer stays open.")
        remove.clicked.connect(lambda: self.removed.emit(number))
        for column, widget in enumerate((pick, line, remove)):
            self._grid.addWidget(widget, number, column, Qt.AlignmentFlag.AlignVCenter)
        self._rows.append((pick, line, remove))

    def _on_edited(self, number: int) -> None:
        line = self._rows[number][1]
        if line.isModified():
            line.setModified(False)
            self.renamed.emit(number, line.text().strip())


def _fill(row: tuple[QPushButton, QLineEdit, QToolButton], kind: Kind) -> None:
    pick, line, remove = row
    pick.setText(f"{kind.count:,}")
    pick.setStyleSheet(swatch_style(kind.colour))
    pick.setToolTip(f"{kind.count:,} dots{f' of {kind.name}' if kind.name else ''}. Click: set more of them.")
    line.setReadOnly(kind.fixed)
    line.setToolTip(
        "This name comes from the features of the layer."
        if kind.fixed
        else "The name of this kind of cells; the same on every image."
    )
    if not line.hasFocus() or not line.isModified():
        line.setText(kind.name)
    remove.setVisible(not kind.fixed)
