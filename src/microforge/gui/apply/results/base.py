"""The interface of the parts of *Apply* that show results."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari.layers import Layer
from qtpy.QtWidgets import QFileDialog, QWidget

from microforge.errors import MicroforgeError
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted
from microforge.types import Array


class Added(NamedTuple):
    """What was shown of a result: in words, and the layers that hold something measured."""

    text: str
    measured: Sequence[Layer] = ()


class ResultsPart(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A part of *Apply* that appears when a model has given what it can show.

    Parameters
    ----------
    text
        The words on the canvas; one for all parts, as there is one corner.
    message
        Where it is said what was done.
    """

    def __init__(self, session: Session, text: CanvasText, message: Note) -> None:
        super().__init__()
        self._session, self._text, self.message = session, text, message
        #: Where it is said that a table was saved; a part may have a note of its own.
        self.note = message

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Show a result as layers; None where it holds nothing for this part.

        Parameters
        ----------
        details
            What is kept in the metadata of each layer: model and settings.
        """
        raise NotImplementedError

    def columns(self) -> Mapping[str, Array]:
        """Give what a table of the results holds, for saving."""
        return {}

    def save_table(self, path: Path) -> None:
        """Write `columns` as a CSV file, and say so."""
        from microforge.io.tables import write_table

        try:
            write_table(path, self.columns())
        except MicroforgeError as error:
            self.note.say(str(error), "error")
            return
        self.note.say(f"Saved {path.name}.", "ok")

    def ask_and_save(self, title: str, name: str) -> None:
        """Ask where the table is saved, with a name suggested."""
        path, _ = QFileDialog.getSaveFileName(self, title, name, "Tables (*.csv)")
        if path:
            self.save_table(Path(path))

    def source_of(self, event: OpenImagePredicted) -> Layer | None:
        """Give the layer of the image predicted; None where it was closed meanwhile."""
        layers = self._session.viewer.layers
        return next((layer for layer in layers if layer.unique_id == event.place.source), None)

    def clear(self) -> None:
        """Forget the last run."""

    def close_down(self) -> None:
        """Let go of the viewer."""


#: Makes a part.
MakeResults = Callable[[Session, CanvasText, Note], ResultsPart]
