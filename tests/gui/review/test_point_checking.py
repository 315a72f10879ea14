"""At a real window: cells that a model counted are checked one by one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.gui.layers.point_results import add_point_results
from microforge.gui.layers.results import layer_place
from microforge.gui.review.checking.panel import CheckPanel
from microforge.gui.widgets.canvas_view import camera_of
from microforge.types import Points, Prediction
from support.annotating import PLANE, Annotating, annotating
from support.mouse import Mouse

PLACES = np.array([[20, 30], [40, 70], [60, 100]], np.float32)
CONFIDENCE = np.array([0.9, 0.3, 0.6], np.float32)
Key = Qt.Key


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs", "counting")


def begin(qtbot: QtBot, person: Annotating) -> tuple[CheckPanel, Any, Any, Mouse]:
    """Show counted cells on an image, and press Check one by one."""
    image = person.viewer.add_image(np.zeros(PLANE, np.uint8), name="cells")
    person.dock.session.set_axes(image, "YX")
    points = Points(PLACES, np.zeros(3, np.int32))
    prediction = Prediction(points=points, measurements={"confidence": CONFIDENCE}, certainty="calibrated on 90 cells")
    result = add_point_results(person.viewer, layer_place(image, "YX"), prediction, {})
    person.dock.tabs.setCurrentWidget(person.dock.tabs.widget(3))
    panel: CheckPanel = person.dock.review.check
    panel.start.click()
    qtbot.waitUntil(lambda: panel.checking.asked is not None)
    return panel, image, result, Mouse(person.viewer, result)


def places(layer: Any) -> list[list[float]]:
    return sorted(np.asarray(layer.data).tolist())


def test_cells_are_taken_over_or_taken_out_the_least_certain_first(qtbot: QtBot, person: Annotating) -> None:
    panel, image, result, mouse = begin(qtbot, person)
    assert np.allclose(np.asarray(camera_of(person.viewer).center)[-2:], (40, 70))
    assert "30 % sure" in panel.question.text()
    assert panel.progress.text() == "0 of 3 checked; about 1 error left among the rest."
    mouse.key(Key.Key_N)
    assert places(result) == [[20, 30], [60, 100]], "what is wrong is counted no more"
    mouse.key(Key.Key_Y)
    item = person.dock.session.annotated_of(image)
    assert item is not None
    assert places(item.points[0]) == [[60, 100]]
    mouse.key(Key.Key_Backspace)
    assert places(item.points[0]) == []
    mouse.key(Key.Key_Backspace)
    assert places(result) == [[20, 30], [40, 70], [60, 100]]
    assert panel.checking.place == 0


def test_a_cell_to_repair_is_hers_and_can_be_moved(qtbot: QtBot, person: Annotating) -> None:
    panel, image, _, mouse = begin(qtbot, person)
    mouse.key(Key.Key_E)
    item = person.dock.session.annotated_of(image)
    assert item is not None
    hers = item.points[0]
    assert places(hers) == [[40, 70]]
    assert person.viewer.layers.selection.active is hers
    assert (str(hers.mode), set(hers.selected_data)) == ("select", {0})
    mouse.key(Key.Key_Y)
    assert not panel.repairing
    panel.end.click()
    panel.start.click()
    qtbot.waitUntil(lambda: panel.checking.asked is not None)
    assert [asked.one.number for asked in panel.checking.queue] == [2, 0], "hers are not asked again"
