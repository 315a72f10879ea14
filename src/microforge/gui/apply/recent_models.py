"""The models of earlier runs, looked for in the background: come here for the list that *Apply* offers."""

from collections.abc import Iterator
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from microforge.gui.session.background import Relay
from microforge.gui.session.saving.recent import recent_projects
from microforge.gui.session.state import PATIENCE, Session
from microforge.training.history.recent import KnownModel, recent_models


class RecentModels(QObject):  # type: ignore[misc]  # qtpy has no types
    """Models found among the runs of this person: in the folder for trainings, and in the projects worked on last.

    Attributes
    ----------
    found
        Those found by the last look that has ended, the newest first.
    relay
        What looks, in a thread of its own.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.found: tuple[KnownModel, ...] = ()
        self.relay = Relay("a look for models")
        self._session, self._again = session, False
        session.closing.connect(lambda: self.relay.end(PATIENCE))
        self.relay.event.connect(self._on_found)
        self.relay.finished.connect(self._on_finished)

    def look(self) -> None:
        """Look for models; while one look is under way, another follows it."""
        if self.relay.running:
            self._again = True
            return
        runs, project = self._session.runs_folder, self._session.project
        opened = None if project is None else project.folder
        self.relay.start(lambda: _looked(runs, opened))

    def _on_found(self, event: object) -> None:
        if isinstance(event, tuple) and event != self.found:
            self.found = event
            self.changed.emit()

    def _on_finished(self) -> None:
        if self._again:
            self._again = False
            self.look()


def _looked(runs: Path, project: Path | None) -> Iterator[tuple[KnownModel, ...]]:
    projects = [] if project is None else [project]
    projects += [Path(one.folder) for one in recent_projects(runs)]
    yield tuple(recent_models([runs, *(folder / "runs" for folder in projects)]))
