"""Events of training runs and folder runs: the only thing that crosses to a screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from microforge.types import Prediction


@dataclass(frozen=True)
class Preparing:
    """The run is busy before or between steps (reading, encoding, validating); `fraction` is 0..1 or None."""

    text: str
    fraction: float | None = None


@dataclass(frozen=True)
class RunStarted:
    """Training begins. `settings` shows the choices made from data and device, ready to print."""

    task: str
    device: str
    parameters: int
    settings: Mapping[str, str]
    training: tuple[str, ...]
    validation: tuple[str, ...]
    folder: Path | None = None
    resumed_at: int = 0


@dataclass(frozen=True)
class AsidePart:
    """What of an image is kept aside: all of it, or from pixel `start` along `axis` of ``(Z)YX`` on.

    Attributes
    ----------
    image
        Name of the image, of a time series that of all time points.
    by_hand
        Whether a person said so, rather than the draw.
    """

    image: str
    axis: int | None = None
    start: int = 0
    by_hand: bool = False


@dataclass(frozen=True)
class KeptAside:
    """What is measured on and not learnt from, from now on."""

    parts: tuple[AsidePart, ...]


@dataclass(frozen=True)
class StepFinished:
    """One optimiser step. `seconds` is the active training time so far (pauses do not count)."""

    step: int
    loss: float
    seconds: float
    steps_per_second: float = 0.0
    megapixels: float = 0.0
    fraction: float | None = None
    gpu_memory: int | None = None


@dataclass(frozen=True)
class Doubt:
    """Why a model is not of use yet: in a few words, with numbers and what to do, and only what to do."""

    brief: str
    text: str
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class WorstPlace:
    """A small part of an image kept aside where many pixels are wrong.

    Attributes
    ----------
    name
        Of the sample.
    corner
        Its first pixel in the sample, along ``(Z)YX``.
    wrong
        How many pixels of it are wrong.
    image
        uint8 ``YX``, black to white.
    truth, found
        bool ``YX``: outlines of what is annotated, and of what was found.
    """

    name: str
    corner: tuple[int, ...]
    wrong: int
    image: npt.NDArray[np.uint8]
    truth: npt.NDArray[np.bool_]
    found: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Validated:
    """The averaged weights were scored on the validation images; `doubt` where they are of no use yet.

    `worst` are the places where most is wrong, for tasks that tell right from wrong pixel by pixel.
    """

    step: int
    metrics: Mapping[str, float]
    is_best: bool
    seconds: float = 0.0
    doubt: Doubt | None = None
    worst: tuple[WorstPlace, ...] = ()


@dataclass(frozen=True, eq=False)
class PreviewReady:
    """The image a person looks at, predicted with the weights of `step`; `token` is the one she asked with."""

    step: int
    token: str
    prediction: Prediction
    seconds: float = 0.0


@dataclass(frozen=True)
class PreviewAwaited:
    """What the network says of the image looked at is worth nothing yet; it will be within so many seconds, likely."""

    step: int
    token: str
    seconds: float


@dataclass(frozen=True)
class RunAdvice:
    """A hint in plain words; `code` names its kind so that a panel shows each once."""

    code: str
    text: str
    severity: Literal["info", "warning"] = "info"


@dataclass(frozen=True)
class CheckpointSaved:
    """The run can be resumed from here."""

    step: int
    path: Path


@dataclass(frozen=True)
class ComparedWithStart:
    """The model and the one the run began with, scored on the same images kept aside; both are kept.

    Attributes
    ----------
    text
        Whether it is better, in words; also where that cannot be told.
    start
        The file of the model it began with.
    better, worse, alike
        On how many images.
    mean
        Mean difference of the metric that decides, this model minus the one it began with.
    """

    text: str
    start: Path
    better: int = 0
    worse: int = 0
    alike: int = 0
    mean: float = 0.0
    is_worse: bool = False

    @property
    def images(self) -> int:
        """How many images both were scored on; 0 where it cannot be told."""
        return self.better + self.worse + self.alike


@dataclass(frozen=True)
class RunFinished:
    """The run ended well, by itself or by Stop; the model is written, with `doubt` where it is of no use yet.

    `report` is the page that tells of it; None where there is none.
    """

    step: int
    seconds: float
    model: Path | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: Literal["stopped", "time", "steps"] = "stopped"
    doubt: Doubt | None = None
    report: Path | None = None


@dataclass(frozen=True)
class RunFailed:
    """The run ended with an error; made by the relay that drives the generator, so that none is swallowed."""

    problem: str
    remedy: str = ""
    kept: str = ""
    where: str = ""
    details: str = ""

    @property
    def in_words(self) -> str:
        """What went wrong, and what to do."""
        return " ".join(part for part in (self.problem, self.remedy) if part)


TrainingEvent = (
    Preparing
    | RunStarted
    | KeptAside
    | StepFinished
    | Validated
    | PreviewReady
    | PreviewAwaited
    | RunAdvice
    | CheckpointSaved
    | ComparedWithStart
    | RunFinished
    | RunFailed
)


@dataclass(frozen=True)
class FolderStarted:
    """A folder run begins with these files, in order; `things` is what is counted in them, in the plural.

    `note` says what became of the ledger, where it was damaged or lost.
    """

    paths: tuple[Path, ...]
    output: Path
    device: str = ""
    things: str = "objects"
    note: str = ""


@dataclass(frozen=True)
class ImageStarted:
    """A file is being read and predicted."""

    path: Path
    index: int


@dataclass(frozen=True)
class TileFinished:
    """A part of an image is predicted: `done` of `total` tiles."""

    done: int
    total: int


@dataclass(frozen=True)
class ImageFinished:
    """A result is on disk; `result` is its file (None where it is only in the tables), `objects` what was counted.

    `class_name` is the class of the whole image, where that is the answer.
    """

    path: Path
    result: Path | None
    objects: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    class_name: str = ""


@dataclass(frozen=True)
class ImageSkipped:
    """A file was left out on purpose, with the reason (already done with the same model and settings).

    `result` is the file made of it before; None where it is only in the tables.
    """

    path: Path
    reason: str
    result: Path | None = None


@dataclass(frozen=True)
class ImageFailed:
    """A file could not be predicted; the others go on."""

    path: Path
    reason: str
    remedy: str = ""


@dataclass(frozen=True)
class FolderFinished:
    """All files were tried."""

    done: int
    skipped: int
    failed: int
    output: Path


FolderEvent = (
    FolderStarted
    | Preparing
    | ImageStarted
    | TileFinished
    | ImageFinished
    | ImageSkipped
    | ImageFailed
    | FolderFinished
)
