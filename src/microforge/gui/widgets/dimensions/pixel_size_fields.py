"""Ask for the size of pixels and the distance of planes, in micrometres."""

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QLineEdit, QWidget

from microforge.axes.dimensions import length_text, read_lengths
from microforge.errors import AxesError
from microforge.gui.widgets.basics import Note, add_row, beside, rows, stacked

#: The letters that a field is for, its title and its tooltip.
_FIELDS = {
    "YX": ("Pixel size", "How many micrometres a pixel is wide and high. Empty: as the file says, or unknown."),
    "Z": ("Plane distance", "How many micrometres neighbouring planes are apart. Empty: as the file says, or unknown."),
}


class PixelSizeFields(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A field for pixels, and one for planes where there are some.

    `value_changed` gives micrometres by letters of Z, Y and X, without those whose field is empty. What is
    no length is said, and not given.
    """

    value_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.fields = {letters: _field(tip) for letters, (_, tip) in _FIELDS.items()}
        self._shown: dict[str, str] = {}
        self._sizes: Mapping[str, float] = {}
        self._note = Note("", "warning")
        self._form = rows()
        for letters, line in self.fields.items():
            page = QWidget()
            page.setToolTip(line.toolTip())
            page.setLayout(beside(line, QLabel("µm")))
            add_row(self._form, _FIELDS[letters][0], page)
            line.editingFinished.connect(self._on_edited)
        stacked(self, self._form, self._note)

    def set_value(self, sizes: Mapping[str, float], *, planes: bool) -> None:
        """Show sizes; with `planes` their distance is asked for as well."""
        self._form.setRowVisible(1, planes)
        self._sizes = sizes
        for letters, line in self.fields.items():
            known = [sizes[letter] for letter in letters if letter in sizes]
            text = length_text(known) if len(known) == len(letters) else ""
            # What a person is typing stays until what is known changes.
            if self._shown.get(letters) != text:
                self._shown[letters] = text
                line.setText(text)
                self._note.say("")

    def value(self) -> dict[str, float] | None:
        """Give what is typed, by letter; None where it is no length, which is said then."""
        found: dict[str, float] = {}
        try:
            for letters, line in self.fields.items():
                found |= self._read(letters, line.text().strip())
        except AxesError as error:
            self._note.say(f"{error.problem} {error.remedy}", "warning")
            return None
        self._note.say("")
        return found

    def _read(self, letters: str, text: str) -> dict[str, float]:
        if text == self._shown.get(letters):
            # What nobody touched stays as exact as the file has it.
            return {letter: self._sizes[letter] for letter in letters if letter in self._sizes}
        return dict(zip(letters, read_lengths(text, len(letters)), strict=True)) if text else {}

    def _on_edited(self) -> None:
        typed = {letters: line.text().strip() for letters, line in self.fields.items()}
        if typed == self._shown:
            return
        sizes = self.value()
        if sizes is not None:
            self._shown, self._sizes = typed, sizes
            self.value_changed.emit(sizes)


def _field(tip: str) -> QLineEdit:
    line = QLineEdit()
    line.setPlaceholderText("unknown")
    line.setToolTip(tip)
    line.setMinimumWidth(60)
    return line
