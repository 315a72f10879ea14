"""What stands above all tabs while a model is applied to images or to a folder: how far it is, Pause and Stop."""

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from microforge.events import (
    FolderFinished,
    FolderStarted,
    ImageFailed,
    ImageFinished,
    ImageSkipped,
    ImageStarted,
    Preparing,
)
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, plain_tip, stacked
from microforge.inference.open_images import OpenImageStarted

#: Milliseconds before a run is worth a line above all tabs, and between looks at it.
_PERIOD = 1000
#: Milliseconds for which the end of a run is told.
_TOLD = 15_000
_TIP = "A model is applied. What it finds stands in Apply."


class ApplyStrip(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Tell in words how far a run in *Apply* is, whichever tab is open; hidden while there is none."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._relay = session.applying
        self.state = Note(tip=_TIP)
        self.pause = button("Pause", "Hold the run; the processor is free meanwhile.", self._pause, icon="pause")
        self.stop = button("Stop", "End the run; what is finished stays.", self._relay.stop, icon="stop")
        stacked(self, beside(self.state, self.pause, self.stop))
        self._begin()
        self._clock = QTimer(self, interval=_PERIOD)
        self._clock.timeout.connect(self._show)
        self._told = QTimer(self, singleShot=True, interval=_TOLD)
        self._told.timeout.connect(self.hide)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self._on_finished)
        self.hide()

    def _begin(self) -> None:
        self._total, self._done, self._name = 0, 0, ""
        self._end: FolderFinished | None = None

    def _pause(self) -> None:
        if self._relay.paused:
            self._relay.resume()
        else:
            self._relay.pause()
        self._show()

    def _on_event(self, event: object) -> None:
        if not self._clock.isActive() and self._relay.running:
            self._begin()
            self._clock.start()
        if isinstance(event, Preparing):
            self._name = event.text
        elif isinstance(event, FolderStarted):
            self._total, self._name = len(event.paths), ""
        elif isinstance(event, OpenImageStarted):
            self._total, self._done, self._name = event.total, event.index, event.name
        elif isinstance(event, ImageStarted):
            self._name = event.path.name
        elif isinstance(event, ImageFinished | ImageSkipped | ImageFailed):
            self._done += 1
        elif isinstance(event, FolderFinished):
            self._end = event

    def _on_finished(self) -> None:
        self._clock.stop()
        told = self.isVisibleTo(self.parentWidget()) and self._end is not None
        self.setVisible(told)
        if told and self._end is not None:
            self._tell_end(self._end)

    def _tell_end(self, end: FolderFinished) -> None:
        self._show_buttons(running=False)
        failed = f", {end.failed:,} failed: Apply says why" if end.failed else ""
        self.state.say(f"Applied to {end.done + end.skipped:,} images{failed}", "warning" if end.failed else "ok")
        self._told.start()

    def _show(self) -> None:
        self._told.stop()
        paused, stopping = self._relay.paused, self._relay.stopping
        self._show_buttons(running=not stopping)
        self.pause.setText("Continue" if paused else "Pause")
        self.pause.show_icon("continue" if paused else "pause")
        far = f"{min(self._done + 1, self._total):,} of {self._total:,}" if self._total else "getting ready"
        doing = "Stopping" if stopping else "Paused" if paused else "Applying"
        self.state.say(f"{doing}: {far}", "warning" if paused else "info" if stopping else "ok")
        self.state.setToolTip(plain_tip("\n".join(part for part in (self._name, _TIP) if part)))
        self.show()

    def _show_buttons(self, *, running: bool) -> None:
        self.pause.setVisible(running)
        self.stop.setVisible(running)
