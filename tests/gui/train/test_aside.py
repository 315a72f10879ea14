"""What is kept aside: ticked in the list, hatched on the canvas, changed by hand."""

from typing import Any

import numpy as np
import pytest
from napari.layers import Layer
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QCheckBox

from microforge.events import AsidePart
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import RunState
from microforge.gui.train.panel import TrainPanel
from support.discs import draw_discs
from support.fakes import FakeTraining


@pytest.fixture
def images(session: Session) -> list[Layer]:
    """Give two annotated images."""
    found = []
    for name in ("A2", "A3"):
        pixels, labels = draw_discs((64, 96), 10, seed=len(found))
        image = session.viewer.add_image(pixels, name=name)
        session.annotate(image, session.viewer.add_labels(labels, name=f"{name} annotation"))
        found.append(image)
    return found


def box(panel: TrainPanel, row: int, column: int = 1) -> QCheckBox:
    return panel.list.tree.itemWidget(panel.list.tree.topLevelItem(row), column)


def hatched(session: Session) -> list[str]:
    return [layer.name for layer in session.viewer.layers if layer.name.startswith("kept aside")]


def trained(qtbot: QtBot, panel: TrainPanel, training: FakeTraining, *aside: AsidePart) -> None:
    training.aside, training.steps = aside, 3
    panel.start()
    qtbot.waitUntil(lambda: panel.run.state is RunState.ENDED)


def test_what_is_drawn_is_ticked_marked_auto_and_hatched(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    session.viewer.layers.selection.active = session.annotated[0].labels
    trained(qtbot, panel, training, AsidePart("A2", 1, 70))
    assert [(box(panel, row).isChecked(), box(panel, row).text()) for row in (0, 1)] == [
        (True, "auto: a part"),
        (False, ""),
    ]
    qtbot.waitUntil(lambda: hatched(session) == ["kept aside: A2"])
    assert session.viewer.layers.selection.active is session.annotated[0].labels, "the brush stays where it was"
    assert not session.annotated[0].validation, "nobody said so by hand"


def test_what_is_learnt_from_is_counted_beside_what_is_painted(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    qtbot.waitUntil(lambda: "20 objects in 2 images" in panel.state.text())
    trained(qtbot, panel, training, AsidePart("A2"))
    qtbot.waitUntil(lambda: "Learnt from: 10 objects in 1 image; the rest is kept aside." in panel.state.text())
    learnt = len(np.unique(session.annotated[0].labels.data[:, :50])) - 1
    trained(qtbot, panel, training, AsidePart("A2", 1, 50))
    text = f"Learnt from: {learnt + 10} objects in 2 images; the rest is kept aside."
    qtbot.waitUntil(lambda: text in panel.state.text())
    trained(qtbot, panel, training)
    qtbot.waitUntil(lambda: "Learnt from" not in panel.state.text())


def test_one_layer_at_most_is_hatched_that_of_the_image_looked_at(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    session.viewer.layers.selection.active = images[0]
    trained(qtbot, panel, training, AsidePart("A2"), AsidePart("A3", 0, 40))
    assert box(panel, 0).text() == "auto"
    for image in (*images, *images):
        session.viewer.layers.selection.active = image
        qtbot.waitUntil(lambda image=image: hatched(session) == [f"kept aside: {image.name}"])


def test_hatching_goes_when_it_no_longer_holds_and_when_it_is_removed(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    session.viewer.layers.selection.active = images[0]
    trained(qtbot, panel, training, AsidePart("A2"))
    qtbot.waitUntil(lambda: hatched(session) == ["kept aside: A2"])
    session.viewer.layers.remove("kept aside: A2")
    session.changed.emit()
    qtbot.wait(150)
    assert hatched(session) == [], "she has seen enough of it"
    trained(qtbot, panel, training, AsidePart("A2", 0, 30))
    qtbot.waitUntil(lambda: hatched(session) == ["kept aside: A2"])
    panel.run.discard()
    qtbot.waitUntil(lambda: hatched(session) == [])
    assert not box(panel, 0).isChecked()


def test_taking_the_tick_away_has_the_image_learnt_from_next_time(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    trained(qtbot, panel, training, AsidePart("A2"))
    said: list[Any] = []
    session.message.connect(lambda text, _: said.append(text))
    qtbot.mouseClick(box(panel, 0), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.annotated[0].always_learnt)
    assert (box(panel, 0).isChecked(), box(panel, 0).text()) == (False, "")
    assert said == ["A2 is learnt from when you train anew."]
    trained(qtbot, panel, training)
    assert training.calls[-1]["always_learnt"] == ["A2"]
    assert training.calls[-1]["validation"] is None


def test_a_tick_by_hand_keeps_the_image_aside_and_hatches_it(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session, training: FakeTraining
) -> None:
    session.viewer.layers.selection.active = images[1]
    qtbot.mouseClick(box(panel, 1), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.annotated[1].validation)
    assert box(panel, 1).text() == ""
    qtbot.waitUntil(lambda: hatched(session) == ["kept aside: A3"])
    trained(qtbot, panel, training)
    assert [sample.name for sample in training.calls[-1]["validation"]] == ["A3"]
    assert box(panel, 1).isChecked()


def test_a_click_anywhere_in_the_cell_of_a_tick_counts(qtbot: QtBot, panel: TrainPanel, images: list[Layer]) -> None:
    panel.resize(600, 400)
    for column, changes in ((0, "use"), (1, "validation")):
        ticked = box(panel, 0, column)
        before = getattr(panel.session.annotated[0], changes)
        qtbot.mouseClick(ticked, Qt.MouseButton.LeftButton, pos=QPoint(ticked.width() - 2, ticked.height() - 2))
        qtbot.waitUntil(lambda c=changes, b=before: getattr(panel.session.annotated[0], c) is not b)


def test_a_time_series_is_known_by_the_name_of_its_series(
    qtbot: QtBot, panel: TrainPanel, session: Session, training: FakeTraining
) -> None:
    frames = np.stack([draw_discs((64, 96), 10, seed=k)[0] for k in range(3)])
    image = session.viewer.add_image(frames, name="film")
    session.set_axes(image, "TYX")
    labels = np.stack([draw_discs((64, 96), 10, seed=k)[1] for k in range(3)])
    session.annotate(image, session.viewer.add_labels(labels))
    session.viewer.layers.selection.active = image
    trained(qtbot, panel, training, AsidePart("film"))
    assert box(panel, 0).text() == "auto"
    qtbot.waitUntil(lambda: hatched(session) == ["kept aside: film"])


def test_image_left_for_a_test_is_marked_and_a_click_takes_it_back(
    qtbot: QtBot, panel: TrainPanel, images: list[Layer], session: Session
) -> None:
    session.set_role([entry for entry in session.image_list.entries if entry.layer is images[0]], "test")
    assert (box(panel, 0).isChecked(), box(panel, 0).text()) == (True, "test")
    qtbot.waitUntil(lambda: "10 objects in 1 image" in panel.state.text())
    qtbot.mouseClick(box(panel, 0), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not session.annotated[0].tests)
    assert (box(panel, 0).isChecked(), box(panel, 0).text()) == (False, "")
