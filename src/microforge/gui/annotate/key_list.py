"""The list of keys that `?` opens: those of the goal chosen, and those that work everywhere."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QGridLayout, QLabel, QWidget

#: A key, and what it does.
Line = tuple[str, str]


class KeyList(QDialog):  # type: ignore[misc]  # qtpy has no types
    """A small window with a line for each key; `?` or Escape closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self._grid = QGridLayout(self)
        self._grid.setHorizontalSpacing(14)
        self._grid.setColumnStretch(1, 1)

    def show_keys(self, title: str, lines: Sequence[Line]) -> None:
        """Show these keys, or close where the list is open."""
        if self.isVisible():
            self.close()
            return
        while self._grid.count():
            self._grid.takeAt(0).widget().deleteLater()
        heading = QLabel(f"<b>{title}</b>")
        self._grid.addWidget(heading, 0, 0, 1, 2)
        for row, (key, does) in enumerate(lines, 1):
            self._grid.addWidget(_text(key, bold=True), row, 0)
            self._grid.addWidget(_text(does), row, 1)
        self.adjustSize()
        self.show()

    def texts(self) -> list[str]:
        """Give what is shown, line by line."""
        shown = (self._grid.itemAt(place).widget() for place in range(self._grid.count()))
        return [widget.text() for widget in shown if isinstance(widget, QLabel)]


def _text(text: str, *, bold: bool = False) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    font = made.font()
    font.setBold(bold)
    made.setFont(font)
    return made
