"""Follow what is painted: count it for the panel, and hand it to the training under way.

All of it happens in a background thread a moment after the brush is lifted, so that painting stays fluid.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from napari.layers import Layer
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.session import Annotated, Session
from microforge.gui.snapshot import Snapshot, snapshot_of
from microforge.tasks import Readiness, Task
from microforge.types import Sample

#: Milliseconds after the last stroke.
MOMENT = 400
NOTHING = Readiness("Nothing is annotated yet.", "Choose an image and press Annotate this image.")


class Watch(QObject):  # type: ignore[misc]  # qtpy has no types
    """Keep `readiness` true to what is drawn in the session's layers."""

    readiness_changed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.readiness = NOTHING
        self._watched: set[Layer] = set()
        self._dirty: set[Layer] = set()
        self._timer = QTimer(self, singleShot=True, interval=MOMENT)
        self._timer.timeout.connect(self.look)
        session.changed.connect(self._on_session_changed)
        session.watching.event.connect(self._on_result)
        self._on_session_changed()

    def look(self) -> None:
        """Count now, in the background."""
        if self.session.watching.running:
            self._timer.start()
            return
        try:
            counted = [snapshot_of(self.session, item, copy=False) for item in self.session.annotated if item.use]
            changed = self._changed()
            task = self.session.task
        except MicroforgeError as error:
            self._show(Readiness("", str(error)))
            return
        live = self.session.live
        self.session.watching.start(lambda: _look(task, counted, live, changed))

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        for layer in list(self._watched):
            self._unwatch(layer)

    def _changed(self) -> list[Snapshot]:
        """Give what the training under way should see: again, under the name it knows, or for the first time."""
        dirty, self._dirty = self._dirty, set()
        if self.session.live is None:
            return []
        names = self.session.live_names
        items = [item for item in self.session.annotated if item.use and not item.validation]
        items = [item for item in items if dirty & {item.labels, item.region}]
        return [snapshot_of(self.session, item, name=names.setdefault(item, item.image.name)) for item in items]

    def _on_session_changed(self) -> None:
        layers = {layer for item in self.session.annotated for layer in _drawn(item)}
        for layer in self._watched - layers:
            self._unwatch(layer)
        for layer in layers - self._watched:
            for emitter in _emitters(layer):
                emitter.connect(self._on_drawn)
        self._watched = layers
        self._timer.start()

    def _unwatch(self, layer: Layer) -> None:
        for emitter in _emitters(layer):
            emitter.disconnect(self._on_drawn)
        self._watched.discard(layer)

    def _on_drawn(self, event: Any) -> None:
        self._dirty.add(event.source)
        self._timer.start()

    def _on_result(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self._show(Readiness("", " ".join(part for part in (event.problem, event.remedy) if part)))
        elif isinstance(event, Readiness):
            self._show(event)

    def _show(self, readiness: Readiness) -> None:
        self.readiness = readiness
        self.readiness_changed.emit(readiness)


def _look(task: Task, counted: Sequence[Snapshot], live: Any, changed: Sequence[Snapshot]) -> Iterator[Readiness]:
    if live is not None:
        for snapshot in changed:
            for sample in snapshot.samples():
                live.replace(sample)
    yield readiness_of(task, [sample for snapshot in counted for sample in snapshot.samples()], bool(counted))


def readiness_of(task: Task, samples: Sequence[Sample], any_layer: bool) -> Readiness:
    """Say what is annotated and what is missing."""
    if samples:
        return task.describe(samples)
    return Readiness("Nothing is painted yet.", "Paint in the Labels layer.") if any_layer else NOTHING


def _drawn(item: Annotated) -> list[Layer]:
    return [layer for layer in (item.labels, item.region) if layer is not None]


def _emitters(layer: Layer) -> list[Any]:
    names = ("labels_update", "paint", "data")
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]
