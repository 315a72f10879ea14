"""Choose the meaning of each dimension of an image."""

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from microforge.axes.letters import check_axes
from microforge.errors import AxesError
from microforge.gui.widgets.basics import Note, steady

_MEANING = {"T": "time points", "C": "channels", "Z": "planes of a stack", "Y": "rows", "X": "columns"}
_TIP = "What this dimension is: " + ", ".join(f"{letter} {text}" for letter, text in _MEANING.items()) + "."


class AxesWidget(QWidget):  # type: ignore[misc]  # qtpy has no types
    """One letter per dimension of a shape; RGB samples, which napari marks itself, are not asked for."""

    value_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shape: tuple[int, ...] = ()
        self._samples = ""
        self._boxes: list[QComboBox] = []
        self._note = Note("", "warning")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(4)
        self.setToolTip(_TIP)

    def set_shape(self, shape: Sequence[int], axes: str) -> None:
        """Ask for another array; `axes` is shown first."""
        self._shape, self._samples = tuple(shape), "S" if axes.endswith("S") else ""
        self._build()
        self.set_value(axes)

    def value(self) -> str:
        """Give the letters, whether they make sense or not."""
        return "".join(box.currentText() for box in self._boxes) + self._samples

    def set_value(self, axes: str) -> None:
        """Show letters."""
        for box, letter in zip(self._boxes, axes.removesuffix("S"), strict=True):
            blocker = QSignalBlocker(box)
            box.setCurrentText(letter)
            blocker.unblock()
        self._note.say(self.problem(), "warning")

    def problem(self) -> str:
        """Give what is wrong with the letters, or nothing."""
        try:
            check_axes(self.value(), self._shape)
        except AxesError as error:
            return error.problem
        return ""

    def _build(self) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.setParent(None)
        self._boxes = []
        sizes = self._shape[:-1] if self._samples else self._shape
        for column, size in enumerate(sizes):
            title = QLabel(f"{size:,}")
            title.setAlignment(Qt.AlignmentFlag.AlignCenter)
            title.setToolTip(f"This dimension has {size:,} positions.")
            box = steady(QComboBox())
            box.addItems(list(_MEANING))
            box.setToolTip(_TIP)
            box.setMinimumContentsLength(1)
            box.currentTextChanged.connect(self._on_changed)
            self._grid.addWidget(title, 0, column)
            self._grid.addWidget(box, 1, column)
            self._boxes.append(box)
        self._grid.addWidget(self._note, 2, 0, 1, max(len(sizes), 1))

    def _on_changed(self, _: str) -> None:
        self._note.say(self.problem(), "warning")
        if not self.problem():
            self.value_changed.emit(self.value())
