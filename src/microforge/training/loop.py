"""The training loop: `microforge.train`, an iterator of events that can be stopped at any moment."""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from microforge.config import TrainingConfig
from microforge.device import device_title
from microforge.errors import WriteError
from microforge.events import Preparing, RunAdvice, RunStarted, StepFinished, TrainingEvent, Validated
from microforge.io.atomic import atomic_write_text
from microforge.io.locking import folder_lock
from microforge.tasks.abilities import LevelsCounts
from microforge.training.checkpoint import Checkpoint, load_checkpoint
from microforge.training.history.earlier import give_back, keep_model
from microforge.training.history.run_folder import CONFIG_NAME
from microforge.training.log import History
from microforge.training.mailbox import Live
from microforge.training.resume.files import described, put_aside
from microforge.training.resume.record import read_record
from microforge.training.run import Run
from microforge.training.schedule import ActiveClock, Schedule, counted
from microforge.training.setup import Setup, make_sampler, make_setup
from microforge.training.step.own_answers import TOLD
from microforge.types import Sample


def train(
    config: TrainingConfig,
    training: Sequence[Sample],
    validation: Sequence[Sample] | None,
    folder: Path | str,
    live: Live | None = None,
    *,
    resume: bool = False,
    same_images: bool = False,
    always_learnt: Collection[str] = (),
    tests: Collection[str] = (),
    command: str = "",
) -> Iterator[TrainingEvent]:
    """Check the arguments now; return a generator that trains, yielding what happens.

    Parameters
    ----------
    config
        What to learn and how; only `task` has no default that is chosen from the data.
    training
        Annotated samples, images ``C(Z)YX`` of any real dtype, labels ``(Z)YX``; their names must differ.
    validation
        Samples to measure on; None = a part of `training` is kept aside, () = none.
    folder
        Where the model, checkpoints and log are written; made if missing.
    live
        Mailbox through which the run can be stopped or given changed annotations while it runs.
    resume
        Go on from the checkpoint in `folder`, with the same samples and settings exactly as if never stopped. Every
        image keeps its role, new ones get theirs, and new classes are learnt in addition. What the run cannot take
        (another task, seed, width, depth, normalisation, kind of image) is refused before anything is written.
    same_images
        Refuse to resume with other images or annotations than the run had.
    always_learnt
        Names of images, of time series that of all time points, that are never drawn to be kept aside.
    tests
        Names of images, named alike, that are left for a test of the finished model: they are neither learnt from nor
        measured on, also where they are handed over while the run is under way.
    command
        The command line that does the same again, for the run's report.

    Returns
    -------
    An iterator of training events, whose last is `RunFinished`. Not asking for the next event pauses the run. Closing
    it ends the run at once: model and checkpoint are written.

    Raises
    ------
    MicroforgeError
        At once, where annotations, settings or the model to start from cannot be used, or there is too little data;
        while iterating, FolderInUseError where another run works in `folder`, TrainingDivergedError, OutOfMemoryError
        and WriteError.
    """
    folder = Path(folder)
    checkpoint = load_checkpoint(folder) if resume else None
    record = None if checkpoint is None else read_record(checkpoint.values, str(folder))
    if record is not None:
        record = record.model_copy(update={"split": record.split.with_tests(tests)})
    training = [sample for sample in training if sample.series not in tests]
    validation = None if validation is None else [sample for sample in validation if sample.series not in tests]
    setup = make_setup(config, training, validation, record, same_images=same_images, always_learnt=always_learnt)
    setup = replace(setup, split=setup.split.with_tests(tests))
    _make_folder(folder)
    clock = ActiveClock()
    return counted(_alone(setup, folder, clock, live or Live(), checkpoint, command), clock)


def _alone(
    setup: Setup, folder: Path, clock: ActiveClock, live: Live, checkpoint: Checkpoint | None, command: str
) -> Generator[TrainingEvent, None, None]:
    """Train while no other run may work in the folder."""
    with folder_lock(folder, "a training"):
        yield from _events(setup, folder, clock, live, checkpoint, command)
    if live.discarding and not any(folder.iterdir()):
        folder.rmdir()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"The folder cannot be made: {error}.", where=str(folder)) from error


def _events(
    setup: Setup, folder: Path, clock: ActiveClock, live: Live, checkpoint: Checkpoint | None, command: str
) -> Generator[TrainingEvent, None, None]:
    yield Preparing("Reading images")
    sampler = yield from make_sampler(setup)
    before = keep_model(folder)
    run = Run(setup, sampler, folder, clock, live, before)
    if checkpoint is None:
        put_aside(folder)
    else:
        run.restore(checkpoint)
    atomic_write_text(folder / CONFIG_NAME, described(setup, command))
    yield _started(run)
    yield setup.kept_aside
    yield from setup.advice
    history = History(folder, resumed_at=None if checkpoint is None else run.learner.step)
    finished = False
    try:
        for event in _steps(run):
            yield from _note(history, run, event)
            yield event
        finished = True
    finally:
        if not finished and not live.discarding and np.isfinite(run.last_loss):
            run.checkpoint()
        if live.discarding and before is not None and checkpoint is not None:
            give_back(folder, before)


def _steps(run: Run) -> Iterator[TrainingEvent]:
    """Step until the end, with validations, previews and checkpoints in between as they become due."""
    schedule, config, live = Schedule(run.clock), run.setup.config, run.live
    while not (reason := schedule.end(config, run.learner.step, live.stopping)):
        yield from run.take_changes()
        yield from run.step(schedule.fraction(config, run.learner.step))
        if run.own.due(run.learner.step, run.setup.training):
            run.ask_itself()
            yield TOLD
        if (request := live.preview()) is not None and schedule.preview.due():
            yield from schedule.preview.timed(run.preview(request))
        if run.setup.validation and schedule.validation.due():
            yield from run.measure_baseline()
            yield from schedule.validation.timed(run.validate())
        if schedule.checkpoint.due():
            yield from schedule.checkpoint.timed(run.keep())
    # What a model has measured of itself must be true of its last weights, also after Stop; so must what it is
    # compared by with the model it goes on from.
    always = isinstance(run.setup.task, LevelsCounts) or run.start.model is not None
    if run.setup.validation and not live.discarding and (always or not live.stopping):
        yield from run.measure_baseline(last=True)
        yield from run.validate(last=True)
    elif not live.discarding:
        yield from run.level()
    yield from run.finish(reason)


def _started(run: Run) -> RunStarted:
    setup = run.setup
    return RunStarted(
        setup.task.title,
        device_title(setup.device),
        run.card.parameters,
        {**setup.plan.describe(), "normalisation": setup.normalisation.mode, **setup.task.learnt()},
        tuple(sample.name for sample in setup.training),
        tuple(sample.name for sample in setup.validation),
        run.folder,
        run.learner.step,
    )


def _note(history: History, run: Run, event: TrainingEvent) -> Iterator[RunAdvice]:
    """Keep validations, and one step in ten, in the log; tells once where that is not possible."""
    before = history.problem
    if isinstance(event, Validated):
        name = run.setup.task.monitor[0]
        history.add(event.step, run.clock.seconds, run.last_loss, 0.0, name, event.metrics[name])
    elif isinstance(event, StepFinished) and event.step % 10 == 0:
        history.add(event.step, event.seconds, event.loss, event.steps_per_second)
    if history.problem and not before:
        yield RunAdvice("log", f"{history.problem}. Training goes on without it.", "warning")
