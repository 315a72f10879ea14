"""Choose the meaning of each dimension of an image."""

from collections.abc import Sequence

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QWidget

from microforge.axes.dimensions import WORDS
from microforge.axes.letters import check_axes
from microforge.errors import AxesError
from microforge.gui.widgets.basics import Note, steady

_TIP = "What this dimension is: " + ", ".join(f"{text} ({letter})" for letter, text in WORDS.items()) + "."


class AxesWidget(QWidget):  # type: ignore[misc]  # qtpy has no types
    """One meaning per dimension of a shape; RGB samples, which napari marks itself, are not asked for.

    No two dimensions mean the same: one that is given the meaning of another gives it its own.
    """

    value_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shape: tuple[int, ...] = ()
        self._letters = ""
        self._samples = ""
        self._boxes: list[QComboBox] = []
        self._note = Note("", "warning")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        self.setToolTip(_TIP)

    def set_shape(self, shape: Sequence[int], axes: str) -> None:
        """Ask for another array; `axes` is shown first. Nothing is built anew for the same shape."""
        samples = "S" if axes.endswith("S") else ""
        if (tuple(shape), samples) != (self._shape, self._samples):
            self._shape, self._samples = tuple(shape), samples
            self._build()
        self.set_value(axes)

    def value(self) -> str:
        """Give the letters, whether they make sense or not."""
        return "".join(box.currentData() or "?" for box in self._boxes) + self._samples

    def set_value(self, axes: str) -> None:
        """Show what letters mean."""
        self._letters = axes.removesuffix("S")
        for box, letter in zip(self._boxes, self._letters, strict=True):
            blocker = QSignalBlocker(box)
            box.setCurrentIndex(box.findData(letter))
            blocker.unblock()
        self._note.say(self.problem(), "warning")

    def choose(self, place: int, letter: str) -> None:
        """Say what one dimension means, as a person does with its box."""
        self._boxes[place].setCurrentIndex(self._boxes[place].findData(letter))

    def problem(self) -> str:
        """Give what is wrong with the letters, or nothing."""
        try:
            check_axes(self.value(), self._shape)
        except AxesError as error:
            return error.problem
        return ""

    def _build(self) -> None:
        while self._grid.count():
            self._grid.takeAt(0).widget().setParent(None)
        sizes = self._shape[:-1] if self._samples else self._shape
        self._boxes = [self._box() for _ in sizes]
        for row, (size, box) in enumerate(zip(sizes, self._boxes, strict=True)):
            title = QLabel(f"{size:,}")
            title.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            title.setToolTip(f"This dimension has {size:,} positions.")
            self._grid.addWidget(title, row, 0)
            self._grid.addWidget(box, row, 1)
        self._grid.addWidget(self._note, len(sizes), 0, 1, 2)

    def _box(self) -> QComboBox:
        box = steady(QComboBox())
        for letter, text in WORDS.items():
            box.addItem(text, letter)
            box.setItemData(box.count() - 1, letter, Qt.ItemDataRole.ToolTipRole)
        box.setToolTip(_TIP)
        box.setMinimumContentsLength(6)
        box.currentIndexChanged.connect(self._on_changed)
        return box

    def _on_changed(self, _: int) -> None:
        self.set_value(_exchanged(self._letters, self.value().removesuffix("S")))
        if not self.problem():
            self.value_changed.emit(self.value())


def _exchanged(before: str, now: str) -> str:
    """Give letters of which one was changed; another place that had the new one gets the old one."""
    changed = next((place for place, (old, new) in enumerate(zip(before, now, strict=True)) if old != new), None)
    if changed is None:
        return now
    return "".join(
        before[changed] if letter == now[changed] and place != changed else letter for place, letter in enumerate(now)
    )
