"""The strip above all tabs: what the training does, how good it is by now, Pause and Stop."""

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from microforge.device import DeviceReport
from microforge.events import Preparing, RunFailed, RunFinished, RunStarted, StepFinished, Validated
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import RunState, TrainingRun
from microforge.gui.widgets.basics import Note, beside, button, plain_tip, stacked

#: Milliseconds between looks at the clock.
_PERIOD = 1000
_NOTHING = "What trains a network, and how good it is by now, stands here while you work."


class Header(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Tell in words how a training stands, whichever tab is open."""

    def __init__(self, session: Session, run: TrainingRun) -> None:
        super().__init__()
        self.session, self.run = session, run
        self.state = Note(tip=_NOTHING)
        self.quality = Note(tip="How good the network is on what was kept aside: Train has the figures.")
        self.pause = button("Pause", "Hold the training; the processor is free meanwhile.", self._pause, icon="pause")
        self.stop = button("Stop", "End the training and keep the model.", run.stop, icon="stop")
        stacked(self, beside(self.state, self.pause, self.stop), self.quality).setSpacing(2)
        self._device = "Looking for a GPU …"
        self._preparing, self._failed = "", False
        self._step: StepFinished | None = None
        self._clock = QTimer(self, interval=_PERIOD)
        self._clock.timeout.connect(self._show)
        run.state_changed.connect(self._on_state)
        run.event.connect(self._on_event)
        self._on_state(run.state)

    def tell_device(self, report: DeviceReport) -> None:
        """Say what computes, for whoever asks by resting the mouse."""
        reason = " ".join(part for part in (report.reason, report.remedy) if part)
        self._device = f"Computes on: {report.title}. {reason}".strip()
        self._show()

    def _pause(self) -> None:
        if self.run.state is RunState.PAUSED:
            self.run.resume()
        else:
            self.run.pause()

    def _on_state(self, state: RunState) -> None:
        running = state in (RunState.RUNNING, RunState.PAUSED)
        self.pause.setVisible(running)
        self.pause.setText("Continue" if state is RunState.PAUSED else "Pause")
        self.pause.show_icon("continue" if state is RunState.PAUSED else "pause")
        self.stop.setVisible(running)
        (self._clock.start if state is RunState.RUNNING else self._clock.stop)()
        if state is RunState.IDLE:
            self._forget()
        self._show()

    def _forget(self) -> None:
        self._step, self._preparing, self._failed = None, "", False
        self.quality.say("")

    def _on_event(self, event: object) -> None:
        if isinstance(event, Preparing):
            self._preparing = event.text
        elif isinstance(event, StepFinished):
            self._step = event
        elif isinstance(event, RunStarted):
            self._failed = False
            self.quality.say("" if event.validation else "Quality unknown", "" if event.validation else "info")
        elif isinstance(event, RunFailed):
            self._failed = True
        elif isinstance(event, Validated):
            self._show_quality(event)
        elif isinstance(event, RunFinished) and event.doubt is not None:
            self.quality.say(_sentence(event.doubt.brief), "warning")

    def _show_quality(self, event: Validated) -> None:
        quality = None if self.run.task is None else self.run.task.in_words(event.metrics)
        if event.doubt is not None:
            self.quality.say(_sentence(event.doubt.brief), "warning")
        elif quality is not None:
            self.quality.say(_sentence(quality.brief), quality.severity)

    def _show(self) -> None:
        text, severity = self._words()
        self.state.say(text, severity)
        step = self._step
        so_far = "" if step is None else f"{step.step:,} steps, {step.steps_per_second:.1f} a second."
        self.state.setToolTip(plain_tip("\n".join(part for part in (so_far or _NOTHING, self._device) if part)))

    def _words(self) -> tuple[str, str]:
        """Say how the training stands, with a severity."""
        lasted = "" if self._step is None else minutes_text(self._step.seconds)
        state = self.run.state
        if state is RunState.RUNNING:
            return (f"Learning, {lasted}" if lasted else f"Getting ready: {self._preparing or 'reading'} …"), "ok"
        if state is RunState.PAUSED:
            return f"Paused at {lasted}" if lasted else "Paused", "warning"
        if state is RunState.STOPPING:
            return "Saving the model …", "info"
        if state is RunState.DISCARDING:
            return "Discarding the training …", "info"
        if self._failed:
            return "The training could not go on: Train says why.", "error"
        return (f"Trained for {lasted}" if state is RunState.ENDED and lasted else "Not training"), "info"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def minutes_text(seconds: float) -> str:
    """Write a duration for people: ``40 s``, ``2 min``, ``1 h 5 min``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
