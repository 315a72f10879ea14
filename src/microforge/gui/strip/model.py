"""`StripModel`: the images of the strip as Qt's list wants them, those that are chosen only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QPixmap

from microforge.gui.session.annotations.base import AmountDrawn
from microforge.gui.session.image_list.listed_image import ListedImage, WantedRole
from microforge.gui.session.image_list.standing import Choice, Standings
from microforge.gui.session.state import Session
from microforge.gui.strip.thumbnails import Thumbnails
from microforge.gui.widgets.basics import plain_tip

_PROGRESS: dict[AmountDrawn, str] = {"none": "not annotated", "part": "annotated in part", "all": "annotated"}
_ROLES: dict[WantedRole, str] = {
    "": "",
    "training": "learnt from",
    "validation": "kept aside, to tell how good the network is",
    "test": "for a test of the finished model: never learnt from",
}


@dataclass(frozen=True, eq=False)
class Cell:
    """What is drawn of an image."""

    name: str
    picture: QPixmap | None
    progress: AmountDrawn
    role: WantedRole
    reviewed: bool
    problem: str
    is_current: bool


class StripModel(QAbstractListModel):  # type: ignore[misc]  # qtpy has no types
    """The images chosen, in order."""

    #: Of an index the `Cell`.
    CELL = int(Qt.ItemDataRole.UserRole)

    def __init__(self, session: Session, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._thumbnails = session, thumbnails
        self._choice: Choice = "all"
        self._standings = Standings(session)
        self._shown: list[ListedImage] = []
        self._rows: dict[ListedImage, int] = {}
        thumbnails.made.connect(self._on_made)
        self.refresh()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Give how many images are chosen."""
        return len(self._shown)

    def data(self, index: QModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Give what is shown of an image, or said of it."""
        entry = self.entry(index)
        if entry is None:
            return None
        if role == self.CELL:
            return self._cell(entry)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.name
        return plain_tip(self._words(entry)) if role == Qt.ItemDataRole.ToolTipRole else None

    def entry(self, index: QModelIndex) -> ListedImage | None:
        """Give the image of an index."""
        return self._shown[index.row()] if index.isValid() and index.row() < len(self._shown) else None

    def index_of(self, entry: ListedImage | None) -> QModelIndex:
        """Give the index of an image; an invalid one where it is not among those chosen."""
        row = -1 if entry is None else self._rows.get(entry, -1)
        return self.index(row) if row >= 0 else QModelIndex()

    def choose(self, choice: Choice) -> None:
        """Show only some of the images."""
        self._choice = choice
        self.refresh()

    def refresh(self) -> None:
        """Show the session as it is; the image in front stays in the list until another is."""
        self._standings = Standings(self._session)
        current, fits = self._session.image_list.current, self._standings.fits
        self._show([one for one in self._session.image_list.entries if fits(one, self._choice) or one is current])

    def _show(self, entries: Sequence[ListedImage]) -> None:
        if list(entries) == self._shown:
            if entries:
                self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
            return
        self.beginResetModel()
        self._shown = list(entries)
        self._rows = {entry: row for row, entry in enumerate(self._shown)}
        self.endResetModel()

    def _cell(self, entry: ListedImage) -> Cell:
        standings = self._standings
        return Cell(
            entry.name,
            self._thumbnails.of(entry),
            standings.progress(entry),
            standings.role(entry),
            entry.reviewed,
            entry.problem,
            entry is self._session.image_list.current,
        )

    def _words(self, entry: ListedImage) -> str:
        role = _ROLES[self._standings.role(entry)]
        done = "marked as done" if entry.reviewed else ""
        standing = ", ".join(part for part in (_PROGRESS[self._standings.progress(entry)], done, role) if part)
        place = "" if entry.path is None else str(entry.path)
        return "\n".join(part for part in (entry.name, standing, entry.problem, place) if part)

    def _on_made(self, entry: ListedImage) -> None:
        index = self.index_of(entry)
        if index.isValid():
            self.dataChanged.emit(index, index)
