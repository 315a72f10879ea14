"""Table of the files of a batch: state, number of objects, reason."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QModelIndex, QSortFilterProxyModel, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QStyledItemDelegate, QWidget

from microforge.events import FolderEvent, FolderStarted, ImageFailed, ImageFinished, ImageSkipped, ImageStarted
from microforge.gui.widgets.table import Column, RowsModel, RowsView

#: Role under which the model gives values that sort as numbers do.
SORT_ROLE = Qt.ItemDataRole.UserRole
FILE_COLUMNS = (
    Column("File", "The file; double click opens it together with its result."),
    Column("Objects", "How many were found, of a series in all time points together; or the class of the image.", True),
    Column(
        "State",
        "waiting, working, done, skipped (done before with the same model and settings), or why the file failed.",
    ),
)
FILE_HEADERS = tuple(column.title for column in FILE_COLUMNS)
OBJECTS_COLUMN = FILE_HEADERS.index("Objects")
STATE_MARKS = {"waiting": "·", "working": "▸", "done": "✓", "skipped": "–", "failed": "✗"}


@dataclass(frozen=True)
class FileRow:
    """What is known of a file; `state` is one of `STATE_MARKS`."""

    path: Path
    state: str = "waiting"
    objects: int | None = None
    notes: str = ""
    result: Path | None = None
    class_name: str = ""

    def texts(self) -> tuple[str, str, str]:
        """Give the cells of the row; the state of a file that failed is the reason."""
        objects = self.class_name if self.objects is None else f"{self.objects:,}"
        said = self.notes if self.state == "failed" else " · ".join(p for p in (self.state, self.notes) if p)
        return self.path.name, objects, f"{STATE_MARKS[self.state]} {said}"


class FolderModel(RowsModel):
    """The rows of a folder run, kept up to date by its events."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(FILE_COLUMNS, parent)
        self._index: dict[Path, int] = {}
        self._counts: Counter[str] = Counter()
        self._taking: dict[type, Callable[[Any], FileRow]] = {
            ImageStarted: lambda e: replace(self._row(e.path), state="working"),
            ImageFinished: _finished,
            ImageSkipped: lambda e: replace(self._row(e.path), state="skipped", notes=e.reason, result=e.result),
            ImageFailed: lambda e: FileRow(e.path, "failed", notes=f"{e.reason} {e.remedy}".strip()),
        }

    def begin(self, paths: Sequence[Path]) -> None:
        """Start anew with these files."""
        self._index = {path: number for number, path in enumerate(paths)}
        self._counts = Counter(waiting=len(paths))
        self.set_rows([FileRow(path) for path in paths])

    @property
    def things(self) -> str:
        """What is counted, as the header says."""
        return self.columns[OBJECTS_COLUMN].title

    def take(self, event: FolderEvent) -> int | None:
        """Bring up to date; give the row concerned."""
        if isinstance(event, FolderStarted):
            self.begin(event.paths)
            self._call(event.things.capitalize() or FILE_HEADERS[OBJECTS_COLUMN])
        elif isinstance(event, ImageFinished) and event.class_name:
            self._call("Class")
        make = self._taking.get(type(event))
        if make is None:
            return None
        return self._set(make(event))

    def _call(self, things: str) -> None:
        self.columns[OBJECTS_COLUMN] = replace(FILE_COLUMNS[OBJECTS_COLUMN], title=things)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, OBJECTS_COLUMN, OBJECTS_COLUMN)

    def settle(self) -> None:
        """Nothing runs any more: files that were being worked on wait again."""
        for row in [row for row in self.rows if row.state == "working"]:
            self._set(replace(row, state="waiting"))

    def count(self, *states: str) -> int:
        """Count the files in these states."""
        return sum(self._counts[state] for state in states)

    def text(self, row: int, column: int) -> str:
        """Give what is known of a file."""
        texts: tuple[str, str, str] = self.rows[row].texts()
        return texts[column]

    def tip(self, row: int, column: int) -> str:
        """Give the whole path, and the whole reason of a failure."""
        return f"{self.rows[row].path}\n{self.rows[row].notes}".strip()

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if role != SORT_ROLE:
            return super().data(index, role)
        row = self.rows[index.row()]
        counts = index.column() == OBJECTS_COLUMN and not row.class_name
        return _number(row) if counts else self.text(index.row(), index.column())

    def _row(self, path: Path) -> FileRow:
        number = self._index.get(path)
        known: FileRow = FileRow(path) if number is None else self.rows[number]
        return known

    def _set(self, row: FileRow) -> int:
        number = self._index.get(row.path)
        self._counts[row.state] += 1
        if number is None:
            number = len(self.rows)
            self.beginInsertRows(QModelIndex(), number, number)
            self._index[row.path] = number
            self.rows.append(row)
            self.endInsertRows()
        else:
            self._counts[self.rows[number].state] -= 1
            self.rows[number] = row
            self.dataChanged.emit(self.index(number, 0), self.index(number, len(FILE_HEADERS) - 1))
        return number


class _FileNames(QStyledItemDelegate):  # type: ignore[misc]  # qtpy has no types
    """Names of files differ at their end: where there is no room, the middle is left out."""

    def initStyleOption(self, option: Any, index: QModelIndex) -> None:
        """Set how a cell is drawn."""
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class FolderTable(RowsView):
    """The view of a `FolderModel`; `opened` gives the row that was double clicked."""

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__("One line per file. Double click opens the image and its result.")
        self.files = FolderModel(self)
        self._order = QSortFilterProxyModel(self)
        self._order.setSourceModel(self.files)
        self._order.setSortRole(SORT_ROLE)
        self.setModel(self._order)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._style()
        self.doubleClicked.connect(self._on_double_click)

    def take(self, event: FolderEvent) -> None:
        """Bring the table up to date, and keep the file being worked on in sight unless a line is selected."""
        number = self.files.take(event)
        if isinstance(event, FolderStarted | ImageFinished):
            # Where results are images there is nothing to count.
            told = not isinstance(event, ImageFinished) or event.objects is not None or bool(event.class_name)
            self.setColumnHidden(OBJECTS_COLUMN, not told and not any(row.objects for row in self.files.rows))
        if isinstance(event, ImageStarted) and number is not None and not self.selectionModel().hasSelection():
            self.scrollTo(self._order.mapFromSource(self.files.index(number, 0)))

    def _style(self) -> None:
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setItemDelegateForColumn(0, _FileNames(self))
        self.horizontalHeader().setSectionResizeMode(len(FILE_HEADERS) - 1, QHeaderView.ResizeMode.Stretch)
        for column, sample in enumerate(("a_name_of_a_file.tif", "Objects.")):
            self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(sample) + 16)

    def _on_double_click(self, index: QModelIndex) -> None:
        self.opened.emit(self.files.rows[self._order.mapToSource(index).row()])


def _finished(event: ImageFinished) -> FileRow:
    return FileRow(event.path, "done", event.objects, " ".join(event.notes), event.result, event.class_name)


def _number(row: FileRow) -> int:
    return -1 if row.objects is None else row.objects
