from dataclasses import replace

import numpy as np
import pytest
import torch

from microforge.errors import AnnotationError, SettingsError
from microforge.measurements.objects import measure_objects
from microforge.metrics.matching import match_objects
from microforge.tasks import available_tasks, get_task
from microforge.tasks.instances.task import Instances, normalised_depth
from microforge.tasks.instances.watershed import fill_holes, split_objects
from microforge.types import Batch, Prediction, Sample
from support.discs import disc_sample, draw_discs


def perfect(labels: np.ndarray) -> np.ndarray:
    return np.stack([(labels > 0).astype(np.float32), normalised_depth(labels)])


@pytest.mark.parametrize(("shape", "count"), [((128, 128), 40), ((24, 48, 48), 12)], ids=["2D", "3D"])
def test_perfect_output_gives_the_objects_back(shape: tuple[int, ...], count: int) -> None:
    labels = draw_discs(shape, count)[1]
    found = Instances().decode(perfect(labels)).labels
    hits, extra, missed = match_objects(labels, found).counts(0.8)
    assert hits >= 0.9 * (hits + missed)
    assert extra <= 0.05 * hits


def test_depth_is_one_at_the_core_of_every_object_whatever_its_size() -> None:
    labels = np.zeros((40, 60), np.int32)
    labels[2:6, 2:6] = 1
    labels[10:38, 10:30] = 2
    labels[10:38, 30:50] = 3  # touches 2
    depth = normalised_depth(labels)
    assert [float(depth[labels == k].max()) for k in (1, 2, 3)] == [1.0, 1.0, 1.0]
    assert depth[20, 29] < 0.2
    assert depth[20, 30] < 0.2
    assert (depth[labels == 0] == 0).all()


def test_labels_beyond_65535_do_not_wrap() -> None:
    inside = np.zeros((3 * 300, 3 * 300), bool)
    inside[1::3, 1::3] = True
    found = split_objects(inside.astype(np.float32), inside, 0.25, 0.3, 1).labels
    assert found.max() == 90_000
    assert len(np.unique(found)) == 90_001


def test_a_shallow_notch_does_not_split_and_a_deep_one_does() -> None:
    x = np.arange(60)
    for notch, expected in ((0.9, 1), (0.3, 2)):
        profile = np.interp(x, [0, 15, 30, 45, 59], [0, 1, notch, 1, 0]).astype(np.float32)
        height = np.tile(profile, (9, 1))
        assert split_objects(height, height > 0.01, 0.25, 0.3, 5).labels.max() == expected


def test_small_and_uncertain_objects_are_left_out() -> None:
    height = np.zeros((30, 30), np.float32)
    height[2:4, 2:4], height[10:20, 2:12], height[10:20, 18:28] = 1.0, 0.2, 0.9
    assert split_objects(height, height > 0, 0.25, 0.3, 10).labels.max() == 1


def test_small_holes_are_filled_and_large_ones_stay() -> None:
    inside = np.zeros((30, 30), bool)
    inside[2:28, 2:28] = True
    inside[5:7, 5:7] = inside[12:20, 12:20] = False
    filled = fill_holes(inside, 10)
    assert filled[5:7, 5:7].all()
    assert not filled[12:20, 12:20].any()
    assert not filled[:2].any()
    assert np.array_equal(fill_holes(np.ones((4, 4), bool), 10), np.ones((4, 4), bool))


def test_nothing_inside_gives_nothing() -> None:
    assert split_objects(np.zeros((8, 8), np.float32), np.zeros((8, 8), bool), 0.2, 0.3, 1).labels.max() == 0


def test_loss_prefers_the_truth_and_ignores_what_is_not_annotated() -> None:
    task, sample = Instances(), disc_sample()
    target = torch.from_numpy(task.encode(sample).value)[None]
    weight = torch.ones_like(target[:, :1])
    good, bad = (target - 0.5) * 20, (0.5 - target) * 20
    image = torch.zeros_like(weight)
    assert task.loss(good, Batch(image, target, weight)) < 0.5 * task.loss(bad, Batch(image, target, weight))
    weight[..., 48:] = 0
    changed = good.clone()
    changed[..., 48:] = 7
    assert torch.equal(task.loss(good, Batch(image, target, weight)), task.loss(changed, Batch(image, target, weight)))


