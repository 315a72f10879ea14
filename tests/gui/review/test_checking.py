"""At a real window: what a network found is checked one by one, and every answer becomes annotation."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.layers import Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.gui.layers.gestures import BACK, IS_RIGHT, IS_WRONG, NEW_OBJECT, REPAIR, SKIP
from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.results import CERTAINTY, DETAILS, NEAR_MISSES
from microforge.gui.review.checking.panel import NOTHING_FOUND, CheckPanel
from microforge.gui.session.snapshot import snapshot_of
from microforge.gui.widgets.canvas_view import camera_of
from microforge.types import NearMiss
from support.annotating import PLANE, Annotating, annotating

#: Three objects that a network found: the first sure, the second hardly, the third not; and a place without one.
FOUND = np.zeros(PLANE, np.int32)
FOUND[10:30, 10:30], FOUND[10:30, 50:70], FOUND[40:60, 50:70] = 1, 2, 3
CONFIDENCE = (0.9, 0.2, 0.5)
MISSED = NearMiss((60, 90), np.ones((10, 12), bool), 0.7)
Key = Qt.Key
KEYS = (IS_RIGHT, IS_WRONG, REPAIR, SKIP, BACK)


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs")


def show(person: Annotating, found: np.ndarray[Any, Any] = FOUND, near: tuple[NearMiss, ...] = (MISSED,)) -> Labels:
    """Show what a network found on the image."""
    image = person.dock.annotate.image.value()
    features = {"label": np.arange(4), "confidence": np.array([np.nan, *CONFIDENCE])}
    layer = Labels(found, name="found", features=features)
    mark_result(layer, "found")
    said = "calibrated on 212 objects"
    layer.metadata[DETAILS] = {"source": image.unique_id, "kind": "objects", NEAR_MISSES: near, CERTAINTY: said}
    person.viewer.layers.insert(1, layer)
    return layer


def check(qtbot: QtBot, person: Annotating) -> CheckPanel:
    """Press Check one by one, and wait for the first question."""
    person.dock.tabs.setCurrentWidget(person.dock.tabs.widget(3))
    panel: CheckPanel = person.dock.review.check
    panel.start.click()
    qtbot.waitUntil(lambda: panel.checking.asked is not None)
    return panel


def middle(person: Annotating) -> tuple[int, int]:
    row, column = np.asarray(camera_of(person.viewer).center)[-2:]
    return round(float(row)), round(float(column))


def test_the_least_certain_comes_first_in_the_middle_of_the_view(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    panel = check(qtbot, person)
    seen = []
    while panel.checking.asked is not None:
        seen.append((middle(person), panel.checking.asked.one.found))
        panel.skip.click()
    assert seen == [((20, 60), True), ((64, 96), False), ((50, 60), True), ((20, 20), True)]
    assert camera_of(person.viewer).zoom * 20 > 60, "an object is seen large"
    assert not person.labels.any(), "who skips says nothing"
    assert panel.start.isVisible()
    assert not panel.asking.isVisible()


def test_keys_answer_and_each_answer_is_annotation(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    panel = check(qtbot, person)
    person.mouse.key(Key.Key_N)
    assert not person.labels.any()
    item = person.dock.annotate.current()
    assert item is not None
    assert np.array_equal(item.ground.data > 0, FOUND == 2), "what is wrong is background"
    person.mouse.key(Key.Key_Y)
    there = np.zeros(PLANE, bool)
    there[60:70, 90:102] = True
    assert np.array_equal(person.labels > 0, there), "the object that was missed is hers"
    person.mouse.key(Key.Key_Space)
    person.mouse.key(Key.Key_Y)
    assert np.array_equal(person.labels > 0, there | (FOUND == 1))
    assert len(np.unique(person.labels)) == 3
    assert panel.checking.asked is None
    assert "your annotation now" in panel.note.text()
    assert panel.checking.words().startswith("3 of 4 checked")
    sample = next(iter(snapshot_of(person.dock.session, item).samples()))
    assert np.array_equal(sample.annotation > 0, person.labels > 0)


def test_back_takes_the_last_answer_back_and_undo_works_as_ever(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    panel = check(qtbot, person)
    person.mouse.key(Key.Key_Y)
    assert np.array_equal(person.labels > 0, FOUND == 2)
    person.mouse.key(Key.Key_Backspace)
    assert not person.labels.any()
    assert panel.checking.asked is not None
    assert panel.checking.asked.one.number == 2
    person.mouse.key(Key.Key_N)
    ground = person.dock.annotate.current().ground
    assert ground.data.any()
    panel.back.click()
    assert not ground.data.any()
    person.mouse.key(Key.Key_Y)
    person.mouse.undo()
    assert not person.labels.any(), "one step"
    person.mouse.redo()
    assert np.array_equal(person.labels > 0, FOUND == 2)


def test_to_repair_is_to_paint_on_what_was_taken_and_then_it_goes_on(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    panel = check(qtbot, person)
    person.mouse.key(Key.Key_E)
    assert person.viewer.layers.selection.active is person.layer
    assert str(person.layer.mode) == "paint"
    label = int(person.labels[20, 60])
    assert label == person.layer.selected_label
    assert "press Y" in panel.question.text()
    assert panel.right.text() == "Done (Y)"
    person.layer.brush_size = 3
    person.mouse.drag((20, 68), (20, 76))
    assert int(person.labels[20, 76]) == label, "the stroke goes on with it"
    person.mouse.key(Key.Key_N)
    assert panel.repairing, "N means a new object again"
    person.mouse.key(Key.Key_Y)
    assert not panel.repairing
    assert str(person.layer.mode) == "pan_zoom"
    assert not panel.checking.asked.one.found


def test_what_she_has_said_already_is_not_asked_again(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    person.put((4, (slice(10, 30), slice(50, 70))))
    show(person)
    panel = check(qtbot, person)
    assert len(panel.checking.queue) == 3
    person.mouse.key(Key.Key_N)
    panel.end.click()
    panel.start.click()
    qtbot.waitUntil(lambda: panel.checking.asked is not None)
    assert [asked.one.number for asked in panel.checking.queue] == [3, 1]
    assert np.array_equal(np.unique(person.labels), [0, 4])


def test_progress_tells_how_many_errors_are_left_only_where_that_is_known(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    layer = show(person)
    panel = check(qtbot, person)
    assert panel.progress.text() == "0 of 4 checked; about 2 errors left among the rest."
    person.mouse.key(Key.Key_N)
    assert panel.progress.text() == "1 of 4 checked; about 1 error left among the rest."
    panel.end.click()
    layer.metadata[DETAILS] = {**layer.metadata[DETAILS], CERTAINTY: "not calibrated"}
    panel.start.click()
    qtbot.waitUntil(lambda: panel.checking.asked is not None)
    assert "not known: the model is not calibrated" in panel.progress.text()


def test_keys_are_borrowed_and_clash_with_none_of_naparis(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    before = dict(person.layer.keymap), dict(person.viewer.keymap)
    panel = check(qtbot, person)
    wanted = {KeyBinding.from_str(use.key) for use in KEYS}
    assert wanted <= set(person.layer.keymap)
    person.dock.annotate.show_keys()
    assert {use.does for use in KEYS} <= set(person.dock.annotate.keys.texts())
    assert NEW_OBJECT.does not in person.dock.annotate.keys.texts(), "its key means something else now"
    person.dock.annotate.keys.close()
    panel.end.click()
    assert (dict(person.layer.keymap), dict(person.viewer.keymap)) == before
    person.dock.annotate.show_keys()
    assert not {use.does for use in KEYS} & set(person.dock.annotate.keys.texts())
    person.dock.annotate.keys.close()


def test_without_a_result_it_says_what_to_do(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    panel: CheckPanel = person.dock.review.check
    panel.start.click()
    assert panel.note.text() == NOTHING_FOUND


def test_an_annotation_that_is_removed_ends_it(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    show(person)
    panel = check(qtbot, person)
    person.viewer.layers.remove(person.layer)
    assert panel.checking.asked is None
    assert panel.start.isVisible()


def test_a_preview_that_changes_meanwhile_changes_no_question(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    layer = show(person)
    panel = check(qtbot, person)
    layer.data = np.zeros(PLANE, np.int32)
    person.mouse.key(Key.Key_Y)
    assert np.array_equal(person.labels > 0, FOUND == 2)
    assert panel.checking.asked is not None


def test_objects_of_a_film_are_asked_about_on_their_time_point(qtbot: QtBot, person: Annotating) -> None:
    person.open((3, *PLANE), "TYX")
    found = np.stack([np.where(FOUND == 1, 1, 0), np.where(FOUND == 2, 1, 0), np.zeros(PLANE, np.int32)])
    image = person.dock.annotate.image.value()
    table = {"index": [-1, -2], "frame": [0, 1], "label": [1, 1], "confidence": [0.9, 0.3]}
    layer = Labels(found, name="found", features=table)
    mark_result(layer, "found")
    near = NearMiss((2, 60, 90), np.ones((10, 12), bool), 0.6)
    layer.metadata[DETAILS] = {"source": image.unique_id, "kind": "objects", NEAR_MISSES: (near,)}
    person.viewer.layers.insert(1, layer)
    check(qtbot, person)
    assert person.viewer.dims.current_step[0] == 1
    person.mouse.key(Key.Key_Y)
    assert person.viewer.dims.current_step[0] == 2
    person.mouse.key(Key.Key_Y)
    counts = [int((plane > 0).sum()) for plane in person.labels]
    assert counts == [0, 400, 120]
