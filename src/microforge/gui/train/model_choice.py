"""Whether a model is better than the one its training began with, and the choice between both: both are kept."""

from collections.abc import Iterator
from pathlib import Path

from qtpy.QtWidgets import QWidget

from microforge.events import ComparedWithStart, RunFailed
from microforge.gui.session.background import Relay
from microforge.gui.session.state import PATIENCE, Session
from microforge.gui.session.training_run import TrainingRun
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.training.history.earlier import go_back
from microforge.training.history.run_folder import MODEL_NAME

_BACK, _AGAIN = "Keep the one before", "Use the new one"
_TIP = "Use the other of the two models from now on. Both are kept; going on continues from the one in use."


class ModelChoice(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Say how both models compare, and let a person choose which is *the* model; hidden where there is one only."""

    def __init__(self, session: Session, run: TrainingRun) -> None:
        super().__init__()
        self._session, self._run = session, run
        self.text = Note(tip="Both were measured on the same images, which neither has learnt from.")
        self.other = button(_BACK, _TIP, self._on_other)
        self._changing = Relay("a change of model")
        self._changing.event.connect(self._on_changed)
        session.closing.connect(lambda: self._changing.end(PATIENCE))
        self._path: Path | None = None
        row = beside(self.other, wide=())
        row.addStretch()
        stacked(self, self.text, row)
        self.clear()

    def clear(self) -> None:
        """Forget what was compared."""
        self._path = None
        self.hide()

    def tell(self, compared: ComparedWithStart) -> None:
        """Show how a model stands beside the one its training began with."""
        self._path = compared.start
        self.text.say(compared.text, "warning" if compared.is_worse else "info")
        self.other.setText(_BACK)
        self.show()

    def _on_other(self) -> None:
        folder, other = self._run.folder, self._path
        if folder is None or other is None or self._changing.running:
            return
        if self._run.goes_on:
            self._changing.start(lambda: _gone_back(folder, other))
        else:
            self._on_changed(self._session.model_path)
            self._session.set_model(other)

    def _on_changed(self, event: object) -> None:
        """Note that the other is in use now; what was in use can be taken again."""
        if isinstance(event, RunFailed):
            self._session.say(event.in_words, "error")
        elif isinstance(event, Path):
            self._path = event
            self.other.setText(_AGAIN if self.other.text() == _BACK else _BACK)
            if self._run.goes_on and self._run.folder is not None:
                self._session.set_model(self._run.folder / MODEL_NAME)


def _gone_back(folder: Path, other: Path) -> Iterator[Path]:
    yield go_back(folder, other)
