"""A running training: steps, validation, previews, files; `loop` decides when each is due."""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from microforge.data.sampler import Sampler
from microforge.device import is_out_of_memory, release_memory
from microforge.errors import MicroforgeError, TrainingDivergedError, WriteError
from microforge.events import (
    CheckpointSaved,
    ComparedWithStart,
    Doubt,
    KeptAside,
    RunAdvice,
    RunFinished,
    StepFinished,
    TrainingEvent,
    Validated,
)
from microforge.io.model_file import BaselineCard, ModelCard, save_model
from microforge.tasks.abilities import LevelsCounts, corrupted
from microforge.training.advice import Watcher
from microforge.training.checkpoint import Checkpoint, save_checkpoint, unusable
from microforge.training.history.report import report_run
from microforge.training.history.run_folder import CHECKPOINT_NAMES, CONFIG_NAME, MODEL_NAME, REPORT_NAME, TOLD_NAMES
from microforge.training.log import History
from microforge.training.mailbox import Live, PreviewRequest
from microforge.training.model_card import finished_card, make_card, summarise
from microforge.training.quality.baseline import BaselineMeasurement
from microforge.training.quality.doubt import StepBudget, doubt_of
from microforge.training.quality.kept_weights import Best, Final, kept_of
from microforge.training.quality.start import StartMeasurement, versus_card
from microforge.training.resume.changes import Changed, changed_setup
from microforge.training.resume.record import RunRecord
from microforge.training.schedule import ActiveClock
from microforge.training.setup import Setup, make_sources
from microforge.training.step.learner import make_learner
from microforge.training.step.optimiser import pace
from microforge.training.step.own_answers import OwnAnswers
from microforge.training.step.short_memory import draw_less
from microforge.training.validation import Validator
from microforge.transfer import Download

SAFE_EVERY = 25
#: So many updates left out in a row, and nothing will ever be learnt.
MOST_SKIPPED = 20


