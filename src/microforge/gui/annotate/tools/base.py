"""Base class of the annotation tools: come here for what all tools share, or to see what a new tool must define."""

from collections.abc import Callable

from qtpy.QtWidgets import QWidget

from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session


class AnnotationTools(QWidget):  # type: ignore[misc]  # qtpy has no types
    """The widgets in the middle of *Annotate* while a kind of annotation is what the task chosen learns from.

    Attributes
    ----------
    holds_keys
        Whether keys of the viewer are bound, so that it must hear when another goal is chosen.
    """

    holds_keys = False

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__()
        self.session, self.choice, self.watch = session, choice, watch

    def refresh(self) -> None:
        """Show the session as it is."""

    def follow_selection(self) -> None:
        """Heed what is selected in the layer list."""

    def close_down(self) -> None:
        """Leave viewer and layers as they were found."""


#: Makes the tools for a kind.
MakeTools = Callable[[Session, ImageChoice, Watch], AnnotationTools]
