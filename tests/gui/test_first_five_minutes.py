"""From an image to a table of its objects, as a person who reads nothing does it: every click and stroke is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractItemView, QPushButton, QWidget

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session, Step
from microforge.gui.session.training_run import RunState
from microforge.measurements.objects import centroids
from microforge.simulate import simulate_nuclei

LONG = 60_000
#: What a person has to do at most, and how many objects she paints.
MOST_ACTIONS, STROKES = 12, 8
#: Where the hand turns within an object, as parts of its size: rows and columns.
TURNS = ((-1, -0.6), (-1, 0.6), (-0.3, 1), (-0.3, -1), (0.3, -1), (0.3, 1), (1, 0.6), (1, -0.6))


class Person:
    """Clicks on what is blue, and paints; each is an action."""

    def __init__(self, qtbot: QtBot, viewer: Any, dock: MicroforgeDock) -> None:
        self._qtbot, self._viewer, self._dock = qtbot, viewer, dock
        self.actions: list[str] = []

    def press_the_blue_button(self) -> None:
        """Click the next step, which the tab shows without having to be scrolled."""
        page = self._dock.tabs.currentWidget()
        self._qtbot.waitUntil(lambda: len(self._blue(page)) == 1, timeout=LONG)
        (button,) = self._blue(page)
        assert page.viewport().rect().contains(button.mapTo(page.viewport(), button.rect().center())), "out of sight"
        self.actions.append(button.text())
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def paint(self, place: np.ndarray, radius: float) -> None:
        """Paint an object in one stroke, up and down, as with a pen."""
        canvas = self._viewer.window._qt_viewer.canvas.native
        way = [place + np.array(turn) * 0.6 * radius for turn in TURNS]
        spots = [self._on_canvas(spot) for spot in way]
        self._qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=spots[0])
        for spot in spots:
            self._qtbot.mouseMove(canvas, spot)
        self._qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=spots[-1])
        self.actions.append("stroke")

    def _blue(self, page: QWidget) -> list[QPushButton]:
        buttons = page.findChildren(QPushButton)
        return [b for b in buttons if b.property("role") == "accent" and b.isVisible() and b.isEnabled()]

    def _on_canvas(self, place: np.ndarray) -> QPoint:
        """Give where a place of the world (rows, columns) is drawn: the camera's centre is the canvas's."""
        viewer, canvas = self._viewer, self._viewer.window._qt_viewer.canvas.native
        camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera  # moved in napari 0.9
        row, column = (place - np.array(camera.center)[-2:]) * camera.zoom
        return QPoint(round(canvas.width() / 2 + column), round(canvas.height() / 2 + row))


@pytest.mark.slow
def test_from_an_image_to_a_table_in_twelve_actions(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1440, 900)
    session = Session(viewer, runs_folder=tmp_path)
    dock = MicroforgeDock(viewer, session)
    viewer.window.add_dock_widget(dock, name="Microforge")
    field = simulate_nuclei((160, 160), diameter=22, seed=1)
    viewer.add_image(field.image, name="nuclei", metadata={"axes": "YX"})
    # A small network, so that the test is quick: nothing that a person would do.
    session.set_config(width=8, depth=2, batch_size=4)
    qtbot.wait(200)
    person = Person(qtbot, viewer, dock)
    person.press_the_blue_button()
    middles = centroids(field.labels)
    inside = [place for place in middles if (abs(place - 80) < 60).all()]
    for place in inside[:STROKES]:
        person.paint(place, 11)
    painted = viewer.layers.selection.active
    assert isinstance(painted, Labels)
    assert len(np.unique(painted.data)) - 1 == STROKES, "each stroke is an object of its own"
    person.press_the_blue_button()
    qtbot.waitUntil(lambda: dock.train.report._step is not None and dock.train.report._step.step > 60, timeout=LONG)
    person.press_the_blue_button()
    qtbot.waitUntil(lambda: dock.train.run.state is RunState.ENDED, timeout=LONG)
    person.press_the_blue_button()
    assert list(Step)[dock.tabs.currentIndex()] is Step.APPLY
    qtbot.waitUntil(lambda: not session.applying.running, timeout=LONG)
    tables = [view for view in dock.apply.findChildren(QAbstractItemView) if view.isVisible()]
    assert any(table.model().rowCount() > 0 for table in tables), "it is there without being asked for"
    assert person.actions == ["Annotate this image", *["stroke"] * STROKES, "Train", "Stop", "Apply"]
    assert len(person.actions) <= MOST_ACTIONS
    viewer.close()
    qtbot.wait(300)
