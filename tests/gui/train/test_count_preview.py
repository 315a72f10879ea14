"""The preview of tasks that count, or give images a class."""

from typing import Any

import numpy as np
import pytest
from napari.layers import Points
from pytestqt.qtbot import QtBot

from microforge.gui.layers.marks import is_result
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import RunState
from microforge.gui.train.panel import TrainPanel
from microforge.tasks import get_task
from support.fakes import FakeClassifier, FakeCounter, FakeTraining

CELLS = ((10, 10), (10, 30), (30, 10))


def counted(session: Session, image: np.ndarray, **layer: Any) -> Any:
    """Open an image with points and choose counting."""
    session.set_task("counting")
    source = session.viewer.add_image(image, name="field", **layer)
    points = session.viewer.add_points(np.argwhere(image > 0)[:, -image.ndim :], ndim=image.ndim)
    session.annotate_points(source, [points])
    return source


def stop(qtbot: QtBot, panel: TrainPanel) -> None:
    panel.stop.click()
    qtbot.waitUntil(lambda: panel.run.state is RunState.ENDED, timeout=10_000)


def bright(*places: tuple[int, ...], shape: tuple[int, ...] = (40, 48)) -> np.ndarray:
    image = np.zeros(shape, np.float32)
    for place in places:
        image[place] = 50
    return image


def test_cells_are_previewed_as_points(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    answers = [bright(*CELLS), bright(*CELLS, (30, 40)), bright()]
    counter = FakeCounter(get_task("counting").from_options({"spacing": 12.0}))
    calls = []

    def predict(sample: Any) -> Any:
        calls.append(1)
        return counter.predict(type(sample)(sample.name, answers[min(len(calls) // 3, 2)][None]))

    training.image = predict
    source = counted(panel.session, answers[0], scale=(2, 2), rotate=10)
    panel.start()
    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=10_000)
    layer = panel.preview.layer
    assert isinstance(layer, Points)
    assert is_result(layer)
    assert np.allclose(layer.data_to_world((3, 4)), source.data_to_world((3, 4)))
    qtbot.waitUntil(lambda: len(layer.data) == 4, timeout=10_000)
    assert layer.name == "preview: 4 cells (field)"
    assert len(layer.features) == 4
    qtbot.waitUntil(lambda: len(layer.data) == 0, timeout=10_000)
    assert panel.preview.layer is layer
    stop(qtbot, panel)


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_points_lie_on_their_time_point_and_plane(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, axes: str
) -> None:
    image = bright((2, 10, 10), (2, 30, 20), shape=(5, 40, 48))
    steps = (1.0,) * (2 if axes == "TYX" else 3)
    training.image = FakeCounter(get_task("counting").from_options({"spacing": 12.0, "steps": steps})).predict
    panel.session.viewer.dims.set_point(0, 2)
    counted(panel.session, image, metadata={"axes": axes}, units=("um",) * 3)
    panel.session.viewer.dims.set_point(0, 2)
    panel.start()
    qtbot.waitUntil(lambda: panel.preview.layer is not None and len(panel.preview.layer.data) > 0, timeout=10_000)
    layer = panel.preview.layer
    world = {tuple(np.round(layer.data_to_world(place)).astype(int)) for place in layer.data}
    assert world == {(2, 10, 10), (2, 30, 20)}
    stop(qtbot, panel)


def test_kinds_keep_their_colours(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    image = bright(*CELLS) * (1 + 3 * (np.arange(40)[:, None] > 20))
    training.image = FakeCounter(get_task("counting").from_options({"spacing": 12.0, "kinds": ("a", "b")})).predict
    counted(panel.session, image)
    panel.start()
    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=10_000)
    layer = panel.preview.layer
    assert layer.name == "preview: 2 a, 1 b (field)"
    assert len(np.unique(layer.border_color, axis=0)) == 2
    stop(qtbot, panel)


def test_class_is_said(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    task = get_task("classification").from_options({"names": ("blurred", "good"), "weights": (1, 1)})
    training.image = FakeClassifier(task).predict
    session = panel.session
    session.set_task("classification")
    layers = [session.viewer.add_image(np.full((40, 48), value)) for value in (10, 87)]
    session.set_class(layers[:1], "blurred")
    session.set_class(layers[1:], "good")
    session.viewer.layers.selection.active = layers[1]
    panel.start()
    qtbot.waitUntil(lambda: panel.said.text() == "Preview: good (87 %)", timeout=10_000)
    session.viewer.layers.selection.active = layers[0]
    qtbot.waitUntil(lambda: "blurred (90 %)" in panel.said.text(), timeout=10_000)
    assert panel.preview.layer is None
    panel.show_preview.setChecked(False)
    assert not panel.said.text()
    stop(qtbot, panel)
