"""The dock widget of the plugin, with its tabs; loads the engine in the background."""

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtGui import QIcon, QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from microforge.device import DeviceReport, describe_device
from microforge.events import FolderFinished, RunFailed
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.apply.strip import ApplyStrip
from microforge.gui.header import Header
from microforge.gui.layers.brush_cursor import delete_shaders_late, hide_box_of_brush
from microforge.gui.layers.marks import bind_role_keys, unbind_role_keys
from microforge.gui.project.bar import ProjectBar
from microforge.gui.review.panel import ReviewTab
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.image_list.switching import Switching
from microforge.gui.session.opening.project_opening import ProjectOpening
from microforge.gui.session.saving.autosave import Autosave
from microforge.gui.session.state import Session, Step
from microforge.gui.session.training_run import RunState
from microforge.gui.session.watching.at_stake import at_stake, take_back, tell_napari
from microforge.gui.strip.file_drops import FileDrops
from microforge.gui.strip.keys import bind_image_keys, unbind_image_keys
from microforge.gui.strip.panel import Strip
from microforge.gui.strip.place import StripPlace
from microforge.gui.train.panel import TrainPanel
from microforge.gui.widgets.basics import Note, plain_tip
from microforge.gui.widgets.look.buttons import style_sheet
from microforge.gui.widgets.look.icons import DONE, icon_of
from microforge.inference.open_images import OpenImagePredicted

MINIMUM_WIDTH = 300
#: Milliseconds between looks whether a question before closing is answered.
CLOSING_PERIOD = 100
#: Milliseconds a message stays that needs no action.
READING_TIME = 15_000
_TICK_SIZE = QSize(12, 12)
#: What is slow to import and needed as soon as anything is trained or applied; pandas by napari, for results.
_HEAVY = ("microforge.training.loop", "microforge.inference.predictor", "pandas")


