"""Training report: how good the network is, curves, hints, and the figures behind them."""

import io
from collections.abc import Mapping

from napari.utils import progress
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QProgressBar, QWidget

from microforge.events import Doubt, Preparing, RunAdvice, RunFailed, RunFinished, RunStarted, StepFinished, Validated
from microforge.gui.train.hints import BETTER, ENDED, Hints
from microforge.gui.train.worst_places import WorstPlaces
from microforge.gui.widgets.basics import Note, collapsible, plain_tip, shortened, stacked
from microforge.gui.widgets.curves import TrainingPlots
from microforge.tasks import Task

#: Milliseconds between new numbers; a person cannot read faster.
REPORT_PERIOD = 500
#: Milliseconds that measuring or a preview must take before it is worth a word: below, words would flicker.
SLOW = 2000
_STEPS, _PERCENT = 1000, 100
#: The kind of advice that tells why quality is not measured.
UNMEASURED = "no-validation"
#: What is said of the annotations above the report, before a training begins and while it runs.
_SAID_ABOVE = ("few",)
_TIP = "How good the network is on what was kept aside, in words; Figures has the numbers."
_WHY = {"stopped": "Stopped", "time": "The time set is over", "steps": "The steps set are done"}


class RunReport(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Show the events of a training; every method is quick, drawing is throttled.

    Parameters
    ----------
    hints
        Whether advice is shown that is no warning.
    """

    def __init__(self, hints: bool = True) -> None:
        super().__init__()
        self.doing = Note(tip="What the training does now.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.bar.setToolTip("How much of the present work, or of the time or steps set, is done.")
        self.hints = Hints(hints)
        self.numbers = Note(tip="Steps so far, speed, time of training without pauses, and how wrong the network is.")
        self.quality = Note(tip=_TIP)
        self.worst = WorstPlaces()
        self.score = Note(tip="Quality on what was kept aside, and the best so far: those weights are kept.")
        self.where = Note(tip="What computes, and how much memory of a GPU is used.")
        self.plots = TrainingPlots()
        self.settings_text = Note(tip="What was chosen from your data and this computer.")
        self._lay_out()
        self._step: StepFinished | None = None
        self._device = ""
        self._task: type[Task] | None = None
        self._best: float | None = None
        self._preparing = ""
        self._activity: progress | None = None
        self._timer = QTimer(self, interval=REPORT_PERIOD)
        self._timer.timeout.connect(self._show_numbers)
        self._slow = QTimer(self, singleShot=True, interval=SLOW)
        self._slow.timeout.connect(self._show_preparing)
        self.clear()

    def clear(self) -> None:
        """Forget the last training."""
        for note in (self.doing, self.quality, self.numbers, self.score, self.where, self.settings_text):
            note.say("")
        self.hints.clear()
        self.worst.show_places(())
        self._step, self._device, self._best = None, "", None
        self.plots.clear()
        self._show_parts(started=False)

    def begin(self, task: type[Task], *, limited: bool) -> None:
        """Show that a training of a task starts; `limited` says that its end is known."""
        self.end()
        # What holds of the images is said anew by a training that goes on.
        self.hints.clear()
        self._task = task
        monitor, direction = task.monitor
        self.plots.name_score(monitor, higher_is_better=direction == "max")
        self._timer.start()
        self.plots.set_running(True)
        # Without a file of its own a progress of napari writes to the terminal too.
        self._activity = progress(total=_PERCENT if limited else 0, desc="Training", file=io.StringIO())

    def end(self) -> None:
        """Show the last numbers; nothing moves any more."""
        self._timer.stop()
        self._slow.stop()
        self._show_numbers()
        self.plots.set_running(False)
        self.bar.hide()
        if self._activity is not None:
            self._activity.close()
            self._activity = None

    def add(self, event: object) -> None:
        """Take in what happened."""
        if isinstance(event, StepFinished):
            self._on_step(event)
        elif isinstance(event, Validated):
            self._on_score(event)
        elif isinstance(event, RunStarted):
            self._on_started(event)
        elif isinstance(event, Preparing):
            self._on_preparing(event)
        elif isinstance(event, RunAdvice):
            self._on_advice(event)
        elif isinstance(event, RunFailed):
            self._on_failed(event)
        elif isinstance(event, RunFinished):
            self._on_finished(event)

    def _lay_out(self) -> None:
        inside = QWidget()
        stacked(inside, self.score, self.numbers, self.where, self.settings_text)
        tip = "Scores, curve of the loss, steps, what computes, and what was chosen from your data and this computer."
        self.figures = collapsible("Figures", tip, inside)
        self.figures.toggled.connect(self.plots.show_loss)
        stacked(self, self.doing, self.bar, self.quality, self.worst, self.hints, self.plots, self.figures)

    def _show_parts(self, *, started: bool) -> None:
        for widget in (self.plots, self.figures):
            widget.setVisible(started)
        self.bar.setVisible(False)

    def _on_started(self, event: RunStarted) -> None:
        self._show_parts(started=True)
        self._device = event.device
        if not event.validation:
            # Of a training that goes on: what was measured once is measured no more.
            self.plots.forget_score()
            self.worst.show_places(())
            self.score.say("")
            self.quality.say("Quality is unknown, as nothing is kept aside to measure it on.", "info")
        names = {"learnt from": event.training, "kept aside": event.validation}
        lines = [f"{title}: {text}" for title, text in event.settings.items()]
        lines += [f"{title}: {len(images)} image{'s' * (len(images) != 1)}" for title, images in names.items()]
        lines.append(f"parameters: {event.parameters:,}")
        self.settings_text.say("\n".join(lines))
        self.where.say(event.device)
        self.doing.say("")

    def _on_step(self, event: StepFinished) -> None:
        self._slow.stop()
        if self._preparing:
            self._preparing = ""
            self.doing.say("")
        self._step = event
        self.plots.add_loss(event.step, event.loss)

    def _on_score(self, event: Validated) -> None:
        monitor = "" if self._task is None else self._task.monitor[0]
        value = event.metrics.get(monitor)
        if value is None:
            return
        if event.is_best:
            self.hints.end(BETTER)
        self._best = value if event.is_best or self._best is None else self._best
        self.plots.add_score(event.step, value)
        standing = f"best {self._best:.3f}" if event.doubt is None else event.doubt.brief
        rest = [f"{name} {figure:.3f}" for name, figure in event.metrics.items() if name != monitor]
        self.score.say(" · ".join([f"{monitor} {value:.3f} ({standing})", *rest]))
        self._show_quality(event.metrics, event.doubt)
        self.worst.show_places(event.worst)

    def _on_advice(self, event: RunAdvice) -> None:
        """Show a hint; why quality is unknown stands in the place of quality, until it is known."""
        if event.code == UNMEASURED:
            if not self.score.text():
                self.quality.say(event.text, "info")
        elif event.code not in _SAID_ABOVE:
            self.hints.say(event.code, event.text, event.severity)

    def _on_preparing(self, event: Preparing) -> None:
        self._preparing = event.text
        self._show_fraction(event.fraction)
        if self._step is None:
            self._show_preparing()
        elif not self._slow.isActive():
            self._slow.start()

    def _show_preparing(self) -> None:
        self.doing.say(self._preparing, "info")

    def _on_finished(self, event: RunFinished) -> None:
        why = _WHY[event.reason]
        self._preparing = ""
        # What speaks against using it yet is said of its quality.
        self.doing.say(f"{why}: the model is saved.", "ok" if event.doubt is None else "info")
        if event.doubt is not None or event.metrics:
            self._show_quality(event.metrics, event.doubt)
        self.hints.end(ENDED)

    def _show_quality(self, metrics: Mapping[str, float], doubt: Doubt | None) -> None:
        quality = None if self._task is None else self._task.in_words(metrics)
        if doubt is not None:
            self.quality.say(doubt_text(doubt), "warning")
        elif quality is not None:
            self.quality.say(shortened(quality.text), quality.severity)
        self.quality.setToolTip(plain_tip(doubt.text) if doubt else _TIP)

    def _on_failed(self, event: RunFailed) -> None:
        place = f"{event.where}: " if event.where else ""
        parts = (place + event.problem, event.kept, event.remedy)
        self._preparing = ""
        self.doing.say(" ".join(part for part in parts if part), "error")
        self.doing.setToolTip(plain_tip(event.details))

    def _show_fraction(self, fraction: float | None) -> None:
        # Without a known length the bar would move for ever, and cost the painting its time.
        self.bar.setVisible(fraction is not None)
        self.bar.setRange(0, _STEPS)
        self.bar.setValue(round((fraction or 0) * _STEPS))

    def _show_numbers(self) -> None:
        step = self._step
        if step is None:
            return
        speed = f"{step.steps_per_second:.1f} steps/s" if step.steps_per_second else ""
        parts = (f"Step {step.step:,}", speed, clock_text(step.seconds), f"loss {step.loss:.3f}")
        self.numbers.say(" · ".join(part for part in parts if part))
        memory = "" if step.gpu_memory is None else f"{step.gpu_memory / 2**30:.1f} GB of GPU memory"
        self.where.say(" · ".join(part for part in (self._device, memory) if part))
        if self._timer.isActive():
            self._show_fraction(step.fraction)
        self._advance(step.fraction)

    def _advance(self, fraction: float | None) -> None:
        # Seldom: with each update napari handles all events that wait, whatever else is being done.
        done = int((fraction or 0) * _PERCENT)
        if self._activity is not None and done > self._activity.n:
            self._activity.update(done - self._activity.n)


def doubt_text(doubt: Doubt) -> str:
    """Say what speaks against using a model yet, and what to do; the figures are elsewhere."""
    return f"{doubt.brief[0].upper()}{doubt.brief[1:]}. {doubt.remedy}".strip()


def clock_text(seconds: float) -> str:
    """Write a duration for people: ``2:05``, ``1:02:05``."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
