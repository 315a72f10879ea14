"""Read a network's answers again with other settings, without asking it again; come here for sliders on results.

What a network answers is large (eight bytes per pixel for objects), so that only so many bytes are kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from microforge.answers.time_series import PredictionStack
from microforge.config import field_hints, is_decoding
from microforge.errors import SettingsError
from microforge.io.model_file import load_model, save_model
from microforge.tasks import get_task
from microforge.tasks.base import Task, TaskOptions
from microforge.types import Floats, Prediction

#: How many bytes of answers are kept at most: those of 32 megapixels for objects.
MOST_KEPT = 1 << 28
#: Turns an answer ``C(Z)YX`` into a prediction, as a task with other options would.
Finish = Callable[[Floats, Task], Prediction]


@dataclass(eq=False)
class KeptOutputs:
    """The activated outputs of a network for the time points of one image, all of them or none.

    Attributes
    ----------
    most
        Bytes that may be kept.
    bytes
        That are kept.
    too_large
        Whether there was more, so that nothing is kept.
    """

    most: int = MOST_KEPT
    bytes: int = 0
    too_large: bool = False
    _frames: list[tuple[Floats, Finish]] = field(default_factory=list)

    def add(self, output: Floats, finish: Finish) -> None:
        """Keep the answer for the next time point, with what else its prediction is made of."""
        self.too_large = self.too_large or self.bytes + output.nbytes > self.most
        if self.too_large:
            self._frames.clear()
            self.bytes = 0
        else:
            self._frames.append((output, finish))
            self.bytes += output.nbytes

    @property
    def outputs(self) -> tuple[Floats, ...]:
        """What is kept, for each time point: activated, ``C(Z)YX``."""
        return tuple(output for output, _ in self._frames)

    def decode(self, task: Task, *, series: bool) -> Prediction:
        """Give what a new prediction with this task would give, bit for bit.

        Parameters
        ----------
        task
            The model's, with other options that only decide how answers are read.
        series
            Whether the image has time points: its labels are ``T(Z)YX`` then.

        Raises
        ------
        ModelMismatchError
            If nothing was kept.
        """
        stack = PredictionStack(len(self._frames) if series else None)
        for output, finish in self._frames:
            stack.add(finish(output, task))
        return stack.prediction()


def decoding_options(options: TaskOptions) -> dict[str, Any]:
    """Give the options that only decide how a network's answer is read, by name."""
    return {name: getattr(options, name) for name, info in type(options).model_fields.items() if is_decoding(info)}


def keep_options(model: Path, options: Mapping[str, Any]) -> None:
    """Write options into a model file, as those that it is used with from now on; its weights stay.

    Parameters
    ----------
    options
        Those of `decoding_options`, by name; what is not named stays.

    Raises
    ------
    ModelFileError
        If the model cannot be read.
    SettingsError
        If an option is unknown, out of range, or decides more than how answers are read.
    WriteError
        If the model cannot be written; it is unchanged then.
    """
    file = load_model(model)
    task = get_task(file.card.task).from_options(file.card.task_options)
    if more := set(options) - set(decoding_options(task.options)):
        raise SettingsError(f"A trained model cannot change: {', '.join(sorted(more))}.", where=str(model))
    changed = type(task).from_options({**task.options.model_dump(), **options}).options.model_dump(mode="json")
    save_model(model, file.weights, file.card.model_copy(update={"task_options": changed}))


def left_out_text(options: TaskOptions, left_out: Mapping[str, int]) -> str:
    """Say how many objects each option has left out: "12 smaller than 347 px, 0 less clear than 0.30 left out".

    Parameters
    ----------
    left_out
        As of a `Prediction`.
    """
    parts = []
    for name, info in type(options).model_fields.items():
        words = str(field_hints(info).get("left_out", ""))
        if words and name in left_out:
            parts.append(f"{left_out[name]:,} {words.format(value=getattr(options, name))}")
    return f"{', '.join(reversed(parts))} left out" if parts else ""
