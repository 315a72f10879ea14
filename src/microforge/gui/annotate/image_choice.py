"""Choose the open image to annotate, and its axes where they are unknown."""

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from microforge.gui.layers.layer_axes import axes_of, long_letters, long_shape
from microforge.gui.session.state import Session
from microforge.gui.widgets.axes_picker import AxesWidget
from microforge.gui.widgets.basics import Picker


class ImageChoice(QObject):  # type: ignore[misc]  # qtpy has no types
    """A picker of image layers, and a widget that asks for the axes of the one picked; the panel lays them out."""

    changed = Signal()

    def __init__(self, session: Session, tip: str, nothing: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.picker = Picker(tip, nothing)
        self.axes = AxesWidget()
        self._shown: tuple[Image | None, str] = (None, "")
        self.picker.value_changed.connect(lambda _: self.changed.emit())

    def value(self) -> Image | None:
        """Give the image picked."""
        image: Image | None = self.picker.value()
        return image

    def letters(self) -> str:
        """Give the axes of the image picked, those known or the likely ones."""
        image = self.value()
        return "" if image is None else axes_of(image, self._session.axes_of(image))[0]

    def refresh(self) -> None:
        """Offer the images that are open."""
        self.picker.set_choices([(layer.name, layer) for layer in self._session.images()])

    def ask(self, *, editable: bool = True) -> bool:
        """Bring the axes up to date; give whether they are to be asked for."""
        image, letters = self.value(), self.letters()
        asked = image is not None and image.ndim > 2 and not axes_of(image)[1]
        # What the user has set but not confirmed stays.
        if asked and image is not None and self._shown != (image, letters):
            self.axes.set_shape(long_shape(image, letters), long_letters(letters))
            self._shown = (image, letters)
        self.axes.setEnabled(editable)
        return asked

    def confirm(self) -> None:
        """Take the axes shown for what the user means: pressing a button confirms them."""
        image = self.value()
        if image is not None and not self.axes.isHidden() and not self.axes.problem():
            self._session.set_axes(image, self.axes.value())
