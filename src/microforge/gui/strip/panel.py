"""The panel *Images*: the strip of thumbnails, the way to the next image, and adding files without opening them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from qtpy.QtGui import QKeySequence, QResizeEvent, QShortcut, QWheelEvent
from qtpy.QtWidgets import QAbstractItemView, QBoxLayout, QFileDialog, QFrame, QListView, QMenu, QSizePolicy, QWidget

from microforge.events import RunFailed
from microforge.gui.session.background import Relay
from microforge.gui.session.image_list.listed_image import ListedImage, WantedRole
from microforge.gui.session.image_list.standing import Choice, Standings
from microforge.gui.session.image_list.switching import Switching
from microforge.gui.session.state import Session
from microforge.gui.strip.drawing import PICTURE, CellDrawing
from microforge.gui.strip.file_drops import FileDrops
from microforge.gui.strip.model import StripModel
from microforge.gui.strip.thumbnails import Thumbnails, cache_folder
from microforge.gui.widgets.basics import Note, Picker, beside, button, stacked
from microforge.io.files import IMAGE_SUFFIXES, find_images

_FILTER = f"Images ({' '.join(f'*{suffix}' for suffix in IMAGE_SUFFIXES)});;All files (*)"
_CHOICES: tuple[tuple[str, Choice], ...] = (
    ("All images", "all"),
    ("Not annotated", "to do"),
    ("Annotated", "annotated"),
    ("Kept aside", "aside"),
)
_ROLES: tuple[tuple[str, WantedRole, str], ...] = (
    ("Learn from", "training", "L"),
    ("Keep aside, to tell how good the network is", "validation", "A"),
    ("Leave for a test: never learn from it", "test", "T"),
    ("Draw by chance", "", ""),
)
#: Pixels from which on buttons stand beside the pictures rather than above; the width of the buttons then.
_WIDE, _SIDE_WIDTH = 520, 170


class Strip(QWidget):  # type: ignore[misc]  # qtpy has no types
    """All images at hand in a row."""

    #: There are images that are not open: this is the way to them.
    wanted = Signal()

    def __init__(
        self, session: Session, switching: Switching, cache: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session, self.switching = session, switching
        self.thumbnails = Thumbnails(session, cache or cache_folder(), self)
        self.model = StripModel(session, self.thumbnails, self)
        self.view = _Row(self.model)
        self.previous = button("Previous", "The image before (PageUp).", partial(switching.step, -1))
        self.next = button("Next", "The next image (PageDown).", partial(switching.step, 1))
        tip = "Put files, or all of a folder, into this list without opening them."
        self.add = button("Add images …", tip, self._menu, icon="image")
        self.choice = Picker("Which images are shown here.")
        self.choice.set_choices(_CHOICES)
        self.choice.set_value("all")
        self.count, self.message = Note(), Note()
        self._finding = Relay("the search for images", self)
        self._lay_out()
        self._connect()
        self.refresh()

    def add_files(self, paths: Sequence[Path]) -> None:
        """Put files, and the images of folders, into the list; in the background, as a folder may hold thousands."""
        if not self._finding.running:
            self._finding.start(partial(_found, list(paths)))

    def next_to_annotate(self) -> None:
        """Go to the next image on which nothing is annotated yet, from the beginning where none follows."""
        fits = partial(Standings(self.session).fits, choice="to do")
        if self.switching.step(1, fits):
            return
        first = next((one for one in self.session.image_list.entries if fits(one)), None)
        if first is None:
            self.session.say("All images of the list are annotated, or marked as done.")
        elif first is not self.session.image_list.current:
            self.switching.go(first)

    def refresh(self) -> None:
        """Show the session as it is."""
        self.model.refresh()
        images = self.session.image_list
        total, current = len(images.entries), images.current
        index = self.model.index_of(current)
        place = f"{index.row() + 1:,} of {self.model.rowCount():,}" if index.isValid() else f"{self.model.rowCount():,}"
        chosen = "" if self.choice.value() == "all" else f" ({total:,} in all)"
        self.count.say(f"{place}{chosen}" if index.isValid() or chosen else f"{total:,} images")
        self.message.say("" if current is None or not current.problem else current.problem, "error")
        self.previous.setEnabled(images.neighbour(-1, lambda _: True) is not None)
        self.next.setEnabled(images.neighbour(1, lambda _: True) is not None)
        if index.isValid() and not self.view.selectionModel().isSelected(index):
            self.view.setCurrentIndex(index)

    def sizeHint(self) -> QSize:
        """Ask for a row of pictures."""
        return QSize(700, self.view.row_height() + 8)

    def minimumSizeHint(self) -> QSize:
        """Fit a narrow dock."""
        above = 0 if self.width() >= _WIDE else self._buttons.sizeHint().height()
        return QSize(280, self.view.row_height() + above + 8)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons beside the pictures where there is room, else above them."""
        super().resizeEvent(event)
        wide = self.width() >= _WIDE
        self._page.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._buttons.setMaximumWidth(_SIDE_WIDTH if wide else 16_777_215)
        self.updateGeometry()

    def _lay_out(self) -> None:
        self._buttons = QWidget()
        column = stacked(self._buttons, beside(self.previous, self.next, wide=(0, 1)))
        column.addLayout(beside(self.choice, self.count, wide=(0,)))
        for widget in (self.add, self.message):
            column.addWidget(widget)
        column.setSpacing(3)
        column.addStretch()
        self.count.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._page = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._page.setContentsMargins(4, 4, 4, 4)
        self._page.addWidget(self._buttons)
        self._page.addWidget(self.view, 1)

    def _connect(self) -> None:
        images = self.session.image_list
        for signal in (self.session.changed, images.changed, images.current_changed):
            signal.connect(self.refresh)
        self.session.contents.changed.connect(self.model.refresh)
        self.switching.shown.connect(self.thumbnails.forget)
        self.choice.value_changed.connect(self._on_choice)
        self.view.clicked.connect(self._on_clicked)
        self.view.activated.connect(self._on_clicked)
        self.view.customContextMenuRequested.connect(self._on_menu)
        self._finding.event.connect(self._on_found)
        self.session.files_wanted.connect(self.add_files)
        FileDrops(self).dropped.connect(self.add_files)
        self.session.closing.connect(self._on_closing)
        for _, role, key in _ROLES:
            if key:
                shortcut = QShortcut(QKeySequence(key), self.view, context=Qt.ShortcutContext.WidgetShortcut)
                shortcut.activated.connect(partial(self._give_role, role))

    def _on_closing(self) -> None:
        images = self.session.image_list
        for signal in (self.session.changed, images.changed, images.current_changed):
            signal.disconnect(self.refresh)
        self._finding.end(5)

    def _on_choice(self, choice: Choice) -> None:
        self.model.choose(choice)
        self.refresh()

    def _on_clicked(self, index: QModelIndex) -> None:
        entry = self.model.entry(index)
        if entry is not None:
            self.switching.go(entry)

    def _selected(self) -> list[ListedImage]:
        found = (self.model.entry(index) for index in self.view.selectedIndexes())
        return [entry for entry in found if entry is not None]

    def _give_role(self, role: WantedRole) -> None:
        self.session.set_role(self._selected(), role)

    def _on_menu(self, place: QPoint) -> None:
        chosen = self._selected()
        if chosen:
            self.menu_of(chosen).exec(self.view.viewport().mapToGlobal(place))

    def menu_of(self, chosen: Sequence[ListedImage]) -> QMenu:
        """Give the menu of some images: what they are for, whether they are done, out of the list."""
        menu, standings = QMenu(self), Standings(self.session)
        roles = {standings.role(entry) for entry in chosen}
        for title, role, key in _ROLES:
            action = menu.addAction(f"{title}\t{key}" if key else title, partial(self.session.set_role, chosen, role))
            action.setCheckable(True)
            action.setChecked(roles == {role})
        menu.addSeparator()
        done = all(entry.reviewed for entry in chosen)
        menu.addAction("Not done yet" if done else "Mark as done", partial(self._mark, chosen, not done))
        closed = [entry for entry in chosen if entry.layer is None]
        if closed:
            menu.addAction("Take out of the list; the file stays", partial(self._take_out, closed))
        return menu

    def _mark(self, chosen: Sequence[ListedImage], done: bool) -> None:
        for entry in chosen:
            entry.reviewed = done
        self.session.changed.emit()

    def _take_out(self, chosen: Sequence[ListedImage]) -> None:
        for entry in chosen:
            self.session.image_list.remove(entry)

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.addAction("Files …", self._choose_files)
        menu.addAction("A folder …", self._choose_folder)
        menu.exec(self.add.mapToGlobal(self.add.rect().bottomLeft()))

    def _choose_files(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Add images", "", _FILTER)
        if paths:
            self.add_files([Path(path) for path in paths])

    def _choose_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Add the images of a folder")
        if path:
            self.add_files([Path(path)])

    def _on_found(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self.session.say(f"{event.where}: {event.in_words}" if event.where else event.in_words, "error")
        elif isinstance(event, list):
            images = self.session.image_list
            added = images.add_files(event)
            if added and (images.current is None or len(added) == 1):
                self.switching.go(added[0])
            self.wanted.emit()


class _Row(QListView):  # type: ignore[misc]  # qtpy has no types
    """Pictures beside each other; several rows where it is high."""

    def __init__(self, model: StripModel) -> None:
        super().__init__()
        self.setModel(model)
        self.setItemDelegate(CellDrawing(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Images at hand")

    def row_height(self) -> int:
        """Give the height of a row of pictures with its names and its scroll bar."""
        bar = int(self.horizontalScrollBar().sizeHint().height())
        return int(PICTURE.height() + self.fontMetrics().height() + 12 + bar)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap where there is room for a second row."""
        rows = self.height() > 2 * self.row_height() - 20
        self.setWrapping(rows)
        shown, hidden = Qt.ScrollBarPolicy.ScrollBarAsNeeded, Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(shown if rows else hidden)
        self.setHorizontalScrollBarPolicy(hidden if rows else shown)
        super().resizeEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll along a single row with an ordinary wheel, too."""
        turned = event.angleDelta()
        if self.isWrapping() or abs(turned.x()) > abs(turned.y()):
            super().wheelEvent(event)
            return
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - turned.y())
        event.accept()


def _found(paths: Sequence[Path]) -> Iterator[Any]:
    yield find_images(paths)
