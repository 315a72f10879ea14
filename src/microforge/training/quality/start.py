"""The model a run began with, beside the one it ends with: both scored on the same images kept aside."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from microforge.config import PredictionConfig
from microforge.errors import MicroforgeError
from microforge.evaluation.comparison import compare_scores, image_scores
from microforge.events import ComparedWithStart, Preparing, TileFinished
from microforge.io.model_file import VersusCard
from microforge.training.setup import Setup

ImageTallies = dict[str, Mapping[str, float]]


class StartMeasurement:
    """Scores of the model that a run goes on from, or starts from; knows nothing until `measure` was gone through.

    Parameters
    ----------
    model
        Its file; None where the run begins with nothing.
    """

    def __init__(self, setup: Setup, model: Path | None) -> None:
        self.setup, self.model = setup, model
        self.goes_on = setup.record is not None
        self.tallies: ImageTallies | None = None
        #: Why it cannot be measured; empty while it can.
        self.problem = "" if setup.validation else "nothing is kept aside"

    @property
    def wanted(self) -> bool:
        """Whether there is something to measure that was not measured yet."""
        return self.model is not None and not self.problem and self.tallies is None

    def use(self, setup: Setup) -> None:
        """Measure again next time, as what is kept aside is another."""
        self.setup, self.tallies = setup, None
        self.problem = "" if setup.validation else "nothing is kept aside"

    def measure(self, stopped: Callable[[], bool]) -> Iterator[Preparing]:
        """Score it image by image, once; given up where `stopped` says so, and begun anew when asked for again."""
        if not self.wanted:
            return
        # A model of another version or program may fail in any way; the training is not to end with it.
        try:
            for event in self._measure():
                if stopped():
                    return
                yield event
        except MicroforgeError as error:
            self.problem = f"{error.problem}"
        except Exception as error:  # noqa: BLE001
            self.problem = str(error) or type(error).__name__

    def compare(self, tallies: Mapping[str, Mapping[str, float]]) -> ComparedWithStart | None:
        """Set the model of the run beside it; None where the run began with nothing.

        Parameters
        ----------
        tallies
            Of the same images, by name.
        """
        if self.model is None:
            return None
        other = "before" if self.goes_on else "the model it started from"
        if self.tallies is None or not tallies:
            why = self.problem or "it was not measured since"
            return ComparedWithStart(f"Whether it is better than {other} cannot be told: {why}.", self.model)
        task = self.setup.task
        first, second = image_scores(task, self.tallies), image_scores(task, tallies)
        paired = compare_scores(first, second, higher_is_better=task.monitor[1] == "max")
        text, severity = paired.in_words(other)
        counts = (paired.better, paired.worse, paired.alike)
        return ComparedWithStart(text, self.model, *counts, paired.mean, is_worse=severity == "warning")

    def _measure(self) -> Iterator[Preparing]:
        # Loads the network, which a run that begins with nothing needs not do a second time.
        from microforge.inference.predictor import Predictor

        assert self.model is not None
        task, tallies = self.setup.task, ImageTallies()
        predictor = Predictor(self.model, PredictionConfig(device=str(self.setup.device)))
        if predictor.task.name != task.name:
            self.problem = "it has learnt something else"
            return
        for done, sample in enumerate(self.setup.validation, start=1):
            for item in predictor.run(sample):
                if not isinstance(item, TileFinished):
                    tallies[sample.name] = task.tally(item, sample)
                yield Preparing("Measuring the model of before", done / len(self.setup.validation))
        self.tallies = tallies


def versus_card(compared: ComparedWithStart | None, metric: str) -> VersusCard | None:
    """Give what a model's card keeps of it; None where nothing was compared."""
    if compared is None or not compared.images:
        return None
    counts = {"better": compared.better, "worse": compared.worse, "alike": compared.alike}
    return VersusCard(text=compared.text, metric=metric, mean=compared.mean, **counts)
