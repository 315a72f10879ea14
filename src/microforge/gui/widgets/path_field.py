"""Text field for files or folders with a dialog."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLineEdit, QMenu, QWidget

from microforge.gui.widgets.basics import beside, button

#: Between several paths in one line; no system allows it in a name on all disks, and people know it from e-mail.
SEPARATOR = ";"


class PathField(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Type, paste or choose paths.

    Parameters
    ----------
    what
        What is chosen, as the dialog's title.
    kinds
        ``"folder"``, ``"files"``, or both (a menu asks).
    """

    value_changed = Signal()

    def __init__(
        self, what: str, tip: str, kinds: Sequence[Literal["folder", "files"]] = ("folder",), filters: str = ""
    ) -> None:
        super().__init__()
        self._what, self._filters = what, filters
        self.line = QLineEdit()
        self.line.setToolTip(tip)
        self.line.setPlaceholderText(what)
        self.line.setAccessibleName(what)
        self.line.textChanged.connect(lambda _: self.value_changed.emit())
        self.button = button("Choose …", f"Choose: {what.lower()}.", self._on_button)
        self._kinds: tuple[str, ...] = ()
        self._connect(kinds)
        self.setLayout(beside(self.line, self.button))

    def value(self) -> list[Path]:
        """Give the paths; empty where nothing is chosen."""
        return [Path(part.strip()).expanduser() for part in self.line.text().split(SEPARATOR) if part.strip()]

    def set_value(self, paths: Sequence[Path]) -> None:
        """Show these paths."""
        self.line.setText(f"{SEPARATOR} ".join(str(path) for path in paths))

    def ask_for(self, what: str, tip: str, kinds: Sequence[Literal["folder", "files"]] = ("folder",)) -> None:
        """Ask for something else from now on; what is chosen stays."""
        self._what = what
        self.line.setPlaceholderText(what)
        self.line.setAccessibleName(what)
        self.line.setToolTip(tip)
        self.button.setToolTip(f"Choose: {what.lower()}.")
        self._connect(kinds)

    def _connect(self, kinds: Sequence[str]) -> None:
        if tuple(kinds) == self._kinds:
            return
        self._kinds = tuple(kinds)
        menu = QMenu(self.button)
        menu.addAction("A folder …", self._ask_folder)
        menu.addAction("Some files …", self._ask_files)
        # With a menu the button opens it; without, it asks at once.
        self.button.setMenu(menu if len(kinds) > 1 else None)

    def _on_button(self) -> None:
        if self._kinds == ("folder",):
            self._ask_folder()
        elif self._kinds == ("files",):
            self._ask_files()

    def _start(self) -> str:
        chosen = self.value()
        return str(chosen[0].parent) if chosen else ""

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self._what, self._start())
        if folder:
            self.set_value([Path(folder)])

    def _ask_files(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, self._what, self._start(), self._filters)
        if files:
            self.set_value([Path(file) for file in files])
