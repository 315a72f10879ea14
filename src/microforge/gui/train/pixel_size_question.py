"""Before a stack is learnt: how far apart are its planes? Come here for when that is asked, and what follows."""

from collections.abc import Callable, Mapping

from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from microforge.gui.layers.layer_axes import dimensions_of, is_size_left_unknown, leave_size_unknown
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, button, shortened, stacked
from microforge.gui.widgets.dimensions.pixel_size_fields import PixelSizeFields

_LONGEST_NAME = 40


def unmeasured_stacks(session: Session) -> list[Layer]:
    """Give the stacks that would be learnt from, of which nobody said how large pixels are and how far apart planes."""
    images = [item.image for item in session.items if item.use]
    return [image for image in images if _is_unmeasured_stack(image) and not is_size_left_unknown(image)]


class PixelSizeQuestion(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Two fields, and a button for who does not know; hidden until `ask` finds something to ask."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._of: Layer | None = None
        self._then: Callable[[], None] = _nothing
        self.words = Note()
        self.fields = PixelSizeFields()
        tip = "Train all the same. Planes are taken to be as far apart as pixels are wide; results are in pixels."
        self.unknown = button("I do not know", tip, self._leave)
        stacked(self, self.words, self.fields, self.unknown)
        self.fields.value_changed.connect(self._on_sizes)
        self.hide()

    def ask(self, then: Callable[[], None]) -> bool:
        """Ask about the first stack that needs it; give whether there is one. `then` is done for who does not know."""
        if self._of is not None and (typed := self.fields.value()):
            self._on_sizes(typed)
        stacks = unmeasured_stacks(self._session)
        self._of, self._then = (stacks[0] if stacks else None), then
        self.refresh()
        return self._of is not None

    def refresh(self) -> None:
        """Show what is asked; no longer what was answered, in whichever tab."""
        if self._of is not None and self._of not in unmeasured_stacks(self._session):
            self._of = None
        self.setVisible(self._of is not None)
        if self._of is not None:
            self.fields.set_value(dimensions_of(self._of).sizes, planes=True)
            name = shortened(self._of.name, _LONGEST_NAME)
            self.words.say(
                f"{name} is a stack: how large are its pixels, and how far apart its planes? The network looks "
                "through the planes accordingly. Type it and press Train.",
                "warning",
            )

    def _on_sizes(self, sizes: Mapping[str, float]) -> None:
        if self._of is not None:
            self._session.set_sizes(self._of, sizes)

    def _leave(self) -> None:
        if self._of is not None:
            leave_size_unknown(self._of)
            self._session.say(f"{self._of.name}: planes are taken to be as far apart as pixels are wide.", "info")
        self.refresh()
        self._then()


def _is_unmeasured_stack(image: Layer) -> bool:
    dimensions = dimensions_of(image)
    return "Z" in dimensions.axes and dimensions.pixel_size is None


def _nothing() -> None:
    """Is done where nothing was asked."""
