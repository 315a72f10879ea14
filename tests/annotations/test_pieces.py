"""What is annotated, piece by piece: objects, points, strokes, and parts of them."""

from dataclasses import replace

import numpy as np

from microforge.annotations.pieces import of_image, of_objects, of_points, of_strokes, pieces_of_all
from microforge.types import Points, Sample


def painted(labels: np.ndarray, mask: np.ndarray | None = None) -> Sample:
    return Sample("image", np.zeros((1, *labels.shape), np.uint8), labels, mask)


def test_objects_are_counted_where_they_are_known() -> None:
    labels, mask = np.zeros((40, 60), np.int32), np.zeros((40, 60), bool)
    labels[2:8, 2:8], labels[20:30, 50:58] = 7, 900_000_000
    assert of_objects(painted(labels)).counts() == {"": 2}
    mask[:20] = True
    known = of_objects(painted(labels, mask))
    assert (known.low.tolist(), known.high.tolist()) == ([[2, 2]], [[8, 8]])
    assert of_objects(replace(painted(labels, mask), partly_painted=True)).counts() == {"": 2}


def test_strokes_are_connected_pieces_and_long_ones_stand_for_several() -> None:
    labels = np.zeros((300, 300), np.int32)
    labels[10:14, 10:20] = labels[30:34, 10:20] = 1
    labels[100:104, 20:276] = 2
    found = of_strokes(painted(labels, labels > 0), {1: "ground", 2: "membrane"})
    assert found.sizes() == {"ground": 80, "membrane": 1024}
    assert found.counts() == {"ground": 2, "membrane": 4}
    assert found.low[-1].tolist() == [100, 20]


def test_a_part_of_an_image_has_a_part_of_what_reaches_beyond_it() -> None:
    labels = np.zeros((64, 64), np.int32)
    labels[10:20, 10:20], labels[10:20, 30:50] = 1, 2
    left, right = (of_objects(painted(labels)).between(1, *ends) for ends in ((0, 35), (35, np.inf)))
    assert (left.counts(), right.counts()) == ({"": 1.25}, {"": 0.75})


def test_points_count_where_they_are_known_each_of_its_kind() -> None:
    points = Points(np.array([[3, 3], [3, 50], [30, 3]], np.float32), np.array([0, 1, 1], np.int32), ("a", "b"))
    sample = replace(painted(np.zeros((64, 64), np.int32)), points=points)
    assert of_points(sample).counts() == {"a": 1, "b": 2}
    mask = np.zeros((64, 64), bool)
    mask[:, :20] = True
    assert of_points(replace(sample, mask=mask)).counts() == {"a": 1, "b": 1}


def test_an_image_as_a_whole_is_one_piece_of_its_class_and_nothing_where_nothing_is_known() -> None:
    sample = replace(painted(np.zeros((64, 32), np.int32)), class_name="good")
    assert (of_image(sample).sizes(), of_image(sample).counts()) == ({"good": 2048}, {"good": 1})
    assert of_image(replace(sample, mask=np.zeros((64, 32), bool))).counts() == {}


def test_pieces_of_several_samples_are_those_of_one_also_where_some_have_none() -> None:
    labels = np.zeros((16, 16), np.int32)
    labels[2:5, 2:5] = 1
    empty = replace(painted(labels), annotation=None)
    assert pieces_of_all(map(of_objects, [painted(labels), empty, painted(labels)])).counts() == {"": 2}
    assert pieces_of_all([of_objects(empty)]).counts() == {}


def test_planes_and_stacks_of_one_series_can_be_put_together() -> None:
    labels = np.zeros((4, 16, 16), np.int32)
    labels[:, 2:5, 2:5] = 1
    both = pieces_of_all(map(of_objects, [painted(labels[0]), painted(labels)]))
    assert (both.low.tolist(), both.high.tolist()) == ([[0, 2, 2], [0, 2, 2]], [[1, 5, 5], [4, 5, 5]])
