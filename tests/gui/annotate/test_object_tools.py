"""The tools for objects, used with mouse and keys on the canvas of a real window."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from support.annotating import LEFT_BOX, PLANE, RIGHT_BOX, Annotating, annotating

ALL = (slice(None), slice(None))
TWO = ((0, ALL), (1, LEFT_BOX), (2, RIGHT_BOX))
IN_ONE, IN_TWO, NOWHERE = (30.0, 25.0), (30.0, 70.0), (75.0, 110.0)


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs")


def press(person: Annotating, word: str) -> Any:
    """Press the button of a tool."""
    made = next(made for tool, made in person.tools.row.buttons.items() if tool.word == word)
    made.click()
    return made


def test_tools_change_the_object_clicked_or_under_the_mouse_and_each_is_one_step_of_undo(person: Annotating) -> None:
    person.open()
    deleted = lambda before: np.where(before == 1, 0, before)  # noqa: E731
    joined = lambda before: np.where(before == 2, 1, before)  # noqa: E731
    cases: tuple[tuple[str, Callable[[], Any], Callable[[Any], Any]], ...] = (
        ("delete by key", lambda: key(person, Qt.Key.Key_D, IN_ONE), deleted),
        ("delete by click", lambda: (press(person, "Delete"), person.mouse.click(IN_ONE)), deleted),
        (
            "join by two clicks",
            lambda: (press(person, "Join"), person.mouse.click(IN_ONE), person.mouse.click(IN_TWO)),
            joined,
        ),
        ("join by a drag", lambda: (press(person, "Join"), person.mouse.drag(IN_ONE, IN_TWO)), joined),
        ("join by key and click", lambda: (key(person, Qt.Key.Key_J, IN_ONE), person.mouse.click(IN_TWO)), joined),
        ("grow by key", lambda: key(person, Qt.Key.Key_G, IN_ONE), grown),
        ("delete nothing", lambda: (press(person, "Delete"), person.mouse.click(NOWHERE)), lambda before: before),
    )
    for name, does, meant in cases:
        before = person.put(*TWO)
        person.mouse.key(Qt.Key.Key_2)
        does()
        assert np.array_equal(person.labels, meant(before)), name
        if name != "delete nothing":
            person.mouse.undo()
            assert np.array_equal(person.labels, before), name
            person.mouse.redo()
            assert np.array_equal(person.labels, meant(before)), name


def key(person: Annotating, pressed: Any, place: tuple[float, float]) -> None:
    """Press a key with the mouse over a place; napari hears of moves a little later."""
    person.viewer.mouse_over_canvas = True
    person.mouse.move(place)
    person.mouse.move(place)
    person.mouse.key(pressed)


def grown(before: Any) -> Any:
    larger = before.copy()
    larger[19, 20:50] = larger[60, 20:50] = larger[20:60, 19] = 1
    return larger


def test_line_cuts_an_object_while_its_neighbour_stays_whole(person: Annotating) -> None:
    person.open()
    before = person.put(*TWO)
    person.mouse.key(Qt.Key.Key_K)
    person.mouse.drag((14, 35), (66, 35))
    found = person.labels
    assert np.array_equal(found == 2, before == 2)
    assert np.array_equal(found > 0, before > 0)
    cut_off = found == 3
    assert cut_off.sum() in (40 * 14, 40 * 15, 40 * 16)
    assert len(np.unique(np.nonzero(cut_off)[1])) * 40 == cut_off.sum()
    person.mouse.undo()
    assert np.array_equal(person.labels, before)
    person.mouse.drag((14, 35), (40, 35))
    assert np.array_equal(person.labels, before)
    assert "from one side" in person.dock.note.text()


def test_tool_stays_in_hand_until_the_brush_is_taken_and_its_button_shows_it(person: Annotating) -> None:
    person.open()
    person.put(*TWO)
    made = press(person, "Delete")
    person.mouse.click(IN_ONE)
    person.mouse.click(IN_TWO)
    assert not person.labels.any()
    assert made.isChecked()
    person.mouse.key(Qt.Key.Key_2)
    assert not made.isChecked()
    person.mouse.click((40, 60))
    assert len(np.unique(person.labels)) == 2
    made.click()
    QTest.keyPress(person.mouse.native, Qt.Key.Key_Space)
    assert (made.isChecked(), person.layer.mode) == (True, "pan_zoom")
    QTest.keyRelease(person.mouse.native, Qt.Key.Key_Space)
    assert (made.isChecked(), person.layer.mode) == (True, "pick")
    made.click()
    assert (made.isChecked(), person.layer.mode) == (False, "paint")


def test_planes_between_painted_ones_are_filled_in_one_step_of_undo(qtbot: QtBot, person: Annotating) -> None:
    person.open((5, *PLANE), "ZYX")
    layer = person.layer
    layer.data[0, 20:40, 20:40], layer.data[4, 20:40, 30:50] = 1, 1
    layer.data[1, 60:70, 60:70], layer.data[3, 60:70, 60:70] = 2, 2
    before = person.put()
    person.tools.row.planes.click()
    qtbot.waitUntil(lambda: "Filled" in person.dock.note.text(), timeout=10_000)
    assert "4 planes of 2 objects" in person.dock.note.text()
    assert np.array_equal(person.labels[2] == 2, before[1] == 2)
    middle = np.argwhere(person.labels[2] == 1)
    assert np.allclose(middle.mean(axis=0), (29.5, 34.5), atol=1)
    assert 0.8 < len(middle) / 400 < 1.2
    person.mouse.undo()
    assert np.array_equal(person.labels, before)
    person.mouse.key(Qt.Key.Key_I)
    qtbot.waitUntil(lambda: bool((person.labels[2] == 1).any()), timeout=10_000)


def test_layers_are_left_as_they_were_found(person: Annotating) -> None:
    person.open()
    viewer, layer = person.viewer, person.layer
    callbacks = len(viewer.mouse_drag_callbacks)
    press(person, "Outline")
    viewer.layers.remove(layer)
    assert len(viewer.mouse_drag_callbacks) == callbacks - 1
    assert not layer.keymap
    assert not layer.preserve_labels
    assert person.tools.row.isHidden()
