"""The table of files: states, order, and many files."""

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from microforge.events import FolderStarted, ImageFailed, ImageFinished, ImageSkipped, ImageStarted
from microforge.gui.apply.folder.table import FileRow, FolderModel, FolderTable
from microforge.gui.widgets.path_field import PathField
from microforge.gui.widgets.progress import duration, time_left

PATHS = tuple(Path("in") / f"{number}.tif" for number in range(4))


@pytest.fixture
def table(qtbot: Any) -> FolderTable:
    table = FolderTable()
    qtbot.addWidget(table)
    table.take(FolderStarted(PATHS, Path("out")))
    return table


def texts(table: FolderTable, row: int) -> list[str]:
    model = table.model()
    return [model.data(model.index(row, column)) for column in range(model.columnCount())]


def test_states(table: FolderTable) -> None:
    table.take(ImageStarted(PATHS[0], 0))
    assert texts(table, 0) == ["0.tif", "", "▸ working"]
    table.take(ImageFinished(PATHS[0], Path("out/0.tif"), objects=1234))
    table.take(ImageFailed(PATHS[1], "It is cut off.", "Copy it again."))
    table.take(ImageSkipped(PATHS[2], "Done before."))
    assert texts(table, 0) == ["0.tif", "1,234", "✓ done"]
    assert texts(table, 1) == ["1.tif", "", "✗ It is cut off. Copy it again."]
    assert texts(table, 2) == ["2.tif", "", "– skipped · Done before."]
    assert texts(table, 3) == ["3.tif", "", "· waiting"]
    assert table.files.count("done", "failed") == 2


def test_whole_reason_is_the_tooltip(table: FolderTable) -> None:
    table.take(ImageFailed(PATHS[1], "It is cut off.", "Copy it again."))
    model = table.model()
    tip = model.data(model.index(1, 0), Qt.ItemDataRole.ToolTipRole)
    assert tip == f"{PATHS[1]}\nIt is cut off. Copy it again."


def test_objects_sort_as_numbers(table: FolderTable) -> None:
    for path, objects in zip(PATHS, (9, 100, 20, 3), strict=True):
        table.take(ImageFinished(path, path, objects=objects))
    table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [texts(table, row)[1] for row in range(4)] == ["100", "20", "9", "3"]


def test_double_click_gives_the_row_that_is_seen(qtbot: Any, table: FolderTable) -> None:
    table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    with qtbot.waitSignal(table.opened) as opened:
        table.doubleClicked.emit(table.model().index(0, 0))
    assert opened.args[0] == FileRow(PATHS[3])


def test_a_file_that_was_not_announced_gets_a_line(table: FolderTable) -> None:
    table.take(ImageFailed(Path("new.tif"), "Why."))
    assert texts(table, 4)[0] == "new.tif"


def test_cancelled_file_waits_again(table: FolderTable) -> None:
    table.take(ImageStarted(PATHS[0], 0))
    table.files.settle()
    assert table.files.count("waiting") == 4


def test_ten_thousand_files_stay_fluent(table: FolderTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event asks for the cells of a few rows, however many there are."""
    asked, data = [], FolderModel.data
    monkeypatch.setattr(FolderModel, "data", lambda *given: asked.append(given[1:]) or data(*given))
    paths = tuple(Path(f"{number}.tif") for number in range(10_000))
    table.show()
    table.take(FolderStarted(paths, Path("out")))
    asked.clear()
    for number in range(1000):
        table.take(ImageStarted(paths[number], number))
        table.take(ImageFinished(paths[number], paths[number], objects=number))
        if number % 100 == 0:
            QApplication.processEvents()
    assert 0 < len(asked) < 100 * 2000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (12, "12 s"), (58, "1 min"), (600, "10 min"), (7260, "2 h 1 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_time_left() -> None:
    assert time_left(0.5, 1) == ""
    assert time_left(0.25, 10) == "30 s left"
    assert time_left(1, 10) == ""


def test_paths(qtbot: Any) -> None:
    field = PathField("Images", "A tip.", ("folder", "files"))
    qtbot.addWidget(field)
    with qtbot.waitSignal(field.value_changed):
        field.set_value([Path("a b"), Path("c")])
    assert field.value() == [Path("a b"), Path("c")]
    field.line.setText(" ")
    assert field.value() == []


def test_column_of_objects_goes_where_results_are_images(qtbot: Any, tmp_path: Path) -> None:
    table = FolderTable()
    qtbot.addWidget(table)
    paths = tuple(tmp_path / name for name in ("a.tif", "b.tif"))
    table.take(FolderStarted(paths, tmp_path))
    table.take(ImageFinished(paths[0], paths[0], None))
    assert table.isColumnHidden(1)
    table.take(FolderStarted(paths, tmp_path))
    assert not table.isColumnHidden(1)
    table.take(ImageFinished(paths[0], paths[0], 3))
    table.take(ImageFinished(paths[1], paths[1], None))
    assert not table.isColumnHidden(1)
