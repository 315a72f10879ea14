"""Counts of images and of regions, by a model and by hand."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from microforge.answers.region_counts import (
    CountQuestion,
    count_columns,
    count_image,
    count_lines,
    count_regions,
    count_table,
)
from microforge.axes.areas import Area, Region, drawn_region
from microforge.tasks import get_task
from microforge.tasks.counting.interval import Interval
from microforge.types import Image, Points, Prediction, Sample

COUNTING = get_task("counting").from_options({"intervals": {"": Interval(width=1.0, typical=4, images=20)}})
KINDS = get_task("counting").from_options({"kinds": ("live", "dead")})
LEFT = np.array([(0, 0), (0, 9), (19, 9), (19, 0)], float)


def density(*places: tuple[int, ...], shape: tuple[int, ...] = (20, 30)) -> np.ndarray:
    made = np.zeros((1, *shape), np.float32)
    for place in places:
        made[(0, *place)] += 1
    return made


def points(*places: tuple[float, ...], axes: str = "YX", kind: Any = None, kinds: tuple[str, ...] = ("",)) -> Points:
    coordinates = np.array(places, np.float32).reshape(-1, len(axes))
    return Points(coordinates, np.array(kind or [0] * len(places), np.int32), kinds, axes)


def rows(question: CountQuestion) -> list[tuple[Any, ...]]:
    return [(row.frame, row.place, row.kind, row.value) for row in count_image(question)]


def question(image: Image, made: np.ndarray, **more: Any) -> CountQuestion:
    return CountQuestion(image, COUNTING.count, Prediction(image=made), **more)


def test_the_whole_image_and_regions() -> None:
    image = Image("a", np.zeros((20, 30)), "YX", (0.5, 0.5))
    region = drawn_region("left", LEFT, (20, 30))
    whole, left = count_image(question(image, density((5, 5), (5, 20), (8, 9)), regions=(region,)))
    assert (whole.place, whole.value, whole.pixels, whole.size) == ("whole image", 3, 600, 150)
    assert (left.place, left.value, left.pixels, left.size) == ("left", 2, 200, 50)
    assert left.per_mm == pytest.approx(2 / 50 * 1e6)
    assert whole.low is not None
    assert whole.low < 3
    assert count_lines([whole, left]) == ["3 cells (1–5)", "left: 2 cells (1–3)"]


def test_windows_count_what_masks_do() -> None:
    """The same for any area, as a window of the density and as a mask of the whole image."""
    rng = np.random.default_rng(0)
    made = rng.random((2, 6, 20, 30)).astype(np.float32)
    sample = Sample("a", np.zeros((1, 6, 20, 30)))
    for window in ((slice(4, 12), slice(7, 20)), (slice(2, 3), slice(4, 12), slice(7, 20))):
        mask = rng.random([side.stop - side.start for side in window]) > 0.5
        region = Region("r", (6, 20, 30), partial(Area, window, mask))
        found = [row for row in count_regions(KINDS.count, Prediction(image=made), sample, [region]) if row.name]
        wanted = KINDS.count(Prediction(image=made), region.mask)
        assert [row.kind for row in found] == ["live", "dead"]
        np.testing.assert_allclose([row.value for row in found], [count.value for count in wanted], rtol=1e-5)


def test_time_points_each_for_itself() -> None:
    image = Image("film", np.zeros((2, 20, 30)), "TYX")
    made = np.stack([density((5, 5)), density((5, 20), (8, 9))])
    region = drawn_region("left", LEFT, (20, 30))
    assert rows(question(image, made, regions=(region,))) == [
        (0, "whole image", "", 1),
        (0, "left", "", 1),
        (1, "whole image", "", 2),
        (1, "left", "", 1),
    ]
    assert {row.image for row in count_image(question(image, made))} == {"film"}


def test_corrected_points_are_counted_instead() -> None:
    image = Image("film", np.zeros((2, 20, 30)), "TYX")
    made = np.stack([density((5, 5)), density((5, 20), (8, 9))])
    region = drawn_region("left", LEFT, (20, 30))
    corrected = points((0, 5, 5), (1, 5, 25), (1, 2, 2), (1.2, 3, 3), axes="TYX")
    found = list(count_image(question(image, made, regions=(region,), corrected=corrected)))
    assert [row.value for row in found] == [1, 1, 3, 2]
    assert all(row.by_hand and row.low is None for row in found)
    assert count_lines(found[2:]) == ["counted by you: 3 cells", "left: 2 cells"]


def test_kinds_of_corrected_points() -> None:
    image = Image("a", np.zeros((20, 30)), "YX")
    corrected = points((5, 5), (5, 25), (6, 25), kind=[0, 1, 1], kinds=("live", "dead"))
    made = Prediction(image=np.zeros((2, 20, 30), np.float32))
    found = list(
        count_image(CountQuestion(image, KINDS.count, made, (drawn_region("left", LEFT, (20, 30)),), corrected))
    )
    assert [(row.name, row.kind, row.value) for row in found] == [
        ("", "live", 1),
        ("", "dead", 2),
        ("left", "live", 1),
        ("left", "dead", 0),
    ]


def test_objects_are_counted_where_their_middle_lies() -> None:
    labels = np.zeros((20, 30), np.int32)
    labels[2:6, 5:12], labels[2:6, 20:24] = 3, 9
    task, sample = get_task("instances")(), Sample("a", np.zeros((1, 20, 30)))
    found = list(count_regions(task.count, Prediction(labels=labels), sample, [drawn_region("left", LEFT, (20, 30))]))
    assert [row.value for row in found] == [2, 1]
    assert [row.points for row in found] == [None, None]


def test_a_region_counts_for_all_planes() -> None:
    image = Image("a", np.zeros((4, 20, 30)), "ZYX", (2.0, 0.5, 0.5))
    made = density((0, 5, 5), (3, 5, 5), (3, 5, 25), shape=(4, 20, 30))
    region = drawn_region("left", LEFT, (4, 20, 30))
    whole, left = count_image(question(image, made, regions=(region,)))
    assert (whole.value, left.value, left.dims, left.pixels, left.size) == (3, 2, 3, 800, 400)
    assert {"volume_um3", "cells_per_mm3"} <= set(count_columns([whole, left]))


def test_tables_on_screen_and_in_files() -> None:
    sample = Sample("a", np.zeros((1, 20, 30)), pixel_size=(0.5, 0.5))
    prediction = Prediction(image=density((5, 5), (5, 20)), points=points((5, 5), (5, 20)))
    region = drawn_region("left\nhalf", LEFT, (20, 30))
    nowhere = Region("nowhere", (20, 30), lambda: Area((slice(0, 1), slice(0, 1)), np.zeros((1, 1), bool)))
    found = list(count_regions(COUNTING.count, prediction, sample, [region, nowhere]))
    table = count_table(found)
    assert table.columns[:2] == ("region", "kind")
    assert table.columns[-4:] == ("area_px", "area_um2", "cells_per_mm2", "points")
    lines = [line.split(",") for line in table.lines]
    assert [line[0] for line in lines] == ["image", "left half", "nowhere"]
    assert [line[-4:] for line in lines] == [
        ["600", "150", "13333.3", "2"],
        ["200", "50", "20000", "1"],
        ["0", "0", "0", "0"],
    ]
    unknown = count_table(count_regions(COUNTING.count, prediction, replace(sample, pixel_size=None), frame=2))
    assert unknown.columns[0] == "frame"
    assert unknown.lines[0].split(",")[-4:] == ["600", "", "", "2"]
    columns = count_columns(found)
    assert columns["region"].tolist() == ["whole image", "left\nhalf", "nowhere"]
    assert columns["counted_by"].tolist() == ["model"] * 3
    assert np.isnan(columns["cells_per_mm2"][2])