class MicroforgeDock(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A strip that says how the training stands, and below it Annotate, Train, Apply, Review.

    Parameters
    ----------
    napari_viewer
        napari gives the viewer by the name of this argument.
    session
        A new one by default.
    warm_up
        Yields a `DeviceReport` once torch is loaded; loads the engine by default.
    """

    def __init__(
        self,
        napari_viewer: ViewerModel,
        session: Session | None = None,
        warm_up: Callable[[], Iterator[Any]] | None = None,
    ) -> None:
        super().__init__()
        self.session = session or Session(napari_viewer)
        self.watch = Watch(self.session, self)
        self.note = Note()
        self.annotate = AnnotatePanel(self.session, self.watch)
        self.train = TrainPanel(self.session, self.watch)
        self.review = ReviewTab(self.session)
        self.apply = ApplyPanel(self.session)
        self.header = Header(self.session, self.train.run)
        self.applying = ApplyStrip(self.session)
        self.autosave = Autosave(self.session, self)
        self.project = ProjectBar(self.session, self.autosave, ProjectOpening(self.session, self.autosave, self))
        self.strip = Strip(self.session, Switching(self.session, self.annotate.front.bring, self))
        self.images = StripPlace(self.session.viewer, self.strip, self)
        self.tabs = QTabWidget()
        self._window: QWidget | None = None
        self._closing, self._closed, self._asked = False, False, False
        self._quiet = QTimer(self, singleShot=True, interval=READING_TIME)
        self._lay_out()
        self._connect()
        self._follow_theme()
        delete_shaders_late()
        hide_box_of_brush(self.session.viewer)
        bind_role_keys(self.session.viewer)
        bind_image_keys(self.session.viewer, self.strip)
        self.session.warming.start(warm_up or load_engine)

    def go_to(self, step: Step, begin: bool = False) -> None:
        """Show the tab of a step; with `begin` also do what it is for."""
        self.tabs.setCurrentIndex(list(Step).index(step))
        if begin and step is Step.TRAIN:
            self.train.begin()
        elif begin and step is Step.APPLY:
            self.apply.layers.apply()

    def close_down(self) -> None:
        """Stop all that runs, save what is to be saved, let go of the viewer. Once is enough."""
        if self._closed:
            return
        self._closed = True
        if self._window is not None:
            self._window.removeEventFilter(self)
        self.session.viewer.events.theme.disconnect(self._follow_theme)
        self.watch.close()
        self.autosave.close()
        self.annotate.close_down()
        self.train.close_down()
        unbind_role_keys(self.session.viewer)
        unbind_image_keys(self.session.viewer)
        self.images.close()
        self.session.close()

    def event(self, event: QEvent) -> bool:
        """Notice when the dock gets a window, and when napari takes it out of one."""
        if event.type() in (QEvent.Type.Show, QEvent.Type.ParentChange) and not self._closed:
            if self._window is not None and self.parent() is None:
                self.close_down()
            elif self.parent() is not None:
                self._follow_window(self.window())
        return bool(super().event(event))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the window is closed: hidden while closing, so that the user did not cancel it."""
        if event.type() == QEvent.Type.Close:
            self._closing = True
            QTimer.singleShot(0, self._not_closing)
            if event.spontaneous():
                self._tell_what_is_lost(watched)
            if not watched.isVisible():
                self.close_down()
        if event.type() == QEvent.Type.Hide and self._closing:
            self.close_down()
        return False

    def _tell_what_is_lost(self, window: QObject) -> None:
        """Have napari's own question say it; it asks a moment after this, when a person closes the window."""
        told = tell_napari(window, at_stake(self.session, self.autosave.lost()))
        QTimer.singleShot(0, lambda: take_back(window, told))

    def _not_closing(self) -> None:
        asked, self._asked = self._asked, QApplication.activeModalWidget() is not None
        if asked or self._asked:
            # napari asks whether to close; the window goes, or stays, when that is answered, or a moment after it.
            QTimer.singleShot(CLOSING_PERIOD, self._not_closing)
            return
        self._closing = False

    def _follow_window(self, window: QWidget) -> None:
        if window is not self._window:
            if self._window is not None:
                self._window.removeEventFilter(self)
            self._window = window
            window.installEventFilter(self)

    def _lay_out(self) -> None:
        pages = {
            Step.ANNOTATE: (self.annotate, "Say what is in your images."),
            Step.TRAIN: (self.train, "Let a network learn it."),
            Step.APPLY: (self.apply, "Use the network on images and folders."),
            Step.REVIEW: (self.review, "Compare results with what you know."),
        }
        for step, (page, tip) in pages.items():
            index = self.tabs.addTab(_Page(page), step.value)
            self.tabs.setTabToolTip(index, tip)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setDocumentMode(True)
        self.tabs.setIconSize(_TICK_SIZE)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.header)
        layout.addWidget(self.applying)
        layout.addWidget(self.project)
        layout.addWidget(self.note)
        layout.addWidget(self.tabs, 1)

    def _connect(self) -> None:
        session = self.session
        session.message.connect(self._say)
        session.step_wanted.connect(self.go_to)
        session.proposals_wanted.connect(self.apply.layers.apply)
        QShortcut(QKeySequence("?"), self).activated.connect(self.annotate.show_keys)
        self.train.run.state_changed.connect(self._follow_run)
        self.watch.readiness_changed.connect(lambda readiness: self._tick(Step.ANNOTATE, readiness.ready))
        self.watch.readiness_changed.connect(lambda readiness: self.autosave.note_words(readiness.text))
        session.model_changed.connect(self._on_model)
        session.applying.event.connect(self._on_applied)
        session.warming.event.connect(self._show_device)
        session.strip_wanted.connect(self.images.show)
        self.strip.wanted.connect(self.images.show)
        FileDrops(self).dropped.connect(self.strip.add_files)
        session.viewer.events.theme.connect(self._follow_theme)
        self._quiet.timeout.connect(lambda: self.note.say(""))
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.close_down)

    def _say(self, text: str, severity: str) -> None:
        if severity == "aside":
            if self.note.text():
                return
            severity = "info"
        self.note.say(text, severity)
        if severity == "info":
            self._quiet.start()
        else:
            self._quiet.stop()

    def _show_device(self, event: object) -> None:
        if isinstance(event, DeviceReport):
            self.header.tell_device(event)
        elif isinstance(event, RunFailed):
            self._say(event.in_words, "error")
            self.note.setToolTip(plain_tip(event.details))

    def _tick(self, step: Step, done: bool) -> None:
        """Mark the tab of a step that is done."""
        self.tabs.setTabIcon(list(Step).index(step), icon_of("done", DONE) if done else QIcon())

    def _on_model(self, path: Path | None) -> None:
        self._tick(Step.TRAIN, path is not None)
        self._tick(Step.APPLY, False)

    def _on_applied(self, event: object) -> None:
        if isinstance(event, OpenImagePredicted | FolderFinished):
            self._tick(Step.APPLY, True)

    def _follow_run(self, state: RunState) -> None:
        self.annotate.follow_run(state)

    def _follow_theme(self, _: Any = None) -> None:
        theme = get_theme(self.session.viewer.theme)
        self.setStyleSheet(style_sheet(theme.background.as_hex()))
        for panel in (self.train, self.apply, self.review):
            panel.set_colours(theme.background.as_hex(), theme.text.as_hex())


def load_engine() -> Iterator[DeviceReport]:
    """Import what brings torch, and find the device; for a background thread."""
    # Threads of OpenMP that spin between steps starve the window; this must be set before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for name in _HEAVY:
        import_module(name)
    yield describe_device()


class _Page(QScrollArea):  # type: ignore[misc]  # qtpy has no types
    """A tab that scrolls down; never narrower than what stands in it, which with large letters is wider."""

    def __init__(self, page: QWidget) -> None:
        super().__init__()
        self.setWidget(page)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that what stands in the page needs more or less room."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))

    def minimumSizeHint(self) -> QSize:
        """Ask for the width of the page, and of the bar beside it."""
        hint = super().minimumSizeHint()
        needed = self.widget().minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(max(hint.width(), needed, MINIMUM_WIDTH), hint.height())
