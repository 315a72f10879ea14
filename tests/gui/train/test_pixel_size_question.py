"""Before a stack is learnt, Train asks how far apart its planes are, unless that is known or nobody knows."""

from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from pytestqt.qtbot import QtBot

from microforge.gui.layers.convert import add_labels
from microforge.gui.session.state import Session
from microforge.gui.train.panel import TrainPanel
from support.fakes import FakeTraining


def add_stack(session: Session, axes: str = "ZYX", name: str = "embryo", **look: Any) -> Image:
    pixels = np.random.default_rng(0).integers(0, 255, (6, 40, 48), np.uint8)
    stack: Image = session.viewer.add_image(pixels, name=name, **look)
    session.set_axes(stack, axes)
    item = session.annotate(stack, add_labels(session.viewer, stack, axes))
    for number in range(8):
        item.labels.data[2:4, 4:9, 5 * number : 5 * number + 4] = number + 1  # type: ignore[union-attr]
    return stack


@pytest.fixture
def stack(session: Session) -> Image:
    return add_stack(session)


def press_train(qtbot: QtBot, panel: TrainPanel) -> None:
    qtbot.waitUntil(panel.train.isEnabled)
    panel.train.click()


def test_train_asks_and_takes_what_is_typed(
    qtbot: QtBot, panel: TrainPanel, stack: Image, training: FakeTraining
) -> None:
    press_train(qtbot, panel)
    assert panel.sizes.isVisible()
    assert "embryo is a stack" in panel.sizes.words.text()
    assert not panel.run.busy
    panel.sizes.fields.fields["YX"].setText("0,25")
    panel.train.click()
    assert not panel.run.busy
    panel.sizes.fields.fields["Z"].setText("1")
    panel.train.click()
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    assert not panel.sizes.isVisible()
    assert training.calls[0]["training"][0].pixel_size == (1.0, 0.25, 0.25)


def test_no_length_is_said_and_nothing_begins(qtbot: QtBot, panel: TrainPanel, stack: Image) -> None:
    press_train(qtbot, panel)
    for letters in ("YX", "Z"):
        panel.sizes.fields.fields[letters].setText("wide")
    panel.train.click()
    assert panel.sizes.isVisible()
    assert not panel.run.busy


def test_who_does_not_know_trains_and_is_not_asked_again(
    qtbot: QtBot, panel: TrainPanel, stack: Image, training: FakeTraining
) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    press_train(qtbot, panel)
    panel.sizes.unknown.click()
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    assert said[-1] == "embryo: planes are taken to be as far apart as pixels are wide."
    assert training.calls[0]["training"][0].pixel_size is None
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.run.busy)
    press_train(qtbot, panel)
    qtbot.waitUntil(lambda: len(training.calls) == 2)


def test_each_stack_is_asked_about(qtbot: QtBot, panel: TrainPanel, stack: Image, training: FakeTraining) -> None:
    add_stack(panel.session, name="second")
    press_train(qtbot, panel)
    panel.sizes.unknown.click()
    assert "second is a stack" in panel.sizes.words.text()
    panel.sizes.unknown.click()
    qtbot.waitUntil(lambda: len(training.calls) == 1)


def test_an_answer_in_another_tab_takes_the_question_away(qtbot: QtBot, panel: TrainPanel, stack: Image) -> None:
    press_train(qtbot, panel)
    assert panel.sizes.isVisible()
    panel.session.set_sizes(stack, {"Z": 2.0, "Y": 1.0, "X": 1.0})
    assert not panel.sizes.isVisible()
    press_train(qtbot, panel)
    panel.session.viewer.layers.remove(stack)
    assert not panel.sizes.isVisible()


@pytest.mark.parametrize(
    ("axes", "look"),
    [("TYX", {}), ("CYX", {}), ("ZYX", {"units": ("um", "um", "um"), "scale": (2, 0.5, 0.5)})],
)
def test_nothing_is_asked_where_it_is_known_or_no_stack(
    qtbot: QtBot, panel: TrainPanel, axes: str, look: dict[str, Any], training: FakeTraining
) -> None:
    image = panel.session.viewer.add_image(np.zeros((3, 40, 48), np.uint8), name="image", **look)
    panel.session.set_axes(image, axes)
    item = panel.session.annotate(image, add_labels(panel.session.viewer, image, axes))
    for number in range(8):
        item.labels.data[..., 4:9, 5 * number : 5 * number + 4] = number + 1  # type: ignore[union-attr]
    press_train(qtbot, panel)
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    assert not panel.sizes.isVisible()
