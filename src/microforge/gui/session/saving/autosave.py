"""Keep what is drawn on disk while a person works; come here for when it is written, and what is said of it.

What has changed is found by `gui.session.watching`, whatever changed it. The GUI's thread only reads what is quickly
read; pixels are compared and written in a thread, so that painting stays fluid.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from microforge.errors import readable
from microforge.events import RunFailed
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.background import Relay, failure_of
from microforge.gui.session.opening.reading import KeptImage
from microforge.gui.session.saving.changed_tiles import ChangedTiles
from microforge.gui.session.saving.due import Said, ToKeep, chosen_in, to_keep, version_of
from microforge.gui.session.saving.writing import OnDisk, ProjectBegun, ProjectWriter, Unfit
from microforge.gui.session.state import Session
from microforge.gui.session.watching.at_stake import is_drawn_on
from microforge.project import Project

#: Milliseconds from a stroke until it is written, with what came after it; until a failure is tried again; and of rest
#: after which plain files are made of what was written.
SAVE_AFTER, TRY_AFTER, TIDY_AFTER = 500, 3000, 15_000
#: Of large layers looking takes long: the rest between two times is so many times as long, but never longer than this.
_REST, _LONGEST_REST = 3, 1500
#: Seconds that a closing window waits for the last strokes to be written, and that making plain files may take.
CLOSING_PATIENCE, TIDYING_TIME = 20, 1.0

Work = Callable[[], Iterator[Any]]


class Autosave(QObject):  # type: ignore[misc]  # qtpy has no types
    """Writes what changes in a session into its project, which the first stroke makes.

    Attributes
    ----------
    problem
        Why something is not on disk; None while all is well.
    """

    #: What is on disk, or why something is not, has changed.
    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.problem: RunFailed | None = None
        self._words = ""
        self._writer = ProjectWriter(lambda: session.runs_folder)
        self._relay = Relay("saving", self)
        self._queued: tuple[Work, Callable[[], None]] | None = None
        self._then: Callable[[], None] | None = None
        self._kept: dict[Layer, Hashable] = {}
        self._said: Said | None = None
        self._unfit: dict[Layer, RunFailed] = {}
        self._before: dict[Annotated, Annotated] = {}
        self._last: list[ToKeep] = []
        self._told: Callable[[str], None] = lambda text: None
        self._closed = self._letting_go = False
        self._rest, self._began = SAVE_AFTER, 0.0
        self._timer, self._idle = QTimer(self, singleShot=True), QTimer(self, singleShot=True, interval=TIDY_AFTER)
        self._timer.timeout.connect(self.save)
        self._idle.timeout.connect(self._tidy)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self._on_finished)
        session.changed.connect(self._on_session)
        session.model_changed.connect(self._wake)
        session.image_list.changed.connect(self._wake)
        session.contents.changed.connect(self._wake)

    @property
    def project(self) -> Project | None:
        """Where everything is kept; None before anything is drawn."""
        return self._session.project

    @property
    def saving(self) -> bool:
        """Whether something is about to be written, or is being written."""
        return self._timer.isActive() or self._relay.running

    def unsaved(self) -> list[Layer]:
        """Give the layers that are not on disk as they are."""
        items = [item for item in self._session.annotated if self._is_due(item) or item.image in self._unfit]
        return [layer for item in items for layer in item.drawn]

    @property
    def unfit(self) -> dict[str, RunFailed]:
        """Why images cannot be kept as they are, by name; empty while all can."""
        return {image.name: failure for image, failure in self._unfit.items() if image in self._there()}

    def lost(self) -> list[Layer]:
        """Give the layers that would be lost if the window were closed now: those that could not be written."""
        if self.problem is not None:
            return self.unsaved()
        return [layer for item in self._session.annotated if item.image in self._unfit for layer in item.drawn]

    def note_words(self, words: str) -> None:
        """Note what there is to learn from: 62 objects in 3 images; it is told again when the project is offered."""
        self._words = words.splitlines()[0] if words else ""

    def save(self) -> None:
        """Write what is not on disk, in the background."""
        if self._relay.running or self._closed or self._is_read_only():
            return
        jobs, said = self._jobs(), self._said_now()
        if jobs or (self.project is not None and said != self._said):
            self._began = time.monotonic()
            self._relay.start(partial(self._writer.write, jobs, said, self._there()))
        self.changed.emit()

    def save_elsewhere(self, folder: Path) -> None:
        """Keep everything in a new folder from now on; what was kept goes there too, where it can be read."""
        jobs, said = self._everything(), self._said_now()
        self._after_all(partial(self._writer.move, folder, jobs, said), lambda: None)

    def copy(self, folder: Path, told: Callable[[str], None]) -> None:
        """Copy the project with its images into a new folder."""
        self._told = told
        self._after_all(partial(self._writer.copy, folder), lambda: None)

    def leave(self, then: Callable[[], None]) -> None:
        """Write everything, let go of the project, then go on; it is not left while something is not on disk."""
        self._after_all(partial(self._writer.leave, self._everything(), self._said_now()), then)

    @contextmanager
    def letting_go(self) -> Iterator[None]:
        """While it lasts, layers that go belong to the project that was left, where they are kept."""
        self._letting_go = True
        try:
            yield
        finally:
            self._letting_go = False

    def take_up(self, project: Project) -> None:
        """Keep everything in this project from now on."""
        self._writer.take_up(project)
        self._kept, self._unfit, self.problem = {}, {}, None
        self._session.set_project(project)
        self._is_read_only()
        self.changed.emit()

    def adopt(self, item: Annotated, kept: KeptImage) -> None:
        """Take the layers of an image for what its project holds: they were made from it."""
        layers = frozenset(layer for layer in item.drawn if layer is not item.region)
        self._writer.adopt(item.image, layers, kept.entry.id, kept.tiles)

    def adopt_at_rest(self, item: Annotated, entry: str, tiles: Mapping[str, ChangedTiles]) -> None:
        """Take the layers of an image that is not opened for what its project holds: nothing of it is to be written."""
        layers = frozenset(layer for layer in item.drawn if layer is not item.region)
        self._writer.adopt(item.image, layers, entry, tiles)
        self._kept[item.image] = version_of(self._session, item)

    def close(self, seconds: float = CLOSING_PATIENCE) -> bool:
        """Write the last strokes and let go of the project; give whether all is on disk."""
        if self._closed:
            return self.problem is None
        self._closed = True
        self._disconnect()
        until = time.monotonic() + seconds
        if not self._relay.wait(seconds):
            return False
        read_only = self.project is not None and self.project.read_only
        work = self._writer.leave([] if read_only else self._everything(), self._said_now())
        ending = threading.Thread(target=self._end, args=(work,), name="microforge the last strokes", daemon=True)
        ending.start()
        ending.join(max(0.0, until - time.monotonic()))
        return not ending.is_alive() and self.problem is None

    def _end(self, work: Iterator[Any]) -> None:
        try:
            for _ in work:
                self.problem = None
        except Exception as error:  # noqa: BLE001  # the window goes in any case
            self.problem = failure_of(error)

    def _disconnect(self) -> None:
        self._session.changed.disconnect(self._on_session)
        self._session.model_changed.disconnect(self._wake)
        self._session.image_list.changed.disconnect(self._wake)
        # Where the window was deleted, Qt has deleted these.
        with suppress(RuntimeError):
            self._session.contents.changed.disconnect(self._wake)
            self._timer.stop()
            self._idle.stop()
            self._relay.blockSignals(True)

    def _wake(self, _: Any = None) -> None:
        # A timer that runs is left alone: while a person goes on painting, it is written again and again.
        if not self._closed and not self._timer.isActive():
            self._timer.start(self._rest)

    def _on_session(self) -> None:
        """Note what is about to be forgotten: a layer that is taken away is written as it was at last."""
        for item, before in () if self._letting_go else self._before.items():
            gone = set(before.drawn) - (set(item.drawn) if item in self._session.annotated else set())
            if gone and self._is_due(before):
                self._last += self._read(before)
            self._tell_of(gone)
        self._before = {item: replace(item) for item in self._session.annotated}
        self._wake()

    def _tell_of(self, gone: Collection[Layer]) -> None:
        """Say that what is taken out of the window is not lost."""
        if self.project is None:
            return
        here = self._session.viewer.layers
        names = sorted(layer.name for layer in gone if layer not in here and is_drawn_on(layer))
        if names:
            self._session.say(f"{', '.join(names)}: what you drew stays in the project.")

    def _jobs(self) -> list[ToKeep]:
        last, self._last = self._last, []
        due = [item for item in self._session.annotated if self._is_due(item)]
        return [*last, *(job for item in due for job in self._read(item))]

    def _everything(self) -> list[ToKeep]:
        """Give all that is open: what was painted a moment ago may not have been noticed yet."""
        here = self._session.viewer.layers
        items = [item for item in self._session.annotated if item.image in here or self._is_due(item)]
        return [*self._last, *(job for item in items for job in self._read(item))]

    def _read(self, item: Annotated) -> Iterator[ToKeep]:
        self._unfit.pop(item.image, None)
        try:
            yield to_keep(self._session, item)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one image, others are kept
            self._unfit[item.image] = failure_of(error)

    def _is_due(self, item: Annotated) -> bool:
        return self._kept.get(item.image) != version_of(self._session, item)

    def _said_now(self) -> Said:
        return replace(chosen_in(self._session), words=self._words)

    def _there(self) -> frozenset[Layer]:
        return frozenset([*self._session.images(), *(item.image for item in self._session.annotated)])

    def _is_read_only(self) -> bool:
        project = self.project
        if project is None or not project.read_only:
            return False
        self.problem = RunFailed(
            f"{readable(project.document.name)} is open elsewhere: {project.holder}. What you paint here is not kept.",
            "Make a copy to paint in: Save elsewhere …",
        )
        return True

    def _after_all(self, work: Work, then: Callable[[], None]) -> None:
        """Do something once what is being written is done."""
        self._queued = work, then
        self._timer.stop()
        if not self._relay.running:
            self._next()

    def _next(self) -> None:
        if self._queued is not None:
            (work, self._then), self._queued = self._queued, None
            self._relay.start(work)

    def _tidy(self) -> None:
        if not self._relay.running and not self._closed:
            self._relay.start(partial(self._writer.tidy, TIDYING_TIME))

    def _on_event(self, event: object) -> None:
        if isinstance(event, ProjectBegun):
            self._session.set_project(event.project)
            # It comes when the disk is ready, and must not take the place of an answer to what was just done.
            self._session.say(f"Everything you paint is kept in {readable(str(event.project.folder))}.", "aside")
        elif isinstance(event, Unfit):
            self._unfit[event.image] = event.failure
        elif isinstance(event, OnDisk):
            there = self._there()
            self._kept = {image: at for image, at in {**self._kept, **event.versions}.items() if image in there}
            self._said, self.problem = event.said, None
            taken = 1e3 * (time.monotonic() - self._began)
            self._rest = int(min(max(_REST * taken, SAVE_AFTER), _LONGEST_REST))
            self._idle.start()
        elif isinstance(event, str):
            self._told(event)
        elif isinstance(event, RunFailed):
            self.problem = event

    def _on_finished(self) -> None:
        then, self._then = self._then, None
        if then is not None and self.problem is None:
            then()
        if self._queued is not None:
            self._next()
        elif self.problem is not None and not self._is_read_only():
            self._timer.start(TRY_AFTER)
        elif self._last or any(map(self._is_due, self._session.annotated)):
            self._wake()
        self.changed.emit()
