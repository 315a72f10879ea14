"""Watch annotation layers for changes: readiness for training, and live updates of a running training.

All of it happens in a background thread a moment after the brush is lifted, so that painting stays fluid.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from napari.layers import Layer, Points
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import serves, window_annotation
from microforge.gui.session.readiness import Checker, Verdict
from microforge.gui.session.snapshot import Snapshot, snapshot_of, snapshots_of
from microforge.gui.session.state import Session
from microforge.tasks import Readiness, Task

#: Milliseconds after the last stroke.
LOOK_DELAY = 400


class Watch(QObject):  # type: ignore[misc]  # qtpy has no types
    """Keep `readiness` true to what is drawn and chosen in the session's layers.

    Attributes
    ----------
    verdict
        What is to be said about the proposal: an image, perhaps with targets, that is not used yet.
    """

    readiness_changed = Signal(object)
    verdict_changed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.readiness = window_annotation(session.kind).nothing
        self.verdict = Verdict()
        self._proposal: Annotated | None = None
        self._checker = Checker()
        self._watched: set[Layer] = set()
        self._dirty: set[Layer] = set()
        self._said: dict[Annotated, tuple[object, ...]] = {}
        self._timer = QTimer(self, singleShot=True, interval=LOOK_DELAY)
        self._timer.timeout.connect(self.look)
        session.changed.connect(self._on_session_changed)
        session.watching.event.connect(self._on_result)
        self._on_session_changed()

    def propose(self, item: Annotated | None) -> None:
        """Check an image or pair before it is used; `verdict_changed` tells."""
        old, self._proposal = self._proposal, item
        if old is None or item is None or (old.image, old.targets) != (item.image, item.targets):
            self._judge(Verdict())
            self._timer.start()

    def look(self) -> None:
        """Count now, in the background."""
        if self.session.watching.running:
            self._timer.start()
            return
        try:
            counted = snapshots_of(self.session, copy=False)
            changed = self._changed()
            task = self.session.task
        except MicroforgeError as error:
            self._show(Readiness("", str(error)))
            return
        proposed, checker = self._proposed(), self._checker
        live, known = self.session.live, self.session.live_samples

        def events() -> Iterator[Readiness | Verdict]:
            for snapshot in changed:
                for sample in snapshot.samples(known):
                    known.add(sample.name)
                    live.replace(sample)
            yield from _look(task, counted, proposed, checker)

        self.session.watching.start(events)

    def _proposed(self) -> list[Snapshot]:
        """Give the proposal, if there is one that can be looked at."""
        item = self._proposal
        if item is None or item.image not in self.session.viewer.layers or not serves(item, self.session.kind):
            return []
        try:
            return [snapshot_of(self.session, item, copy=False)]
        except MicroforgeError as error:
            self._judge(Verdict(str(error)))
        return []

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        for layer in list(self._watched):
            self._unwatch(layer)

    def _changed(self) -> list[Snapshot]:
        """Give what the training under way should see: again, under the name it knows, or for the first time."""
        dirty, self._dirty = self._dirty, set()
        said, self._said = self._said, {item: _words_of(item) for item in self.session.items}
        if self.session.live is None or not window_annotation(self.session.kind).is_live:
            return []
        names = self.session.live_names
        items = [item for item in self.session.items if item.use and not item.validation]
        items = [item for item in items if dirty.intersection(item.drawn) or said.get(item) != self._said[item]]
        return [snapshot_of(self.session, item, name=names.setdefault(item, item.image.name)) for item in items]

    def _on_session_changed(self) -> None:
        layers = {layer for item in self.session.annotated for layer in _watched(item)}
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
        elif isinstance(event, Verdict):
            self._judge(event)

    def _show(self, readiness: Readiness) -> None:
        self.readiness = readiness
        self.readiness_changed.emit(readiness)

    def _judge(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.verdict_changed.emit(verdict)


def _look(
    task: Task, counted: Sequence[Snapshot], proposed: Sequence[Snapshot], checker: Checker
) -> Iterator[Readiness | Verdict]:
    entry = window_annotation(task.annotation)
    if entry.is_drawn:
        yield entry.readiness(task, [sample for snapshot in counted for sample in snapshot.samples()], bool(counted))
        return
    verdicts = checker.verdicts(task, [*proposed, *counted])
    yield from verdicts[: len(proposed)]
    problem = next((verdict.problem for verdict in verdicts[len(proposed) :] if verdict.problem), "")
    usable = [one for one, verdict in zip(counted, verdicts[len(proposed) :], strict=True) if not verdict.problem]
    readiness = entry.readiness(task, [sample for snapshot in usable for sample in snapshot.samples()], bool(counted))
    yield Readiness(readiness.text, problem) if problem else readiness


def _watched(item: Annotated) -> list[Layer]:
    return [*item.drawn, *item.targets]


def _words_of(item: Annotated) -> tuple[object, ...]:
    """Give what a person said of an image without drawing."""
    return item.points, item.no_cells, item.class_name, item.unpainted_is_background


def _emitters(layer: Layer) -> list[Any]:
    names = ("labels_update", "paint", "data", *(("features",) if isinstance(layer, Points) else ()))
    return [getattr(layer.events, name) for name in names if hasattr(layer.events, name)]
