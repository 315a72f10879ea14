"""Base of the panels that run a model (open images, folder): start, progress, cancel, end; one run at a time."""

from collections.abc import Callable, Iterator
from typing import Any

from qtpy.QtWidgets import QWidget

from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note
from microforge.gui.widgets.progress import Busy


class ModelRun(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A part of *Apply* with a button that runs the session's model; hears only of the runs it has started.

    Parameters
    ----------
    config
        Gives the settings at the moment a run starts.
    cancel_tip
        Says what stays when a run is cancelled.
    """

    def __init__(self, session: Session, config: Callable[[], PredictionConfig], cancel_tip: str) -> None:
        super().__init__()
        self._session, self._config = session, config
        self._mine = self._failed = False
        self.busy = Busy(cancel_tip)
        self.message = Note()

    @property
    def cancelled(self) -> bool:
        """Whether the run of this part was stopped by a person, here or anywhere else."""
        return self._session.applying.stopped and not self._failed

    def refresh(self) -> None:
        """Show what can be done now."""
        raise NotImplementedError

    def begin(self, title: str, make: Callable[[], Callable[[], Iterator[Any]]]) -> bool:
        """Start what `make` gives in the background; give whether that was possible, else say why not."""
        # First, because napari lets events through while it makes a progress bar.
        self.busy.begin(title)
        try:
            self._session.applying.start(make())
        except MicroforgeError as error:
            self.busy.end()
            self.message.say(str(error), "error")
            return False
        self._mine, self._failed = True, False
        self.message.say("")
        return True

    def take(self, event: Any) -> None:
        """Take in what happened in a run of this part."""
        raise NotImplementedError

    def conclude(self) -> None:
        """Say how a run of this part ended."""
        raise NotImplementedError

    def close_down(self) -> None:
        """Let go of the viewer."""
        raise NotImplementedError

    def follow(self) -> None:
        """Hear of the session; call it when all widgets are made."""
        self.busy.cancelled.connect(self._session.applying.stop)
        self._session.applying.event.connect(self._on_event)
        self._session.applying.finished.connect(self._on_finished)
        self._session.model_changed.connect(self.refresh)
        self._session.closing.connect(self._on_closing)

    def _on_event(self, event: Any) -> None:
        if self._mine:
            self._failed = self._failed or isinstance(event, RunFailed)
            self.take(event)

    def _on_finished(self) -> None:
        if self._mine:
            self._mine = False
            self.conclude()
            self.busy.end()
        self.refresh()

    def _on_closing(self) -> None:
        self._mine = False
        self.busy.let_go()
        self.close_down()
