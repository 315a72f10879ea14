"""*Go on with ...*: what an empty window offers of the projects worked on last."""

from datetime import datetime
from pathlib import Path

from qtpy.QtWidgets import QWidget

from microforge.gui.session.background import Relay
from microforge.gui.session.opening.project_opening import ProjectOpening
from microforge.gui.session.saving.recent import RecentProject, recent_projects
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import button, shortened, stacked

#: Letters that fit a narrow dock.
_MOST = 58


class GoOn(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A button that opens the project worked on last; shown while no image is open.

    Attributes
    ----------
    recent
        The projects that are still there, newest first; empty until they were looked for.
    """

    def __init__(self, session: Session, opening: ProjectOpening) -> None:
        super().__init__()
        self._session, self._opening = session, opening
        self.recent: list[RecentProject] = []
        self.open = button("", "", self._open, icon="continue")
        self.open.setMinimumHeight(34)
        stacked(self, self.open)
        self._looking = Relay("a look for projects", self)
        self._looking.event.connect(self._on_found)
        session.viewer.layers.events.inserted.connect(self.refresh)
        session.viewer.layers.events.removed.connect(self.refresh)
        session.closing.connect(self._on_closing)
        self.look()
        self.refresh()

    def look(self) -> None:
        """Look which projects are there, in the background: one may be on a drive that is gone."""
        if not self._looking.running:
            self._looking.start(lambda: iter([recent_projects(self._session.runs_folder)]))

    def refresh(self, _event: object = None) -> None:
        """Offer the newest project where nothing is open."""
        offered = bool(self.recent) and self._session.project is None and not self._session.images()
        self.setVisible(offered)
        if self.recent:
            newest = self.recent[0]
            words = newest.in_words(datetime.now())
            self.open.setText(shortened(f"Go on with {words}", _MOST))
            self.open.setToolTip(f"Go on with {words}: its images open as they were.\n{newest.folder}")

    def _open(self) -> None:
        self._opening.open(Path(self.recent[0].folder))

    def _on_found(self, event: object) -> None:
        if isinstance(event, list):
            self.recent = event
            self.refresh()

    def _on_closing(self) -> None:
        layers = self._session.viewer.layers
        layers.events.inserted.disconnect(self.refresh)
        layers.events.removed.disconnect(self.refresh)
        self._looking.end(1)
