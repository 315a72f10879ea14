"""What stands in *Annotate* while no image is open: three steps in pictures, and ways to get an image."""

from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from microforge.events import RunFailed
from microforge.gui.layers.open_files import Opened, open_files, show_opened
from microforge.gui.samples import open_first_sample
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, button
from microforge.gui.widgets.look.buttons import accent
from microforge.gui.widgets.look.steps import Steps
from microforge.io.files import IMAGE_SUFFIXES

_FILTER = f"Images ({' '.join(f'*{suffix}' for suffix in IMAGE_SUFFIXES)});;All files (*)"
_STEPS = (
    ("step-paint", "<b>Paint</b> a few objects in your image, as they should be found."),
    ("step-train", "<b>Train</b>: a network learns them while you watch. Stop when it looks right."),
    ("step-apply", "<b>Apply</b> it to all your images: results, tables, counts."),
)


class EmptyState(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Three pictures with a sentence each, *Open images …* and *Try a sample*."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._opening = Relay("opening a file", self)
        tip = "Read image files, with their axes and pixel size. You can also drag files, or a folder, onto this panel."
        self.open = accent(button("Open images …", tip, self._choose, icon="image"))
        self.sample = button("Try a sample", "Open a simulated field of nuclei.", self._try_sample, icon="sample")
        self.message = Note()
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(10)
        page.addWidget(Steps(*_STEPS))
        for widget in (self.open, self.sample):
            widget.setMinimumHeight(34)
            page.addWidget(widget)
        page.addWidget(self.message)
        self._opening.event.connect(self._on_opened)
        session.closing.connect(self._on_closing)

    def read(self, path: Path) -> None:
        """Open an image file, in the background."""
        if not self._opening.running:
            self.message.say(f"Opening {path.name} …", "info")
            self._opening.start(partial(open_files, path, None))

    def _choose(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(self, "Open images", "", _FILTER)
        if len(paths) == 1:
            self.read(Path(paths[0]))
        elif paths:
            self._session.files_wanted.emit([Path(path) for path in paths])

    def _try_sample(self) -> None:
        open_first_sample(self._session.viewer)

    def _on_opened(self, event: object) -> None:
        if isinstance(event, RunFailed):
            place = f"{event.where}: " if event.where else ""
            self.message.say(f"{place}{event.in_words}", "error")
        elif isinstance(event, Opened):
            self.message.say("")
            layer = show_opened(self._session.viewer, event)
            if event.image.axes_known:
                self._session.set_axes(layer, event.image.axes)

    def _on_closing(self) -> None:
        self._opening.end(5)
