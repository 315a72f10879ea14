"""Opening a project in the window: its images with all that is drawn on them, as they were."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from microforge.errors import MicroforgeError, readable
from microforge.events import RunFailed
from microforge.gui.layers.convert import file_of
from microforge.gui.layers.layer_axes import say_sizes
from microforge.gui.layers.open_files import Opened, show_opened
from microforge.gui.layers.results import results_of
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.background import Relay
from microforge.gui.session.opening.put_by import ProjectListing, PutBy, listing_of, put_by, read_put_by
from microforge.gui.session.opening.reading import (
    KeptImage,
    Listed,
    entry_with_file,
    left_closed,
    listed_in,
    opened_first,
    read_kept,
)
from microforge.gui.session.opening.restoring import draw_again
from microforge.gui.session.saving.autosave import Autosave
from microforge.gui.session.saving.places import SUFFIX
from microforge.gui.session.saving.said import take_up
from microforge.gui.session.state import Session
from microforge.project import ImageEntry, Project, is_project


class ProjectOpening(QObject):  # type: ignore[misc]  # qtpy has no types
    """Opens, begins and copies projects; what is open before is written, and its layers go.

    Signals
    -------
    told
        A line for the person, and how severe it is.
    """

    told = Signal(str, str)

    def __init__(self, session: Session, autosave: Autosave, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._autosave = session, autosave
        self._relay = Relay("opening a project", self)
        self._shown: dict[str, ImageLayer] = {}
        self._remarks: list[str] = []
        self._by: list[tuple[Annotated, PutBy]] = []
        self._arrived: list[Path] = []
        self._last, self._opens = "", False
        self._looking = QTimer(self, singleShot=True, interval=0)
        self._looking.timeout.connect(self._look_for_drawings)
        session.viewer.layers.events.inserted.connect(self._on_inserted)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self._on_finished)
        session.closing.connect(self._on_closing)

    @property
    def running(self) -> bool:
        """Whether a project is being opened."""
        return self._relay.running

    def open(self, folder: Path) -> None:
        """Open a project, and the images worked on last, in the background."""
        if is_project(folder):
            self._instead(folder, partial(_opened, folder), f"Opening {readable(folder.name)} …")
        else:
            self.told.emit(
                f"There is no project in {readable(str(folder))}. Choose a folder that ends in {SUFFIX}.", "warning"
            )

    def begin(self, folder: Path) -> None:
        """Begin a new project in a folder that does not exist yet."""
        self._instead(folder, partial(_begun, folder), f"Making {readable(folder.name)} …")

    def copy(self, folder: Path) -> None:
        """Copy the project with all its images into a new folder, which may be moved to another machine."""
        if self._free():
            self.told.emit(f"Copying to {readable(str(folder))} …", "info")
            self._autosave.copy(folder, lambda text: self.told.emit(text, "info"))

    def _instead(self, folder: Path, make: Callable[[], Iterator[Any]], words: str) -> None:
        """Put away what is open, then take up what `make` yields."""
        project = self._session.project
        if not self._free() or (project is not None and project.folder == folder):
            return
        self.told.emit(words, "info")
        self._autosave.leave(partial(self._take_up, make))

    def _free(self) -> bool:
        if self._session.training.running or self._session.applying.running:
            self.told.emit("Wait until the training, or the prediction, has ended, or stop it first.", "warning")
            return False
        return not self._relay.running

    def _take_up(self, make: Callable[[], Iterator[Any]]) -> None:
        with self._autosave.letting_go():
            for item in list(self._session.annotated):
                for layer in self._layers_of(item.image, *item.drawn, *item.targets):
                    self._session.viewer.layers.remove(layer)
            self._forget_what_is_put_away()
        self._session.set_project(None)
        self._shown, self._remarks, self._last = {}, [], ""
        self._relay.start(make)

    def _forget_what_is_put_away(self) -> None:
        images = self._session.image_list
        for entry in [entry for entry in images.entries if not entry.is_open]:
            images.wake(entry)
            images.remove(entry)
        self._session.annotated = []
        self._session.changed.emit()

    def _layers_of(self, *layers: Layer) -> list[Layer]:
        viewer = self._session.viewer
        results = [result for layer in layers for result in results_of(viewer, layer)]
        return [layer for layer in dict.fromkeys([*layers, *results]) if layer in viewer.layers]

    def _on_event(self, event: object) -> None:
        if isinstance(event, Project):
            self._autosave.take_up(event)
            take_up(self._session, event)
        elif isinstance(event, Listed):
            self._list(event)
        elif isinstance(event, ProjectListing):
            self._list_annotated(event)
        elif isinstance(event, PutBy):
            self._put_by(event)
        elif isinstance(event, KeptImage):
            self._opens = True
            self._show(event)
            self._opens = False
        elif isinstance(event, str):
            self._remarks.append(event)
        elif isinstance(event, RunFailed):
            self._remarks.append(f"{event.where}: {event.in_words}" if event.where else event.in_words)

    def _list_annotated(self, listing: ProjectListing) -> None:
        """List the images that the project knows, whether they are opened or not."""
        images = self._session.image_list
        for entry, path, problem in listing.images:
            listed = images.add_kept(path, entry.name)
            listed.role, listed.reviewed, listed.problem = entry.role, entry.reviewed, problem
        images.changed.emit()
        if len(images.entries) > 1:
            self._session.strip_wanted.emit()

    def _put_by(self, kept: PutBy) -> None:
        try:
            # All panels look at all images when one changes: once, at the end, is enough.
            with self._session.changed.blocked():
                item = put_by(self._session, kept)
        except MicroforgeError as error:
            self._remarks.append(f"{error} It is kept in the project.")
            return
        if item is not None:
            self._by.append((item, kept))

    def _on_inserted(self, event: Any) -> None:
        """Heed an image that was opened: what the project has of it comes with it."""
        path = file_of(event.value) if isinstance(event.value, ImageLayer) else None
        known = self._opens or self._session.annotated_of(event.value) is not None
        if path is not None and self._session.project is not None and not known:
            self._arrived.append(path)
            self._looking.start()

    def _look_for_drawings(self) -> None:
        project, paths = self._session.project, self._arrived
        # Where something is being read, its end looks again.
        if project is not None and paths and not self._relay.running:
            self._arrived, self._remarks, self._last = [], [], ""
            self._relay.start(partial(_read_with, project, paths))

    def _show(self, kept: KeptImage) -> None:
        self._remarks += [kept.problem] if kept.problem else []
        if kept.image is None or self._is_annotated(kept):
            return
        layer = self._open_already(kept) or show_opened(self._session.viewer, Opened(kept.image, None))
        layer.name = kept.entry.name
        self._shown[kept.entry.id], self._last = layer, kept.entry.id
        self._say_again(layer, kept)
        try:
            item = draw_again(self._session, layer, kept.drawing)
        except MicroforgeError as error:
            self._remarks.append(f"{error} It is kept in the project.")
            return
        targets = [self._shown[target] for target in kept.entry.targets if target in self._shown]
        if targets:
            item = self._session.pair(layer, targets)
        if item is not None:
            self._autosave.adopt(item, kept)

    def _is_annotated(self, kept: KeptImage) -> bool:
        """Whether an image that is open has an annotation already, which is not to be touched."""
        source = Path(kept.image.source) if kept.image is not None else None
        return any(file_of(item.image) == source for item in self._session.annotated)

    def _open_already(self, kept: KeptImage) -> ImageLayer | None:
        """Give the layer of an image that is open; a second one would only be in the way."""
        source = Path(kept.image.source) if kept.image is not None else None
        free = [layer for layer in self._session.images() if self._session.annotated_of(layer) is None]
        return next((layer for layer in free if file_of(layer) == source), None)

    def _say_again(self, layer: ImageLayer, kept: KeptImage) -> None:
        """Say of a layer what a person said of it before."""
        axes, sizes = kept.entry.window.get("axes"), kept.entry.window.get("sizes")
        if not axes and kept.image is not None and kept.image.axes_known:
            axes = kept.image.axes
        if axes:
            self._session.set_axes(layer, axes)
        if sizes:
            say_sizes(layer, sizes)

    def _list(self, listed: Listed) -> None:
        """Put the images of a project into the list of those at hand; they are opened when somebody goes there."""
        entries = dict(listed.images)
        for one in self._session.image_list.add_files(list(entries)):
            if one.path is not None:
                one.role, one.reviewed = entries[one.path]

    def _on_finished(self) -> None:
        by, self._by = self._by, []
        if by:
            self._session.changed.emit()
        for item, kept in by:
            self._autosave.adopt_at_rest(item, kept.entry.id, kept.tiles)
        self.told.emit("\n".join(self._remarks), "warning" if self._remarks else "")
        front = self._session.image_list.of_layer(self._shown.get(self._last))
        if front is not None and front.is_open and len(self._shown) > 1:
            # The others are put away: they count, and take no memory.
            self._session.image_wanted.emit(front)
        self._look_for_drawings()

    def _on_closing(self) -> None:
        self._session.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._relay.end(5)


def _opened(folder: Path) -> Iterator[Project | Listed | ProjectListing | KeptImage | PutBy | str]:
    project = Project.open(folder)
    yield project
    yield listed_in(project)
    listing = listing_of(project)
    yield listing
    wanted = opened_first(project)
    for entry in wanted:
        yield _read(project, entry)
    brought = {entry.id for entry in wanted}
    for one in read_put_by(project, listing, brought):
        brought |= {one.entry.id} if isinstance(one, PutBy) else set()
        yield one
    if words := left_closed(project, brought):
        yield words
    # More is recovered when annotations are read.
    yield from project.recovered


def _read(project: Project, entry: ImageEntry) -> KeptImage | str:
    try:
        return read_kept(project, entry)
    except MicroforgeError as error:
        return str(error)


def _read_with(project: Project, paths: Sequence[Path]) -> Iterator[KeptImage | str]:
    """Read what is drawn on images that are open now."""
    for path in paths:
        entry = entry_with_file(project, path)
        if entry is not None:
            yield _read(project, entry)


def _begun(folder: Path) -> Iterator[Project]:
    yield Project.create(folder, name=folder.name.removesuffix(folder.suffix))
