"""What is learnt from answers beside painted objects: what they agree on, and what a person said comes first."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from microforge.tasks.abilities import LearnsFromAnswers
from microforge.tasks.instances.own_answers import agreed_answer, completed
from microforge.tasks.instances.task import Instances
from microforge.types import Labels, Sample
from support.discs import draw_discs


def field(painted: int = 6) -> tuple[Sample, Labels]:
    """Give an image in which some objects are painted, and all of them."""
    image, truth = draw_discs((200, 200), 24)
    labels = np.where(truth <= painted, truth, 0).astype(np.int32)
    return Sample("a", image[None], labels, mask=labels > 0, inferred=True), truth.astype(np.int32)


def answer(sample: Sample, labels: Labels) -> Sample:
    return replace(sample, annotation=labels, mask=np.ones(labels.shape, bool))


def test_only_objects_that_both_answers_find_are_agreed_on() -> None:
    sample, truth = field()
    other = np.where(truth == 7, 0, truth)
    other[truth == 8] = np.where(np.indices(truth.shape)[1] % 2, 8, 0)[truth == 8]
    inside: list[npt.NDArray[np.float32]] = [(labels > 0).astype(np.float32) for labels in (truth, other)]
    both = agreed_answer(sample, [truth, other], inside)
    assert both.annotation is not None
    assert set(np.unique(truth)) - set(np.unique(both.annotation)) == {7, 8}
    assert not both.known[(truth == 7) | (truth == 8)].any()
    assert both.known[truth == 0].all()


def test_found_objects_get_labels_of_their_own_and_background_beside_them() -> None:
    sample, truth = field()
    both = completed(sample, answer(sample, truth))
    assert both.annotation is not None
    assert len(np.unique(both.annotation)) == len(np.unique(truth))
    np.testing.assert_array_equal(both.annotation > 0, truth > 0)
    np.testing.assert_array_equal(both.annotation[truth <= 6], truth[truth <= 6] * (truth[truth <= 6] > 0))
    beside = both.known & (truth == 0)
    assert beside.any()
    assert not beside.all(), "far from objects nothing is concluded"


def test_what_a_person_said_is_never_changed() -> None:
    sample, truth = field()
    said_ground = np.isin(truth, (10, 11))
    sample = replace(sample, mask=sample.known | said_ground)
    both = completed(sample, answer(sample, np.where(truth > 0, truth + 100, 0)))
    assert both.annotation is not None
    np.testing.assert_array_equal(both.annotation[sample.known], sample.annotation[sample.known])  # type: ignore[index]
    assert not both.annotation[said_ground].any()


def test_objects_of_another_size_are_not_taken() -> None:
    sample, truth = field()
    rows, columns = np.indices(truth.shape)
    merged = np.where((truth > 6) & (columns > 60), 50, 0).astype(np.int32)
    crumbs = np.where((truth == 7) & (rows % 5 == 0) & (columns % 5 == 0), 60, 0).astype(np.int32)
    both = completed(sample, answer(sample, np.maximum(merged, crumbs)))
    assert both.annotation is not None
    np.testing.assert_array_equal(both.annotation, sample.annotation)
    np.testing.assert_array_equal(both.known, sample.known)


def test_only_samples_with_few_objects_whose_ground_was_inferred_are_open() -> None:
    task, (sample, truth) = Instances(), field()
    assert isinstance(task, LearnsFromAnswers)
    assert task.is_open(sample)
    assert not task.is_open(replace(sample, inferred=False)), "a region, or not looked at, was said on purpose"
    assert not task.is_open(replace(sample, annotation=np.zeros_like(truth), mask=truth < 0))
    many = np.arange(200 * 200, dtype=np.int32).reshape(200, 200)
    assert not task.is_open(replace(sample, annotation=many, mask=many > 0))


def test_the_task_says_which_masks_it_inferred() -> None:
    task, (sample, truth) = Instances(), field()
    partly = replace(sample, partly_painted=True, inferred=False)
    assert task.check(partly).inferred
    assert task.check(task.check(partly)).inferred
    assert not task.check(replace(sample, mask=truth >= 0, inferred=False)).inferred
