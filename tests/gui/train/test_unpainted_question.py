"""The network finds many objects where none is painted: one question, one click, one step of undo."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.training_run import RunState
from microforge.gui.train.panel import TrainPanel
from microforge.gui.widgets.canvas_view import camera_of
from microforge.types import Prediction, Sample
from support.fakes import FakeTraining


def squares(count: int) -> np.ndarray[Any, Any]:
    """So many squares of 6 pixels, with the labels 1, 2, ..."""
    image = np.zeros((60, 60), np.int32)
    for number in range(count):
        row, column = divmod(number, 6)
        image[10 * row : 10 * row + 6, 10 * column : 10 * column + 6] = number + 1
    return image


FOUND = squares(30)


def answer(sample: Sample) -> Prediction:
    labels = np.arange(1, 31)
    sure = np.where(labels > 28, 0.3, 0.9)
    return Prediction(labels=FOUND, measurements={"label": labels, "confidence": sure})


@pytest.fixture
def item(panel: TrainPanel, training: FakeTraining) -> Iterator[Annotated]:
    """Give an image of 30 squares of which 8 are painted, with a training that finds them all."""
    training.image, session = answer, panel.session
    image = session.viewer.add_image(np.zeros((60, 60), np.uint8), name="cells")
    session.set_axes(image, "YX")
    item = session.annotate(image, session.viewer.add_labels(np.where(FOUND <= 8, FOUND, 0)))
    panel.start()
    yield item
    panel.run.stop()


def asked(qtbot: QtBot, panel: TrainPanel) -> str:
    qtbot.waitUntil(panel.question.isVisible, timeout=10_000)
    return str(panel.question.note.text())


def test_they_become_objects_each_with_a_label_of_its_own(qtbot: QtBot, panel: TrainPanel, item: Annotated) -> None:
    assert asked(qtbot, panel) == "The network finds 20 objects where you painted none."
    before = item.labels.data.copy()
    panel.question.objects.click()
    qtbot.waitUntil(lambda: not panel.question.isVisible(), timeout=10_000)
    after = item.labels.data
    assert np.array_equal(after > 0, (FOUND > 0) & (FOUND <= 28)), "those that it doubts are not taken"
    assert np.array_equal(after[before > 0], before[before > 0])
    assert len(np.unique(after)) == 29
    assert panel.session.viewer.layers.selection.active is item.labels
    item.labels.undo()
    assert np.array_equal(item.labels.data, before)


def test_they_become_background_and_are_asked_about_no_more(qtbot: QtBot, panel: TrainPanel, item: Annotated) -> None:
    asked(qtbot, panel)
    before = item.labels.data.copy()
    panel.question.background.click()
    qtbot.waitUntil(lambda: not panel.question.isVisible(), timeout=10_000)
    assert item.ground is not None
    assert np.array_equal(np.asarray(item.ground.data) > 0, (FOUND > 8) & (FOUND <= 28))
    assert np.array_equal(item.labels.data, before)
    assert panel.session.viewer.layers.selection.active is item.ground, "Ctrl+Z takes back what was just done"
    item.ground.undo()
    assert not np.asarray(item.ground.data).any()
    asked(qtbot, panel)


def test_it_leaves_with_the_preview_and_where_it_holds_no_more(
    qtbot: QtBot, panel: TrainPanel, item: Annotated
) -> None:
    asked(qtbot, panel)
    item.labels.data = FOUND.copy()
    qtbot.waitUntil(lambda: not panel.question.isVisible(), timeout=10_000)
    item.labels.data = np.where(FOUND <= 8, FOUND, 0)
    asked(qtbot, panel)
    panel.stop.click()
    qtbot.waitUntil(lambda: panel.run.state is RunState.ENDED, timeout=10_000)
    assert not panel.question.isVisible()


def test_waved_away_it_is_silent_until_there_are_many_more(qtbot: QtBot, panel: TrainPanel, item: Annotated) -> None:
    asked(qtbot, panel)
    panel.question.later.click()
    assert not panel.question.isVisible()
    panel.question.look()
    qtbot.wait(300)
    assert not panel.question.isVisible()


def test_show_me_brings_one_of_them_into_view(qtbot: QtBot, panel: TrainPanel, item: Annotated) -> None:
    asked(qtbot, panel)
    panel.question.show_me.click()
    assert tuple(np.round(camera_of(panel.session.viewer).center)[-2:]) == (12, 22)