class Run:
    """State of a training run; every method that may take long is an iterator, so that Stop is heard in time."""

    def __init__(
        self, setup: Setup, sampler: Sampler, folder: Path, clock: ActiveClock, live: Live, before: Path | None = None
    ) -> None:
        self.setup, self.sampler, self.folder, self.clock, self.live = setup, sampler, folder, clock, live
        config, plan = setup.config, setup.plan
        self.learner = make_learner(setup.task, plan.network, setup.device, config.learning_rate, config.seed)
        if setup.start is not None:
            self.learner.start_from(setup.start.weights)
        self.validator = Validator(setup, self.learner.predictor, live)
        self.card = make_card(setup.task, plan.network, setup.normalisation, setup.training, self.learner.parameters)
        self.summary = summarise(setup)
        self.metric_noise = setup.task.metric_noise(max(len(setup.validation), 1))
        self.watcher = Watcher(setup.task.monitor[1], self.metric_noise)
        self.baseline = BaselineMeasurement(setup)
        self.start = StartMeasurement(setup, before if setup.record else setup.config.start_from)
        self.compared: ComparedWithStart | None = None
        self.own = OwnAnswers(setup.task, setup.device)
        self.budget = StepBudget(config.time, self.baseline.card.enough_steps)
        self.metrics: dict[str, float] = {}
        self.best: Best | None = None
        self.safe = self.learner.weights()
        self.pending: deque[tuple[Download, tuple[str, ...]]] = deque()
        self.unseen: set[str] = set()
        self.unwritten = ""
        self.changed = False
        self.recent: deque[float] = deque(maxlen=30)
        self.megapixels = 0.0
        self.last_loss = 0.0

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint; where the network has grown, what fits of its weights is taken.

        Raises
        ------
        ModelFileError
            If what is in the checkpoint does not belong together.
        """
        try:
            self._restore(checkpoint)
        except (KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            raise unusable(self.folder) from error

    def _restore(self, checkpoint: Checkpoint) -> None:
        values, record = checkpoint.values, self.setup.record
        self._take_weights(checkpoint)
        self.sampler.state = values["sampler"]
        self.clock.before += float(values["seconds"])
        self.megapixels = float(values["megapixels"])
        self.watcher.restore(values["watcher"])
        if record is None or not self._measures_alike(record):
            self.watcher.best = None
            return
        self.metrics = dict(values["metrics"])
        self.validator.take_options(values["options"])
        self.baseline.restore(values["baseline"])
        self.validator.symptom = self.baseline.card.symptom
        if (best := values["best"]) is not None:
            self.best = Best(weights=checkpoint.part("best"), **best)

    def _take_weights(self, checkpoint: Checkpoint) -> None:
        parts = {name: checkpoint.part(name) for name in ("network", "average", "optimiser")}
        step, record = int(checkpoint.values["step"]), self.setup.record
        if record is None or record.network == self.setup.plan.network:
            self.learner.load(parts, step)
            if asked := checkpoint.part("asked"):
                self.ask_itself(asked)
        else:
            # More classes: as from any other model. What answers for the classes known is learnt again, too.
            self.learner.start_from(parts["network"])
            self.learner.step = step
        self.safe = self.learner.weights()

    def _measures_alike(self, record: RunRecord) -> bool:
        """Tell whether what was measured before can be compared with what will be."""
        options = self.setup.task.options.model_dump(mode="json")
        same_model = record.network == self.setup.plan.network and record.task_options == options
        return same_model and record.aside == self.setup.aside_images

    def step(self, fraction: float | None) -> Iterator[TrainingEvent]:
        """Make one step; yields advice where memory was short, and what the step before gave."""
        if not self._learnt(fraction):
            yield self._shrink()
            return
        # Reading the loss of the step before lets the device work on while Python goes on.
        if len(self.pending) > (self.setup.device.type != "cpu"):
            yield from self._finished_step(fraction)

    def _learnt(self, fraction: float | None) -> bool:
        """Make one update; False where memory was too short for it.

        What to do then is up to the caller: an error that is still handled keeps all tensors of the failed step alive.
        """
        try:
            batch = corrupted(self.setup.task, self.sampler.draw(), self.sampler.rng)
            loss = self.learner.learn(batch, pace(self.learner.step, fraction))
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        self.megapixels += batch.image[:, 0].numel() / 1e6
        self.pending.append((Download(torch.stack([loss.float(), self.learner.skipped])), batch.names))
        return True

    def _finished_step(self, fraction: float | None) -> Iterator[TrainingEvent]:
        reading, names = self.pending.popleft()
        self.last_loss, skipped = (float(value) for value in reading.read())
        if not math.isfinite(self.last_loss) or skipped >= MOST_SKIPPED:
            self._diverged(names)
        now, step = self.clock.seconds, self.learner.step
        self.recent.append(time.perf_counter())
        if step % SAFE_EVERY == 0:
            self.safe = self.learner.weights()
        device = self.setup.device
        memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
        yield StepFinished(step, self.last_loss, now, self._speed(), self.megapixels, fraction, memory)
        if skipped == 1:
            yield RunAdvice("skipped", f"Step {step} was left out, as nothing finite could be learnt from it.")
        advice = self.watcher.loss(self.last_loss, self.clock.seconds), self.budget.advice(step, now)
        yield from (one for one in advice if one is not None)

    def _speed(self) -> float:
        """Give the steps per second of late; 0 where that is not known."""
        span = self.recent[-1] - self.recent[0] if self.recent else 0.0
        return (len(self.recent) - 1) / span if span > 0 else 0.0

    def _diverged(self, names: tuple[str, ...]) -> None:
        self.learner.take_weights(self.safe)
        self.best = None
        path = self.save_model()
        raise TrainingDivergedError(
            f"The loss or its gradients became NaN or infinite at step {self.learner.step}.",
            where=", ".join(dict.fromkeys(names)),
            kept=f"The last good model is in {path}.",
            remedy="Look at these images for extreme values, or lower the learning rate under Advanced.",
        )

    def _shrink(self) -> RunAdvice:
        self.learner.forget_gradients()
        release_memory(self.setup.device)
        return draw_less(self.sampler, self.setup.plan.stride)

    def level(self) -> Iterator[TrainingEvent]:
        """Let the task make up for what is common to all errors on images trained on, with the last weights."""
        yield from self.validator.level(last=True)

    def measure_baseline(self, *, last: bool = False) -> Iterator[TrainingEvent]:
        """Measure the simple method that the model is to beat, and the model of before, once; hears Stop."""

        def stopped() -> bool:
            return self.live.discarding or (self.live.stopping and not last)

        yield from self.baseline.measure(self.validator.task, stopped)
        yield from self.start.measure(stopped)

    def doubt(self) -> Doubt | None:
        """Say why the model is of no use yet."""
        return doubt_of(self._card_of(self._now()))

    def validate(self, *, last: bool = False) -> Iterator[TrainingEvent]:
        """Predict and score the validation images with the averaged weights; ends early when asked to stop."""
        begun = time.perf_counter()
        yield from self.validator.level(last=last)
        metrics = yield from self.validator.validate(last=last)
        if metrics is None:
            return
        self.metrics = metrics
        name, direction = self.setup.task.monitor
        value, sign = self.metrics[name], 1 if direction == "max" else -1
        is_best = self.best is None or sign * value >= sign * self.best.value
        if is_best:
            self.best = Best(value, *self._now())
        seconds = time.perf_counter() - begun
        yield Validated(self.learner.step, self.metrics, is_best, seconds, self.doubt(), self.validator.worst)
        advice = self.watcher.validation(value, self.clock.seconds)
        if advice is not None:
            yield advice

    def preview(self, request: PreviewRequest) -> Iterator[TrainingEvent]:
        """Predict what is looked at; a preview that fails is said once for each image, and the run goes on."""
        try:
            yield from self.validator.preview(request, self.learner.step, self._speed())
            return
        except Exception as error:  # noqa: BLE001 - whatever a picture of the way costs, the model is worth more
            problem = "Memory was too short" if is_out_of_memory(error) else str(error) or type(error).__name__
        release_memory(self.setup.device)
        if request.token not in self.unseen:
            self.unseen.add(request.token)
            yield RunAdvice(
                f"preview {request.token}", f"There is no preview ({problem}). Training goes on.", "warning"
            )

    def take_changes(self) -> Iterator[RunAdvice | KeptAside]:
        """Use annotations that changed since; one that cannot be used is said, and the older one stays."""
        for sample in self.live.take_changed():
            try:
                known, new = self.setup.task.without_new(sample)
                if new:
                    text = f"{sample.name}: {new}, which is not learnt yet. Press Stop, then Continue, to learn it."
                    yield RunAdvice(f"new {sample.name}", text, "warning")
                by_hand = self.live.wants_aside(sample.name)
                before = self.setup.kept_aside
                self._use(changed_setup(self.setup, self.setup.task.check(known), by_hand=by_hand))
                if self.setup.kept_aside != before:
                    yield self.setup.kept_aside
            except MicroforgeError as error:
                yield RunAdvice(f"change {sample.name}", f"{sample.name}: the change was not used ({error}).")

    def _use(self, changed: Changed) -> None:
        """Draw from a changed image or measure on it from now on; what was measured on the old one is no more."""
        if changed.learnt is not None:
            self.sampler.replace(*make_sources(changed.learnt, changed.setup, self.own))
        self.setup = changed.setup
        if changed.measures_otherwise or isinstance(self.setup.task, LevelsCounts):
            self.validator.use(self.setup)
        if changed.measures_otherwise:
            self.best, self.metrics, self.watcher.best = None, {}, None
            self.metric_noise = self.setup.task.metric_noise(max(len(self.setup.validation), 1))
            self.baseline.forget(self.setup)
            self.start.use(self.setup)
            self.validator.tallies = {}
        self.summary, self.changed = summarise(self.setup), True

    def ask_itself(self, weights: Mapping[str, Tensor] | None = None) -> None:
        """Learn also what the average, or these weights of it, finds where images are annotated in part."""
        self.own.ask(self.learner.predictor, weights)
        for sample in filter(self.own.is_open, self.setup.training):
            self.sampler.replace(*make_sources(sample, self.setup, self.own))

    def final(self) -> Final:
        """Give the average, or the best on validation where that was clearly better."""
        return kept_of(self.best, self._now(), self.setup.task.monitor, self.metric_noise)

    def _now(self) -> Final:
        return Final(
            self.learner.weights(),
            self.validator.options,
            self.metrics,
            self.learner.step,
            self.validator.symptom,
            self.validator.tallies,
        )

    def save_model(self) -> Path:
        """Write the model file."""
        path, kept = self.folder / MODEL_NAME, self.final()
        save_model(path, kept.weights, self._card_of(kept).model_copy(update={"task_options": dict(kept.options)}))
        return path

    def _beside(self, symptom: str) -> BaselineCard:
        return self.baseline.card.model_copy(update={"symptom": symptom})

    def _card_of(self, kept: Final) -> ModelCard:
        versus = versus_card(self.compared, self.setup.task.monitor[0])
        card = self.card.model_copy(update={"baseline": self._beside(kept.symptom), "versus": versus})
        return finished_card(card, self.summary, kept.step, self.clock.seconds, kept.metrics)

    def keep(self) -> Iterator[CheckpointSaved | RunAdvice]:
        """Write model and checkpoint; where that fails it is said once, and tried again the next time."""
        try:
            saved = self.checkpoint()
            self.unwritten = ""
            yield saved
        except WriteError as error:
            if not self.unwritten:
                yield RunAdvice("unwritten", f"{error} Training goes on.", "warning")
            self.unwritten = str(error)

    def checkpoint(self) -> CheckpointSaved:
        """Write model and checkpoint.

        Raises
        ------
        WriteError
            If one of them cannot be written; what was there is whole.
        """
        self.save_model()
        return self._save_state()

    def _save_state(self) -> CheckpointSaved:
        sampler = self.sampler
        order = list(dict.fromkeys(source.name for source in sampler.sources))
        record = self.setup.record_of(sampler.augmentation.patch, sampler.batch_size, order)
        values = {
            "run": record.model_dump(mode="json"),
            "step": self.learner.step,
            "seconds": self.clock.seconds,
            "megapixels": self.megapixels,
            "sampler": sampler.state,
            "watcher": self.watcher.state,
            "metrics": self.metrics,
            "options": self.validator.options,
            "baseline": self._beside(self.validator.symptom).model_dump(mode="json"),
            "best": None if self.best is None else {k: v for k, v in self.best._asdict().items() if k != "weights"},
        }
        best = self.best.weights if self.best else {}
        parts = {**self.learner.parts(), "best": best, "asked": self.own.weights}
        return CheckpointSaved(self.learner.step, save_checkpoint(self.folder, parts, values))

    def finish(self, reason: str) -> Iterator[TrainingEvent]:
        """Write everything a last time, or remove it where a new run is discarded; a model needs no checkpoint.

        Raises
        ------
        WriteError
            If the model cannot be written.
        """
        if self.live.discarding:
            if self.setup.record is None:
                self._remove_files()
            yield RunFinished(self.learner.step, self.clock.seconds, None)
            return
        self.compared = self.start.compare(self.final().tallies)
        if self.changed:
            self.summary = summarise(self.setup.described_again())
        self.save_model()
        try:
            self._save_state()
        except WriteError as error:
            yield RunAdvice(
                "unwritten", f"The model is whole, but this training cannot be continued. {error}", "warning"
            )
        step, seconds, kept = self.learner.step, self.clock.seconds, self.final()
        doubt = doubt_of(self._card_of(kept))
        yield from self._report()
        if self.compared is not None:
            yield self.compared
        kind = reason if reason in ("time", "steps") else "stopped"
        path, report = self.folder / MODEL_NAME, self.folder / REPORT_NAME
        told = report if report.is_file() else None
        yield RunFinished(step, seconds, path, kept.metrics, kind, doubt, told)  # type: ignore[arg-type]

    def _report(self) -> Iterator[TrainingEvent]:
        """Write the page of the run: the last that is done with the weights, which become those that are kept."""
        kept = self.final()
        self.learner.take_weights(kept.weights)
        self.validator.take_options(kept.options)
        setup = replace(self.setup, task=self.validator.task)
        yield from report_run(self.folder, setup, kept.tallies, self.validator.predict)

    def _remove_files(self) -> None:
        for name in (MODEL_NAME, *CHECKPOINT_NAMES, History.NAME, CONFIG_NAME, *TOLD_NAMES):
            (self.folder / name).unlink(missing_ok=True)
