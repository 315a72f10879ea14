"""Progress bar with time left and a cancel button; also in the activity dock of napari."""

import io
import time

from napari.utils import progress
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QProgressBar, QWidget

from microforge.gui.widgets.basics import beside, button, stacked

#: Steps of the bar: fine enough to move smoothly.
BAR_STEPS = 1000
#: Seconds before a guess of the time left is worth showing.
TOO_EARLY = 2.0


class Busy(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A progress bar with words and a Cancel button; hidden while nothing runs."""

    cancelled = Signal()

    def __init__(self, cancel_tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setToolTip("How much is done.")
        self.cancel = button("Cancel", cancel_tip, self._on_cancel)
        self._title = ""
        self._began = 0.0
        self._activity: progress | None = None
        stacked(self, beside(self.bar, self.cancel), self.text)
        self.hide()

    def begin(self, title: str) -> None:
        """Show that something starts whose length is not known yet."""
        self.end()
        self._title, self._began = title, time.monotonic()
        self.text.setText(title)
        self.bar.setRange(0, 0)
        self.cancel.setEnabled(True)
        # Without a file of its own a progress of napari writes to the terminal too.
        self._activity = progress(total=BAR_STEPS, desc=title, file=io.StringIO())
        self.show()

    def advance(self, fraction: float, text: str = "") -> None:
        """Show how far it is, 0..1; `text` says what is being done from now on."""
        if self._activity is None:
            return
        self._title = text or self._title
        value = int(min(max(fraction, 0), 1) * BAR_STEPS)
        self.bar.setRange(0, BAR_STEPS)
        self.bar.setValue(value)
        if self.cancel.isEnabled():
            left = time_left(fraction, time.monotonic() - self._began)
            self.text.setText(" · ".join(part for part in (self._title, left) if part))
        if value > self._activity.n:
            self._activity.update(value - self._activity.n)

    def end(self) -> None:
        """Hide: nothing is under way."""
        self.let_go()
        self.hide()

    def let_go(self) -> None:
        """Leave napari's activity dock; also after Qt has deleted the widget."""
        if self._activity is not None:
            self._activity.close()
            self._activity = None

    def _on_cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.text.setText("Cancelling …")
        self.cancelled.emit()


def time_left(fraction: float, seconds: float) -> str:
    """Guess the time left from the part that is done; empty while it is too early to say."""
    if fraction <= 0 or fraction >= 1 or seconds < TOO_EARLY:
        return ""
    return f"{duration(seconds * (1 - fraction) / fraction)} left"


def duration(seconds: float) -> str:
    """Give a duration as a person would say it."""
    if seconds < 55:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    return f"{int(seconds // 3600)} h {round(seconds % 3600 / 60)} min"
