"""Label numbers may be any: nothing makes a list as long as the largest."""

import tracemalloc

import numpy as np
import pytest

from microforge.label_numbers import label_sizes, renumbered
from microforge.metrics.matching import match_inside
from microforge.tasks import get_task
from microforge.types import Prediction, Sample

HUGE = 1_500_000_000


def tracked(largest: int = HUGE) -> np.ndarray:
    """Two objects as a tracker numbers them."""
    labels = np.zeros((40, 50), np.uint32)
    labels[4:10, 4:12], labels[20:30, 20:28] = 7, largest
    return labels


def test_huge_numbers_become_small_ones_in_order_and_small_ones_stay() -> None:
    assert np.unique(renumbered(tracked())).tolist() == [0, 1, 2]
    assert np.unique(renumbered(tracked(9))).tolist() == [0, 7, 9]
    assert label_sizes(tracked()).tolist() == [48, 80]


def test_an_image_without_background_keeps_all_its_objects() -> None:
    full = np.full((4, 6), HUGE, np.uint32)
    full[:2] = 5
    assert np.unique(renumbered(full)).tolist() == [1, 2]
    assert label_sizes(full).tolist() == [12, 12]
    assert label_sizes(np.zeros((0, 3), np.int32)).tolist() == []


@pytest.mark.parametrize("largest", [HUGE, 2**32 - 1])
def test_objects_with_huge_numbers_are_learnt_and_scored_in_little_memory(largest: int) -> None:
    labels = tracked(largest)
    image = (1000 * (labels > 0)).astype(np.uint16)
    mask = np.ones(labels.shape, bool)
    tracemalloc.start()
    try:
        task = get_task("instances")()
        sample = task.check(Sample("tracked", image[None], labels, mask))
        task = task.fit([sample])
        assert task.describe([sample]).text.startswith("2 objects")
        assert len(task.focus(sample)) == 2
        assert task.encode(sample).value[1].max() == 1
        assert task.options.smallest == 6, "a tenth of the middle one, as few are annotated"
        prediction = Prediction(labels=np.asarray(sample.annotation))
        assert task.score(prediction, sample)["AP@0.5"] == 1
        simple = task.baseline()
        simple.look(sample)
        assert simple.predict(sample).labels is not None
        assert len(match_inside(labels, labels, mask).matching.truth) == 2
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
