"""The strip of thumbnails: what it shows, where it stands, and what can be done with it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QPixmap
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.gui.session.image_list.switching import Switching
from microforge.gui.session.painted_layers import annotation_of
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import FrontImage
from microforge.gui.strip.drawing import CellDrawing
from microforge.gui.strip.model import Cell, StripModel
from microforge.gui.strip.panel import Strip
from support.fakes import FakeTraining

MANY = 5000


def write_images(folder: Path, count: int, side: int = 24) -> list[Path]:
    paths = [folder / f"field {number:04d}.tif" for number in range(count)]
    for number, path in enumerate(paths):
        tifffile.imwrite(path, np.full((side, side), number % 250, np.uint8))
    return paths


class Table:
    """A strip on its own, and what is in it."""

    def __init__(self, qtbot: QtBot, session: Session, folder: Path) -> None:
        self.qtbot, self.session = qtbot, session
        self.front = FrontImage(session)
        self.strip = Strip(session, Switching(session, self.front.bring), folder / "cache")
        qtbot.addWidget(self.strip)
        self.strip.resize(900, 120)
        self.strip.show()

    def add(self, paths: list[Path]) -> list[ListedImage]:
        before = len(self.session.image_list.entries)
        self.strip.add_files(paths)
        self.qtbot.waitUntil(lambda: len(self.session.image_list.entries) > before, timeout=30_000)
        current = self.session.image_list.current
        self.qtbot.waitUntil(lambda: current is None or current.is_open or bool(current.problem))
        return self.session.image_list.entries

    def go(self, entry: ListedImage) -> ListedImage:
        self.strip.switching.go(entry)
        self.qtbot.waitUntil(lambda: entry.is_open)
        return entry

    def cell(self, row: int) -> Cell:
        cell: Cell = self.strip.model.index(row).data(StripModel.CELL)
        return cell

    @property
    def names(self) -> list[str]:
        model = self.strip.model
        return [model.index(row).data() for row in range(model.rowCount())]


@pytest.fixture
def table(qtbot: QtBot, session: Session, tmp_path: Path) -> Iterator[Table]:
    made = Table(qtbot, session, tmp_path)
    yield made
    made.front.close()


def test_files_added_are_listed_and_the_first_is_opened(table: Table, tmp_path: Path) -> None:
    entries = table.add(write_images(tmp_path, 12))
    assert table.names == [f"field {number:04d}" for number in range(12)]
    assert [entry.is_open for entry in entries] == [True] + [False] * 11
    assert table.strip.count.text() == "1 of 12"


def test_click_goes_to_an_image(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    entries = table.add(write_images(tmp_path, 4))
    view = table.strip.view
    place = view.visualRect(table.strip.model.index(2)).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: entries[2].is_open and not entries[0].is_open)
    assert table.strip.count.text() == "3 of 4"
    assert table.cell(2).is_current


def test_pictures_are_made_of_what_is_seen_only(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    table.add(write_images(tmp_path, 200))
    qtbot.waitUntil(lambda: table.cell(3).picture is not None)
    qtbot.wait(200)
    assert len(table.strip.thumbnails) <= 20
    table.strip.view.scrollTo(table.strip.model.index(150))
    qtbot.waitUntil(lambda: table.cell(150).picture is not None)
    assert len(table.strip.thumbnails) <= 45


@pytest.mark.slow  # makes 5,000 files
def test_thousands_of_files_are_listed_with_few_pictures_and_one_open_image(table: Table, tmp_path: Path) -> None:
    folder = tmp_path / "screen"
    folder.mkdir()
    write_images(folder, MANY, 4)
    entries = table.add([folder])
    assert len(entries) == MANY
    assert table.strip.count.text() == "1 of 5,000"
    for row in (10, 2500, 4999):
        table.strip.view.scrollTo(table.strip.model.index(row))
        table.go(entries[row])
    table.qtbot.waitUntil(lambda: len(table.session.viewer.layers) == 1)
    assert len(table.strip.thumbnails) <= 150
    assert [entry.layer for entry in entries if entry.layer is not None] == [entries[4999].layer]


def test_marks_say_how_much_is_annotated_and_what_an_image_is_for(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    entries = table.add(write_images(tmp_path, 4))
    item = annotation_of(table.session, table.go(entries[0]).layer)
    table.session.contents.follow([item.labels])
    item.labels.data[2:5, 2:5] = 1
    item.unpainted = "around"
    table.session.contents.look()
    table.session.set_role([entries[1]], "test")
    assert [table.cell(row).progress for row in range(4)] == ["part", "none", "none", "none"]
    table.session.change(item, unpainted="background")
    assert table.cell(0).progress == "all"
    assert [table.cell(row).role for row in range(4)] == ["", "test", "", ""]
    table.go(entries[2])
    qtbot.waitUntil(lambda: bool(entries[0].at_rest))
    assert table.cell(0).progress == "all"


def test_filter_shows_what_is_left_to_do(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    entries = table.add(write_images(tmp_path, 5))
    item = annotation_of(table.session, table.go(entries[1]).layer)
    item.labels.data[2:5, 2:5] = 1
    table.go(entries[4])
    qtbot.waitUntil(lambda: bool(entries[1].at_rest))
    table.session.set_role([entries[2]], "validation")
    entries[3].reviewed = True
    shown = {}
    for choice in ("all", "to do", "annotated", "aside"):
        table.strip.choice.set_value(choice)
        shown[choice] = [name[-1] for name in table.names]
    # The image in front is never taken out of the list while it is looked at.
    assert shown == {"all": list("01234"), "to do": list("024"), "annotated": list("14"), "aside": list("24")}
    assert table.strip.count.text() == "2 of 2 (5 in all)"


def test_next_to_annotate_passes_over_what_is_done(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    entries = table.add(write_images(tmp_path, 4))
    entries[1].reviewed = True
    table.strip.next_to_annotate()
    qtbot.waitUntil(lambda: entries[2].is_open)
    table.go(entries[3])
    table.strip.next_to_annotate()
    qtbot.waitUntil(lambda: entries[0].is_open)


def test_role_is_given_by_menu_and_by_key_to_all_selected(table: Table, tmp_path: Path) -> None:
    entries = table.add(write_images(tmp_path, 4))
    view, model = table.strip.view, table.strip.model
    for row in (1, 2):
        view.selectionModel().select(model.index(row), view.selectionModel().SelectionFlag.Select)
    view.selectionModel().select(model.index(0), view.selectionModel().SelectionFlag.Deselect)
    QApplication.setActiveWindow(table.strip)
    view.setFocus()
    table.qtbot.waitUntil(view.hasFocus)
    QTest.keyClick(view, Qt.Key.Key_T)
    assert [entry.role for entry in entries] == ["", "test", "test", ""]
    menu = table.strip.menu_of(entries[1:3])
    by_title = {action.text().partition("\t")[0]: action for action in menu.actions()}
    assert by_title["Leave for a test: never learn from it"].isChecked()
    by_title["Learn from"].trigger()
    assert [entry.role for entry in entries] == ["", "training", "training", ""]


def test_role_given_before_annotating_holds_for_the_annotation(table: Table, tmp_path: Path) -> None:
    entries = table.add(write_images(tmp_path, 2))
    table.session.set_role(entries[:1], "validation")
    item = annotation_of(table.session, table.go(entries[0]).layer)
    assert item.validation
    table.session.set_role(entries[:1], "test")
    assert (item.validation, item.tests) == (False, True)


def test_unreadable_file_says_why_in_its_cell_only(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    paths = write_images(tmp_path, 3)
    paths[1].write_bytes(b"II*\0 nothing")
    said: list[str] = []
    table.session.message.connect(lambda text, severity: said.append(text))
    table.add(paths)
    qtbot.waitUntil(lambda: bool(table.cell(1).problem))
    assert "damaged" in table.strip.model.index(1).data(int(Qt.ItemDataRole.ToolTipRole))
    assert said == []
    assert table.strip.message.isHidden()
    table.strip.switching.step(1)
    qtbot.waitUntil(table.strip.message.isVisible)
    assert "damaged" in table.strip.message.text()


def test_folder_without_images_is_told_in_words(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    said: list[str] = []
    table.session.message.connect(lambda text, severity: said.append(text))
    (tmp_path / "empty").mkdir()
    table.strip.add_files([tmp_path / "empty"])
    qtbot.waitUntil(lambda: bool(said))
    assert "holds no images" in said[0]


@pytest.mark.parametrize("name", ["細胞核 画像", "<b>bold</b> & co", "x" * 180])
def test_odd_names_are_drawn_and_said_as_they_are(table: Table, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.tif" if "/" not in name else tmp_path / "odd.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8))
    table.add([path])
    stem = path.stem
    assert table.names == [stem]
    assert isinstance(table.strip.view.itemDelegate(), CellDrawing)
    assert isinstance(table.strip.grab(), QPixmap)


def test_buttons_stand_above_the_pictures_in_a_narrow_dock(table: Table, tmp_path: Path, qtbot: QtBot) -> None:
    table.add(write_images(tmp_path, 12))
    table.strip.resize(320, 500)
    qtbot.waitUntil(lambda: table.strip.view.y() > table.strip.next.y() + table.strip.next.height())
    assert table.strip.view.isWrapping()
    assert table.strip.minimumSizeHint().width() <= 320


@pytest.fixture
def dock(
    make_napari_viewer: Callable[..., Any], tmp_path: Path, training: FakeTraining
) -> Iterator[Callable[[], MicroforgeDock]]:
    docks: list[MicroforgeDock] = []

    def make() -> MicroforgeDock:
        viewer = make_napari_viewer(show=True)
        docks.append(MicroforgeDock(viewer, Session(viewer, training, tmp_path / "runs"), lambda: iter(())))
        docks[-1].strip.thumbnails.keep_in(tmp_path / "cache")
        viewer.window.add_dock_widget(docks[-1], name="Microforge")
        return docks[-1]

    yield make
    while docks:
        docks.pop().close_down()


def test_strip_comes_to_the_bottom_with_the_files_and_goes_with_the_dock(
    dock: Callable[[], MicroforgeDock], tmp_path: Path, qtbot: QtBot
) -> None:
    made = dock()
    assert not made.strip.isVisible()
    made.strip.add_files(write_images(tmp_path, 3))
    qtbot.waitUntil(made.strip.isVisible)
    window = made.window()
    assert window.dockWidgetArea(made.strip.parent()) is Qt.DockWidgetArea.BottomDockWidgetArea
    qtbot.waitUntil(lambda: len(made.session.viewer.layers) == 1)
    made.strip.parent().destroyOnClose()
    assert not made.strip.isVisible()
    made.annotate.list.click()
    assert made.strip.isVisible()
    made.close_down()
    assert not made.strip.isVisible()


def test_files_dropped_on_the_dock_are_listed(dock: Callable[[], MicroforgeDock], tmp_path: Path, qtbot: QtBot) -> None:
    made = dock()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in write_images(tmp_path, 3)])
    action, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), action, data, button, keys)
    QApplication.sendEvent(made, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(made, QDropEvent(QPointF(5, 5), action, data, button, keys))
    qtbot.waitUntil(lambda: len(made.session.image_list.entries) == 3)


def test_keys_go_from_image_to_image(dock: Callable[[], MicroforgeDock], tmp_path: Path, qtbot: QtBot) -> None:
    made = dock()
    made.strip.add_files(write_images(tmp_path, 3))
    entries = made.session.image_list.entries
    qtbot.waitUntil(lambda: len(entries) == 3 and entries[0].is_open)
    canvas = made.session.viewer.window._qt_viewer
    QTest.keyClick(canvas, Qt.Key.Key_PageDown)
    qtbot.waitUntil(lambda: entries[1].is_open)
    QTest.keyClick(canvas, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: entries[0].is_open)
    entries[1].reviewed = True
    QTest.keyClick(canvas, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: entries[2].is_open)
