"""Open measured images as layers, read in the background."""

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QObject

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.evaluating import Case
from microforge.gui.review.layers import DOTS_EXPLAINED, ReadCase, open_image_of, read_cases, show_cases
from microforge.gui.session.background import Relay
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note


class CaseView(QObject):  # type: ignore[misc]  # qtpy has no types
    """Shows one image, or several side by side; says so in a note."""

    def __init__(self, session: Session, note: Note) -> None:
        super().__init__()
        self._session, self._note = session, note
        self._wanted: Sequence[Case] = ()
        self.relay = Relay("opening an image")
        self.relay.event.connect(self._on_read)
        self.relay.finished.connect(self._on_finished)

    def open(self, cases: Sequence[Case]) -> None:
        """Show these; where others are being read, the last asked for win."""
        self._wanted = cases
        if self.relay.running:
            return
        self._wanted = ()
        try:
            known = [(case, open_image_of(self._session, case)) for case in cases]
            self.relay.start(partial(read_cases, known))
        except MicroforgeError as error:
            self._note.say(str(error), "error")

    def close_down(self) -> None:
        """Wait for what is being read."""
        self.relay.blockSignals(True)
        self.relay.stop()
        self.relay.wait(10)

    def _on_read(self, event: ReadCase | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self._note.say(" ".join(part for part in (event.where, event.problem, event.remedy) if part), "error")
            return
        show_cases(self._session, event.images)
        names = " beside ".join(case.name for case, _ in event.images)
        dots = any(case.truth is not None for case, _ in event.images)
        self._note.say(f"{names}. {DOTS_EXPLAINED}" if dots else names, "info")

    def _on_finished(self) -> None:
        if self._wanted:
            self.open(self._wanted)
