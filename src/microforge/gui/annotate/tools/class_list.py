"""List of classes for pixel classification (semantic segmentation): label value, colour and name; picks the brush."""

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLineEdit, QPushButton, QToolButton, QWidget

from microforge.gui.widgets.basics import button

#: Gives the colour of a label value as four numbers 0..1, or None.
ColourOf = Callable[[int], Any]


class ClassList(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Edit the names of classes by their label values.

    Parameters
    ----------
    colour_of
        The colour in which the Labels layer shows a class.
    """

    value_changed = Signal(object)
    picked = Signal(int)

    def __init__(self, colour_of: ColourOf) -> None:
        super().__init__()
        self._colour_of = colour_of
        self._names: dict[int, str] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(1, 1)

    def value(self) -> dict[int, str]:
        """Give label value and name of each class."""
        return dict(self._names)

    def set_value(self, names: Mapping[int, str]) -> None:
        """Show classes."""
        if dict(names) != self._names:
            self._names = dict(names)
            self.refresh()

    def refresh(self) -> None:
        """Build the rows again, with the present colours."""
        while self._grid.count():
            old = self._grid.takeAt(0).widget()
            old.setParent(None)
            old.deleteLater()
        for row, (value, name) in enumerate(self._names.items()):
            self._add_row(row, value, name)
        add = button("Add class", "Add a class, with a label value and colour of its own.", self._add)
        self._grid.addWidget(add, len(self._names), 0, 1, 3)

    def _add_row(self, row: int, value: int, name: str) -> None:
        paint = QPushButton(str(value))
        paint.setToolTip(f"Paint '{name}' (label value {value}).")
        paint.setStyleSheet(swatch_style(self._colour_of(value)))
        paint.setFixedWidth(36)
        paint.clicked.connect(lambda _=False, value=value: self.picked.emit(value))
        line = QLineEdit(name)
        line.setToolTip("The name of this class.")
        line.editingFinished.connect(lambda value=value, line=line: self._rename(value, line.text()))
        remove = QToolButton()
        remove.setText("×")
        remove.setToolTip(f"Take '{name}' off the list; what is painted stays.")
        remove.clicked.connect(lambda _=False, value=value: self._remove(value))
        for column, widget in enumerate((paint, line, remove)):
            self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignVCenter)

    def _add(self) -> None:
        value = max(self._names, default=0) + 1
        self._change(self._names | {value: f"class {value}"})

    def _rename(self, value: int, name: str) -> None:
        if name.strip() and self._names.get(value) != name.strip():
            self._names[value] = name.strip()
            self.value_changed.emit(self.value())

    def _remove(self, value: int) -> None:
        self._change({v: name for v, name in self._names.items() if v != value})

    def _change(self, names: dict[int, str]) -> None:
        self._names = names
        self.refresh()
        self.value_changed.emit(self.value())


def swatch_style(colour: Any) -> str:
    """Give the style of a button that shows a colour, four numbers 0..1, with text that can be read on it."""
    if colour is None:
        return ""
    red, green, blue = (round(255 * float(part)) for part in colour[:3])
    text = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 140 else "white"
    return f"background: rgb({red}, {green}, {blue}); color: {text}; padding: 2px;"
