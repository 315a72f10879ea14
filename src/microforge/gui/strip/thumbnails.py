"""`Thumbnails`: small pictures of the images of the strip, made in the background for those that are looked at."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QStandardPaths, Signal
from qtpy.QtGui import QImage, QPixmap

from microforge.errors import MicroforgeError
from microforge.gui.layers.convert import image_of
from microforge.gui.session.background import Relay
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.gui.session.state import Session
from microforge.io.thumbnails import ThumbnailStore, read_thumbnail, thumbnail_of
from microforge.types import Image

#: Pixels along the longer side; twice what is shown, for screens with fine pixels.
PICTURE_SIDE = 144
#: So many pictures are kept in memory, and so many that are waited for: who scrolls on no longer waits.
_KEPT, _WAITING = 400, 60


class _Made(NamedTuple):
    entry: ListedImage
    picture: npt.NDArray[np.uint8] | None
    problem: str


class Thumbnails(QObject):  # type: ignore[misc]  # qtpy has no types
    """Pictures by entry; one that is not there yet is made, and `made` tells.

    Parameters
    ----------
    folder
        Where pictures are kept for the next time.
    """

    made = Signal(object)

    def __init__(self, session: Session, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._pictures: OrderedDict[ListedImage, QPixmap | None] = OrderedDict()
        self._wanted: deque[tuple[ListedImage, Image | None]] = deque()
        self._asked: set[ListedImage] = set()
        self._relay = Relay("the making of thumbnails", self)
        self._relay.event.connect(self._on_made)
        self._relay.finished.connect(self._work)
        session.closing.connect(self._on_closing)

    def __len__(self) -> int:
        """Give how many pictures are in memory."""
        return len(self._pictures)

    @property
    def busy(self) -> bool:
        """Whether pictures are being made."""
        return self._relay.running or bool(self._wanted)

    def keep_in(self, folder: Path) -> None:
        """Keep pictures in another folder from now on."""
        self._folder = folder

    def of(self, entry: ListedImage) -> QPixmap | None:
        """Give the picture of an image; None while there is none, or where it cannot be read."""
        if entry in self._pictures:
            self._pictures.move_to_end(entry)
            return self._pictures[entry]
        if entry not in self._asked:
            self._want(entry)
        return None

    def forget(self, entry: ListedImage) -> None:
        """Make the picture of an image anew when it is wanted next, where it could not be made."""
        if entry in self._pictures and self._pictures[entry] is None:
            del self._pictures[entry]

    def _want(self, entry: ListedImage) -> None:
        layer = None
        if entry.path is None and entry.layer is not None:
            try:
                layer = image_of(entry.layer)
            except MicroforgeError:
                return
        # The last that was asked for is on the screen: it comes first.
        self._asked.add(entry)
        self._wanted.append((entry, layer))
        if len(self._wanted) > _WAITING:
            self._asked.discard(self._wanted.popleft()[0])
        self._work()

    def _work(self) -> None:
        if self._wanted and not self._relay.running:
            self._relay.start(self._make)

    def _make(self) -> Iterator[_Made]:
        store = ThumbnailStore(self._folder)
        try:
            while self._wanted:
                yield _made(store, *self._wanted.pop())
        finally:
            store.close()

    def _on_made(self, event: object) -> None:
        if not isinstance(event, _Made):
            return
        entry = event.entry
        self._asked.discard(entry)
        self._pictures[entry] = None if event.picture is None else _pixmap(event.picture)
        while len(self._pictures) > _KEPT:
            self._pictures.popitem(last=False)
        entry.problem = event.problem or entry.problem
        self.made.emit(entry)

    def _on_closing(self) -> None:
        self._wanted.clear()
        self._relay.end(5)


def cache_folder() -> Path:
    """Give the folder of this user for what can be made again."""
    root = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)
    return Path(root or Path.home() / ".cache") / "microforge"


def _made(store: ThumbnailStore, entry: ListedImage, layer: Image | None) -> _Made:
    try:
        if layer is not None:
            return _Made(entry, thumbnail_of(layer, PICTURE_SIDE), "")
        if entry.path is None:
            return _Made(entry, None, "")
        picture = store.get(entry.path, PICTURE_SIDE)
        if picture is None:
            picture = read_thumbnail(entry.path, PICTURE_SIDE)
            store.put(entry.path, PICTURE_SIDE, picture)
        return _Made(entry, picture, "")
    except MicroforgeError as error:
        return _Made(entry, None, str(error))
    except Exception as error:  # noqa: BLE001  # a single odd file must not end the making of the others
        return _Made(entry, None, f"It cannot be shown small: {error}")


def _pixmap(picture: npt.NDArray[np.uint8]) -> QPixmap:
    height, width = picture.shape[:2]
    made = QImage(picture.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(made)
