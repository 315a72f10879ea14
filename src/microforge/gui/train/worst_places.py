"""Small pictures of the places where the network errs most: a click goes there."""

from functools import partial

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import QSize, Signal
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import QToolButton, QWidget

from microforge.data.split import BLOCK_SUFFIX
from microforge.evaluation.worst_places import MOST_PLACES
from microforge.events import KeptAside, WorstPlace
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import MINE, NETWORKS
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, plain_tip, stacked

_SIDE = 96


class WorstPlaces(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Show up to two places; what is annotated is outlined in a warm colour, what was found in a cool one."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.title = Note("It errs most here:")
        self.places: tuple[WorstPlace, ...] = ()
        self.buttons = [QToolButton() for _ in range(MOST_PLACES)]
        for number, button in enumerate(self.buttons):
            button.setIconSize(QSize(_SIDE, _SIDE))
            button.setAutoRaise(True)
            button.setToolTip("A place where the network errs: a click goes there.")
            button.clicked.connect(partial(self._on_clicked, number))
        row = beside(*self.buttons, wide=())
        row.addStretch()
        stacked(self, self.title, row).setSpacing(2)
        self.show_places(())

    def show_places(self, places: tuple[WorstPlace, ...]) -> None:
        """Show these places; nothing where there are none."""
        self.places = places
        for number, button in enumerate(self.buttons):
            button.setVisible(number < len(places))
            if number < len(places):
                button.setIcon(QIcon(_picture(places[number])))
                where = plain_tip(f"{places[number].name}. Orange: annotated; cyan: found. Click to go there.")
                button.setToolTip(where)
        self.setVisible(bool(places))

    def _on_clicked(self, number: int, _: bool = False) -> None:
        if number < len(self.places):
            self.wanted.emit(self.places[number])


def _picture(place: WorstPlace) -> QPixmap:
    pixels = np.repeat(place.image[..., None], 3, axis=2)
    for outlines, colour in ((place.truth, MINE[0]), (place.found, NETWORKS[0])):
        pixels[outlines] = QColor(colour).getRgb()[:3]
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    made = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(made.copy())


def place_on_layer(session: Session, place: WorstPlace, aside: KeptAside) -> tuple[Layer, list[float]] | None:
    """Give the layer of an image that a place belongs to, and the place's middle in pixels of it; None if not open.

    Parameters
    ----------
    aside
        What is kept aside: a place counts from where that begins.
    """
    series, _, time = place.name.removesuffix(BLOCK_SUFFIX).partition(" t=")
    names = {name: item.image for item, name in session.given.names.items()}
    open_now = {layer.name: layer for layer in session.images()} | names
    layer = open_now.get(series)
    if layer is None or layer not in session.viewer.layers:
        return None
    corner = list(place.corner)
    for part in aside.parts:
        if part.image == series and part.axis is not None and place.name.endswith(BLOCK_SUFFIX):
            corner[part.axis] += part.start
    where = dict(zip("ZYX"[-len(corner) :], corner, strict=True)) | ({"T": int(time)} if time.isdigit() else {})
    half = dict(zip("YX", (n / 2 for n in place.image.shape), strict=True))
    letters = axes_of(layer, session.axes_of(layer))[0].upper().removesuffix("S")
    return layer, [where.get(letter, 0) + half.get(letter, 0.0) for letter in letters]
