"""Stand-ins for what brings torch."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from microforge.device import DeviceReport
from microforge.events import (
    AsidePart,
    KeptAside,
    Preparing,
    PreviewReady,
    RunAdvice,
    RunFinished,
    RunStarted,
    StepFinished,
    TileFinished,
    Validated,
)
from microforge.types import Prediction, Sample


@dataclass
class FakeTraining:
    """Yields what a training would; remembers what it was given."""

    pause: float = 0.002
    steps: int | None = None
    error: BaseException | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0
    image: Callable[[Sample], Prediction] | None = None
    aside: tuple[AsidePart, ...] = ()

    def __call__(
        self,
        config: Any,
        training: Sequence[Sample],
        validation: Sequence[Sample] | None,
        folder: Path,
        live: Any,
        *,
        resume: bool = False,
        always_learnt: Sequence[str] = (),
        tests: Sequence[str] = (),
        command: str = "",
    ) -> Iterator[Any]:
        call = {"config": config, "training": training, "validation": validation, "folder": folder, "live": live}
        self.calls.append(
            call
            | {
                "resume": resume,
                "always_learnt": list(always_learnt),
                "tests": list(tests),
                "replaced": [],
                "command": command,
            }
        )
        folder.mkdir(parents=True, exist_ok=True)
        return self._events(self.calls[-1])

    def _events(self, call: dict[str, Any]) -> Iterator[Any]:
        model, live = call["folder"] / "model.safetensors", call["live"]
        names = tuple(sample.name for sample in call["training"])
        yield Preparing("Reading images", 0.5)
        yield RunStarted("A task", "fake device", 1234, {"patch size": "64"}, names, (), call["folder"])
        yield KeptAside(self.aside)
        step = 0
        try:
            while not live.stopping and step != self.steps:
                step += 1
                time.sleep(self.pause)
                call["replaced"] += live.take_changed()
                yield StepFinished(step, 1 / step, step * self.pause, 100.0)
                yield from self._now_and_then(step, live)
                if self.error is not None:
                    raise self.error
        finally:
            self.closed += 1
            if not live.discarding:
                model.write_bytes(b"model")
        yield RunFinished(step, 1.0, model)

    def _now_and_then(self, step: int, live: Any) -> Iterator[Any]:
        if step % 5 == 0:
            yield Validated(step, {"AP@0.5": 0.5}, True)
            yield RunAdvice("unlike", "One image is unlike the others.", "warning")
        request = live.preview()
        if request is not None and step % 10 == 0:
            labels = np.full(request.sample.image.shape[1:], 1, np.int32)
            made = Prediction(labels=labels) if self.image is None else self.image(request.sample)
            yield PreviewReady(step, request.token, made)


def fake_warm_up() -> Iterator[DeviceReport]:
    yield DeviceReport("cpu", "a test processor", "No GPU.", "Buy one.")


class FakeCounter:
    """Counts the pixels that are bright; those above 100 are of the second kind, where there are two."""

    def __init__(self, task: Any) -> None:
        self.task = task

    def predict(self, sample: Sample) -> Prediction:
        from microforge.tasks.counting.density import stamp_density

        pixels = np.asarray(sample.image)[0]
        bright = [(pixels > 0) & (pixels <= 100), pixels > 100]
        if len(self.task.kinds) == 1:
            bright = [pixels > 0]
        sigmas = self.task.sigmas[-pixels.ndim :] if pixels.ndim == 2 else self.task.sigmas
        density = [stamp_density(np.argwhere(one).astype(np.float32), pixels.shape, sigmas) for one in bright]
        made = self.task.decode(np.stack(density))
        return replace(made, statistics=self.task.statistics(made, sample))

    def run_image(self, image: Any) -> Iterator[TileFinished | Prediction]:
        from microforge.answers.time_series import PredictionStack
        from microforge.axes.samples import to_samples

        samples = to_samples(image)
        stack = PredictionStack(len(samples) if "T" in image.axes else None)
        for done, sample in enumerate(samples, start=1):
            stack.add(self.predict(sample))
            yield TileFinished(done, len(samples))
        yield stack.prediction()


class FakeClassifier:
    """Says that bright images are good, the surer the brighter they are."""

    def __init__(self, task: Any) -> None:
        self.task = task

    def predict(self, sample: Sample) -> Prediction:
        good = float(np.clip(np.asarray(sample.image).mean() / 100, 0, 1))
        probabilities = {"P(blurred)": 1 - good, "P(good)": good}
        return Prediction(class_name="good" if good > 0.5 else "blurred", statistics=probabilities)

    def run_image(self, image: Any) -> Iterator[TileFinished | Prediction]:
        from microforge.axes.samples import to_samples

        yield TileFinished(1, 1)
        yield self.predict(to_samples(image)[0])


class FakeSegmenter:
    """Takes the pixels of images, from 0 to 1, for what a network answers about objects; keeps that if asked to."""

    def __init__(self, task: Any) -> None:
        self.task = task
        self.keeps: Any = None

    def run_image(self, image: Any) -> Iterator[TileFinished | Prediction]:
        from microforge.answers.time_series import PredictionStack
        from microforge.axes.samples import to_samples

        samples = to_samples(image)
        stack = PredictionStack(len(samples) if "T" in image.axes else None)
        for done, sample in enumerate(samples, start=1):
            output = np.repeat(np.asarray(sample.image, np.float32), 2, axis=0)
            if self.keeps is not None:
                self.keeps.add(output, lambda output, task: task.decode(output))
            stack.add(self.task.decode(output))
            yield TileFinished(done, len(samples))
        yield stack.prediction()
