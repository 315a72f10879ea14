"""Before a window is closed it is said what would be lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QDialog

from microforge.gui.dock import CLOSING_PERIOD, MicroforgeDock
from microforge.gui.layers.convert import add_labels, add_region
from microforge.gui.session.state import Session
from microforge.gui.session.watching.at_stake import at_stake, take_back, tell_napari


def painted(session: Session, name: str) -> Any:
    image = session.viewer.add_image(np.zeros((20, 24), np.uint8), name=name)
    labels = add_labels(session.viewer, image, "YX")
    session.annotate(image, labels)
    return labels


def test_what_is_painted_is_named_and_an_empty_layer_is_not(session: Session) -> None:
    first, second = painted(session, "A3"), painted(session, "A4")
    assert at_stake(session) == []
    first.paint((5, 5), 1)
    assert at_stake(session) == ["not saved, and lost: A3 annotation"]
    item = session.annotated_of(second)
    assert item is not None
    region = add_region(session.viewer, item.image, "YX")
    session.change(item, region=region)
    region.add_rectangles([[1, 1], [1, 9], [9, 9], [9, 1]])
    assert at_stake(session) == ["not saved, and lost: A3 annotation, A4 annotated region"]
    session.viewer.layers.remove(first)
    assert at_stake(session) == ["not saved, and lost: A4 annotated region"]


def test_a_training_under_way_is_named(qtbot: QtBot, session: Session) -> None:
    labels = painted(session, "A3")
    labels.paint((5, 5), 1)
    session.training.start(lambda: iter(lambda: None, 1))
    assert "a training is under way" in at_stake(session)[0]
    assert "model is kept" in at_stake(session)[0]
    session.training.stop()
    qtbot.waitUntil(lambda: not session.training.running)


class ClosedByAPerson(QCloseEvent):  # type: ignore[misc]  # qtpy has no types
    def spontaneous(self) -> bool:
        return True


def test_what_is_on_disk_is_not_named(session: Session) -> None:
    kept, other = painted(session, "A3"), painted(session, "A4")
    kept.paint((5, 5), 1)
    other.paint((5, 5), 1)
    assert at_stake(session, [other]) == ["not saved, and lost: A4 annotation"]
    assert at_stake(session, []) == []


def test_napari_names_it_in_the_question_that_it_asks(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], make_session: Callable[[Any], Session], tmp_path: Path
) -> None:
    viewer = make_napari_viewer()
    session = make_session(viewer)
    dock = MicroforgeDock(viewer, session, lambda: iter(()))
    qtbot.addWidget(dock)
    (tmp_path / "projects").write_text("a file where the folder of projects should be")
    painted(session, "A3").paint((5, 5), 1)
    qtbot.waitUntil(lambda: dock.autosave.problem is not None)
    window = viewer.window._qt_window
    tasks = viewer.window._task_status_manager
    before = tasks.get_status()
    dock.eventFilter(window, ClosedByAPerson())
    assert tasks.get_status() == [*before, "Microforge: not saved, and lost: A3 annotation"]
    qtbot.waitUntil(lambda: tasks.get_status() == before)
    dock.close_down()


@pytest.mark.parametrize("closes", [True, False])
def test_the_training_ends_with_the_window_also_where_napari_asked_before(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], make_session: Callable[[Any], Session], closes: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = MicroforgeDock(viewer, make_session(viewer), lambda: iter(()))
    viewer.window.add_dock_widget(dock)
    ended: list[bool] = []
    dock.session.closing.connect(lambda: ended.append(True))
    window = viewer.window._qt_window
    dock.eventFilter(window, ClosedByAPerson())
    question = QDialog(window)
    QTimer.singleShot(150, question.accept)
    question.exec()
    if not closes:
        qtbot.wait(3 * CLOSING_PERIOD)
    window.hide()
    assert bool(ended) is closes
    dock.close_down()


def test_a_window_without_such_a_list_is_told_nothing() -> None:
    assert tell_napari(object(), ["a training is under way"]) == []
    take_back(object(), [])
