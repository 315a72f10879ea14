from dataclasses import replace

import numpy as np
import pytest

from microforge.tasks.abilities import examples_of
from microforge.tasks.instances.pasting import COPIES, IMAGES_MADE, pasted
from microforge.tasks.instances.task import Instances
from microforge.types import Sample
from support.discs import draw_discs


def partly_painted(shape: tuple[int, ...] = (160, 160), count: int = 20, painted: int = 6) -> Sample:
    image, truth = draw_discs(shape, count)
    labels = np.where(truth <= painted, truth, 0)
    return Sample("a", image[None], labels, mask=(labels > 0) | (truth == 0))


@pytest.mark.parametrize("shape", [(160, 160), (24, 96, 96)], ids=["2D", "3D"])
def test_copies_lie_on_known_ground_and_look_like_what_is_painted(shape: tuple[int, ...]) -> None:
    sample = partly_painted(shape)
    made = list(pasted(sample, np.random.default_rng(0)))
    assert len(made) == IMAGES_MADE
    for one in made:
        assert one.annotation is not None
        added = (one.annotation > 6) & (sample.annotation != one.annotation)
        assert len(np.unique(one.annotation)) > 1 + 6 + 3
        assert sample.known[added].all()
        assert one.image[0][added].mean() > 0.8 * np.asarray(sample.image)[0][sample.annotation > 0].mean()
        unknown = ~sample.known
        np.testing.assert_array_equal(one.annotation[unknown], 0)


def test_copies_touch_each_other() -> None:
    sample = partly_painted((256, 256), 8, 8)
    labels = next(pasted(sample, np.random.default_rng(0))).annotation
    assert labels is not None
    beside = (labels[:, :-1] > 0) & (labels[:, 1:] > 0) & (labels[:, :-1] != labels[:, 1:])
    assert len(np.unique(labels[:, :-1][beside])) >= 5
    assert len(np.unique(labels)) - 1 <= 8 + 8 * COPIES


def test_the_given_sample_stays_and_the_same_numbers_make_the_same() -> None:
    sample = partly_painted()
    before = sample.annotation.copy(), np.asarray(sample.image).copy()  # type: ignore[union-attr]
    first, again = (next(pasted(sample, np.random.default_rng(3))) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.annotation, again.annotation)
    np.testing.assert_array_equal(sample.annotation, before[0])
    np.testing.assert_array_equal(sample.image, before[1])


def test_nothing_is_made_where_objects_are_cut_off_or_there_is_no_ground() -> None:
    cut = np.zeros((40, 40), np.int32)
    cut[:, :] = 1
    assert list(pasted(Sample("cut", np.ones((1, 40, 40)), cut), np.random.default_rng(0))) == []
    lone = np.zeros((40, 40), np.int32)
    lone[10:20, 10:20] = 1
    sample = Sample("lone", np.ones((1, 40, 40)), lone, mask=lone > 0)
    for one in pasted(sample, np.random.default_rng(0)):
        assert ((one.annotation > 0) <= (lone > 0)).all()


def test_only_few_objects_on_partly_known_ground_ask_for_more() -> None:
    task, sample, rng = Instances(), partly_painted(), np.random.default_rng(0)
    assert len(examples_of(task, sample, rng)) == IMAGES_MADE
    assert examples_of(task, replace(sample, mask=None), rng) == ()
    assert examples_of(task, replace(sample, mask=np.ones((160, 160), bool)), rng) == ()
    image, many = draw_discs((400, 400), 70)
    assert examples_of(task, Sample("many", image[None], many, mask=many > 0), rng) == ()
