"""How many actions annotate a new image by taking what a model found; prints one JSON line.

    python benchmarks/click_to_take.py DATA [--draws 5] [--steps 700] [--most 80]

The model learns from 8 painted objects of one image, as in `annotator.py`. Then a person annotates another image like
it, of about 60 objects, with the model's result on the screen. Each of these is one action: take all confident objects,
take one, delete one, join two, make one a pixel larger or smaller, smooth one, paint one (with a disc brush, edges off
by a pixel or two). She puts right what is missed and takes away what is wrong, and begins by taking all where that is
the shorter way. Printed is after how many actions AP@0.8 with the truth reaches 0.9, with the model and by painting
alone, and what the model's own result reaches.
"""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from annotator import LEAST_OBJECTS, Field, annotated, fields_of, looks, others_of, painted, summary
from scipy.ndimage import find_objects

from microforge.label_editing import Edit, confident, delete, grow, merge, shrink, smooth, take
from microforge.label_editing.edits import padded
from microforge.metrics.matching import average_precision, match_objects
from microforge.types import Array, Prediction

GOAL, OVERLAP = 0.9, 0.8
#: The new image has so many objects.
WANTED = (50, 75)


def quality(truth: Array, labels: Array) -> float:
    return average_precision(*match_objects(truth, labels).counts(OVERLAP))


def done(labels: Array, edit: Edit) -> Array:
    after = labels.copy()
    after[edit.where] = edit.new
    return after


def inside(labels: Array, label: int) -> tuple[int, ...]:
    return tuple(int(place) for place in np.argwhere(labels == label)[0])


class Annotating:
    """A person with an image, its truth in her head, and what a network found on the screen."""

    def __init__(self, truth: Array, found: Array, confidence: dict[int, float], seed: int) -> None:
        self.truth, self.found, self.confidence = truth, found, confidence
        self.labels = np.zeros_like(truth)
        rng = np.random.default_rng(seed)
        self.boxes = {k: padded(box, 12, truth.shape) for k, box in enumerate(find_objects(truth), 1) if box}
        #: As she would paint each object: alone, so that no order of painting matters.
        self.strokes = {label: self._painted(label, rng) for label in self.boxes}

    def _painted(self, label: int, rng: np.random.Generator) -> Array:
        """Paint an object as she would; where that is too rough for a small one she looks closely."""
        truth = self.truth[self.boxes[label]] == label
        stroke = painted(truth.astype(np.int32), np.array([1]), rng) > 0
        return stroke if (stroke & truth).sum() >= OVERLAP * (stroke | truth).sum() else truth

    def actions(self, until: float, most: int, *, at_once: bool) -> int:
        """Act until the annotation is good enough; give how many actions that took.

        Parameters
        ----------
        at_once
            Whether she begins by taking all that is confident.
        """
        if at_once:
            sure = confident(self.labels, self.found, self.confidence)
            self.labels = done(self.labels, take(self.labels, self.found, sure, 1))
        for number in range(int(at_once), most):
            if quality(self.truth, self.labels) >= until:
                return number
            self._act()
        return most

    def _act(self) -> None:
        """Put one object right that is missed, else take a wrong one away."""
        matched = match_objects(self.truth, self.labels)
        pairs = matched.pairs(OVERLAP)
        missed = sorted(set(self.boxes) - set(matched.truth[matched.rows[pairs]].tolist()))
        wrong = sorted(set(matched.predicted.tolist()) - set(matched.predicted[matched.columns[pairs]].tolist()))
        if not any(self._put_right(label) for label in missed):
            # One that lies on a missed object stands in the way of painting that.
            self.labels = done(self.labels, delete(self.labels, inside(self.labels, wrong[0])))

    def _put_right(self, label: int) -> bool:
        box = self.boxes[label]
        truth = self.truth[box] == label
        for after, name in self._ways(label, box):
            mine = after == name
            if (mine & truth).sum() >= OVERLAP * (mine | truth).sum():
                self.labels[box] = after
                return True
        return False

    def _ways(self, label: int, box: tuple[slice, ...]) -> Iterator[tuple[Array, int]]:
        """Give what each tool makes of the place of an object, and the label it has then."""
        labels, found, new = self.labels[box], self.found[box], self._new()
        truth = self.truth[box] == label
        parts, sizes = np.unique(labels[truth & (labels > 0)], return_counts=True)
        if len(parts):
            most = int(parts[sizes.argmax()])
            for tool in (grow, shrink, smooth):
                yield done(labels, tool(labels, inside(np.where(truth, labels, 0), most))), most
        over = found[truth & (found > 0)]
        if len(over):
            yield done(labels, take(labels, found, [int(np.bincount(over).argmax())], new)), new
        if len(parts) == 2:
            yield done(labels, merge(labels, *(inside(labels, int(part)) for part in parts))), int(parts[0])
        yield np.where(self.strokes[label] & (labels == 0), new, labels), new

    def _new(self) -> int:
        return int(self.labels.max()) + 1


def new_image(field: Field, fields: list[Field]) -> Field:
    """Give the image most like the one that was learnt from among those with the number of objects wanted."""
    low, high = WANTED
    like = [other for other in others_of(field, fields, len(fields)) if low <= len(np.unique(other.truth)) - 1 <= high]
    return like[0]


def row(field: Field, new: Field, prediction: Prediction, most: int, seed: int) -> dict[str, float]:
    assert prediction.labels is not None
    table = prediction.measurements
    sure = dict(zip(table["label"].tolist(), table["confidence"].tolist(), strict=True))
    nothing, found = np.zeros_like(prediction.labels), prediction.labels

    def taking(at_once: bool) -> int:
        return Annotating(new.truth, found, sure, seed).actions(GOAL, most, at_once=at_once)

    return {
        "objects": float(len(np.unique(new.truth)) - 1),
        "AP@0.8_of_the_result": quality(new.truth, prediction.labels),
        "actions": float(min(taking(at_once) for at_once in (False, True))),
        "actions_by_painting": float(Annotating(new.truth, nothing, {}, seed).actions(GOAL, most, at_once=False)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=700)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument("--most", type=int, default=80, help="actions after which she gives up")
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    fields = fields_of(a.data)
    rich = [field for field in fields if len(np.unique(field.truth)) > LEAST_OBJECTS]
    rows = []
    for draw in range(a.first, a.first + a.draws):
        field = rich[int(np.random.default_rng(draw).integers(len(rich)))]
        new = new_image(field, fields)
        for _, predictor in looks(annotated(field, "around", draw), "instances", [a.steps], draw, a.device):
            rows.append(row(field, new, predictor.predict(new.sample), a.most, draw))
    head = {"benchmark": "click_to_take", "data": a.data.name, "draws": [a.first, a.draws], "steps": a.steps}
    print(json.dumps({**head, "cores": os.cpu_count(), **summary(rows)}))


if __name__ == "__main__":
    main()
