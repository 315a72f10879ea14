"""Which part of all errors is found by who looks at one in five objects, the least certain first? Prints one JSON line.

    python benchmarks/review_queue.py MODEL DATA [--splits 20] [--split val] [--looked 0.2]

As `confidence.py`, the images are cut into halves again and again: confidence is calibrated on one half, the queue is
that of the other, all its images together. An error (missed, extra, merged, split, outline off) is found when a person
is shown the object, a piece of it, or a place that overlaps it. As many things are looked at as the part `looked` of
the objects found; places where one was nearly found count as well. ``most`` is what is found by who knows the errors
and looks at so many, ``random`` by looking at them in any order.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from confidence import known_images

from microforge.evaluation.object_errors import FINDING_KINDS, ObjectFinding, find_object_errors
from microforge.evaluation.queue import ToCheck, queue_of
from microforge.metrics.matching import match_inside
from microforge.tasks.abilities import judged_by, trusting
from microforge.tasks.confidence import Judged
from microforge.tasks.instances.task import Instances
from microforge.types import Array, Floats, Prediction

#: A place that shares so much of the smaller of both shows an object.
_SHOWN = 0.25


class Seen(NamedTuple):
    """An image: what the network answered, what was found, what is true and what went wrong."""

    output: Floats
    prediction: Prediction
    truth: Array
    judged: dict[str, Judged]
    errors: list[ObjectFinding]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--split", default="val")
    parser.add_argument("--looked", type=float, default=0.2)
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    seen, task = [], Instances()
    for predictor, output, prediction, sample in known_images(a.model, a.data, a.split, a.device):
        assert prediction.labels is not None
        assert isinstance(predictor.task, Instances)
        errors = find_object_errors(match_inside(sample.annotation, prediction.labels))
        task = predictor.task
        seen.append(
            Seen(output, prediction, sample.annotation, dict(judged_by(task, output, prediction, sample)), errors)
        )
    measured = [_split(task, seen, a.looked, np.random.default_rng(seed)) for seed in range(a.splits)]
    kinds: Counter[str] = Counter(error.kind for one in seen for error in one.errors)
    line = {"benchmark": "review_queue", "data": a.data.name, "model": a.model.name, "images": len(seen)}
    line |= {"objects": sum(len(one.prediction.measurements["label"]) for one in seen), "errors": dict(kinds)}
    line |= {"looked": a.looked, "splits": a.splits}
    for name in ("found", "most", "random"):
        values = [one[name] for one in measured]
        line[name] = [round(float(value), 3) for value in (np.mean(values), np.min(values), np.max(values))]
    line["by_kind"] = {kind: round(float(np.nanmean([one[kind] for one in measured])), 2) for kind in FINDING_KINDS}
    print(json.dumps(line))


def _split(task: Instances, seen: list[Seen], looked: float, rng: np.random.Generator) -> dict[str, float]:
    order = rng.permutation(len(seen))
    half, others = ([seen[k] for k in part] for part in np.array_split(order, 2))
    learnt = trusting(task, [one.judged for one in half])
    assert isinstance(learnt, Instances)
    items, errors, budget = [], [], 0
    for place, one in enumerate(others):
        queue = _queue(learnt, one)
        items += [(item.confidence, (place, number)) for number, item in enumerate(queue)]
        shows = [_shown(item, one.prediction.labels) for item in queue]
        errors += [
            (error.kind, {(place, n) for n, item in enumerate(queue) if _tells(item, shows[n], error, one.truth)})
            for error in one.errors
        ]
        budget += len(one.prediction.measurements["label"])
    most = round(looked * budget)
    first = {item for _, item in sorted(items, key=lambda item: item[0])[:most]}
    best = _best([by for _, by in errors], most)
    anyhow = [{items[k][1] for k in rng.permutation(len(items))[:most]} for _ in range(20)]
    result = {"found": _part(errors, first), "most": _part(errors, best)}
    result["random"] = float(np.mean([_part(errors, one) for one in anyhow]))
    return result | {kind: _part([e for e in errors if e[0] == kind], first) for kind in FINDING_KINDS}


def _queue(task: Instances, one: Seen) -> Sequence[ToCheck]:
    assert one.prediction.labels is not None
    assert task.options.calibration is not None
    sure = task.options.calibration.confidence(one.prediction.evidence)
    columns = {"label": one.prediction.measurements["label"], "confidence": sure}
    return queue_of(one.prediction.labels, columns, task.suspected(one.output, one.prediction))


def _shown(item: ToCheck, labels: Array | None) -> tuple[slice, ...]:
    assert labels is not None
    return tuple(slice(first, first + length) for first, length in zip(item.start, item.mask.shape, strict=True))


def _tells(item: ToCheck, window: tuple[slice, ...], error: ObjectFinding, truth: Array) -> bool:
    """Whether who is shown a place is shown an error."""
    if item.found:
        return item.number == error.label if error.where == "prediction" else item.number in error.partners
    if error.where == "prediction":
        return False
    both = int(((truth[window] == error.label) & item.mask).sum())
    return both > _SHOWN * min(error.size, int(item.mask.sum()))


def _best(errors: list[set[tuple[int, int]]], most: int) -> set[tuple[int, int]]:
    """Choose so many things that show as many errors as possible, one after the other."""
    chosen: set[tuple[int, int]] = set()
    left = [by for by in errors if by]
    while left and len(chosen) < most:
        chosen.add(Counter(item for by in left for item in by).most_common(1)[0][0])
        left = [by for by in left if not by & chosen]
    return chosen


def _part(errors: list[tuple[str, set[tuple[int, int]]]], looked: set[tuple[int, int]]) -> float:
    return float(np.mean([bool(by & looked) for _, by in errors])) if errors else np.nan


if __name__ == "__main__":
    main()
