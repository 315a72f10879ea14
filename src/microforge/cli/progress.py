"""Progress bar and lines of the command line."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import typer

from microforge.errors import MicroforgeError, printable_lines
from microforge.events import (
    ComparedWithStart,
    FolderEvent,
    FolderStarted,
    ImageFailed,
    ImageFinished,
    ImageSkipped,
    Preparing,
    RunAdvice,
    RunFinished,
    RunStarted,
    StepFinished,
    TileFinished,
    TrainingEvent,
    Validated,
)

_LINE_EVERY = 10.0


class Progress:
    """A bar from 0 to `total` with a text behind it, on standard error.

    Parameters
    ----------
    total
        What full means; None = unknown, so that only the text is shown.
    """

    def __init__(self, total: float | None) -> None:
        self.total = total
        self.bar = self._bar() if sys.stderr.isatty() else None
        self._shown = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def show(self, done: float, text: str) -> None:
        """Move the bar to `done`; without a terminal print a line, at most every ten seconds."""
        if self.bar is not None:
            self.bar.n = done if self.total is None else min(done, self.total)
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(0)
        elif time.monotonic() - self._shown >= _LINE_EVERY:
            self._shown = time.monotonic()
            share = "" if not self.total else f"{100 * done / self.total:3.0f} %  "
            typer.echo(f"{share}{text}", err=True)

    def say(self, text: str) -> None:
        """Print lines above the bar; names of files and what a model says of itself steer no terminal."""
        text = printable_lines(text)
        if self.bar is None:
            typer.echo(text, err=True)
        else:
            self.bar.write(text, file=sys.stderr)

    def _bar(self) -> Any:
        from tqdm import tqdm

        shape = "{percentage:3.0f}% |{bar:30}| {postfix}" if self.total else "{postfix}"
        return tqdm(total=self.total, bar_format=shape, file=sys.stderr, leave=False, mininterval=0.2)


class FolderDisplay:
    """Shows the events of a folder run, and adds them up; within a large image the bar moves with its tiles."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.started = FolderStarted((), Path())
        self._counts = {"done": 0, "skipped": 0}
        self._things: int | None = 0
        self._failed: list[dict[str, str]] = []

    def show(self, event: FolderEvent) -> None:
        """Show one event."""
        if isinstance(event, FolderStarted):
            self.started = event
            if event.note:
                self.progress.say(event.note)
        elif isinstance(event, ImageFinished):
            self._add(event)
        elif isinstance(event, ImageSkipped):
            self._counts["skipped"] += 1
        elif isinstance(event, ImageFailed):
            self._failed.append({"path": str(event.path), "reason": event.reason, "remedy": event.remedy})
            self.progress.say(f"FAILED {event.path}: {event.reason} {event.remedy}")
        part = event.done / max(event.total, 1) if isinstance(event, TileFinished) else 0.0
        within = f", {100 * part:.0f} % of the next" if 0 < part < 1 else ""
        self._move(part, f". {event.text}" if isinstance(event, Preparing) else within)

    def summary(self) -> dict[str, Any]:
        """Give the counts, what failed and where the results are."""
        summary: dict[str, Any] = dict(self._counts)
        if self._things is not None and self.started.things:
            summary[self.started.things] = self._things
        return summary | {"failed": self._failed, "output": str(self.started.output)}

    def _move(self, part: float, more: str) -> None:
        """Move the bar to what was tried, and a part of the next image."""
        tried, images = sum(self._counts.values()) + len(self._failed), len(self.started.paths)
        self.progress.show((tried + part) / max(images, 1), f"{tried} of {images} images{more}")

    def _add(self, event: ImageFinished) -> None:
        self._counts["done"] += 1
        self._things = None if event.objects is None else (self._things or 0) + event.objects
        for note in event.notes:
            self.progress.say(f"{event.path.name}: {note}")


class TrainingDisplay:
    """Shows the events of a training run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._advised: set[str] = set()
        self._quality = ""

    def show(self, event: TrainingEvent) -> None:
        """Show one event; previews and checkpoints are not for a terminal."""
        if isinstance(event, StepFinished):
            self._show_step(event)
        elif isinstance(event, Validated):
            self._quality = metrics_text(event.metrics, 2)
            if event.is_best:
                standing = event.doubt.brief if event.doubt else "best so far"
                self.progress.say(f"step {event.step}: {self._quality} ({standing})")
        elif isinstance(event, RunAdvice) and event.code not in self._advised:
            self._advised.add(event.code)
            self.progress.say(f"{'Warning' if event.severity == 'warning' else 'Hint'}: {event.text}")
        elif isinstance(event, RunStarted):
            self._show_start(event)
        elif isinstance(event, ComparedWithStart):
            kept = f" The other model is kept: {event.start}" if event.is_worse else ""
            self.progress.say(f"{'Warning: ' * event.is_worse}{event.text}{kept}")
        elif isinstance(event, Preparing):
            self.progress.show(0, event.text)
        elif isinstance(event, RunFinished):
            self.progress.say(f"Trained {event.step} steps in {event.seconds:.0f} s. {metrics_text(event.metrics)}")
            if event.doubt is not None:
                self.progress.say(f"Warning: {event.doubt.text}")

    def follow(self, events: Iterator[TrainingEvent]) -> RunFinished:
        """Show all events of a training, and give the last.

        Raises
        ------
        MicroforgeError
            If the training leaves no model.
        """
        finished = None
        with closing(events):  # type: ignore[type-var]
            for event in events:
                self.show(event)
                finished = event if isinstance(event, RunFinished) else finished
        if finished is None or finished.model is None:
            raise MicroforgeError("The training ended without a model.", remedy="Train longer.")
        return finished

    def _show_step(self, event: StepFinished) -> None:
        parts = [f"step {event.step}", f"loss {event.loss:.3f}", f"{event.steps_per_second:.1f} steps/s"]
        if event.gpu_memory:
            parts.append(f"{event.gpu_memory / 2**30:.1f} GB")
        parts.append(self._quality)
        self.progress.show(event.fraction or 0, ", ".join(part for part in parts if part))

    def _show_start(self, event: RunStarted) -> None:
        again = f", going on at step {event.resumed_at}" if event.resumed_at else ""
        self.progress.say(
            f"Training '{event.task}' on {event.device}{again}: {len(event.training)} images to learn from, "
            f"{len(event.validation)} to measure quality, {event.parameters / 1e6:.2f} million parameters."
        )
        self.progress.say("  " + "; ".join(f"{name}: {value}" for name, value in event.settings.items()))


def metrics_text(metrics: Mapping[str, float], most: int | None = None) -> str:
    """Give metrics as text, such as ``AP@0.5 0.812, F1@0.5 0.896``."""
    return ", ".join(f"{name} {value:.3f}" for name, value in list(metrics.items())[:most])
