import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QPushButton, QWidget

from microforge.annotations import LABELS
from microforge.events import FolderFinished
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session, Step
from microforge.gui.session.training_run import RunState
from support.fakes import FakeTraining, fake_warm_up

MakeViewer = Callable[..., Any]
MakeSession = Callable[[Any], Session]


class Docks:
    """Docks in real windows, closed as a person would.

    A factory, as what a test is given lives longer than the check for leaked viewers allows.
    """

    def __init__(self, qtbot: QtBot, make_viewer: MakeViewer, make_session: MakeSession) -> None:
        self._qtbot, self._make_viewer, self._make_session = qtbot, make_viewer, make_session
        self.viewers: list[Any] = []

    def __call__(self) -> MicroforgeDock:
        viewer = self._make_viewer(show=True)
        self.viewers.append(viewer)
        dock = MicroforgeDock(viewer, self._make_session(viewer), fake_warm_up)
        viewer.window.add_dock_widget(dock, name="Microforge")
        return dock

    def close(self) -> None:
        """Close the windows and let Qt delete them: a widget that lives on would keep the viewer in memory."""
        windows = [weakref.ref(viewer.window._qt_viewer) for viewer in self.viewers]
        while self.viewers:
            self.viewers.pop().close()
        self._qtbot.waitUntil(lambda: all_gone(windows), timeout=20_000)


def all_gone(references: list[weakref.ref[Any]]) -> bool:
    gc.collect()
    return all(reference() is None for reference in references)


@pytest.fixture
def docks(qtbot: QtBot, make_napari_viewer: MakeViewer, make_session: MakeSession) -> Iterator[Docks]:
    docks = Docks(qtbot, make_napari_viewer, make_session)
    yield docks
    docks.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("microforge")]


def begin(qtbot: QtBot, dock: MicroforgeDock, nuclei: Any, training: FakeTraining) -> None:
    dock.session.viewer.add_image(nuclei, name="cells")
    dock.annotate.tools[LABELS].annotate.click()
    dock.session.viewer.layers.selection.active.paint((10, 10), 1)
    qtbot.waitUntil(dock.train.train.isEnabled)
    dock.train.train.click()
    qtbot.waitUntil(lambda: "Step" in dock.train.report.numbers.text())


def test_four_steps_that_fit_a_narrow_dock(qtbot: QtBot, docks: Docks) -> None:
    dock = docks()
    assert [dock.tabs.tabText(i) for i in range(4)] == ["Annotate", "Train", "Apply", "Review"]
    qtbot.waitUntil(lambda: "a test processor" in dock.header.state.toolTip())
    assert "Buy one" in dock.header.state.toolTip()
    assert "processor" not in dock.header.state.text()
    assert dock.minimumSizeHint().width() <= 320
    for i in range(4):
        page = dock.tabs.widget(i).widget()
        assert page.minimumSizeHint().width() <= 285, dock.tabs.tabText(i)


def test_large_letters_cut_nothing_off(qtbot: QtBot, docks: Docks, nuclei: Any) -> None:
    dock = docks()
    dock.session.viewer.add_image(nuclei, name="cells")
    dock.setStyleSheet(dock.styleSheet() + "* { font-size: 18pt; }")
    dock.train.discard.show()
    dock.train.save.show()
    qtbot.waitUntil(lambda: dock.minimumSizeHint().width() > 320)
    dock.resize(dock.minimumSizeHint().width(), 800)
    bar = dock.tabs.tabBar()
    for step in Step:
        dock.go_to(step)
        page = dock.tabs.currentWidget().widget()
        qtbot.waitUntil(lambda page=page: page.width() >= page.minimumSizeHint().width())
        cut = [
            b.text()
            for b in page.findChildren(QPushButton)
            if b.isVisible() and b.width() < b.minimumSizeHint().width()
        ]
        assert not cut, step
    assert bar.sizeHint().width() <= dock.tabs.width()


def test_everything_to_click_has_a_tooltip(docks: Docks) -> None:
    dock = docks()
    kinds = (QAbstractButton, QComboBox, QAbstractSpinBox)
    fields = [w for page in (dock.annotate, dock.train) for kind in kinds for w in page.findChildren(kind)]
    bare = [w for w in fields if not _tip(w)]
    assert fields
    assert not [(type(w).__name__, w.objectName(), getattr(w, "text", str)()) for w in bare]


def _tip(widget: QWidget) -> str:
    """The tooltip Qt would show: the widget's own, or that of what it sits in."""
    while widget is not None and not widget.toolTip():
        widget = widget.parentWidget()
    return "" if widget is None else str(widget.toolTip())


def test_theme_changes_reach_the_plots(docks: Docks) -> None:
    dock = docks()
    dock.session.viewer.theme = "light"
    assert dock.train.report.plots._loss_plot.backgroundBrush().color().lightness() > 128
    dock.session.viewer.theme = "dark"
    assert dock.train.report.plots._loss_plot.backgroundBrush().color().lightness() < 128


def test_messages_are_shown(docks: Docks) -> None:
    dock = docks()
    dock.session.say("Look here.", "warning")
    assert dock.note.text() == "Look here."


def accents(page: QWidget) -> list[str]:
    buttons = [b for b in page.findChildren(QPushButton) if b.property("role") == "accent" and b.isVisibleTo(page)]
    return [button.text() for button in buttons]


