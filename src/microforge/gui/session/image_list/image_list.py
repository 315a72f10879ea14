"""`ImageList`: all images at hand in their order, those open in the viewer and files that are not loaded."""

import os
from collections.abc import Callable, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Layer
from psygnal import Signal

from microforge.gui.layers.convert import file_of
from microforge.gui.layers.marks import is_result
from microforge.gui.session.image_list.listed_image import ListedImage
from microforge.io.files import image_stem


class ImageList:
    """Follow the images of a viewer, and keep the files that were added to them.

    Attributes
    ----------
    entries
        In the order in which they came.
    current
        The one that is in front, or on its way there; None before the first.
    """

    #: Images came, went, or got another name.
    changed = Signal()
    #: Another image is in front, or the one in front got ready.
    current_changed = Signal()

    def __init__(self, viewer: ViewerModel) -> None:
        self._viewer = viewer
        self.entries: list[ListedImage] = []
        self.current: ListedImage | None = None
        self._names: set[str] = set()
        self._by_path: dict[str, ListedImage] = {}
        self._at_rest: set[Layer] = set()
        viewer.layers.events.connect(self._on_layers)
        self._follow_viewer()

    def close(self) -> None:
        """Let go of the viewer."""
        self._viewer.layers.events.disconnect(self._on_layers)

    def add_files(self, paths: Sequence[Path]) -> list[ListedImage]:
        """Add files that are not in the list yet, without opening them; give their entries."""
        new = [path for path in dict.fromkeys(paths) if _place(path) not in self._by_path]
        for path in paths:
            if (known := self._by_path.get(_place(path))) is not None:
                known.added = True
        return self._add([ListedImage(self._free_name(path), path, added=True) for path in new])

    def remove(self, entry: ListedImage) -> None:
        """Take a file out of the list; the file stays, and so do layers that are in the viewer."""
        self._forget(entry)
        self.changed.emit()

    def add_kept(self, path: Path, name: str) -> ListedImage:
        """Add a file under the name it has in a project; give its entry, also where it is in the list already."""
        known = self._by_path.get(_place(path))
        if known is None:
            known = self._by_path[_place(path)] = ListedImage(name, path)
            self.entries.append(known)
            self._names.add(name)
        known.added = True
        return known

    def of_layer(self, layer: Layer | None) -> ListedImage | None:
        """Give the entry of an image layer, in the viewer or put away."""
        return next((one for one in self.entries if layer is not None and one.layer is layer), None)

    def is_at_rest(self, layer: Layer) -> bool:
        """Whether a layer was put away, so that it is missing in the viewer but not lost."""
        return layer in self._at_rest

    def lay_to_rest(self, entry: ListedImage, layers: Sequence[Layer]) -> None:
        """Note, before they leave the viewer, which layers of an image are put away; with none it is closed."""
        entry.at_rest, entry.is_packed = tuple(layers), False
        entry.layer = entry.layer if layers else None
        self._at_rest.update(layers)

    def wake(self, entry: ListedImage) -> None:
        """Note that the layers of an image are in the viewer again."""
        self._at_rest.difference_update(entry.at_rest)
        entry.at_rest = ()

    def make_current(self, entry: ListedImage | None) -> None:
        """Say which image is in front, or on its way there."""
        if entry is not self.current:
            self.current = entry
            self.current_changed.emit()

    def neighbour(self, step: int, fits: Callable[[ListedImage], bool]) -> ListedImage | None:
        """Give the next image (step 1) or the one before (-1) that fits; None where there is none."""
        here = self.entries.index(self.current) if self.current in self.entries else (-1 if step > 0 else 0)
        there = self.entries[here + 1 :] if step > 0 else reversed(self.entries[: max(here, 0)])
        return next((one for one in there if fits(one)), None)

    def _add(self, new: list[ListedImage]) -> list[ListedImage]:
        for entry in new:
            if entry.path is not None:
                self._by_path[_place(entry.path)] = entry
        self.entries += new
        if new:
            self.changed.emit()
        return new

    def _forget(self, entry: ListedImage) -> None:
        self.entries.remove(entry)
        self._names.discard(entry.name)
        if entry.path is not None:
            self._by_path.pop(_place(entry.path), None)
        self.current = None if entry is self.current else self.current

    def _free_name(self, path: Path) -> str:
        """Name a file so that no other image is called the same: after its folder too, or with a number."""
        stem = image_stem(path)
        choices = chain([stem, f"{path.parent.name} {stem}"], (f"{stem} ({number})" for number in count(2)))
        name = next(choice for choice in choices if choice not in self._names)
        self._names.add(name)
        return name

    def _on_layers(self, event: Any) -> None:
        if event.type in ("inserted", "removed"):
            self._follow_viewer()
        elif event.type == "name":
            self._follow_names()

    def _follow_viewer(self) -> None:
        """Let the entries know which images are in the viewer by now."""
        here = [layer for layer in self._viewer.layers if isinstance(layer, Image) and not is_result(layer)]
        gone = [one for one in self.entries if one.is_open and one.layer not in here]
        for entry in gone:
            entry.layer = None
        for entry in [one for one in gone if not one.added]:
            self._forget(entry)
        known = {one.layer for one in self.entries}
        new = [self._of_new(layer) for layer in here if layer not in known]
        added = [entry for entry in new if entry not in self.entries]
        self._add(added)
        if gone and not added:
            self.changed.emit()

    def _of_new(self, layer: Image) -> ListedImage:
        """Give the entry of a layer that is new in the viewer: that of its file, where it is in the list."""
        path = file_of(layer)
        entry = None if path is None else self._by_path.get(_place(path))
        if entry is None or entry.layer is not None:
            # A file that gives several layers is known by the first of them.
            return ListedImage(layer.name, None if entry is not None else path, layer)
        entry.layer = layer
        return entry

    def _follow_names(self) -> None:
        for entry in self.entries:
            if entry.is_open and entry.layer is not None and entry.layer.name != entry.name:
                entry.name = entry.layer.name
                self._names.add(entry.name)
                self.changed.emit()


def _place(path: Path) -> str:
    return os.path.abspath(path)
