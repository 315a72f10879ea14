"""The thread that looks at layers again and again, within a small share of the time."""

import contextlib
import threading
from collections.abc import Collection, Sequence
from time import perf_counter
from weakref import ref

from napari.layers import Layer
from qtpy.QtCore import QObject, Signal

from microforge.gui.session.background import step_back
from microforge.gui.session.watching.layer_content import LayerContent

#: Seconds between two looks at all layers.
PERIOD = 0.1
#: Seconds that looking at the pixels of one layer may take where napari told of no change, and how much longer than
#: a look the rest after it is.
_SPENT, _REST = 0.005, 20
#: Seconds that closing waits for a look that is under way.
_PATIENCE = 1.0


class ContentWatch(QObject):  # type: ignore[misc]  # qtpy has no types
    """Tell, in the thread that made it, that a layer is not what it was.

    A thread of its own, as checksums of large layers must not hold up the brush.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._contents: dict[Layer, LayerContent] = {}
        self._versions: dict[Layer, int] = {}
        self._changes = 0
        self._rested = 0.0
        self._hints: dict[Layer, tuple[int, ...]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, layers: Collection[Layer], at_rest: Collection[Layer] = ()) -> None:
        """Look at these layers from now on.

        Parameters
        ----------
        at_rest
            Layers that were put away, and are as they were: they are not looked at, and keep their version.
        """
        with self._lock:
            self._contents = {layer: self._contents.get(layer) or LayerContent(layer) for layer in layers}
            self._versions = {layer: self._versions.get(layer) or self._next() for layer in (*layers, *at_rest)}
            # Of what was put away a moment after a stroke, nobody can look whether the stroke was noticed.
            self._versions |= {layer: self._next() for layer in at_rest if layer in self._hints}
            self._hints = {layer: shown for layer, shown in self._hints.items() if layer in self._contents}
        if layers and self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(
                target=_look_on, args=(ref(self), self._closing), name="microforge a look at the layers", daemon=True
            )
            self._thread.start()

    def hint(self, layer: Layer, shown: Sequence[int] = (), *, drawn: bool = False) -> None:
        """Look at all of a layer soon: napari told of something that may have changed it.

        Parameters
        ----------
        drawn
            Whether something was drawn for sure: at the first look nothing could be compared.
        """
        content = self._contents.get(layer)
        if drawn and content is not None and not content.was_looked_at:
            self.bump(layer)
        with self._lock:
            self._hints[layer] = tuple(shown)

    def bump(self, layer: Layer) -> None:
        """Take a layer for changed without a look: what is on disk is too slow to be compared."""
        with self._lock:
            if layer in self._versions:
                self._versions[layer] = self._next()

    def version(self, layer: Layer) -> int:
        """Give a number that is another one whenever a layer was found changed."""
        return self._versions.get(layer, 0)

    def highest(self, layer: Layer) -> int:
        """Give the highest label of a layer as far as it was looked at; 0 where it is not followed."""
        content = self._contents.get(layer)
        return 0 if content is None else content.highest

    def close(self) -> None:
        """Look no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)

    def look(self) -> None:
        """Look now, unless it was looked lately at more than fits a small share of the time; called by the thread."""
        began = perf_counter()
        if not self._hints and began < self._rested:
            return
        if self._look():
            # At the end of the program Qt may have deleted the receiving side already.
            with contextlib.suppress(RuntimeError):
                self.changed.emit()
        self._rested = perf_counter() + _REST * (perf_counter() - began)

    def _next(self) -> int:
        self._changes += 1
        return self._changes

    def _look(self) -> bool:
        with self._lock:
            contents, hints, self._hints = list(self._contents.values()), self._hints, {}
        found = False
        for content in contents:
            hinted = content.layer in hints
            if content.look(_SPENT, thorough=hinted, shown=hints.get(content.layer, ())):
                self.bump(content.layer)
                found = True
        return found


def _look_on(watch: "ref[ContentWatch]", closing: threading.Event) -> None:
    """Look again and again, as long as there is someone who wants to know."""
    step_back()
    while not closing.wait(PERIOD):
        there = watch()
        if there is None:
            return
        there.look()
        del there
