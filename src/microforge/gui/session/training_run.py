"""Control of trainings: start, pause, stop, continue, discard."""

import shutil
from collections.abc import Generator, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from psygnal import Signal

from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.events import KeptAside, Preparing, RunAdvice, RunFailed, RunFinished
from microforge.gui.session.annotations import window_annotation
from microforge.gui.session.state import Session
from microforge.gui.session.watching.edits import edited_images
from microforge.gui.session.watching.handed_over import Edited, HandedOver
from microforge.tasks import Task
from microforge.training.history.repeat import TrainingFiles, command_to_train, command_to_train_project
from microforge.types import Sample, series_of


class RunState(Enum):
    """Where a training stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    DISCARDING = "discarding"
    ENDED = "ended"


class TrainingRun:
    """Drive the training of a session.

    Attributes
    ----------
    folder
        Where the current or last run writes; None before the first and after a discarded one.
    task
        What the current or last run learns; None before the first.
    goes_on
        Whether it began with the model of a run before, in the same folder.
    """

    state_changed = Signal(object)
    event = Signal(object)

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = RunState.IDLE
        self.folder: Path | None = None
        self.task: type[Task] | None = None
        self.goes_on = False
        session.training.event.connect(self._on_event)
        session.training.finished.connect(self._on_finished)

    @property
    def busy(self) -> bool:
        """Whether a training is under way, paused or ending."""
        return self.state not in (RunState.IDLE, RunState.ENDED)

    @property
    def can_continue(self) -> bool:
        """Whether the last run can be taken up again: it learns what is chosen now."""
        return self.can_discard and self.task is self.session.task_class

    @property
    def can_discard(self) -> bool:
        """Whether there is a last run, and something of it on disk."""
        return self.state is RunState.ENDED and self.folder is not None and self.folder.exists()

    def start(self) -> None:
        """Train from the beginning in a new folder.

        Raises
        ------
        MicroforgeError
            If a training is under way, or the annotations cannot be used.
        """
        self._begin(self.session.new_run_folder(), resume=False)

    def proceed(self) -> None:
        """Take up the last run where it ended, with what is annotated now.

        Raises
        ------
        MicroforgeError
            If there is none.
        """
        if self.folder is None:
            raise MicroforgeError("There is no training to continue.", remedy="Press Train.")
        self._begin(self.folder, resume=True)

    def pause(self) -> None:
        """Hold the training; the processor is free meanwhile."""
        if self.state is RunState.RUNNING:
            self.session.training.pause()
            self._set(RunState.PAUSED)

    def resume(self) -> None:
        """Go on after a pause."""
        if self.state is RunState.PAUSED:
            self.session.training.resume()
            self._set(RunState.RUNNING)

    def stop(self) -> None:
        """End the training and keep the model."""
        if self.state in (RunState.RUNNING, RunState.PAUSED):
            self.session.live.stop()
            self.session.training.resume()
            self._set(RunState.STOPPING)

    def discard(self) -> None:
        """End the training and keep nothing of it; of one that goes on, the model of before is there again."""
        if self.state is RunState.ENDED:
            self._remove_folder()
            self._set(RunState.IDLE)
        elif self.busy:
            self.session.live.discard()
            self.session.training.stop()
            self._set(RunState.DISCARDING)

    def _begin(self, folder: Path, *, resume: bool) -> None:
        session = self.session
        begun = edited_images(session)
        live = session.make_live()
        config, task, train = session.config, session.task, session.train
        folders = (session.pairs_images, *session.pairs_targets) if session.has_folder else ()
        given = HandedOver({one.item: one.snapshot.image.name for one in begun})
        learnt = [one.snapshot.image.name for one in begun if one.item.always_learnt]
        wanted: dict[str, Any] = {"always_learnt": learnt} if learnt else {}
        tests = [item.image.name for item in session.annotated if item.tests]
        wanted |= {"tests": tests} if tests else {}
        wanted |= {"command": command} if (command := self._command(folder, opened=bool(begun))) else {}

        def events() -> Iterator[Any]:
            yield Preparing("Reading the images")
            training, validation = _split(begun, given)
            if folders:
                training += yield from _read_folders([folder for folder in folders if folder is not None], task)
            _check(task, training)
            yield from train(config, training, validation or None, folder, live, resume=resume, **wanted)

        session.training.start(events)
        self._note_aside(KeptAside(()))
        session.live, session.given = live, given
        self.folder, self.task, self.goes_on = folder, type(task), resume
        self._set(RunState.RUNNING)

    def _command(self, folder: Path, *, opened: bool) -> str:
        """Give the command that repeats the training; none where images are in no file, or only in part of them."""
        session = self.session
        if session.has_folder and session.pairs_images is not None and not opened:
            files = TrainingFiles(session.pairs_images, session.pairs_targets)
            return command_to_train(session.config, files, folder.with_name(f"{folder.name} again.safetensors"))
        if session.project is not None and not session.has_folder:
            return command_to_train_project(session.config, session.project.folder)
        return ""

    def _on_event(self, event: object) -> None:
        if isinstance(event, RunFinished) and event.model is not None:
            self.session.set_model(event.model)
        if isinstance(event, KeptAside):
            self._note_aside(event)
        self.event.emit(event)

    def _note_aside(self, aside: KeptAside) -> None:
        """Note on the images what of them is kept aside."""
        parts, names = {part.image: part for part in aside.parts}, self.session.given.names
        for item in self.session.annotated:
            item.drawn_aside = parts.get(series_of(names.get(item, "")))
        self.session.changed.emit()

    def _on_finished(self) -> None:
        self.session.live, self.session.given = None, HandedOver()
        if self.state is RunState.DISCARDING and not self.goes_on:
            self._remove_folder()
        nothing = self.folder is None or not self.folder.exists()
        self._set(RunState.IDLE if nothing else RunState.ENDED)

    def _remove_folder(self) -> None:
        folder, self.folder = self.folder, None
        self._note_aside(KeptAside(()))
        # Only what a run of this session made, below the folder for runs.
        if folder is None or not self.session.has_run(folder) or not folder.exists():
            return
        if self.session.model_path is not None and folder in self.session.model_path.parents:
            self.session.set_model(None)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            self.event.emit(RunFailed(f"The run could not be removed: {error}.", "Delete the folder yourself."))

    def _set(self, state: RunState) -> None:
        self.state = state
        self.state_changed.emit(state)


def _split(begun: Sequence[Edited], given: HandedOver) -> tuple[list[Sample], list[Sample]]:
    """Give what to train on and what to validate on, as copies; notes what the training has."""
    training: list[Sample] = []
    validation: list[Sample] = []
    for one in begun:
        (validation if one.snapshot.kept_by_hand else training).extend(given.take(one))
    return training, validation


def _check(task: Task, training: Sequence[Sample]) -> None:
    if not training:
        nothing = window_annotation(task.annotation).nothing
        raise NotEnoughDataError(nothing.text, remedy=f"In Annotate: {nothing.missing}")
    readiness = task.describe(training)
    if not readiness.ready:
        raise NotEnoughDataError(f"{readiness.text}.", remedy=readiness.missing)


def _read_folders(folders: Sequence[Path], task: Task) -> Generator[Any, None, list[Sample]]:
    """Yield what happens while folders of images, and what belongs to them, are read; return the samples."""
    from microforge.data.loading import load_samples

    yield Preparing(f"Reading {folders[0].name}")
    # A folder chosen for another goal is not one of this.
    pairing = task.annotation.pair(folders[0], folders[1:] if task.annotation.partner else ())
    loaded = load_samples(pairing, task)
    for number, problem in enumerate(loaded.problems):
        yield RunAdvice(f"file {number}", f"{problem.path.name}: {problem.reason}", "warning")
    for remark in loaded.remarks:
        yield RunAdvice(f"changed {remark.path}", f"{remark.path.name}: {remark.reason}")
    return list(loaded.samples)
