"""Watch annotation layers: count and check them, and send edits to a running training.

All of it happens in a background thread a moment after the brush is lifted, so that painting stays fluid. napari's
events only say when to look: what has changed is found in the layers themselves (`gui.session.watching`).
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from napari.layers import Layer
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import serves, window_annotation
from microforge.gui.session.readiness import Checker, Verdict
from microforge.gui.session.snapshot import Snapshot, snapshot_of
from microforge.gui.session.state import Session
from microforge.gui.session.watching.edits import usable_images
from microforge.gui.session.watching.handed_over import Edited
from microforge.gui.session.watching.layer_content import is_on_disk
from microforge.label_editing import TinyObject
from microforge.tasks import Readiness, Task

Slips = dict[Annotated, tuple[TinyObject, ...]]

#: Milliseconds after the last stroke.
LOOK_DELAY = 150
#: What napari tells of while a person draws, and what where layers are drawn anew: undo and refresh, but scrolling too.
_DRAWN = ("labels_update", "paint", "data", "features")
_REDRAWN = ("set_data",)


class Watch(QObject):  # type: ignore[misc]  # qtpy has no types
    """Keep `readiness` true to what is drawn and chosen in the session's layers.

    Attributes
    ----------
    verdict
        What is to be said about the proposal: an image, perhaps with targets, that is not used yet.
    slips
        What was drawn by accident on each image, where anything was.
    """

    readiness_changed = Signal(object)
    slips_changed = Signal(object)
    verdict_changed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.readiness = window_annotation(session.kind).nothing
        self.verdict = Verdict()
        self.slips: Slips = {}
        self._proposal: Annotated | None = None
        self._checker = Checker()
        self._watched: set[Layer] = set()
        self._closed = False
        self._timer = QTimer(self, singleShot=True, interval=LOOK_DELAY)
        self._timer.timeout.connect(self.look)
        session.changed.connect(self._on_session_changed)
        session.watching.event.connect(self._on_result)
        session.contents.changed.connect(self._timer.start)
        self._on_session_changed()

    def propose(self, item: Annotated | None) -> None:
        """Check an image or pair before it is used; `verdict_changed` tells."""
        old, self._proposal = self._proposal, item
        if old is None or item is None or (old.image, old.targets) != (item.image, item.targets):
            self._judge(Verdict())
            self._timer.start()

    def look(self) -> None:
        """Count now, in the background, and tell the training under way what has changed."""
        if self.session.watching.running:
            self._timer.start()
            return
        try:
            task = self.session.task
        except MicroforgeError as error:
            self._show(Readiness("", str(error)))
            return
        usable, problems = usable_images(self.session)
        proposed, checker, edits = self._proposed(), self._checker, self._edits(usable)
        items, entry = [one.item for one in usable], window_annotation(task.annotation)

        def events() -> Iterator[Readiness | Verdict | Slips]:
            edits()
            counted = [one.snapshot for one in usable]
            yield from _look(task, counted, proposed, checker, " ".join(str(problem) for problem in problems[:1]))
            yield {item: found for item in items if (found := entry.slips(task, item))}

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
        if self._closed:
            return
        self._closed = True
        self.session.changed.disconnect(self._on_session_changed)
        for layer in list(self._watched):
            self._unwatch(layer)
        # Where the dock was deleted with its window, the timer and this object's share of the thread are gone as well.
        with contextlib.suppress(RuntimeError):
            self.session.contents.changed.disconnect(self._timer.start)
            self.session.watching.event.disconnect(self._on_result)
            self._timer.stop()

    def _edits(self, usable: Sequence[Edited]) -> Callable[[], None]:
        """Give what tells the training under way what it does not know yet, or knows otherwise."""
        session, live, given = self.session, self.session.live, self.session.given
        if live is None or not window_annotation(session.kind).is_live:
            return lambda: None
        names = [given.names.setdefault(one.item, one.item.image.name) for one in usable]
        known = [replace(one, snapshot=one.snapshot.named(name)) for one, name in zip(usable, names, strict=True)]
        aside = {one.snapshot.image.name for one in known if one.snapshot.kept_by_hand}

        def tell() -> None:
            for sample in given.changes(known):
                live.replace(sample, aside=sample.series in aside)

        return tell

    def _on_session_changed(self) -> None:
        known = {layer for item in self.session.annotated for layer in _watched(item)}
        at_rest = {layer for layer in known if self.session.image_list.is_at_rest(layer)}
        layers = known - at_rest
        for layer in self._watched - layers:
            self._unwatch(layer)
        for layer in layers - self._watched:
            for emitter, heard in self._heard(layer):
                emitter.connect(heard)
        self._watched = layers
        self.session.contents.follow(layers, at_rest)
        self._timer.start()

    def _unwatch(self, layer: Layer) -> None:
        for emitter, heard in self._heard(layer):
            emitter.disconnect(heard)
        self._watched.discard(layer)

    def _heard(self, layer: Layer) -> list[tuple[Any, Callable[[Any], None]]]:
        """Give what napari tells of a layer, and what hears it."""
        found = [(name, self._on_drawn) for name in _DRAWN] + [(name, self._on_redrawn) for name in _REDRAWN]
        return [(getattr(layer.events, name), heard) for name, heard in found if hasattr(layer.events, name)]

    def _on_drawn(self, event: Any) -> None:
        if is_on_disk(event.source):
            self.session.contents.bump(event.source)
        self.session.contents.hint(event.source, drawn=True)
        self._timer.start()

    def _on_redrawn(self, event: Any) -> None:
        """Heed that a layer is drawn anew: perhaps it has changed, perhaps only the view."""
        layer = event.source
        plane = self.session.viewer.dims.current_step[-layer.ndim :][:-2] if is_on_disk(layer) else ()
        self.session.contents.hint(layer, plane)

    def _on_result(self, event: object) -> None:
        if isinstance(event, RunFailed):
            self._show(Readiness("", event.in_words))
        elif isinstance(event, Readiness):
            self._show(event)
        elif isinstance(event, Verdict):
            self._judge(event)
        elif isinstance(event, dict):
            self.slips = event
            self.slips_changed.emit(event)

    def _show(self, readiness: Readiness) -> None:
        self.readiness = readiness
        self.readiness_changed.emit(readiness)

    def _judge(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.verdict_changed.emit(verdict)


def _look(
    task: Task, counted: Sequence[Snapshot], proposed: Sequence[Snapshot], checker: Checker, problem: str
) -> Iterator[Readiness | Verdict]:
    """Judge what is proposed and count what is there; `problem` is why an image cannot be counted."""
    entry = window_annotation(task.annotation)
    verdicts = [] if entry.is_drawn else checker.verdicts(task, [*proposed, *counted])
    yield from verdicts[: len(proposed)]
    if not entry.is_drawn:
        problem = next((verdict.problem for verdict in verdicts[len(proposed) :] if verdict.problem), problem)
        judged = zip(counted, verdicts[len(proposed) :], strict=True)
        counted = [snapshot for snapshot, verdict in judged if not verdict.problem]
    samples = [sample for snapshot in counted for sample in snapshot.samples()]
    readiness = entry.readiness(task, samples, bool(counted or problem))
    if problem:
        yield Readiness(readiness.text if samples else "", problem)
    elif any(snapshot.aside is not None for snapshot in counted):
        learnt = task.describe([sample for snapshot in counted for sample in snapshot.learnt()]).text
        yield replace(readiness, text=f"{readiness.text}\nLearnt from: {learnt}; the rest is kept aside.")
    else:
        yield readiness


def _watched(item: Annotated) -> list[Layer]:
    return [item.image, *item.drawn, *item.targets]
