"""Curves of a report are SVG that shows what was measured."""

from math import inf, nan
from xml.etree import ElementTree

import pytest

from microforge.evaluation.report.curves import MOST_DRAWN, curve, ticks


def points_of(svg: str) -> list[tuple[float, float]]:
    line = ElementTree.fromstring(svg).find("polyline")
    assert line is not None
    return [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]  # type: ignore[misc]


def test_higher_values_stand_higher_and_later_ones_further_right() -> None:
    drawn = points_of(curve([(0, 0.2), (10, 0.8), (20, 0.5)], "score", "steps"))
    assert drawn[0][0] < drawn[1][0] < drawn[2][0]
    assert drawn[1][1] < drawn[2][1] < drawn[0][1]


def test_a_long_run_is_drawn_with_few_points_and_its_last() -> None:
    svg = curve([(k, k % 7) for k in range(20_001)], "loss", "steps")
    drawn = points_of(svg)
    assert len(drawn) <= MOST_DRAWN + 1
    assert drawn[-1][0] == max(x for x, _ in drawn)
    assert len(svg) < 20_000


@pytest.mark.parametrize("points", [[], [(1, 2)], [(1, nan), (2, inf), (3, 4)]])
def test_nothing_is_drawn_of_nothing(points: list[tuple[float, float]]) -> None:
    assert curve(points, "score", "steps") == ""


def test_titles_are_escaped() -> None:
    assert "<b>" not in curve([(0, 0), (1, 1)], "<b>", "<b>")


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.831, 0.957), (-3, 1e6), (5, 5), (0, 0), (1e-9, 3e-9)])
def test_ticks_are_few_and_enclose_all(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-12
