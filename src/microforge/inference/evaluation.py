"""How well a model fits annotated images: predicted one by one, counted together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from microforge.config import PredictionConfig
from microforge.data.loading import Problem, iter_samples
from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.io.pairs import Pairing, pair_folders
from microforge.tasks.base import Task
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
    config: PredictionConfig | None = None,
    split: str | None = None,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Predict annotated images and compare.

    Parameters
    ----------
    images, annotations
        Two folders, paired by name.
    split
        ``table.csv:name``: only the images that the table gives this split.
    progress
        Called with the files done and their total.

    Returns
    -------
    dict
        ``metrics`` (over all images together), ``images`` (their number), ``per_image`` (name and metrics of each),
        ``failed`` (name and reason), ``images_without_annotation``, ``annotations_without_image``.

    Raises
    ------
    ModelFileError, PairingError, ImageReadError
        If the model cannot be used or there is nothing to pair.
    NotEnoughDataError
        If none of the images can be used; names the first reason.
    """
    from microforge.inference.predictor import Predictor

    pairing = pair_folders(images, annotations, split=split)
    predictor = Predictor(model, config or PredictionConfig())
    return evaluate_pairs(predictor, pairing, axes, progress) | {"model": str(model)}


def evaluate_pairs(
    network: Network,
    pairing: Pairing,
    axes: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Evaluate on pairs of files; the dict is that of `evaluate` without the model."""
    total: Counter[str] = Counter()
    per_image: list[dict[str, Any]] = []
    failed: list[dict[str, str]] = []
    for done, pair in enumerate(pairing.pairs, start=1):
        for sample in iter_samples([pair], network.task, axes=axes):
            outcome = sample if isinstance(sample, Problem) else _tally(network, sample, pair.image)
            if isinstance(outcome, Problem):
                failed.append({"name": pair.image.name, "reason": outcome.reason})
            elif isinstance(sample, Sample):
                total.update(outcome)
                per_image.append({"name": sample.name, **_plain(network.task.summarise(outcome))})
        if progress is not None:
            progress(done, len(pairing.pairs))
    if not per_image:
        raise _nothing(failed)
    return {
        "task": network.task.name,
        "images": len(per_image),
        "metrics": _plain(network.task.summarise(total)),
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


def _plain(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items()}


def _nothing(failed: Sequence[Mapping[str, str]]) -> NotEnoughDataError:
    first = f"{failed[0]['name']}: {failed[0]['reason']}" if failed else "There are no pairs."
    return NotEnoughDataError(
        f"None of the {len(failed)} images could be measured.", remedy=f"The first reason: {first}"
    )
