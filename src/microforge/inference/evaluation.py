"""How well a model fits annotated images, or clean ones: predicted one by one, counted together."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from microforge.config import PredictionConfig
from microforge.data.loading import Problem, iter_samples
from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.io.pairs import Pair, Pairing, pair_folders
from microforge.tasks.base import Task
from microforge.tasks.baselines import Baseline, baseline_for
from microforge.types import Prediction, Sample


class Network(Protocol):
    """What an evaluation needs of a predictor."""

    @property
    def task(self) -> Task: ...  # noqa: D102

    def predict(self, image: Sample) -> Prediction: ...  # noqa: D102


def evaluate(
    model: Path | str,
    images: Path | str,
    annotations: Path | str,
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
        Two folders, paired by name; for tasks whose answer is an image the second holds what it should be.
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
        ``metrics`` (over all images together), ``images`` (their number), ``per_image`` (name and metrics of each),
        ``failed`` (name and reason), ``images_without_annotation``, ``annotations_without_image``; for images also
        ``baseline`` (name and metrics of a simple method).

    Raises
    ------
    ModelFileError, PairingError, ImageReadError
        If the model cannot be used or there is nothing to pair.
    NotEnoughDataError
        If none of the images can be used; names the first reason.
    """
    from microforge.inference.predictor import Predictor

    pairing = pair_folders(images, annotations, more=more, split=split)
    predictor = Predictor(model, config or PredictionConfig())
    return evaluate_pairs(predictor, pairing, axes, progress, target_axes) | {"model": str(model)}


def evaluate_pairs(
    network: Network,
    pairing: Pairing,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    target_axes: str | None = None,
) -> dict[str, Any]:
    """Evaluate on pairs of files; the dict is that of `evaluate` without the model."""
    task, simple = network.task, baseline_for(network.task)
    read = partial(iter_samples, task=task, axes=axes, target_axes=target_axes, kind=task.truth)
    good: list[Pair] = []
    total: Counter[str] = Counter()
    per_image: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for done, pair in enumerate(pairing.pairs, start=1):
        for sample in read([pair]):
            outcome = sample if isinstance(sample, Problem) else _tally(network, sample, pair.image)
            if isinstance(outcome, Problem):
                failed.append({"name": pair.image.name, "reason": outcome.reason})
            elif isinstance(sample, Sample):
                total.update(outcome)
                per_image.append({"name": sample.name, **_plain(task.summarise(outcome))})
                good += [pair] if pair not in good[-1:] else []
                if simple is not None:
                    simple.look(sample)
        if progress is not None:
            progress(done, len(pairing.pairs))
    if not per_image:
        raise _nothing(failed)
    return {
        "task": task.name,
        "images": len(per_image),
        "metrics": _plain(task.summarise(total)),
        **({} if simple is None else {"baseline": _measured(simple, task, read(good))}),
        "per_image": per_image,
        "failed": failed,
        "images_without_annotation": [path.name for path in pairing.images_alone],
        "annotations_without_image": [path.name for path in pairing.annotations_alone],
    }


def _tally(network: Network, sample: Sample, path: Path) -> Mapping[str, float] | Problem:
    try:
        return network.task.tally(network.predict(sample), sample)
    except MicroforgeError as error:
        return Problem(path, f"{error.problem} {error.remedy}".strip())


def _measured(simple: Baseline, task: Task, samples: Iterator[Sample | Problem]) -> dict[str, Any]:
    """Measure a simple method on the images that the model was measured on."""
    total: Counter[str] = Counter()
    for sample in samples:
        if isinstance(sample, Sample):
            total.update(task.tally(simple.predict(sample), sample))
    return {"name": simple.name, "metrics": _plain(task.summarise(total))}


def _plain(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _nothing(failed: Sequence[Mapping[str, str]]) -> NotEnoughDataError:
    first = f"{failed[0]['name']}: {failed[0]['reason']}" if failed else "There are no pairs."
    return NotEnoughDataError(
        f"None of the {len(failed)} images could be measured.", remedy=f"The first reason: {first}"
    )
