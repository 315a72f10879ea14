"""At a real window: what a network found is taken by clicks, and strokes say what is background."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.layers.gestures import TAKE
from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.results import DETAILS
from microforge.gui.session.snapshot import snapshot_of
from microforge.tasks import get_task
from microforge.types import Image, Prediction
from support.annotating import PLANE, Annotating, annotating
from support.model_cards import write_model
from support.mouse import RIGHT, SHIFT

#: Three objects that a network found: the first sure, the second less, the third not.
FOUND = np.zeros(PLANE, np.int32)
FOUND[10:30, 10:30], FOUND[10:30, 50:70], FOUND[40:60, 50:70] = 1, 2, 3
CONFIDENCE = (0.9, 0.7, 0.4)


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs")


def propose(person: Annotating, found: np.ndarray[Any, Any] = FOUND, **place: Any) -> Labels:
    """Show what a network found on the image, below the annotation."""
    image = person.dock.annotate.image.value()
    features = {"label": np.arange(4), "confidence": np.array([np.nan, *CONFIDENCE])}
    layer = Labels(found, name="found", features=features, **place)
    mark_result(layer, "found")
    layer.metadata[DETAILS] = {"source": image.unique_id, "kind": "objects"}
    person.viewer.layers.insert(1, layer)
    person.viewer.layers.selection.active = person.layer
    return layer


def test_a_click_takes_an_object_a_drag_all_on_its_way_and_undo_gives_them_back(person: Annotating) -> None:
    person.open()
    propose(person)
    before = person.put((7, (slice(10, 20), slice(10, 14))))
    person.mouse.key(Qt.Key.Key_T)
    person.mouse.click((25, 60))
    one = person.labels.copy()
    taken = int(one[25, 60])
    assert taken > 7
    assert np.array_equal(one, np.where(FOUND == 2, taken, before))
    person.mouse.drag((20, 20), (20, 40), (50, 60))
    three = person.labels.copy()
    first, third = int(three[25, 20]), int(three[50, 60])
    assert len({7, first, taken, third}) == 4
    assert np.array_equal(three == first, (FOUND == 1) & (before == 0)), "hers stays as it was"
    assert np.array_equal(three == third, FOUND == 3)
    person.mouse.undo()
    assert np.array_equal(person.labels, one), "one step takes back all that was on the way"
    person.mouse.undo()
    assert np.array_equal(person.labels, before)
    person.mouse.redo()
    assert np.array_equal(person.labels, one)


def test_a_click_where_nothing_was_found_or_all_is_painted_changes_nothing_and_says_so(person: Annotating) -> None:
    person.open()
    person.mouse.key(Qt.Key.Key_T)
    person.mouse.click((25, 60))
    assert "No network has said anything" in person.dock.note.text()
    propose(person)
    before = person.put((3, (slice(8, 32), slice(48, 72))))
    person.mouse.click((70, 100))
    assert "found nothing there" in person.dock.note.text()
    person.mouse.click((25, 60))
    assert "painted that already" in person.dock.note.text()
    assert np.array_equal(person.labels, before)


def test_what_is_hidden_is_not_taken_and_a_part_lies_where_it_was_seen(person: Annotating) -> None:
    person.open()
    layer = propose(person, FOUND[10:40, 40:80], translate=(10, 40))
    person.mouse.key(Qt.Key.Key_T)
    layer.visible = False
    person.mouse.click((25, 60))
    assert not person.labels.any()
    layer.visible = True
    person.mouse.click((25, 60))
    assert np.array_equal(person.labels > 0, FOUND == 2)


def test_all_that_the_network_is_sure_of_is_taken_at_once_and_hers_stay(person: Annotating, qtbot: QtBot) -> None:
    person.open()
    propose(person)
    before = person.put((7, (slice(10, 30), slice(10, 25))))
    person.mouse.key(Qt.Key.Key_T, SHIFT)
    qtbot.waitUntil(lambda: len(np.unique(person.labels)) == 3, timeout=5000)
    taken = int(person.labels[25, 60])
    assert np.array_equal(person.labels, np.where(FOUND == 2, taken, before)), "not the doubtful one, not hers again"
    qtbot.waitUntil(lambda: "1 object is yours now" in person.dock.note.text(), timeout=5000)
    person.mouse.undo()
    assert np.array_equal(person.labels, before)
    assert person.tools.found.all.isVisible()


def test_the_background_brush_marks_ground_beside_objects_and_the_key_turns_back(person: Annotating) -> None:
    person.open()
    before = person.put((5, (slice(20, 40), slice(20, 40))))
    person.mouse.key(Qt.Key.Key_U)
    item = person.dock.annotate.current()
    assert item is not None
    assert person.viewer.layers.selection.active is item.ground
    assert person.tools.row.ground.isChecked()
    person.mouse.drag((30, 30), (30, 100))
    strokes = np.asarray(item.ground.data) > 0
    assert strokes[30, 100]
    assert np.array_equal(person.labels, before)
    sample = snapshot_of(person.dock.session, item).samples()[0]
    assert sample.mask is not None
    assert np.array_equal(sample.mask, strokes | (before > 0))
    assert np.array_equal(sample.annotation, before), "a painted object wins over the stroke"
    person.mouse.undo()
    assert not np.asarray(item.ground.data).any()
    person.mouse.drag((50, 60), (70, 60), (70, 80), (50, 80), button=RIGHT)
    assert np.asarray(item.ground.data)[52:69, 62:79].all(), "an outline fills with background, too"
    assert item.ground.mode == "paint"
    person.mouse.undo()
    assert not np.asarray(item.ground.data).any()
    person.mouse.key(Qt.Key.Key_U)
    assert person.viewer.layers.selection.active is item.labels
    assert not person.tools.row.ground.isChecked()


def test_strokes_on_background_follow_their_image_whatever_happens_to_their_layer(panel: AnnotatePanel) -> None:
    session, tools = panel.session, panel.tools[LABELS]
    session.set_axes(session.viewer.add_image(np.zeros(PLANE, np.uint8), name="cells"), "YX")
    tools.annotate.click()
    item = panel.current()
    assert item is not None
    tools.row.ground.click()
    ground = item.ground
    assert ground is not None
    ground.name = "where nothing is"
    assert session.annotated_of(ground) is item
    session.viewer.layers.remove(item.labels)
    tools.annotate.click()
    again = panel.current()
    assert again is not None
    assert again.ground is ground
    session.viewer.layers.remove(ground)
    assert again.ground is None
    tools.row.ground.click()
    assert again.ground is not None
    assert again.ground is not ground


@pytest.mark.parametrize("unpainted", ["around", "background", "unknown"])
def test_ground_said_to_be_background_is_known_whatever_the_rest_is(person: Annotating, unpainted: Any) -> None:
    person.open()
    before = person.put((5, (slice(20, 40), slice(20, 40))))
    person.mouse.key(Qt.Key.Key_U)
    item = person.dock.annotate.current()
    assert item is not None
    item.unpainted = unpainted
    item.ground.data[50:60, 50:60] = 1
    mask = snapshot_of(person.dock.session, item).samples()[0].known
    assert mask[50:60, 50:60].all()
    assert mask[before > 0].all()
    assert mask.all() == (unpainted == "background")


class Finder:
    """Finds the three objects, whatever the image."""

    task = get_task("instances")()

    def run_image(self, image: Image) -> Iterator[Prediction]:
        yield Prediction(labels=FOUND, measurements={"label": np.arange(1, 4), "confidence": np.array(CONFIDENCE)})


def test_before_any_painting_a_model_proposes_objects_and_the_tool_that_takes_them_is_in_hand(
    person: Annotating, qtbot: QtBot, tmp_path: Path
) -> None:
    dock, layers = person.dock, person.viewer.layers
    dock.apply.layers._make = lambda _model, _config: Finder()
    dock.session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    image = person.viewer.add_image(np.zeros(PLANE, np.uint8), name="new")
    dock.session.set_axes(image, "YX")
    dock.annotate.image.set_value(image)
    person.tools.found.propose.click()
    qtbot.waitUntil(lambda: person.tools.row.buttons[TAKE].isChecked(), timeout=10_000)
    assert layers.selection.active is person.layer
    assert not person.labels.any(), "nothing is taken unasked"
    assert dock.tabs.tabText(dock.tabs.currentIndex()).strip() == "Annotate"
    person.tools.found.all.click()
    qtbot.waitUntil(lambda: bool(person.labels.any()), timeout=10_000)
    assert np.array_equal(person.labels > 0, (FOUND == 1) | (FOUND == 2))
