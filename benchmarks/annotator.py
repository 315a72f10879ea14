"""What a person teaches who paints a few objects of one image and trains; prints one JSON line.

    python benchmarks/annotator.py DATA [--rows full around around+stroke ...] [--steps 700 3500] [--draws 5]

DATA holds ``images/``, ``labels/`` and ``split.csv`` (columns name, split). For each draw one image with at least 30
objects is chosen of the split "train", and 8 of its objects. They are painted as a hand does: with a disc brush, edges
off by one or two pixels. The model learns as in the window without a limit of time and is looked at after each of the
`--steps` (on two quiet cores 700 take a minute, 3,500 five). Nothing is kept aside, in no row.

Rows: *full* paints all objects; *around*, *background* and *unknown* paint 8 and say so of the unpainted ground;
*+stroke* adds one stroke of the background brush. Printed for each row and number of steps are, over draws, mean and
spread of F1@0.5 on the image itself, and of AP@0.5 on the 20 images that are most like it: nearest in median size and
number of objects, their contrast, and the level of the ground (logarithms, each in units of its own spread).

Where DATA holds ``points/`` (CSV: y,x) instead of ``labels/``, 8 cells of an image of 60 to 100 are clicked (row
*around*: as in the window; *background*: the others are no cells; *full*: all are clicked), and what is printed is by
what part of the true number the count of the whole image is off.
"""

import argparse
import csv
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.graph import route_through_array

from microforge import Predictor, train
from microforge.axes.samples import to_samples
from microforge.config import TrainingConfig
from microforge.io.files import find_images
from microforge.io.images import read_image, read_labels
from microforge.io.points import read_points
from microforge.metrics.matching import average_precision, f1_score, match_objects
from microforge.training.mailbox import Live
from microforge.types import Sample

PAINTED, LEAST_OBJECTS, OTHERS = 8, 30, 20
#: Images to click on have so many cells.
FEW_CELLS = range(60, 101)
#: Edges are off by so many pixels: one deviation of what all of an object's edge has in common, and of its wobbling.
OFF, WOBBLE = 0.8, 0.8


