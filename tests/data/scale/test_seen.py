"""Images at the working scale, and answers brought back."""

import numpy as np
import pytest

from microforge.data.scale.seen import as_seen, decoded, sample_as_seen
from microforge.metrics.matching import match_objects
from microforge.tasks.instances.task import Instances, normalised_depth
from microforge.tasks.segmentation import Segmentation
from microforge.types import Array, Floats, Sample
from support.discs import draw_discs


def field() -> Sample:
    image, labels = draw_discs((97, 121), count=8, seed=0)
    return Sample("field", image[None], labels, labels > 0, pixel_size=(0.5, 0.5))


def answer(labels: Array) -> Floats:
    """Give what a network that is always right would answer."""
    return np.stack([(labels > 0).astype(np.float32), normalised_depth(labels)])


@pytest.mark.parametrize(("scale", "overlap"), [(0.5, 0.6), (1.0, 0.8), (1.3, 0.8), (2.5, 0.8)])
def test_right_answers_at_any_scale_give_the_objects(scale: float, overlap: float) -> None:
    sample, task = field(), Instances.from_options({"working_scale": scale, "smallest": 20})
    assert sample.annotation is not None
    seen = sample_as_seen(sample, task)
    assert seen.annotation is not None
    found = decoded(task, answer(seen.annotation), sample.annotation.shape)
    assert found.labels is not None
    assert found.labels.shape == sample.annotation.shape
    matched = match_objects(sample.annotation, found.labels)
    assert len(matched.pairs(overlap)) == len(matched.truth) == len(matched.predicted)
    np.testing.assert_array_equal(found.measurements["label"], np.arange(1, len(matched.predicted) + 1))
    assert len(found.measurements["confidence"]) == len(matched.predicted)


def test_image_labels_mask_and_pixel_size_are_scaled_alike() -> None:
    seen = sample_as_seen(field(), Instances.from_options({"working_scale": 2.0}))
    assert seen.annotation is not None
    assert seen.mask is not None
    assert seen.image.shape[1:] == seen.annotation.shape == seen.mask.shape == (194, 242)
    np.testing.assert_array_equal(seen.mask, seen.annotation > 0)
    assert seen.pixel_size == (0.25, 0.25)


def test_at_scale_one_nothing_is_copied() -> None:
    sample = field()
    assert sample_as_seen(sample, Instances()) is sample
    assert as_seen(sample.image, Instances()) is sample.image


def test_tasks_that_know_no_scale_see_images_as_they_are() -> None:
    sample = field()
    assert sample_as_seen(sample, Segmentation()) is sample


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_smallest_object_is_in_pixels_of_the_image(scale: float) -> None:
    labels = np.zeros((60, 60), np.int32)
    labels[10:16, 10:16] = 1  # 36 pixels
    labels[30:40, 30:40] = 2  # 100 pixels
    sample = Sample("two", labels[None].astype(np.float32), labels)
    for smallest, count in ((20, 2), (60, 1)):
        task = Instances.from_options({"working_scale": scale, "smallest": smallest})
        seen = sample_as_seen(sample, task)
        assert seen.annotation is not None
        found = decoded(task, answer(seen.annotation), labels.shape)
        assert len(found.measurements["label"]) == count
        assert found.left_out["smallest"] == 2 - count


def test_an_object_too_thin_to_hold_a_pixel_is_left_out_with_its_row() -> None:
    task = Instances.from_options({"working_scale": 4.0, "smallest": 1})
    labels = np.zeros((80, 80), np.int32)
    labels[0:20, 4] = 1  # a quarter of a pixel wide, and no pixel's centre is in it
    labels[40:60, 40:60] = 2
    found = decoded(task, answer(labels), (20, 20))
    assert found.labels is not None
    assert sorted(np.unique(found.labels)) == [0, 1]
    assert found.measurements["label"].tolist() == [1]
