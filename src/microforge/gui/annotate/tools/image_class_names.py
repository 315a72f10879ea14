"""The classes an image may be given: a button with its key, a name, and how many images have it."""

from collections.abc import Mapping, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

from microforge.gui.annotate.tools.image_class_keys import KEYS

ClassRow = tuple[QPushButton, QLineEdit, QLabel, QToolButton]


class ClassNames(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Show classes, and tell by their place in the list what a person wants with them."""

    given = Signal(int)
    renamed = Signal(int, str)
    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[ClassRow] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(1, 1)

    def show_classes(self, names: Sequence[str], counts: Mapping[str, int], chosen: str) -> None:
        """Show these classes, how many images have each, and the one that the image looked at has."""
        while len(self._rows) > len(names):
            for widget in self._rows.pop():
                widget.setParent(None)
                widget.deleteLater()
        while len(self._rows) < len(names):
            self._add_row(len(self._rows))
        for row, name in zip(self._rows, names, strict=True):
            _fill(row, name, counts.get(name, 0), name == chosen)

    def button(self, number: int) -> QPushButton:
        """Give the button of a class."""
        return self._rows[number][0]

    def names(self) -> list[str]:
        """Give the names as they are shown."""
        return [line.text() for _, line, _, _ in self._rows]

    def ask_name(self, number: int) -> None:
        """Let a person type the name of a class."""
        line = self._rows[number][1]
        line.setFocus()
        line.selectAll()

    def _add_row(self, number: int) -> None:
        give = QPushButton(KEYS[number + 1] if number + 1 < len(KEYS) else "•")
        give.setCheckable(True)
        give.setFixedWidth(36)
        give.clicked.connect(lambda: self.given.emit(number))
        line = QLineEdit()
        line.setToolTip("The name of this class.")
        line.editingFinished.connect(lambda: self._on_edited(number))
        remove = QToolButton()
        remove.setText("×")
        remove.clicked.connect(lambda: self.removed.emit(number))
        row = (give, line, QLabel(), remove)
        for column, widget in enumerate(row):
            self._grid.addWidget(widget, number, column, Qt.AlignmentFlag.AlignVCenter)
        self._rows.append(row)

    def _on_edited(self, number: int) -> None:
        line = self._rows[number][1]
        if line.isModified():
            line.setModified(False)
            self.renamed.emit(number, line.text().strip())


def _fill(row: ClassRow, name: str, count: int, chosen: bool) -> None:
    give, line, number, remove = row
    key = f" Key {give.text()}." if give.text() in KEYS else ""
    give.setToolTip(f"This image is '{name}'.{key}")
    give.setChecked(chosen)
    give.setStyleSheet("font-weight: bold; background: #2f9e5f; color: white;" if chosen else "")
    if not line.hasFocus() or not line.isModified():
        line.setText(name)
    number.setText(f"{count:,} image{'s' * (count != 1)}")
    number.setToolTip(f"Open images that are '{name}'.")
    remove.setToolTip(f"Take '{name}' off the list; its images have no class then.")
