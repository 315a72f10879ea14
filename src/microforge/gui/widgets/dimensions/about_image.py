"""One line that says what an image is, and what opens to change it; the same in all tabs."""

from collections.abc import Hashable

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QWidget

from microforge.axes.dimensions import Dimensions
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.dimensions.axes_picker import AxesWidget
from microforge.gui.widgets.dimensions.pixel_size_fields import PixelSizeFields

_UNCLEAR = "The file does not say what its dimensions are. Is this right?"


class AboutImage(QWidget):  # type: ignore[misc]  # qtpy has no types
    """What an image is, in words; *Change …* opens a box for each dimension and the fields of the pixel size.

    It is open by itself where the dimensions are only likely, until they are said.

    Attributes
    ----------
    axes_said, sizes_said
        What a person said: letters, and micrometres by letter.
    """

    axes_said = Signal(str)
    sizes_said = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.words = Note(tip="What the image is; it counts for everything you do with it, in all tabs.")
        self.change = button("Change …", "Say what its dimensions are, and how large its pixels.", self._toggle)
        self.axes, self.sizes = AxesWidget(), PixelSizeFields()
        self._of: Hashable = None
        self._open = False
        self._known, self._saying = True, False
        line = beside(self.words, self.change)
        line.setAlignment(self.change, Qt.AlignmentFlag.AlignTop)
        stacked(self, line, self.axes, self.sizes)
        self.axes.value_changed.connect(self._say)
        self.sizes.value_changed.connect(self.sizes_said)

    def show_image(self, which: Hashable, dimensions: Dimensions) -> None:
        """Show what an image is; `which` tells one from another: the next one begins closed."""
        if which != self._of:
            self._of, self._open = which, False
        if dimensions.known and not self._known and not self._saying:
            # It was open as it was unclear, and was said in another tab.
            self._open = False
        self._known = dimensions.known
        self._open = self._open or not dimensions.known
        self.words.say(dimensions.in_words() if dimensions.known else _UNCLEAR, "" if dimensions.known else "warning")
        self.axes.set_shape(dimensions.shape, dimensions.axes)
        self.sizes.set_value(dimensions.sizes, planes="Z" in dimensions.axes)
        self._show_open()

    @property
    def is_open(self) -> bool:
        """Whether dimensions and sizes can be changed now."""
        return self._open

    def confirm(self) -> None:
        """Close, and take the likely dimensions that are shown for what a person means, who saw them and went on."""
        self._open = False
        if not self._known and not self.axes.problem():
            self._say(self.axes.value())
        self._show_open()

    def _say(self, axes: str) -> None:
        self._saying = True
        self.axes_said.emit(axes)
        self._saying = False

    def _toggle(self) -> None:
        opens = not self._open
        self.confirm()
        self._open = opens
        self._show_open()

    def _show_open(self) -> None:
        self.change.setText("Change …" if not self._open else "Done" if self._known else "Yes")
        # Rows and columns that come alone or last are never in doubt.
        self.axes.setVisible(self._open and self.axes.value() not in ("YX", "YXS"))
        self.sizes.setVisible(self._open)
