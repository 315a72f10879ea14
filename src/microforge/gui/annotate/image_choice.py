"""Choose the open image to annotate; see, and say, what its dimensions are."""

from collections.abc import Mapping

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from microforge.gui.layers.layer_axes import axes_of, dimensions_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Picker
from microforge.gui.widgets.dimensions.about_image import AboutImage


class ImageChoice(QObject):  # type: ignore[misc]  # qtpy has no types
    """A picker of image layers, and what the one picked is; the panel lays them out."""

    changed = Signal()

    def __init__(self, session: Session, tip: str, nothing: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.picker = Picker(tip, nothing)
        self.about = AboutImage()
        self.picker.value_changed.connect(lambda _: self.changed.emit())
        self.about.axes_said.connect(self._on_axes)
        self.about.sizes_said.connect(self._on_sizes)

    def value(self) -> Image | None:
        """Give the image picked."""
        image: Image | None = self.picker.value()
        return image

    def letters(self) -> str:
        """Give the axes of the image picked, those known or the likely ones."""
        image = self.value()
        return "" if image is None else axes_of(image)[0]

    @property
    def unclear(self) -> bool:
        """Whether nobody said what the dimensions of the image picked are, neither its file nor a person."""
        image = self.value()
        return image is not None and not axes_of(image)[1]

    def refresh(self) -> None:
        """Offer the images that are open, and say what the one picked is."""
        self.picker.set_choices([(layer.name, layer) for layer in self._session.images()])
        image = self.value()
        if image is not None:
            self.about.show_image(image.unique_id, dimensions_of(image))

    def confirm(self) -> None:
        """Take the axes shown for what the user means: pressing a button confirms them."""
        if self.value() is not None and not self.about.isHidden():
            self.about.confirm()

    def _on_axes(self, axes: str) -> None:
        image = self.value()
        if image is not None:
            self._session.set_axes(image, axes)

    def _on_sizes(self, sizes: Mapping[str, float]) -> None:
        image = self.value()
        if image is not None:
            self._session.set_sizes(image, sizes)
