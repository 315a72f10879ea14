"""The interface of the tools of *Annotate* for a kind of annotation."""

from collections.abc import Callable
from typing import ClassVar

from napari.layers import Image
from qtpy.QtWidgets import QPushButton, QWidget

from microforge.annotations import AnnotationKind
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.layers.gestures import KeyUse
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.annotations import serves
from microforge.gui.session.state import Session


class AnnotationTools(QWidget):  # type: ignore[misc]  # qtpy has no types
    """The widgets in the middle of *Annotate* while a kind of annotation is what the task chosen learns from.

    Attributes
    ----------
    holds_keys
        Whether keys of the viewer are bound, so that it must hear when another goal is chosen.
    kind
        What is annotated with them.
    first
        The button that begins with an image: the next step as long as nothing is annotated.
    """

    holds_keys = False
    kind: ClassVar[AnnotationKind]
    first: QPushButton | None = None

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__()
        self.session, self.choice, self.watch = session, choice, watch

    def current(self) -> Annotated | None:
        """Give what belongs to the image chosen, if it is annotated in this way or may be."""
        item = self.session.annotated_of(self.choice.value())
        return item if item is not None and serves(item, self.kind) else None

    def selected(self) -> list[Image]:
        """Give the image chosen, or those selected in the layer list where there are several."""
        image, chosen = self.choice.value(), self.session.viewer.layers.selection
        selected = [layer for layer in self.session.images() if layer in chosen]
        return selected if len(selected) > 1 else [image] if image is not None else []

    def leave_out_current(self) -> None:
        """Learn from the image chosen no more; its layers stay."""
        item = self.current()
        if item is not None:
            self.session.leave_out(item)

    def refresh(self) -> None:
        """Show the session as it is."""

    def follow_selection(self) -> None:
        """Heed what is selected in the layer list."""

    def key_uses(self) -> list[KeyUse]:
        """Give the keys that are of use for this kind of annotation, and what each does."""
        return []

    def close_down(self) -> None:
        """Leave viewer and layers as they were found."""


#: Makes the tools for a kind.
MakeTools = Callable[[Session, ImageChoice, Watch], AnnotationTools]
