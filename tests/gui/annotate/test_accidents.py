"""Whatever slips a hand makes on the canvas of a real window, the labels are those that it meant.

Each test opens one window and drives it with mouse events of Qt; for each slip there is an image of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from support.annotating import LEFT_BOX, PLANE, RIGHT_BOX, Annotating, Pixels, annotating
from support.mouse import RIGHT

Way = tuple[tuple[float, float], ...]


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs")


#: A label that nothing had before.
NEW = -1
ONE, TWO = ((1, LEFT_BOX),), ((1, LEFT_BOX), (2, RIGHT_BOX))


@dataclass(frozen=True)
class Slip:
    """A stroke, and what it should give.

    Attributes
    ----------
    before
        The objects that were there.
    way
        Where the brush goes.
    meant
        The label of what it paints on empty ground, and nowhere else; 0 where it erases all it passes over.
    key
        Pressed before the stroke.
    """

    name: str
    before: tuple[tuple[int, tuple[slice, slice]], ...]
    way: Way
    meant: int
    key: Any = Qt.Key.Key_2

    def labels(self, before: Pixels, passed: Pixels, found: Pixels) -> Pixels:
        """Give the labels meant; the number of a new object is whichever it got, if nothing had it."""
        if not self.meant:
            return np.where(passed, 0, before)
        label = int(found.max()) if self.meant == NEW else self.meant
        assert self.meant != NEW or not (before == label).any()
        return np.where(passed & (before == 0), label, before)


SLIPS = (
    Slip("tiny click", (), ((40, 60),), NEW),
    Slip("stroke on empty ground", ONE, ((70, 90), (70, 110)), NEW),
    Slip("touch-up that begins outside", ONE, ((40, 16), (40, 34)), 1),
    Slip("touch-up that ends outside", ONE, ((40, 34), (40, 16)), 1),
    Slip("painting along a touching neighbour", ONE, ((24, 53), (56, 53)), NEW),
    Slip("from one object over its neighbour", TWO, ((30, 45), (30, 56), (64, 56)), 1),
    Slip("over the border of two, from outside", TWO, ((16, 47), (50, 47)), 1),
    Slip("N, then over an object", ONE, ((40, 46), (40, 56)), NEW, Qt.Key.Key_N),
    Slip("eraser over two objects", TWO, ((40, 40), (40, 60)), 0, Qt.Key.Key_1),
)


def test_each_stroke_gives_the_labels_that_the_hand_meant_and_is_one_step_of_undo_and_redo(person: Annotating) -> None:
    wrong = []
    person.open()
    for slip in SLIPS:
        person.put((0, (slice(None), slice(None))))
        passed = person.passed(*slip.way)
        before = person.put(*slip.before)
        person.mouse.key(slip.key)
        person.mouse.drag(*slip.way)
        after = person.labels.copy()
        meant = slip.labels(before, passed, after)
        person.mouse.undo()
        undone = person.labels.copy()
        person.mouse.redo()
        person.mouse.key(Qt.Key.Key_2)
        same = [np.array_equal(after, meant), np.array_equal(undone, before), np.array_equal(person.labels, meant)]
        if not all(same) or not passed.any() or not person.layer.preserve_labels:
            wrong.append((slip.name, *same, np.unique(after).tolist()))
    assert not wrong, "stroke, labels as meant, undone, redone, labels found"


def test_strokes_one_after_the_other_are_objects_numbered_from_one_and_the_count_hears_of_undo(
    qtbot: QtBot, person: Annotating
) -> None:
    person.open()
    person.mouse.drag((20, 20), (20, 40))
    person.mouse.drag((50, 20), (50, 40))
    person.mouse.drag((50, 14), (50, 36))
    person.mouse.drag((20, 80), (20, 90))
    assert np.unique(person.labels).tolist() == [0, 1, 2, 3]
    assert (person.labels[20, 30], person.labels[50, 30], person.labels[20, 85]) == (1, 2, 3)
    shown = person.dock.annotate.count.text
    qtbot.waitUntil(lambda: shown().startswith("3 objects"), timeout=5000)
    person.mouse.undo()
    qtbot.waitUntil(lambda: shown().startswith("2 objects"), timeout=5000)
    person.mouse.redo()
    qtbot.waitUntil(lambda: shown().startswith("3 objects"), timeout=5000)
    person.tools.fresh.setChecked(False)
    person.layer.selected_label = 7
    person.mouse.drag((70, 20), (70, 40))
    person.mouse.drag((70, 80), (70, 90))
    assert (person.labels[70, 30], person.labels[70, 85]) == (7, 7)


def test_painting_after_another_image_was_chosen_leaves_the_first_alone(person: Annotating) -> None:
    person.open()
    person.mouse.click((40, 60))
    first, before = person.layer, person.labels.copy()
    person.open()
    assert person.layer is not first
    person.mouse.drag((20, 20), (20, 40))
    person.mouse.drag(*ring(50, 80, 10), button=RIGHT)
    assert np.array_equal(first.data, before)
    assert np.unique(person.labels).tolist() == [0, 1, 2]


def ring(row: float, column: float, radius: float) -> Way:
    """Give an outline that the hand does not quite close."""
    angles = np.linspace(0, 1.9 * np.pi, 24)
    return tuple((row + radius * np.sin(angle), column + radius * np.cos(angle)) for angle in angles)


def disc(row: float, column: float, radius: float) -> Pixels:
    rows, columns = np.mgrid[: PLANE[0], : PLANE[1]]
    return np.asarray((rows - row) ** 2 + (columns - column) ** 2 <= (radius + 0.5) ** 2)


def agreement(found: Pixels, wanted: Pixels) -> float:
    return float((found & wanted).sum() / (found | wanted).sum())


@pytest.mark.parametrize("way", ["right button", "key"])
def test_outlines_fill_objects_of_their_own_and_leave_no_line(person: Annotating, way: str) -> None:
    person.open()
    if way == "key":
        person.mouse.key(Qt.Key.Key_O)
    draw = {} if way == "key" else {"button": RIGHT}
    for column in (25, 60, 95):
        person.mouse.drag(*ring(40, column, 12), **draw)
    assert np.unique(person.labels).tolist() == [0, 1, 2, 3]
    found = [agreement(person.labels == label, disc(40, column, 12)) for label, column in ((1, 25), (2, 60), (3, 95))]
    assert min(found) > 0.95, found
    before = person.labels.copy()
    for place in ((5, 5), (70, 110), (40, 42)):
        person.mouse.move(place)
    assert np.array_equal(person.labels, before), "nothing follows the mouse when the button is up"
    person.mouse.undo()
    assert np.array_equal(person.labels, np.where(before == 3, 0, before))
    person.mouse.redo()
    assert np.array_equal(person.labels, before)
    outline_beside_an_object(person, draw, way)
    clicks_leave_nothing(person, draw)


def outline_beside_an_object(person: Annotating, draw: dict[str, Any], way: str) -> None:
    person.open()
    if way == "key":
        person.mouse.key(Qt.Key.Key_O)
    before = person.put((1, LEFT_BOX))
    person.mouse.drag(*ring(40, 52, 12), **draw)
    assert np.array_equal(person.labels == 1, before == 1)
    assert agreement(person.labels == 2, disc(40, 52, 12) & (before == 0)) > 0.93
    person.mouse.key(Qt.Key.Key_2)
    assert person.layer.mode == "paint"
    person.mouse.drag((70, 100), (70, 110))
    assert np.unique(person.labels).tolist() == [0, 1, 2, 3]


def clicks_leave_nothing(person: Annotating, draw: dict[str, Any]) -> None:
    """Clicks that are no outlines change nothing, and are no steps of undo."""
    person.open()
    person.mouse.click((40, 60))
    before = person.labels.copy()
    person.mouse.click((20, 20), button=RIGHT)
    person.mouse.drag((60, 90), (60, 90.3), button=RIGHT)
    assert np.array_equal(person.labels, before)
    assert person.layer.mode == "paint"
    person.mouse.undo()
    assert not person.labels.any()


def test_in_stacks_what_lies_over_an_object_of_the_next_plane_goes_on_with_it(person: Annotating) -> None:
    person.open((5, *PLANE), "ZYX")
    person.viewer.dims.set_current_step(0, 2)
    person.mouse.drag((40, 30), (40, 42))
    person.mouse.drag(*ring(40, 90, 12), button=RIGHT)
    person.viewer.dims.set_current_step(0, 3)
    person.mouse.drag((42, 32), (42, 44))
    person.mouse.drag(*ring(42, 92, 12), button=RIGHT)
    person.mouse.drag((15, 60), (15, 66))
    planes = [np.unique(plane).tolist() for plane in person.labels]
    assert planes == [[0], [0], [0, 1, 2], [0, 1, 2, 3], [0]]
    assert person.labels[3, 42, 38] == 1
    assert person.labels[3, 42, 92] == 2
    for _ in range(3):
        person.mouse.undo()
    assert [np.unique(plane).tolist() for plane in person.labels] == [[0], [0], [0, 1, 2], [0], [0]]
    stroke_on_the_next_time_point(person)


def stroke_on_the_next_time_point(person: Annotating) -> None:
    person.open((3, *PLANE), "TYX")
    person.viewer.dims.set_current_step(0, 1)
    person.mouse.drag((40, 40), (40, 52))
    person.viewer.dims.set_current_step(0, 2)
    person.mouse.drag((40, 40), (40, 52))
    assert [np.unique(frame).tolist() for frame in person.labels] == [[0], [0, 1], [0, 2]]
