"""Whether what is annotated is enough for a model, in words and as a part of what a good one needs."""

from dataclasses import replace

import numpy as np
import pytest

from microforge.tasks import get_task
from microforge.tasks.readiness import Goals, headway_of
from microforge.types import Points, Sample
from support.discs import disc_sample

IMAGE = np.zeros((1, 64, 64), np.uint8)


@pytest.mark.parametrize(
    ("count", "words", "share", "enough"),
    [
        (1, "Annotate about 5 more objects for a first model.", 1 / 30, False),
        (5, "Annotate about 1 more object for a first model.", 5 / 30, False),
        (8, "A first model; about 20 more objects will help.", 8 / 30, True),
        (25, "A first model; about 5 more objects will help.", 25 / 30, True),
        (62, "Enough for a good model.", 1, True),
    ],
)
def test_objects(count: int, words: str, share: float, enough: bool) -> None:
    labels = np.zeros((64, 64), np.int32)
    for k in range(count):
        labels[8 * (k // 8) : 8 * (k // 8) + 4, 8 * (k % 8) : 8 * (k % 8) + 4] = k + 1
    readiness = get_task("instances").from_options({}).describe([Sample("a", IMAGE, labels)])
    assert readiness.headway is not None
    assert (readiness.headway.advice, readiness.enough) == (words, enough)
    assert readiness.headway.share == pytest.approx(share)
    assert readiness.ready, "whoever insists may train on one object"


def test_the_class_with_fewest_strokes_decides() -> None:
    labels = np.zeros((64, 64), np.int32)
    for k in range(6):
        labels[10 * k : 10 * k + 4, 2:9] = 1
    labels[2:9, 30:34] = labels[20:29, 30:34] = 2
    task = get_task("segmentation").from_options({"classes": {1: "ground", 2: "membrane"}})
    readiness = task.describe([Sample("a", IMAGE, labels, labels > 0)])
    assert readiness.headway is not None
    assert readiness.headway.advice == "A first model; about 4 more strokes of membrane will help."
    only = labels * (labels == 1)
    assert task.describe([Sample("a", IMAGE, only, only > 0)]).headway is None, "what is missing is said already"


def test_points_pairs_and_images_with_classes() -> None:
    points = Points(np.zeros((4, 2), np.float32) + np.arange(4)[:, None] * 9, np.zeros(4, np.int32))
    cells = get_task("counting").from_options({}).describe([Sample("a", IMAGE, points=points)])
    assert cells.headway is not None
    assert cells.headway.advice == "Annotate about 6 more points for a first model."
    pair = get_task("restoration").from_options({}).describe([Sample("a", IMAGE, IMAGE)])
    assert pair.headway is not None
    assert pair.headway.advice == "A first model; about 4 more pairs will help."
    alone = get_task("denoising").from_options({}).describe([Sample("a", IMAGE)])
    assert (alone.headway, alone.enough) == (None, True)
    images = [Sample(f"{name} {k}", IMAGE, class_name=name) for name, n in (("good", 9), ("bad", 2)) for k in range(n)]
    classes = get_task("classification").from_options({}).describe(images)
    assert classes.headway is not None
    assert classes.headway.advice == "Annotate about 1 more image of bad for a first model."


def test_what_is_outside_the_region_does_not_count() -> None:
    sample = disc_sample(count=12)
    assert sample.annotation is not None
    mask = np.zeros(sample.annotation.shape, bool)
    assert not get_task("instances").from_options({}).describe([replace(sample, mask=mask)]).enough


def test_nothing_annotated_is_nothing_of_what_is_needed() -> None:
    assert headway_of({}, Goals(6, 30, "object")).share == 0
    assert headway_of({}, Goals(2, 6, "stroke", of_each=True)).share == 0
