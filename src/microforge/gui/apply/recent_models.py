"""The models of earlier runs, looked for in the background: come here for the list that *Apply* offers."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from microforge.gui.session.background import Relay
from microforge.gui.session.state import PATIENCE, Session
from microforge.training.history.recent import KnownModel, recent_models


class RecentModels(QObject):  # type: ignore[misc]  # qtpy has no types
    """Models found in folders of runs.

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
        self._again: tuple[Path, ...] | None = None
        session.closing.connect(lambda: self.relay.end(PATIENCE))
        self.relay.event.connect(self._on_found)
        self.relay.finished.connect(self._on_finished)

    def look(self, folders: Iterable[Path]) -> None:
        """Look for models in the runs in these folders; while one look is under way, another follows it."""
        wanted = tuple(folders)
        if self.relay.running:
            self._again = wanted
        else:
            self.relay.start(lambda: _looked(wanted))

    def _on_found(self, event: object) -> None:
        if isinstance(event, tuple) and event != self.found:
            self.found = event
            self.changed.emit()

    def _on_finished(self) -> None:
        if self._again is not None:
            wanted, self._again = self._again, None
            self.look(wanted)


def _looked(folders: Iterable[Path]) -> Iterator[tuple[KnownModel, ...]]:
    yield tuple(recent_models(folders))
