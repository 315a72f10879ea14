"""Choose the images a model is measured on, and run the evaluation in the background."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from microforge.annotations import AnnotationKind
from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.evaluation.cases import (
    Case,
    CaseFailed,
    CaseOrigin,
    CaseSource,
    FileSource,
    KnownSamples,
    MeasuringStarted,
    measure,
)
from microforge.events import Preparing, RunFailed
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.background import Relay
from microforge.gui.session.snapshot import Snapshot, snapshot_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, Picker, button, rows, stacked
from microforge.gui.widgets.look.buttons import accent
from microforge.gui.widgets.path_field import PathField
from microforge.gui.widgets.progress import Busy
from microforge.inference.protocols import MakePredictor, SamplePredictor
from microforge.io.model_file import read_card
from microforge.tasks import Task, get_task

_FILES, _ASIDE, _OPEN = "files", "aside", "open"
_MOST_PROBLEMS = 4
MODEL_NEEDED = "Train a model, or open one in Apply."
ADVICE = "Choose images of which you know the truth, and that the model has not learnt from."


@dataclass(frozen=True, eq=False)
class OpenSource:
    """Images that are open, with what is annotated on them now; each with the unique id of its layer."""

    snapshots: tuple[tuple[Any, Snapshot], ...]

    def __call__(self, task: Task) -> tuple[int, KnownSamples]:
        """Give the number of images, and their samples one by one."""
        return len(self.snapshots), self._samples(task)

    def _samples(self, task: Task) -> KnownSamples:
        for layer, snapshot in self.snapshots:
            try:
                for sample in snapshot.samples():
                    yield CaseOrigin(key=layer), task.check(sample)
            except MicroforgeError as error:
                yield CaseFailed(snapshot.image.name, str(error))


class TruthQuestion(NamedTuple):
    """What is asked for where a model is measured on files.

    Attributes
    ----------
    kind
        What is known of the images.
    title, tip, paths
        Of the field for the files that say what is true, and whether these are folders or files.
    wanted
        What the model must be able to do, in words.
    """

    kind: AnnotationKind
    title: str
    tip: str
    paths: tuple[Literal["folder", "files"], ...]
    wanted: str


class ReviewSource(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Choose images with a known truth and measure the session's model on them.

    Attributes
    ----------
    began
        Emits the model's task when images start to be measured.
    case
        Emits each `Case`.
    ended
        Emits when no more follow.
    """

    began = Signal(object)
    case = Signal(object)
    ended = Signal()

    def __init__(
        self, session: Session, question: TruthQuestion, make: MakePredictor[SamplePredictor] | None = None
    ) -> None:
        super().__init__()
        self._session, self._question, self._make = session, question, make
        # Without parents: closing waits for them also after Qt has deleted the dock.
        self._relay = Relay("a measurement")
        self._problems: list[str] = []
        self._done, self._total, self._cancelled, self._measured = 0, 1, False, False
        self.where = Picker("Images of which the truth is known; best those that nothing was learnt from.")
        self.images = PathField("Images: a folder", "Images that nothing was learnt from.")
        self.truth = PathField(question.title, question.tip, question.paths, "All files (*)")
        self.start = accent(button("Measure", "Apply the model to these images and compare with the truth.", self.run))
        self.busy = Busy("Stop; what is measured so far stays.")
        self.note = Note()
        form = rows(("Measure on", self.where))
        stacked(self, form, self.images, self.truth, self.start, self.busy, self.note)
        self._connect()
        self.refresh()

    @property
    def running(self) -> bool:
        """Whether images are being measured."""
        return self._relay.running

    def refresh(self) -> None:
        """Offer what there is."""
        items = self._items()
        choices = [("Files on disk", _FILES)]
        choices += [(f"Annotated images ({len(items)})", _OPEN)] if items else []
        aside = sum(item.is_aside for item in items)
        choices += [(f"Validation images ({aside})", _ASIDE)] if aside else []
        self.where.set_choices(choices)
        files = self.where.value() == _FILES
        self.images.setVisible(files)
        self.truth.setVisible(files)
        self.start.setEnabled(not self._relay.running and self._session.model_path is not None)
        if self._session.model_path is None:
            self.note.say(MODEL_NEEDED, "info")
        elif self.note.text() in (MODEL_NEEDED, ""):
            self.note.say("" if self._measured else ADVICE, "info")

    def run(self) -> None:
        """Measure in the background."""
        try:
            source, model = self._source(), self._model()
            self.busy.begin("Loading the model")
            config = PredictionConfig(device=self._session.settings.device)
            self._relay.start(partial(measure, model, source, config, self._make))
        except MicroforgeError as error:
            self.busy.end()
            self.note.say(str(error), "error")
            return
        self._problems, self._done, self._cancelled, self._measured = [], 0, False, True
        self.note.say("")
        self.refresh()

    def close_down(self) -> None:
        """Stop; the panels hear no more of it."""
        self._session.changed.disconnect(self.refresh)
        self._session.model_changed.disconnect(self.refresh)
        self.busy.let_go()
        self._relay.end(10)

    def _model(self) -> Path:
        """Give the model.

        Raises
        ------
        MicroforgeError
            If it cannot be read, or answers another question.
        """
        path = self._session.model_path
        if path is None:
            raise NotEnoughDataError("There is no model yet.", remedy="Train one, or open one in Apply.")
        task = get_task(read_card(path).task)
        if task.annotation is not self._question.kind:
            raise NotEnoughDataError(
                f"The model does not {self._question.wanted}: its goal is '{task.title}'.",
                remedy="Choose another model in Apply.",
            )
        return path

    def _source(self) -> CaseSource:
        """Give what is chosen.

        Raises
        ------
        MicroforgeError
            If something is missing.
        """
        if self.where.value() == _FILES:
            images, truth = self.images.value(), self.truth.value()
            if not images or not truth:
                raise NotEnoughDataError("Choose the images, and what is known of them.")
            return FileSource(images[0], truth[0])
        items = [item for item in self._items() if item.is_aside or self.where.value() == _OPEN]
        return OpenSource(tuple((item.image.unique_id, snapshot_of(self._session, item)) for item in items))

    def _items(self) -> list[Annotated]:
        """Give the annotated images; what is drawn on them is read as the task chosen needs it."""
        return self._session.items if self._session.kind is self._question.kind else []

    def _connect(self) -> None:
        self.where.value_changed.connect(self.refresh)
        self.busy.cancelled.connect(self._on_cancel)
        self._session.changed.connect(self.refresh)
        self._session.model_changed.connect(self.refresh)
        self._relay.event.connect(self._on_event)
        self._relay.finished.connect(self._on_finished)

    def _on_cancel(self) -> None:
        self._cancelled = True
        self._relay.stop()

    def _on_event(self, event: Any) -> None:
        if isinstance(event, Preparing):
            self.busy.text.setText(event.text)
        elif isinstance(event, MeasuringStarted):
            self._total = max(event.total, 1)
            self.began.emit(event.task)
        elif isinstance(event, RunFailed):
            where = f"{event.where}:" if event.where else ""
            self._problems.append(" ".join(part for part in (where, event.problem, event.remedy) if part))
        else:
            self._count(event)

    def _count(self, event: Case | CaseFailed) -> None:
        self._done += 1
        # Of a series there are several.
        self._total = max(self._total, self._done)
        self.busy.advance(self._done / self._total, f"{self._done:,} of {self._total:,} images")
        if isinstance(event, CaseFailed):
            self._problems.append(f"{event.name}: {event.reason}")
        else:
            self.case.emit(event)

    def _on_finished(self) -> None:
        self.busy.end()
        lines = self._problems[:_MOST_PROBLEMS]
        if len(self._problems) > _MOST_PROBLEMS:
            lines.append(f"And {len(self._problems) - _MOST_PROBLEMS} more.")
        if self._cancelled:
            lines.append("Cancelled: the figures are those of the images measured so far.")
        self.refresh()
        if lines:
            self.note.say("\n".join(lines), "warning" if self._problems else "info")
        self.ended.emit()