def test_binary_mask_is_split_into_components() -> None:
    sample = disc_sample()
    mask = replace(sample, annotation=(sample.annotation > 0).astype(np.uint8) * 255)
    assert Instances().check(mask).annotation.max() > 5


def test_one_connected_object_is_not_taken_for_a_mask() -> None:
    labels = np.zeros((20, 20), np.uint8)
    labels[5:9, 5:9] = 3
    assert set(np.unique(Instances().check(Sample("x", np.zeros((1, 20, 20)), labels)).annotation)) == {0, 3}


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.full((96, 96), 0.5, np.float32), "whole numbers"),
        (np.full((96, 96), -1, np.int16), "negative"),
        (np.ones((50, 96), np.uint8), "shape"),
        (np.ones((96, 96), complex), "type"),
        (None, "no annotation"),
    ],
)
def test_unusable_labels_are_refused_in_words(labels: np.ndarray | None, words: str) -> None:
    with pytest.raises(AnnotationError, match=words) as caught:
        Instances().check(replace(disc_sample("field 3"), annotation=labels))
    assert "field 3" in str(caught.value)


def test_float_labels_of_whole_numbers_are_taken() -> None:
    sample = disc_sample()
    checked = Instances().check(replace(sample, annotation=sample.annotation.astype(np.float64)))
    assert np.array_equal(checked.annotation, sample.annotation)
    assert checked.annotation.dtype == np.int32


def test_objects_of_stacks_are_counted_with_the_planes_that_are_painted() -> None:
    labels = np.zeros((9, 40, 40), np.int32)
    labels[2:5, 4:10, 4:10], labels[4:7, 20:28, 20:28] = 1, 2
    stack = Sample("stack", np.zeros((1, 9, 40, 40), np.float32), labels)
    assert Instances().describe([stack]).text == "2 objects on 5 planes in 1 image"


def test_describe_counts_and_says_what_is_missing() -> None:
    sample = disc_sample()
    assert Instances().describe([sample]).text == f"{len(np.unique(sample.annotation)) - 1} objects in 1 image"
    assert Instances().describe([sample]).ready
    assert "at least one" in Instances().describe([replace(sample, annotation=np.zeros((96, 96), np.int32))]).missing
    scribbles = replace(sample, mask=sample.annotation > 0)
    assert "background" in Instances().describe([scribbles]).missing


def test_predictions_outside_the_annotated_region_do_not_count() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[5:15, 5:15] = 1
    found = labels.copy()
    found[25:35, 25:35] = 2
    mask = np.zeros((40, 40), bool)
    mask[:20, :20] = True
    sample = Sample("x", np.zeros((1, 40, 40)), labels, mask)
    assert Instances().score(Prediction(labels=found), sample)["AP@0.5"] == 1.0
    assert Instances().score(Prediction(labels=found), replace(sample, mask=None))["AP@0.5"] == 0.5


def test_true_objects_outside_the_annotated_mask_are_not_missed() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[4:10, 4:10], labels[30:36, 30:36] = 1, 1_500_000_000
    mask = np.zeros((40, 40), bool)
    mask[:20, :20] = True
    found = np.where(labels == 1, 5, 0)
    assert Instances().score(Prediction(labels=found), Sample("x", np.zeros((1, 40, 40)), labels, mask))["AP@0.5"] == 1


def test_smallest_object_follows_the_annotations() -> None:
    assert Instances().fit([disc_sample(shape=(256, 256), count=60)]).options.smallest > 10
    assert Instances.from_options({"smallest": 3}).fit([disc_sample()]).options.smallest == 3