def test_each_tab_shows_one_next_step_from_image_to_result(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    dock = docks()
    viewer = dock.session.viewer
    viewer.add_image(nuclei, name="cells")
    assert accents(dock.annotate) == ["Annotate this image"]
    dock.annotate.tools[LABELS].annotate.click()
    assert accents(dock.annotate) == [], "now she paints"
    viewer.layers["cells annotation"].paint((6, 6), 1)
    qtbot.waitUntil(lambda: dock.watch.readiness.ready)
    assert accents(dock.annotate) == [], "one click is not enough for a model"
    for label, place in enumerate([(6, 22), (6, 38), (26, 6), (26, 22), (26, 38)], start=2):
        viewer.layers["cells annotation"].paint(place, label)
    qtbot.waitUntil(lambda: accents(dock.annotate) == ["Train"])
    dock.annotate.next.click()
    assert dock.tabs.currentWidget().widget() is dock.train
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    assert accents(dock.train) == ["Stop"]
    dock.go_to(Step.ANNOTATE)
    assert accents(dock.annotate) == []
    dock.header.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy)
    dock.train.apply.click()
    assert dock.tabs.currentWidget().widget() is dock.apply
    qtbot.waitUntil(lambda: not dock.session.applying.running, timeout=60_000)
    assert accents(dock.apply) == ["Apply to selected layers"]


def test_train_needs_no_scrolling_in_a_window_of_900_pixels(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    dock = docks()
    dock.session.viewer.window.resize(1440, 900)
    begin(qtbot, dock, nuclei, training)
    dock.go_to(Step.TRAIN)
    qtbot.waitUntil(lambda: bool(dock.train.report.hints.texts) and dock.train.report.plots._score_plot.isVisible())
    page = dock.tabs.currentWidget()
    qtbot.waitUntil(lambda: page.viewport().height() > 600)
    assert page.verticalScrollBar().maximum() == 0
    assert dock.train.report.plots._score_plot.height() >= 120
    dock.header.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy)
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() == 0)
    assert dock.train.apply.isVisible()
    assert dock.train.discard.isVisible()


def test_steps_that_are_done_are_ticked(qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining) -> None:
    dock = docks()

    def ticked() -> list[str]:
        return [step.value for place, step in enumerate(Step) if not dock.tabs.tabIcon(place).isNull()]

    assert ticked() == []
    begin(qtbot, dock, nuclei, training)
    assert ticked() == ["Annotate"]
    dock.train.stop.click()
    qtbot.waitUntil(lambda: ticked() == ["Annotate", "Train"])
    dock.session.applying.event.emit(FolderFinished(1, 0, 0, Path()))
    assert ticked() == ["Annotate", "Train", "Apply"]
    dock.session.set_model(Path("another.safetensors"))
    assert ticked() == ["Annotate", "Train"]


def test_the_header_tells_of_a_training_on_every_tab(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    dock = docks()
    header = dock.header
    assert header.state.text() == "Not training"
    assert not header.pause.isVisible()
    begin(qtbot, dock, nuclei, training)
    qtbot.waitUntil(lambda: header.state.text().startswith("Learning, "))
    qtbot.waitUntil(lambda: bool(header.quality.text()))
    assert "steps" in header.state.toolTip()
    for step in Step:
        dock.go_to(step)
        assert header.state.isVisible() and header.pause.isVisible() and header.stop.isVisible()  # noqa: PT018
    header.pause.click()
    assert dock.train.run.state is RunState.PAUSED
    assert header.state.text().startswith("Paused at ")
    assert header.pause.text() == "Continue"
    header.pause.click()
    assert dock.train.run.state is RunState.RUNNING
    header.stop.click()
    qtbot.waitUntil(lambda: header.state.text().startswith("Trained for "))
    assert not header.stop.isVisible()


def test_buttons_that_stand_out_follow_the_theme(docks: Docks) -> None:
    dock = docks()
    seen = []
    for theme in ("dark", "light"):
        dock.session.viewer.theme = theme
        dock.train.discard.show()
        dock.train.discard.ensurePolished()
        seen.append(dock.train.discard.palette().buttonText().color().lightness())
    assert seen[0] > 150 > seen[1], "light red on dark ground, dark red on light ground"


def test_closing_the_window_stops_saves_and_leaves_no_thread(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    begin(qtbot, docks(), nuclei, training)
    docks.close()
    assert (training.calls[0]["folder"] / "model.safetensors").exists()
    assert not threads()


def test_a_window_that_stays_open_after_all_goes_on_training(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    dock = docks()
    begin(qtbot, dock, nuclei, training)
    refused = QCloseEvent()
    refused.ignore()
    dock.eventFilter(dock.window(), refused)
    assert dock.train.run.state is RunState.RUNNING
    dock.train.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy)


def test_taking_the_dock_away_stops_the_training(
    qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining
) -> None:
    dock = docks()
    begin(qtbot, dock, nuclei, training)
    dock.session.viewer.window.remove_dock_widget(dock)
    assert training.closed == 1
    assert not threads()
    dock.deleteLater()


def test_painting_while_training_reaches_it(qtbot: QtBot, docks: Docks, nuclei: Any, training: FakeTraining) -> None:
    dock = docks()
    begin(qtbot, dock, nuclei, training)
    dock.session.viewer.layers["cells annotation"].paint((30, 30), 2)
    qtbot.waitUntil(lambda: bool(training.calls[0]["replaced"]))
    dock.train.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy)


def test_the_dock_is_imported_without_torch() -> None:
    code = "import sys, microforge.gui.dock; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
