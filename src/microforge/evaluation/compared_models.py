"""Several models on the same images: scores image by image, and whether a difference may be chance."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from microforge.config import PredictionConfig
from microforge.errors import ModelMismatchError
from microforge.evaluation.comparison import compare_scores
from microforge.evaluation.evaluate import evaluate
from microforge.io.model_file import read_card
from microforge.tasks import get_task
from microforge.types import series_of


def compare_models(
    models: Sequence[Path],
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
    """Measure models on the same images, and set each beside the first.

    Parameters
    ----------
    models
        Two model files or more, that have learnt the same; the others are compared with the first.
    images, annotations, more, config, split, axes, target_axes
        As of `microforge.evaluate`.
    progress
        Called with the files done and their total, of all models together.

    Returns
    -------
    dict
        ``metric`` and ``higher_is_better``; ``models``, of each its file, ``metrics`` over all images, ``failed``,
        ``learnt`` (names of those that it was trained on, by which it looks better than it is), and
        beside the first ``better``, ``worse``, ``alike`` (numbers of images), ``mean`` (mean difference of the metric,
        with ``low`` and ``high``, 95 %, None where images are too few), ``chance`` (two-sided sign test) and ``text``;
        ``per_image`` (name and the ``scores`` of all models; None where one could not be measured), worst first by
        the first model. Of a time series the mean over its time points is one score.

    Raises
    ------
    ModelMismatchError
        If fewer than two models are given, or they have learnt different things.
    MicroforgeError
        As `microforge.evaluate`.
    """
    metric, higher = _common_metric(models)
    found: list[dict[str, Any]] = []
    scores: list[dict[str, float]] = []
    for number, model in enumerate(models):
        told = None if progress is None else _part(progress, number, len(models))
        result = evaluate(
            model, images, annotations, more=more, config=config, split=split, axes=axes, target_axes=target_axes,
            progress=told,
        )  # fmt: skip
        scores.append(_by_series(result["per_image"], metric))
        told_of = {name: result[name] for name in ("metrics", "failed")}
        found.append({"model": str(model), **told_of, "learnt": _learnt(Path(model), scores[-1])})
    beside = [_beside(scores[0], one, higher_is_better=higher) for one in scores[1:]]
    rows = [{"name": name, "scores": [one.get(name) for one in scores]} for name in _worst_first(scores, higher)]
    models_told = [found[0], *({**one, **told} for one, told in zip(found[1:], beside, strict=True))]
    return {"metric": metric, "higher_is_better": higher, "models": models_told, "per_image": rows}


def _common_metric(models: Sequence[Path]) -> tuple[str, bool]:
    """Give the metric that decides about all models, and whether more of it is better."""
    if len(models) < 2:
        raise ModelMismatchError("One model is compared with nothing.", remedy="Name a second model or training.")
    goals = {str(model): read_card(model).task for model in models}
    if len(set(goals.values())) > 1:
        told = ", ".join(f"{Path(model).name}: {goal}" for model, goal in goals.items())
        raise ModelMismatchError(
            f"These models have learnt different things ({told}).", remedy="Compare models with the same goal."
        )
    metric, direction = get_task(goals[str(models[0])]).monitor
    return metric, direction == "max"


def _learnt(model: Path, images: Mapping[str, float]) -> list[str]:
    """Name the images that a model was trained on, as far as names tell."""
    trained = {series_of(name) for name in read_card(model).training.names}
    return [name for name in images if name in trained]


def _part(progress: Callable[[int, int], None], number: int, models: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(number * total + done, models * total)


def _by_series(images: Sequence[Mapping[str, Any]], metric: str) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for image in images:
        if metric in image:
            values.setdefault(series_of(image["name"]), []).append(float(image[metric]))
    return {name: float(np.mean(found)) for name, found in values.items()}


def _beside(first: Mapping[str, float], second: Mapping[str, float], *, higher_is_better: bool) -> dict[str, Any]:
    paired = compare_scores(first, second, higher_is_better=higher_is_better)
    text, _ = paired.in_words("the first", "images")
    names = ("better", "worse", "alike", "mean", "low", "high", "chance")
    return {**{name: getattr(paired, name) for name in names}, "text": text}


def _worst_first(scores: Sequence[Mapping[str, float]], higher_is_better: bool) -> list[str]:
    names = dict.fromkeys(name for one in scores for name in one)
    known = sorted((n for n in names if n in scores[0]), key=lambda n: scores[0][n], reverse=not higher_is_better)
    return [*known, *(name for name in names if name not in scores[0])]
