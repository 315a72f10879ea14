"""Areas of an image: outlines, holes, windows, and the points inside."""

import numpy as np
import pytest

from microforge.axes.areas import Area, Outline, drawn_region, enclosed, mask_of
from microforge.types import Points

SQUARE = np.array([(2, 3), (2, 8), (6, 8), (6, 3)], float)


def rectangle(top: float, left: float, bottom: float, right: float) -> np.ndarray:
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)], float)


def test_only_a_window_is_kept() -> None:
    area = enclosed([SQUARE], (400, 500))
    assert area.mask.size < 100
    wanted = np.zeros((400, 500), bool)
    wanted[2:7, 3:9] = True
    np.testing.assert_array_equal(area.on((400, 500)), wanted)
    assert (area.pixels((400, 500)), area.pixels((5, 400, 500))) == (30, 150), "of a stack it counts for all planes"


def test_an_outline_within_another_is_a_hole() -> None:
    area = enclosed([rectangle(0, 0, 10, 10), rectangle(3, 3, 5, 5)], (20, 20))
    assert area.pixels((20, 20)) == 11 * 11 - 9


@pytest.mark.parametrize("shift", [(-4, -5), (17, 16), (100, 100)])
def test_what_lies_beyond_the_image_is_cut_off(shift: tuple[int, int]) -> None:
    whole = np.zeros((60, 60), bool)
    moved = SQUARE + shift
    whole[20:40, 20:40] = enclosed([moved], (20, 20)).on((20, 20))
    wanted = enclosed([moved + 20], (60, 60)).on((60, 60))
    wanted[:20], wanted[40:], wanted[:, :20], wanted[:, 40:] = False, False, False, False
    np.testing.assert_array_equal(whole, wanted)


def test_the_same_pixels_as_a_mask_of_outlines() -> None:
    region = drawn_region("a", SQUARE, (7, 20, 30))
    np.testing.assert_array_equal(region.mask, mask_of([Outline(SQUARE)], (20, 30)))
    assert region.area is drawn_region("another name", SQUARE.copy(), (7, 20, 30)).area, "found once"


def test_an_area_drawn_on_a_plane_counts_there_only() -> None:
    corners = np.hstack([np.full((4, 1), 2.0), SQUARE])
    mask = mask_of([Outline(corners)], (4, 20, 30))
    assert mask.any(axis=(1, 2)).tolist() == [False, False, True, False]
    assert not mask_of([Outline(corners + np.array([9.0, 0, 0]))], (4, 20, 30)).any()


def test_points_are_in_the_pixel_around_them() -> None:
    area = Area((slice(5, 10), slice(15, 20)), np.ones((5, 5), bool))
    places = [(5, 15), (4.6, 15), (4.4, 15), (9.4, 19.5), (9.6, 19), (9, 20.4), (-5, 15)]
    points = Points(np.array(places, np.float32), np.zeros(len(places), np.int32))
    found = area.points_inside(points, (10, 20)).coordinates
    np.testing.assert_allclose(found, [places[k] for k in (0, 1, 3)], err_msg="19.5 is still on an image of 20 pixels")


def test_points_in_an_area_of_one_plane() -> None:
    area = Area((slice(1, 2), slice(0, 5), slice(0, 5)), np.ones((1, 5, 5), bool))
    points = Points(np.array([(1, 2, 2), (0, 2, 2), (1, 7, 2)], np.float32), np.zeros(3, np.int32), axes="ZYX")
    assert area.points_inside(points, (3, 10, 10)).coordinates.tolist() == [[1, 2, 2]]
