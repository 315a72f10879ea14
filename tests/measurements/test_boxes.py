import numpy as np
import pytest

from microforge.measurements.boxes import box_around


@pytest.mark.parametrize(
    ("box", "centre"),
    [
        (((3, 9), (4, 12)), (5.5, 7.5)),
        (((0, 300), (0, 5)), (150.0, 2.0)),
        (((10, 290), (100, 400)), (140.2, 250.0)),
        (((0, 300), (0, 400)), (149.5, 199.5)),
    ],
)
def test_an_object_is_found_whole_whatever_its_size(
    box: tuple[tuple[int, int], ...], centre: tuple[float, ...]
) -> None:
    labels = np.zeros((300, 400), np.int32)
    labels[tuple(slice(*side) for side in box)] = 7
    assert box_around(labels, 7, centre) == box


def test_a_crescent_is_found_though_its_centre_is_not_in_it() -> None:
    y, x = np.mgrid[:200, :200]
    distance = np.hypot(y - 100, x - 100)
    labels = ((distance < 90) & (distance > 80)).astype(np.int32) * 3
    assert box_around(labels, 3, (100, 100)) == ((11, 190), (11, 190))


def test_stacks_and_labels_that_are_not_there() -> None:
    labels = np.zeros((5, 40, 50), np.int32)
    labels[1:3, 4:6, 7:9] = 2
    assert box_around(labels, 2, (1.5, 4.5, 7.5)) == ((1, 3), (4, 6), (7, 9))
    assert box_around(labels, 3, (1.5, 4.5, 7.5)) == ()
