"""How well a model fits annotated images, or clean ones: predicted one by one, counted together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from microforge.config import PredictionConfig
from microforge.data.loading import Problem, iter_samples
from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.io.pairing import Pair, Pairing
from microforge.tasks.abilities import baseline_of, calibrated, count_of
from microforge.tasks.base import Task
from microforge.tasks.baselines import Baseline
from microforge.types import Prediction, Sample

ReadPairs = Callable[[Sequence[Pair]], Iterator[Sample | Problem]]


class Network(Protocol):
    """What an evaluation needs of a predictor."""

    @property
    def task(self) -> Task: ...  # noqa: D102

    def predict(self, image: Sample) -> Prediction: ...  # noqa: D102


def evaluate(
    model: Path | str,
    images: Path | str,
    annotations: Path | str | None = None,
    *,
    more: Sequence[Path | str] = (),
    config: PredictionConfig | None = None,
    split: str | None = None,
    axes: str | None = None,
    target_axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Predict annotated images and compare.

    Parameters
    ----------
    images, annotations
        Two folders, paired by name; for tasks whose answer is an image the second holds what it should be. For
        classes of images a table, or nothing where the images lie in folders named by class.
    more
        Folders of further targets of the same images.
    split
        ``table.csv:name``: only the images that the table gives this split.
    axes, target_axes
        Of the images and of target images, where the files do not tell.
    progress
        Called with the files done and their total.

    Returns
    -------
    dict
        ``metrics`` (over all images together), ``images`` (their number), ``per_image`` (name and metrics of each,
        with the true and the found count and its bounds, or class), ``failed`` (name and reason),
        ``images_without_annotation``, ``annotations_without_image``, ``baseline`` (name and metrics of a simple
        method), ``annotation`` (of which kind), and of classes ``confusion`` (names; rows are true, columns found).

    Raises
    ------
    ModelFileError, PairingError, ImageReadError
        If the model cannot be used or there is nothing to pair.
    NotEnoughDataError
        If none of the images can be used; names the first reason.
    """
    from microforge.inference.predictor import Predictor

    predictor = Predictor(model, config or PredictionConfig())
    folders = () if annotations is None else (annotations, *more)
    pairing = predictor.task.answer.truth.pair_truth(images, folders, split=split)
    return evaluate_pairs(predictor, pairing, axes, progress, target_axes) | {"model": str(model)}


@dataclass(frozen=True, eq=False)
class Measured:
    """One sample that was predicted: its tally, and what was found beside what is true."""

    sample: Sample
    tally: Mapping[str, float]
    answer: Mapping[str, Any]


def reader(task: Task, axes: str | None = None, target_axes: str | None = None) -> ReadPairs:
    """Give what reads pairs for measuring a task."""
    return lambda pairs: iter_samples(pairs, task, axes=axes, target_axes=target_axes, kind=task.answer.truth)


def measure_pair(network: Network, pair: Pair, read: ReadPairs) -> Iterator[Measured | Problem]:
    """Predict the samples of a pair of files and compare; what cannot be used is a problem, not an error."""
    for sample in read([pair]):
        if isinstance(sample, Problem):
            yield sample
            continue
        try:
            prediction = network.predict(sample)
            tally = network.task.tally(prediction, sample)
            yield Measured(sample, tally, network.task.answer.compared(count_of(network.task), prediction, sample))
        except MicroforgeError as error:
            yield Problem(pair.image, f"{error.problem} {error.remedy}".strip())


def evaluate_pairs(
    network: Network,
    pairing: Pairing,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    target_axes: str | None = None,
) -> dict[str, Any]:
    """Evaluate on pairs of files; the dict is that of `evaluate` without the model."""
    task, simple = network.task, baseline_of(network.task)
    read = reader(task, axes, target_axes)
    good: list[Pair] = []
    tallies: list[Mapping[str, float]] = []
    per_image: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for done, pair in enumerate(pairing.pairs, start=1):
        for one in measure_pair(network, pair, read):
            if isinstance(one, Problem):
                failed.append({"name": pair.image.name, "reason": one.reason})
                continue
            tallies.append(one.tally)
            per_image.append({"name": one.sample.name, **one.answer, **_plain(task.summarise(one.tally))})
            good += [pair] if pair not in good[-1:] else []
            if simple is not None:
                simple.look(one.sample)
        if progress is not None:
            progress(done, len(pairing.pairs))
    if not per_image:
        raise _nothing(failed)
    return {
        "task": task.name,
        "annotation": task.answer.truth.name,
        "images": len(per_image),
        "metrics": _plain(task.summarise_all(tallies)),
        **({} if simple is None else {"baseline": _measured(simple, task, read(good))}),
        **task.answer.overall(per_image),
        "per_image": per_image,
        "failed": failed,
        "images_without_annotation": [path.name for path in pairing.images_alone],
        "annotations_without_image": [path.name for path in pairing.annotations_alone],
    }


def _measured(simple: Baseline, task: Task, samples: Iterator[Sample | Problem]) -> dict[str, Any]:
    """Measure a simple method on the images that the model was measured on."""
    # How far the model's counts may be off says nothing of other counts.
    task = calibrated(task, ())
    tallies = (task.tally(simple.predict(sample), sample) for sample in samples if isinstance(sample, Sample))
    return {"name": simple.name, "metrics": _plain(task.summarise_all(tallies))}


def _plain(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _nothing(failed: Sequence[Mapping[str, str]]) -> NotEnoughDataError:
    first = f"{failed[0]['name']}: {failed[0]['reason']}" if failed else "There are no pairs."
    return NotEnoughDataError(
        f"None of the {len(failed)} images could be measured.", remedy=f"The first reason: {first}"
    )
