"""*Go on with ...*: what is offered of the projects worked on last, and of those that know the image just opened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QSizePolicy, QWidget

from microforge.errors import readable
from microforge.gui.layers.convert import file_of
from microforge.gui.session.background import Relay
from microforge.gui.session.opening.project_opening import ProjectOpening
from microforge.gui.session.saving.recent import RecentProject, projects_beside, recent_projects
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import button, plain_tip, shortened, stacked

#: Letters that fit a narrow dock.
_MOST = 44


@dataclass(frozen=True)
class _Found:
    """What a look found: projects worked on last, and those that know an image that is open."""

    recent: tuple[RecentProject, ...]
    beside: tuple[RecentProject, ...]


class GoOn(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A button that opens a project; shown while there is none.

    Attributes
    ----------
    recent
        The projects that are still there, newest first; empty until they were looked for.
    """

    def __init__(self, session: Session, opening: ProjectOpening) -> None:
        super().__init__()
        self._session, self._opening = session, opening
        self.recent: tuple[RecentProject, ...] = ()
        self._beside: tuple[RecentProject, ...] = ()
        self._again = False
        self.open = button("", "", self._open)
        self.open.setMinimumHeight(34)
        # A long name, or large letters, must not make the dock wider.
        self.open.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        stacked(self, self.open)
        self._looking = Relay("a look for projects", self)
        self._looking.event.connect(self._on_found)
        self._looking.finished.connect(self._on_finished)
        session.viewer.layers.events.inserted.connect(self._on_layers)
        session.viewer.layers.events.removed.connect(self._on_layers)
        session.closing.connect(self._on_closing)
        self.look()
        self.refresh()

    def look(self) -> None:
        """Look which projects are there, in the background: one may be on a drive that is gone."""
        if self._looking.running:
            self._again = True
            return
        files = [path for layer in self._session.images() if (path := file_of(layer)) is not None]
        self._looking.start(partial(_look, self._session.runs_folder, files))

    def refresh(self) -> None:
        """Offer the newest project where nothing is open, and one that knows the image where one is."""
        offered = self._offered()
        self.setVisible(offered is not None)
        if offered is not None:
            words = offered.in_words(datetime.now())
            self.open.setText(shortened(f"Go on with {readable(words)}", _MOST))
            what = "It has an annotation of this image." if self._beside else "Its images open as they were."
            self.open.setToolTip(plain_tip(f"Go on with {readable(words)}. {what}\n{readable(offered.folder)}"))

    def _offered(self) -> RecentProject | None:
        if self._session.project is not None:
            return None
        return next(iter(self._beside if self._session.images() else self.recent), None)

    def _open(self) -> None:
        offered = self._offered()
        if offered is not None:
            self._opening.open(Path(offered.folder))

    def _on_layers(self, _event: Any) -> None:
        if self._session.project is None:
            self.look()
        self.refresh()

    def _on_found(self, event: object) -> None:
        if isinstance(event, _Found):
            self.recent, self._beside = event.recent, event.beside
            self.refresh()

    def _on_finished(self) -> None:
        if self._again:
            self._again = False
            self.look()

    def _on_closing(self) -> None:
        layers = self._session.viewer.layers
        layers.events.inserted.disconnect(self._on_layers)
        layers.events.removed.disconnect(self._on_layers)
        self._looking.end(1)


def _look(runs_folder: Path, images: Sequence[Path]) -> Iterator[_Found]:
    beside = (found for image in images[-1:] for found in projects_beside(image))
    yield _Found(tuple(recent_projects(runs_folder)), tuple(beside))
