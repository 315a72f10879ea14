"""What stands in the page of a run, as plain values: whoever writes another page (a table, a poster) begins here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from microforge.answers.quality import Severity
from microforge.config import Settings
from microforge.io.model_file import ModelCard


class ImageScore(Settings):
    """The metrics of one image kept aside."""

    name: str
    metrics: dict[str, float] = Field(default_factory=dict)


class Example(Settings):
    """A picture of what the model found in an image.

    Attributes
    ----------
    title
        What it is an example of: worst, best, one of the images learnt from.
    png
        The picture as base64.
    """

    name: str
    title: str
    png: str


class Measured(Settings):
    """What a run measured of its model image by image, and has no other file for.

    Attributes
    ----------
    metric, higher_is_better
        The metric that decides.
    hashes
        Of the images with what is annotated on them, by name.
    """

    metric: str = ""
    higher_is_better: bool = True
    images: tuple[ImageScore, ...] = ()
    examples: tuple[Example, ...] = ()
    hashes: dict[str, str] = Field(default_factory=dict)

    @property
    def worst_first(self) -> list[ImageScore]:
        """The images, those with the worst score first; those without one last."""
        sign = 1 if self.higher_is_better else -1
        known = [one for one in self.images if self.metric in one.metrics]
        rest = [one for one in self.images if self.metric not in one.metrics]
        return [*sorted(known, key=lambda one: (sign * one.metrics[self.metric], one.name)), *rest]


@dataclass(frozen=True)
class Contents:
    """All that a page tells of a run.

    Attributes
    ----------
    folder
        Where the run is.
    verdict, severity
        How good the model is, in words.
    title
        What it does.
    loss, scores
        Curves over steps.
    settings
        As they were chosen, and what was taken from the data.
    command
        What repeats the run; empty where nobody can tell.
    """

    folder: Path
    card: ModelCard
    title: str
    verdict: str
    severity: Severity
    measured: Measured = field(default_factory=Measured)
    loss: Sequence[tuple[float, float]] = ()
    scores: Sequence[tuple[float, float]] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    command: str = ""
