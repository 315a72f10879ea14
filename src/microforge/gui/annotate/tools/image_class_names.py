"""List of classes for image classification, and the number keys (keyboard shortcuts) that assign them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app_model.types import KeyBinding
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QPushButton, QToolButton, QWidget

#: The keys; the first takes the class away, each other one gives a class by its place in the list.
KEYS = tuple("0123456789")
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


class ClassKeys:
    """Call a function with the number of the key pressed, while bound.

    The active layer's keys come before those of the viewer, and image layers use 1 and 2 themselves: so each image
    layer is bound as well. Labels, Points and Shapes layers keep their keys.
    """

    def __init__(self, viewer: ViewerModel, pressed: Callable[[int], Any]) -> None:
        self.viewer, self._pressed = viewer, pressed
        self._before: dict[Any, dict[str, Any]] = {}

    @property
    def bound(self) -> bool:
        """Whether the keys are bound now."""
        return bool(self._before)

    def bind(self) -> None:
        """Take the keys; again where images were opened since."""
        wanted = [self.viewer, *(layer for layer in self.viewer.layers if isinstance(layer, Image))]
        for gone in [owner for owner in self._before if owner not in wanted]:
            self._give_back(gone)
        for owner in wanted:
            if owner not in self._before:
                self._before[owner] = {key: owner.keymap.get(KeyBinding.from_str(key)) for key in KEYS}
                for number, key in enumerate(KEYS):
                    owner.bind_key(key, _function(self._pressed, number), overwrite=True)

    def unbind(self) -> None:
        """Give the keys back as they were."""
        for owner in list(self._before):
            self._give_back(owner)

    def _give_back(self, owner: Any) -> None:
        for key, before in self._before.pop(owner).items():
            owner.bind_key(key, before, overwrite=True)


def _function(pressed: Callable[[int], Any], number: int) -> Callable[[Any], None]:
    def give_class(_owner: Any) -> None:
        pressed(number)

    # A function with a name: napari asks for it at every key.
    return give_class
