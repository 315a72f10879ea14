"""Batch prediction of files: choose, start, cancel, open results."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QLabel, QLineEdit

from microforge.config import PredictionConfig
from microforge.events import FolderFinished, FolderStarted, ImageStarted, RunFailed, TileFinished
from microforge.gui.apply.folder.regions import FolderRegions
from microforge.gui.apply.folder.table import FileRow, FolderTable
from microforge.gui.apply.model_run import ModelRun
from microforge.gui.layers.open_files import Opened, open_files, show_opened
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import beside, button, stacked, tick
from microforge.gui.widgets.path_field import PathField
from microforge.gui.widgets.progress import duration
from microforge.training.history.repeat import command_to_predict

#: Like `microforge.inference.folder.run.predict_folder`.
PredictFolder = Callable[..., Iterator[Any]]
IMAGE_FILTER = "Images (*.tif *.tiff *.png *.jpg *.jpeg *.bmp);;All files (*)"


class ApplyFolder(ModelRun):
    """The part of *Apply* for files.

    Parameters
    ----------
    config
        Gives the settings at the moment a run starts.
    predict
        Predicts the files; the engine's own by default.
    """

    def __init__(
        self, session: Session, config: Callable[[], PredictionConfig], predict: PredictFolder | None = None
    ) -> None:
        super().__init__(session, config, "Stop; finished files stay, and the next start goes on with the rest.")
        self._predict = predict or _engine
        self._began = 0.0
        self._suggested: Path | None = None
        self._opening = Relay("opening a file", self)
        self._make_widgets()
        self._lay_out()
        self._connect()
        self.refresh()

    def refresh(self) -> None:
        """Show what can be done now."""
        ready = bool(self.inputs.value() and self.output.value()) and self._session.model_path is not None
        self.start.setEnabled(ready and not self._session.applying.running)
        self.table.setVisible(bool(self.table.files.rows))

    def run(self) -> None:
        """Start predicting the files."""
        (output, *_), model = self.output.value(), self._session.model_path
        config = self._config().model_copy(update={"regions": self.regions.value()})
        arguments = {"config": config, "axes": self.axes.text().strip().upper() or None}
        make = partial(
            self._predict, model, self.inputs.value(), output, overwrite=self.overwrite.isChecked(), **arguments
        )
        if not self.begin("Looking for images", lambda: make):
            return
        self._began = time.monotonic()
        self.show_folder.hide()
        self.table.files.begin([])
        self.refresh()

    def open_row(self, row: FileRow) -> None:
        """Open a file and its result as layers."""
        if not self._opening.running:
            self.message.say(f"Opening {row.path.name} …")
            self._opening.start(partial(open_files, row.path, row.result))

    def _make_widgets(self) -> None:
        self.inputs = PathField(
            "Images: a folder or files",
            "A folder, some files, or a pattern such as day1/*.tif; several are separated by semicolons.",
            ("folder", "files"),
            IMAGE_FILTER,
        )
        self.output = PathField(
            "Results: a folder",
            "Gets one TIFF per file, or the points of its cells as table and ImageJ ROIs; the list of images with what "
            "was measured on each (images.csv); the table of all objects (objects.csv) or counts (counts.csv).",
        )
        self.regions = FolderRegions(self._session)
        self.axes = QLineEdit()
        self.axes.setPlaceholderText("from the files")
        self.axes.setToolTip(
            "The order of the axes where the files do not say: T time, C channel, Z plane, Y, X; for example TYX."
        )
        self.overwrite = tick("Do all again", "Also predict files again that are done; otherwise they are skipped.")
        tip = "Predict file by file. A file that cannot be read does not stop the others."
        self.start = button("Apply to these files", tip, self.run)
        self.table = FolderTable()
        self.table.setMinimumHeight(180)
        tip = "Open the folder of the results in the file browser."
        self.show_folder = button("Show results folder", tip, self._on_show_folder)
        self.show_folder.hide()
        tip = "Copy the command that does the same without this window: for a terminal, a script, or a cluster."
        self.copy = button("Copy as command", tip, self._copy)

    def _lay_out(self) -> None:
        row = beside(QLabel("Axes"), self.axes, self.overwrite, wide=(1,))
        running = (beside(self.start, self.copy), self.busy, self.table, self.message, self.show_folder)
        stacked(self, self.inputs, self.output, self.regions, row, *running)

    def _connect(self) -> None:
        self.follow()
        self.inputs.value_changed.connect(self._on_inputs)
        self.output.value_changed.connect(self.refresh)
        self.regions.drawn.connect(self._on_drawn)
        self.table.opened.connect(self.open_row)
        self._opening.event.connect(self._on_opened)

    def _on_inputs(self) -> None:
        """Suggest a folder for the results, unless a person has chosen one."""
        chosen = self.inputs.value()
        if chosen and self.output.value() in ([], [self._suggested]):
            first = chosen[0] if chosen[0].is_dir() else chosen[0].parent
            self._suggested = first.parent / f"{first.name} results"
            self.output.set_value([self._suggested])
        self.refresh()

    def _on_drawn(self) -> None:
        output = self.output.value()
        if output:
            self.regions.write(output[0])
        else:
            self.regions.note.say("Choose the folder for the results first: the regions are saved there.", "warning")

    def close_down(self) -> None:
        """Let go of the viewer; wait for what is being opened."""
        self.regions.close_down()
        self._opening.end(5)

    def _copy(self) -> None:
        """Copy what the button beside does, as a command."""
        output, inputs, model = self.output.value(), self.inputs.value(), self._session.model_path
        if model is None or not output or not inputs:
            self.message.say("Choose a model, images, and a folder for the results first.", "warning")
            return
        config = self._config().model_copy(update={"regions": self.regions.value()})
        axes, again = self.axes.text().strip().upper() or None, self.overwrite.isChecked()
        command = command_to_predict(config, model, inputs, output[0], axes=axes, overwrite=again)
        QApplication.clipboard().setText(command)
        self.message.say("The command is copied: paste it in a terminal.")

    def _on_show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.output.value()[0])))

    def take(self, event: Any) -> None:
        """Bring the table up to date."""
        if isinstance(event, RunFailed):
            self.message.say(" ".join(p for p in (event.problem, event.kept, event.remedy) if p), "error")
            return
        self.table.take(event)
        if isinstance(event, FolderStarted):
            self.table.show()
            if event.note:
                self.message.say(event.note, "warning")
        elif isinstance(event, FolderFinished):
            self.message.say(self._summary(), "warning" if event.failed else "ok")
        self._show_progress(event)

    def _show_progress(self, event: Any) -> None:
        total = len(self.table.files.rows)
        done = self.table.files.count("done", "skipped", "failed")
        part = event.done / max(event.total, 1) if isinstance(event, TileFinished) else 0
        if total and not isinstance(event, ImageStarted):
            self.busy.advance((done + part) / total, f"{done:,} of {total:,} files")

    def conclude(self) -> None:
        """Say what was done, and offer its folder."""
        self.table.files.settle()
        if self.cancelled:
            self.message.say(f"Cancelled. {self._summary()} The next start goes on with the rest.", "info")
        self.show_folder.setVisible(bool(self.table.files.count("done", "skipped")))

    def _summary(self) -> str:
        files = self.table.files
        counts = {state: files.count(state) for state in ("done", "skipped", "failed")}
        parts = [f"{count:,} {state}" for state, count in counts.items() if count]
        text = f"{', '.join(parts) or 'Nothing done'} in {duration(time.monotonic() - self._began)}."
        bad = next((row for row in files.rows if row.state == "failed"), None)
        return text if bad is None else f"{text}\n{bad.path.name}: {bad.notes}"

    def _on_opened(self, event: Opened | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.message.say(event.in_words, "error")
            return
        layer = show_opened(self._session.viewer, event)
        if event.image.axes_known:
            self._session.set_axes(layer, event.image.axes)
        self.message.say(f"Opened {event.image.name}.")


def _engine(*args: Any, **kwargs: Any) -> Iterator[Any]:
    from microforge.inference.folder.run import predict_folder

    return predict_folder(*args, **kwargs)
