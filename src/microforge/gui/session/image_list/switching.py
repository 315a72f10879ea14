"""`Switching`: go from image to image; the one gone to is read in the background, the one left is put away.

Come here when the wrong image is in front, or one is in memory that is not looked at. A training goes on meanwhile,
and has what it was given; what is put away counts as before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from napari.layers import Image as ImageLayer
from napari.layers import Labels, Layer, Points
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from microforge.events import RunFailed
from microforge.gui.layers.brush_cursor import brushes_down
from microforge.gui.layers.open_files import image_layer
from microforge.gui.session.background import Relay
from microforge.gui.session.image_list.at_rest import FilePixels, PackedLabels, let_go_of_pixels
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.gui.session.image_list.look import look_again
from microforge.gui.session.image_list.resting import (
    bring_back,
    leave,
    packed_layers,
    pixels_at_rest,
    put_away,
    read_for_viewer,
)
from microforge.gui.session.state import Session
from microforge.gui.session.watching.front_image import image_behind
from microforge.types import Array, Image

#: Milliseconds until the image left goes: with napari 0.9 the graphics driver crashes where layers come and go at once.
_LATER = 60


class _Read(NamedTuple):
    """An image that was read: a new one, or the pixels of one that comes back."""

    entry: ListedImage
    image: Image | None
    pixels: dict[Layer, Array]


class _Packed(NamedTuple):
    entry: ListedImage
    layer: Layer
    pixels: Array
    instead: FilePixels | PackedLabels


class Switching(QObject):  # type: ignore[misc]  # qtpy has no types
    """Show one image of the list at a time.

    Parameters
    ----------
    bring
        Shows an image that is in the viewer with its own layers alone.
    """

    #: An image is in front and can be worked on.
    shown = Signal(object)

    def __init__(self, session: Session, bring: Callable[[ImageLayer], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._bring = session, bring
        self._front: ListedImage | None = None
        self._moves = False
        self._reading = Relay("the opening of an image", self)
        self._packing = Relay("the packing of layers", self)
        self._later = QTimer(self, singleShot=True, interval=_LATER)
        self._later.timeout.connect(self._tidy)
        self._reading.event.connect(self._on_read)
        self._reading.finished.connect(self._on_ready)
        self._packing.event.connect(self._on_packed)
        self._packing.finished.connect(self._pack)
        session.image_wanted.connect(self.go)
        session.closing.connect(self._on_closing)
        session.viewer.layers.selection.events.active.connect(self._follow)

    @property
    def busy(self) -> bool:
        """Whether an image is being read."""
        return self._reading.running

    def go(self, entry: ListedImage) -> None:
        """Go to an image; of several wanted in quick succession only the last is opened."""
        self._session.image_list.make_current(entry)
        if entry.is_open:
            with self._moving():
                self._show(entry)
        elif self._reading.running:
            self._reading.stop()
        else:
            self._read(entry)

    def step(self, step: int, fits: Callable[[ListedImage], bool] = lambda entry: True) -> bool:
        """Go to the next image (step 1) or the one before (-1) that fits; give whether there is one."""
        there = self._session.image_list.neighbour(step, fits)
        if there is not None:
            self.go(there)
        return there is not None

    def _read(self, entry: ListedImage) -> None:
        entry.problem = ""
        self._reading.start(partial(_read, entry))

    def _on_read(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self._fail(event)
        elif isinstance(event, _Read) and event.entry is self._session.image_list.current:
            self._open(event)

    def _on_ready(self) -> None:
        """Go where the person went meanwhile."""
        wanted = self._session.image_list.current
        if wanted is not None and not wanted.is_open and not wanted.problem:
            self._read(wanted)
        self._session.image_list.current_changed.emit()

    def _fail(self, event: RunFailed) -> None:
        wanted = self._session.image_list.current
        if wanted is not None:
            wanted.problem = event.in_words
            self._session.image_list.changed.emit()

    def _open(self, read: _Read) -> None:
        """Put into the viewer what was read."""
        entry, viewer = read.entry, self._session.viewer
        with self._moving(), brushes_down(viewer, again=False):
            if entry.layer is not None:
                bring_back(self._session, entry, read.pixels)
            elif read.image is not None and entry.path is not None:
                made = image_layer(read.image, entry.path, entry.name, {} if entry.look is None else entry.look.shown)
                entry.layer = made
                viewer.add_layer(made)
                if read.image.axes_known:
                    self._session.set_axes(made, read.image.axes)
            self._show(entry)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Note how the image left is looked at; while it lasts, what becomes active is our own doing."""
        if self._front is not None:
            leave(self._session, self._front)
        self._moves = True
        try:
            yield
        finally:
            self._moves = False

    def _show(self, entry: ListedImage) -> None:
        """Bring an image that is in the viewer to the front."""
        layer = entry.layer
        if layer is None:
            return
        if entry is not self._front:
            self._front = entry
            self._bring(layer)
            look_again(self._session.viewer, entry.look)
        self._take_in_hand(layer)
        self._later.start()
        self._session.image_list.current_changed.emit()
        self.shown.emit(entry)

    def _take_in_hand(self, image: ImageLayer) -> None:
        """Select what is drawn on an image, or itself."""
        item = self._session.annotated_of(image)
        drawn = () if item is None else item.drawn
        active = self._session.viewer.layers.selection.active
        if active not in (image, *drawn):
            wanted = [layer for layer in drawn if isinstance(layer, Labels | Points)]
            self._session.viewer.layers.selection.active = wanted[0] if wanted else image

    def _follow(self, _event: Any = None) -> None:
        """Heed that a person goes to another image that is open, by one of its layers."""
        image = image_behind(self._session, self._session.viewer.layers.selection.active)
        entry = self._session.image_list.of_layer(image)
        if entry is not None and entry.is_open and not self._moves and not self._reading.running:
            self._front = entry
            self._session.image_list.make_current(entry)

    def _tidy(self) -> None:
        """Put away the images of files that are not looked at."""
        left = [one for one in self._session.image_list.entries if one.is_open and one.added and one is not self._front]
        for entry in left:
            put_away(self._session, entry)
        if left and self._front is not None:
            self._pack()

    def _pack(self) -> None:
        """Let what was put away take less memory, in the background."""
        waiting = [one for one in self._session.image_list.entries if one.at_rest and not one.is_packed]
        if waiting and not self._packing.running:
            self._packing.start(partial(_pack, waiting))

    def _on_packed(self, event: object) -> None:
        if isinstance(event, ListedImage):
            event.is_packed = True
        elif isinstance(event, _Packed) and event.layer in event.entry.at_rest and event.layer.data is event.pixels:
            let_go_of_pixels(event.layer, event.instead)

    def _on_closing(self) -> None:
        self._later.stop()
        self._session.viewer.layers.selection.events.active.disconnect(self._follow)
        self._reading.end(5)
        self._packing.end(5)


def _read(entry: ListedImage) -> Iterator[_Read]:
    if entry.at_rest:
        yield _Read(entry, None, pixels_at_rest(entry))
    elif entry.path is not None:
        yield _Read(entry, read_for_viewer(entry.path), {})


def _pack(entries: list[ListedImage]) -> Iterator[Any]:
    for entry in entries:
        for layer, pixels, instead in packed_layers(entry):
            yield _Packed(entry, layer, pixels, instead)
        yield entry
