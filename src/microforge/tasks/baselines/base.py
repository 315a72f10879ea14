"""The interface of a baseline."""

from abc import ABC, abstractmethod
from typing import ClassVar

from microforge.types import Prediction, Sample


class Baseline(ABC):
    """A method that looks at all images first and then answers each."""

    #: What it is in a word or two: "better than ..."; `name` says it exactly.
    kind: ClassVar[str] = "a simple method"
    #: Whether it is fair to fit it on the very images it is measured on, be they few: it can choose among classes only.
    chooses: ClassVar[bool] = False

    @abstractmethod
    def look(self, sample: Sample) -> None:
        """Take an image and its truth into account; nothing of them is kept."""

    @abstractmethod
    def predict(self, sample: Sample) -> Prediction:
        """Give the answer for an image, after all were looked at."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is, in a few words."""
