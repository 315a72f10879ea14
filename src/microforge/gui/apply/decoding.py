"""Sliders beside a result for what a model only decides afterwards; they act at once, on what the network answered."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QLabel, QWidget

from microforge.events import RunFailed
from microforge.gui.apply.option_sliders import OptionSliders
from microforge.gui.session.background import Relay
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.inference.open_images import OpenImagePredicted, decode_again
from microforge.inference.redecode import decoding_options, keep_options, left_out_text
from microforge.tasks import TaskOptions

#: Milliseconds in which several moves of a slider become one.
DELAY = 60
TOO_LARGE = "Too large to be read again at once; press Apply to use other settings on: "
WORKED_ON = "You worked on these, so that they stay as they are: "
IN_MODEL = "The model has these settings now. Its quality was measured with those before."


class DecodingPanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """What counts as an object: sliders for what a result's model may decide otherwise after training.

    `decoded` gives each image read anew; `options_changed` what was set, by name, for later runs of the same model;
    `model_changed` the model that was given other settings.
    """

    decoded = Signal(object)
    options_changed = Signal(object)
    model_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.model, self._own = Path(), TaskOptions()
        self._events: list[OpenImagePredicted] = []
        self._by_hand: list[str] = []
        self._relay, self._saving = Relay("a reading of answers"), Relay("a model being saved")
        # Without a parent: closing stops it also after Qt has deleted the dock.
        self._soon = QTimer(singleShot=True, interval=DELAY)
        self._make_widgets()
        self._soon.timeout.connect(self._start)
        self.sliders.changed.connect(self._on_changed)
        self._relay.event.connect(self._on_decoded)
        self._saving.event.connect(self._on_saved)
        self.clear()

    def clear(self, model: Path | None = None, options: TaskOptions | None = None) -> None:
        """Forget the last run; `model` is that of the next, and `options` are those it was trained with."""
        self._soon.stop()
        self._relay.stop()
        self._events, self._by_hand = [], []
        self.model, self._own = model or Path(), options or TaskOptions()
        self.note.say("")
        self.hide()

    def add(self, event: OpenImagePredicted) -> None:
        """Take a result in, or another reading of it."""
        if event.kept is None:
            return
        options = event.task.options
        if all(one.place is not event.place for one in self._events):
            self._own = self._own if type(self._own) is type(options) else options
            self.sliders.set_options(options)
        self._events = [*(one for one in self._events if one.place is not event.place), event]
        self.show()
        self._tell()

    def leave(self, place: Any, *, by_hand: bool) -> None:
        """Read a result no more: it is gone, or a person has worked on it."""
        self._by_hand += [event.place.name for event in self._events if event.place is place and by_hand]
        self._events = [event for event in self._events if event.place is not place]
        self._tell()

    def set_options(self, options: TaskOptions) -> None:
        """Use options that were set elsewhere."""
        if self._events and type(options) is type(self.sliders.value()) and options != self.sliders.value():
            self.sliders.set_options(options)
            self._soon.start()

    def keep(self) -> None:
        """Make these settings those of the model."""
        self._saving.start(partial(_kept, self.model, decoding_options(self.sliders.value())))

    def reset(self) -> None:
        """Go back to what the model has."""
        self.sliders.set_options(self._own)
        self._on_changed()

    def close_down(self) -> None:
        """Let go of what runs."""
        self._soon.stop()
        self._relay.end(10)
        self._saving.end(30)

    def _make_widgets(self) -> None:
        self.sliders = OptionSliders()
        self.note = Note()
        self.back = button("Reset", "Go back to the settings of the model.", self.reset)
        tip = "Write these settings into the model file: it is used with them from now on, here and elsewhere."
        self.use = button("Use for this model", tip, self.keep)
        stacked(self, QLabel("Adjust the result"), self.sliders, beside(self.back, self.use, wide=(0, 1)), self.note)

    def _on_changed(self) -> None:
        self.options_changed.emit(decoding_options(self.sliders.value()))
        self._soon.start()

    def _start(self) -> None:
        """Read what was kept with the options as they are by now; the last ones win."""
        if self._relay.running:
            self._relay.stop()
            self._soon.start()
            return
        kept = [event for event in self._events if event.kept is not None and not event.kept.too_large]
        if kept:
            self._relay.start(partial(_decoded, kept, decoding_options(self.sliders.value())))
        else:
            self._tell()

    def _on_decoded(self, event: OpenImagePredicted | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.note.say(event.in_words, "error")
            return
        wanted = any(one.place is event.place for one in self._events)
        if wanted and not self._relay.stopping:
            self.decoded.emit(event)

    def _on_saved(self, event: Path | RunFailed) -> None:
        if isinstance(event, RunFailed):
            self.note.say(event.in_words, "error")
            return
        self._own = self.sliders.value()
        self.model_changed.emit(event)
        self._tell()
        self.note.say(f"{self.note.text()}\n{IN_MODEL}", "ok")

    def _tell(self) -> None:
        """Say what was left out, of all images together, and which cannot be read again."""
        lines = [_shown_and_left_out(self._events)] if self._events else []
        large = [event.place.name for event in self._events if event.kept is not None and event.kept.too_large]
        lines += [TOO_LARGE + ", ".join(large)] if large else []
        lines += [WORKED_ON + ", ".join(self._by_hand)] if self._by_hand else []
        self.note.say("\n".join(filter(None, lines)))
        changed = self.sliders.value() != self._own
        self.back.setEnabled(changed)
        self.use.setEnabled(changed)


def _shown_and_left_out(events: Sequence[OpenImagePredicted]) -> str:
    shown, left_out = 0, Counter[str]()
    for event in events:
        left_out.update(event.prediction.left_out)
        shown += len(next(iter(event.prediction.measurements.values()), ()))
    task = events[-1].task
    counted = task.answer.counted or "results"
    called = counted.removesuffix("s") if shown == 1 else counted
    return f"{shown:,} {called} shown; {left_out_text(task.options, left_out)}"


def _decoded(events: Sequence[OpenImagePredicted], options: Mapping[str, Any]) -> Iterator[OpenImagePredicted]:
    for event in events:
        yield decode_again(event, options)


def _kept(model: Path, options: Mapping[str, Any]) -> Iterator[Path]:
    keep_options(model, options)
    yield model