def test_tasks_are_found_and_unknown_names_answered() -> None:
    assert list(available_tasks()) == sorted(available_tasks())
    assert {"instances", "segmentation"} <= set(available_tasks())
    with pytest.raises(SettingsError, match="instances"):
        get_task("instance")
    with pytest.raises(SettingsError, match="merging"):
        Instances.from_options({"merge": 1})


def test_only_objects_within_the_region_are_counted() -> None:
    sample = disc_sample()
    mask = np.zeros((96, 96), bool)
    mask[:30] = True
    inside = len(np.unique(sample.annotation[:30])) - 1
    assert Instances().describe([replace(sample, mask=mask)]).text == f"{inside} objects in 1 image"


@pytest.mark.parametrize("shape", [(64, 64), (12, 48, 48)], ids=["2D", "3D"])
def test_objects_are_counted_where_their_middle_lies(shape: tuple[int, ...]) -> None:
    labels = draw_discs(shape, 10)[1]
    labels[labels > 0] += 100
    table = measure_objects(labels)
    left = np.zeros(shape[-2:], bool)
    left[:, :24] = True
    wanted = int((np.round(table["centroid_x"]) < 24).sum())
    for measurements in ({}, table):
        found = Prediction(labels=labels, measurements=measurements)
        assert [one.value for one in Instances().count(found)] == [len(table["label"])]
        assert [one.value for one in Instances().count(found, left)] == [wanted]
    assert Instances().count(Prediction(labels=labels * 0), left)[0].value == 0


@pytest.mark.parametrize("merging", [0.0, -0.1])
def test_merging_of_nothing_is_refused(merging: float) -> None:
    with pytest.raises(SettingsError, match=r"'merging'.*greater than 0"):
        Instances.from_options({"merging": merging})


def test_true_objects_outside_the_annotated_region_are_not_missed() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[4:12, 4:12], labels[24:36, 24:36] = 1, 2
    mask = np.zeros((40, 40), bool)
    mask[:20, :20] = True
    found = np.where(labels == 1, 1, 0).astype(np.int32)
    region = Sample("x", np.zeros((1, 40, 40)), labels, mask)
    assert Instances().score(Prediction(labels=found), region)["AP@0.5"] == 1
    assert Instances().score(Prediction(labels=found), replace(region, mask=None))["AP@0.5"] == 0.5


def test_depth_is_measured_in_lengths_where_planes_are_far_apart() -> None:
    labels = np.zeros((7, 21, 21), np.int32)
    labels[2:5, 3:18, 3:18] = 1
    image = np.zeros((1, *labels.shape), np.uint8)
    flat, deep = (
        Instances().encode(Sample("stack", image, labels, pixel_size=size)).value[1] for size in (None, (4.0, 1.0, 1.0))
    )
    # In pixels the middle of a plane is two steps from the next empty plane; in lengths 8 pixels, as far as the sides.
    assert flat[3, 10, 10] == flat[3, 10, 5] == 1
    assert deep[3, 10, 10] == 1
    assert deep[3, 10, 5] == pytest.approx(3 / 8)


def test_changed_options_leave_the_others_to_the_data() -> None:
    sample = Instances().check(disc_sample())
    plain, changed = Instances(), Instances.from_options({"merging": 0.4})
    assert changed.fit([sample]).options.smallest == plain.fit([sample]).options.smallest != 10
    assert Instances.from_options({"smallest": 7}).fit([sample]).options.smallest == 7


def test_few_objects_do_not_tell_how_small_others_are() -> None:
    labels = np.zeros((100, 100), np.int32)
    for k in range(6):
        labels[12 * k : 12 * k + 10, 5:15] = k + 1
    assert Instances().fit([Sample("few", labels[None], labels)]).options.smallest == 10
    many = np.kron(np.arange(1, 65).reshape(8, 8), np.pad(np.ones((10, 10), int), 1)).astype(np.int32)
    task = Instances().fit([Sample("many", many[None], many)])
    assert task.options.smallest == 100
    assert task.learnt()["smallest object"] == "100 pixels; what is smaller is left out"
