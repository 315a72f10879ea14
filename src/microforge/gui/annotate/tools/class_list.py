"""List of classes for pixel classification: a name and a brush each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QPushButton, QWidget

from microforge.gui.layers.gestures import CLASS_KEYS
from microforge.gui.session.cell_types import Kind
from microforge.gui.widgets.basics import button, plain_tip, remover
from microforge.gui.widgets.name_rows import NameRows, fill_row, in_one_line, name_grid

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
        self._chips: dict[int, QPushButton] = {}
        self._in_hand = 0
        self._grid = name_grid(self)

    def value(self) -> dict[int, str]:
        """Give label value and name of each class."""
        return dict(self._names)

    def set_value(self, names: Mapping[int, str]) -> None:
        """Show classes."""
        if dict(names) != self._names:
            self._names = dict(names)
            self.refresh()

    def mark(self, value: int) -> None:
        """Show which class is in hand."""
        self._in_hand = value
        for one, chip in self._chips.items():
            chip.setStyleSheet(swatch_style(self._colour_of(one), in_hand=one == value))

    def refresh(self) -> None:
        """Build the rows again, with the present colours."""
        self._chips.clear()
        while self._grid.count():
            old = self._grid.takeAt(0).widget()
            old.setParent(None)
            old.deleteLater()
        for row, (value, name) in enumerate(self._names.items()):
            self._add_row(row, value, name)
        add = button("Add class", "Add a class, with a label value and colour of its own.", self._add)
        self._grid.addWidget(add, len(self._names), 0, 1, 3)

    def _add_row(self, row: int, value: int, name: str) -> None:
        key = f" Key {CLASS_KEYS[row]}." if row < len(CLASS_KEYS) else ""
        tip = f"Paint '{name}' (label value {value}).{key}"
        paint = self._chips[value] = button(str(value), plain_tip(tip), lambda: self.picked.emit(value))
        paint.setStyleSheet(swatch_style(self._colour_of(value), in_hand=value == self._in_hand))
        paint.setFixedWidth(36)
        line = QLineEdit(name)
        line.setToolTip("The name of this class.")
        line.editingFinished.connect(lambda: self._rename(value, line.text()))
        remove = remover(plain_tip(f"Take '{name}' off the list; what is painted stays."), lambda: self._remove(value))
        fill_row(self._grid, row, paint, line, remove)

    def _add(self) -> None:
        value = max(self._names, default=0) + 1
        self._change(self._names | {value: f"class {value}"})

    def _rename(self, value: int, name: str) -> None:
        name = in_one_line(name)
        if name and self._names.get(value) != name:
            self._names[value] = name
            self.value_changed.emit(self.value())

    def _remove(self, value: int) -> None:
        self._change({v: name for v, name in self._names.items() if v != value})

    def _change(self, names: dict[int, str]) -> None:
        self._names = names
        self.refresh()
        self.value_changed.emit(self.value())


class KindList(NameRows):
    """Show kinds of cells: a click on one takes its points in hand."""

    def show_kinds(self, kinds: Sequence[Kind]) -> None:
        """Show these kinds."""
        self.set_length(len(kinds))
        for number, kind in enumerate(kinds):
            self._fill(number, kind)

    def _fill(self, number: int, kind: Kind) -> None:
        pick, line, remove = self._rows[number]
        pick.setMinimumWidth(44)
        pick.setText(f"{kind.count:,}")
        pick.setStyleSheet(swatch_style(kind.colour))
        pick.setToolTip(
            plain_tip(f"{kind.count:,} points{f' of {kind.name}' if kind.name else ''}. Click: set more of them.")
        )
        line.setPlaceholderText("name, if there are several kinds")
        line.setReadOnly(kind.fixed)
        line.setToolTip(
            "This name comes from the features of the layer."
            if kind.fixed
            else "The name of this kind of cells; the same on every image."
        )
        self.show_name(number, kind.name)
        remove.setToolTip("Learn from these points no more; their layer stays open.")
        remove.setVisible(not kind.fixed)


def swatch_style(colour: Any, *, in_hand: bool = False) -> str:
    """Give the style of a button that shows a colour, four numbers 0..1, with text that can be read on it."""
    if colour is None:
        return ""
    red, green, blue = (round(255 * float(part)) for part in colour[:3])
    text = "black" if 0.3 * red + 0.59 * green + 0.11 * blue > 140 else "white"
    mark = f" border: 3px solid {text}; font-weight: bold;" if in_hand else ""
    return f"background: rgb({red}, {green}, {blue}); color: {text}; padding: 2px;{mark}"
