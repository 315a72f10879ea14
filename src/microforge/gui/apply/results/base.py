"""Base class of the parts of *Apply* that show results: adding layers, saving a table as CSV, closing."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note
from microforge.gui.widgets.canvas_overlay import CanvasText
from microforge.inference.open_images import OpenImagePredicted


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

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        """Show a result as layers; None where it holds nothing for this part.

        Parameters
        ----------
        details
            What is kept in the metadata of each layer: model and settings.
        """
        raise NotImplementedError

    def clear(self) -> None:
        """Forget the last run."""

    def close_down(self) -> None:
        """Let go of the viewer."""


#: Makes a part.
MakeResults = Callable[[Session, CanvasText, Note], ResultsPart]