def painted(labels: np.ndarray, chosen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Paint the chosen objects as a hand does; one painted later takes nothing from those before."""
    result = np.zeros_like(labels)
    for label in chosen:
        inside = labels == label
        box = tuple(
            slice(max(side.start - 6, 0), side.stop + 6) for side in ndimage.find_objects(inside.astype(np.uint8))[0]
        )
        stroke = _stroke(inside[box], rng)
        result[box][stroke & (result[box] == 0)] = label
    return result


def _stroke(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    wobble = ndimage.gaussian_filter(rng.normal(size=inside.shape), 3)
    depth = depth + rng.normal(0, OFF) + WOBBLE * wobble / max(wobble.std(), 1e-6)
    wanted, radius = depth > 0, max(1.0, 0.25 * float(np.sqrt(inside.sum() / np.pi)))
    # A disc brush reaches what a disc fits into.
    middles = ndimage.distance_transform_edt(wanted) >= radius
    return (ndimage.distance_transform_edt(~middles) < radius) if middles.any() else inside


def background_stroke(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one stroke, half an object wide, from one place of the ground to another."""
    free = ndimage.distance_transform_edt(labels == 0)
    radius = 0.25 * float(np.sqrt(np.median(np.bincount(labels[labels > 0])[1:])))
    radius = min(radius, 0.5 * float(free.max()))
    parts, _ = ndimage.label(free > radius + 1)
    largest = np.argwhere(parts == 1 + np.argmax(np.bincount(parts.ravel())[1:]))
    start, end = largest[rng.choice(len(largest), 2)]
    path, _ = route_through_array(np.where(free > radius + 1, 1.0, 1e6), start, end)
    line = np.ones(labels.shape, bool)
    line[tuple(np.array(path).T)] = False
    return ndimage.distance_transform_edt(line) <= radius


@dataclass(frozen=True, eq=False)
class Field:
    """An image with its truth, and what it is like."""

    sample: Sample
    truth: np.ndarray
    like: np.ndarray


def fields_of(data: Path) -> list[Field]:
    with (data / "split.csv").open() as file:
        names = {row["name"] for row in csv.DictReader(file) if row["split"] == "train"}
    images = {path.stem: path for path in find_images([data / "images"]) if path.stem in names}
    return [_field(images[name], data / "labels" / images[name].name) for name in sorted(images)]


def _field(path: Path, labels: Path) -> Field:
    sample = to_samples(read_image(path))[0]
    truth = np.asarray(read_labels(labels).data).astype(np.int32)
    level = np.asarray(sample.image, np.float64).mean(axis=0)
    sizes = np.bincount(truth[truth > 0])
    sizes = sizes[sizes > 0] if truth.any() else np.ones(1)
    ground = float(np.median(level[truth == 0]))
    contrast = abs(float(level[truth > 0].mean() if truth.any() else ground) - ground)
    like = np.log([np.median(sizes), len(sizes), contrast + 1, ground + 1])
    return Field(replace(sample, name=path.stem), truth, like)


def others_of(field: Field, fields: list[Field], most: int = OTHERS) -> list[Field]:
    spread = np.std([other.like for other in fields], axis=0)
    apart = [float(np.linalg.norm((other.like - field.like) / spread)) for other in fields]
    return [fields[k] for k in np.argsort(apart) if fields[k] is not field][:most]


def annotated(field: Field, row: str, seed: int) -> Sample:
    """Give the image as the person of this row annotates it."""
    rng = np.random.default_rng(seed)
    everything = np.unique(field.truth[field.truth > 0])
    chosen = rng.permutation(everything)
    kind, _, stroke = row.partition("+")
    drawn = painted(field.truth, chosen if kind == "full" else chosen[:PAINTED], rng)
    if kind in ("full", "background"):
        return replace(field.sample, annotation=drawn, mask=np.ones(drawn.shape, bool))
    mask = drawn > 0
    if stroke:
        mask |= background_stroke(field.truth, rng) & (drawn == 0)
    return replace(field.sample, annotation=drawn, mask=mask, partly_painted=kind == "around")


def looks(sample: Sample, task: str, steps: list[int], seed: int, device: str) -> Iterator[tuple[int, Predictor]]:
    """Train as in the window, without a limit; give the model after each number of steps."""
    config = TrainingConfig(task=task, seed=seed, device=device)
    with tempfile.TemporaryDirectory() as folder:
        for wanted in steps:
            live = Live()
            for event in train(config, [sample], (), folder, live, resume=wanted != steps[0]):
                if getattr(event, "step", 0) >= wanted:
                    live.stop()
            yield wanted, Predictor(Path(folder) / "model.safetensors")


def object_scores(predictor: Predictor, field: Field, others: list[Field]) -> dict[str, float]:
    def counts(one: Field) -> np.ndarray:
        found = predictor.predict(one.sample).labels
        assert found is not None
        return np.array(match_objects(one.truth, found).counts(0.5))

    pooled = np.sum([counts(other) for other in others], axis=0) if others else np.zeros(3)
    own = counts(field)
    return {"F1": f1_score(*own), "AP_others": average_precision(*pooled), "extra": float(own[1])}


def clicked(data: Path) -> list[Sample]:
    """Give the images of the split "train" with so many cells, and all their points."""
    with (data / "split.csv").open() as file:
        names = {row["name"] for row in csv.DictReader(file) if row["split"] == "train"}
    images = {path.stem: path for path in find_images([data / "images"])}
    samples = [_clicked(images[name], data / "points" / f"{name}.csv") for name in sorted(names)]
    return [sample for sample in samples if sample.points is not None and len(sample.points) in FEW_CELLS]


def _clicked(path: Path, points: Path) -> Sample:
    return replace(to_samples(read_image(path))[0], name=path.stem, points=read_points(points))


def clicked_in_part(sample: Sample, row: str, seed: int) -> Sample:
    """Give the image as the person of this row clicks on it."""
    assert sample.points is not None
    chosen = np.random.default_rng(seed).permutation(len(sample.points))[: None if row == "full" else PAINTED]
    return replace(sample, points=sample.points.only(np.sort(chosen)), partly_painted=row == "around")


def count_scores(predictor: Predictor, sample: Sample) -> dict[str, float]:
    assert sample.points is not None
    found = predictor.predict(replace(sample, points=None))
    (count,) = predictor.task.count(found)
    return {"error": abs(count.value - len(sample.points)) / len(sample.points)}


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    return {
        name: {
            "mean": round(float(np.mean([row[name] for row in rows])), 3),
            "sd": round(float(np.std([row[name] for row in rows])), 3),
            "all": [round(row[name], 3) for row in rows],
        }
        for name in rows[0]
    }


def counted(a: argparse.Namespace) -> dict[str, Any]:
    """Measure on images of points."""
    samples = clicked(a.data)
    scores: dict[str, dict[int, list[dict[str, float]]]] = {row: {s: [] for s in a.steps} for row in a.rows}
    for draw in range(a.first, a.first + a.draws):
        sample = samples[int(np.random.default_rng(draw).integers(len(samples)))]
        for row in a.rows:
            given = clicked_in_part(sample, row, draw)
            for steps, predictor in looks(given, "counting", a.steps, draw, a.device):
                scores[row][steps].append(count_scores(predictor, sample))
    return {row: {str(steps): summary(rows) for steps, rows in by.items()} for row, by in scores.items()}


def segmented(a: argparse.Namespace) -> dict[str, Any]:
    """Measure on images of objects."""
    fields = fields_of(a.data)
    rich = [field for field in fields if len(np.unique(field.truth)) > LEAST_OBJECTS]
    scores: dict[str, dict[int, list[dict[str, float]]]] = {row: {s: [] for s in a.steps} for row in a.rows}
    for draw in range(a.first, a.first + a.draws):
        field = rich[int(np.random.default_rng(draw).integers(len(rich)))]
        others = others_of(field, fields)
        for row in a.rows:
            for steps, predictor in looks(annotated(field, row, draw), "instances", a.steps, draw, a.device):
                scores[row][steps].append(object_scores(predictor, field, others))
    return {row: {str(steps): summary(rows) for steps, rows in by.items()} for row, by in scores.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rows", nargs="+", default=["full", "around", "around+stroke", "background"])
    parser.add_argument("--steps", nargs="+", type=int, default=[700])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    found = counted(a) if (a.data / "points").is_dir() else segmented(a)
    head = {"benchmark": "annotator", "data": a.data.name, "draws": [a.first, a.draws], "cores": os.cpu_count()}
    print(json.dumps({**head, **found}))


if __name__ == "__main__":
    main()
