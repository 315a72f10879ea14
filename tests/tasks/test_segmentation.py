from dataclasses import replace

import numpy as np
import pytest
import torch

from microforge.errors import AnnotationError
from microforge.tasks.segmentation import Segmentation
from microforge.types import Batch, Prediction, Sample


def stripes(values: tuple[int, ...] = (0, 1, 2), name: str = "stripes") -> Sample:
    labels = np.repeat(np.array(values, np.int32), 10)[None].repeat(24, axis=0)
    return Sample(name, labels[None].astype(np.float32), labels)


def test_classes_come_from_the_annotations_and_keep_their_names() -> None:
    task = Segmentation.from_options({"classes": {2: "membrane"}}).fit([stripes()])
    assert task.options.classes == {0: "background", 1: "class 1", 2: "membrane"}
    assert task.out_channels == 3


def test_decode_gives_label_values_back() -> None:
    sample = stripes((0, 3, 7))
    task = Segmentation().fit([sample])
    assert np.array_equal(task.decode(task.encode(sample).value[:]).labels, sample.annotation)


def test_scribbles_say_nothing_about_unpainted_pixels() -> None:
    task = Segmentation.from_options({"unpainted": "unknown"})
    sample = task.check(stripes())
    task = task.fit([sample])
    assert task.values == [1, 2]
    target = task.encode(sample)
    assert target.weight[0, :, :10].sum() == 0
    assert target.weight[0, :, 10:].all()


def test_rare_classes_get_as_many_patches_as_common_ones() -> None:
    sample = stripes((0,) * 20 + (5,))
    task = Segmentation().fit([sample])
    focus = task.focus(sample).astype(int)
    rare = (sample.annotation[tuple(focus.T)] == 5).mean()
    assert 0.45 < rare < 0.55


def test_describe_asks_for_a_second_class_and_refuses_objects() -> None:
    assert "second" in Segmentation().describe([stripes((1,))]).missing
    assert "at least two" in Segmentation().describe([stripes((0,))]).missing
    assert Segmentation().describe([stripes()]).ready
    assert "Segment objects" in Segmentation().describe([stripes(tuple(range(100)))]).missing


def test_dice_is_pooled_per_class() -> None:
    sample = stripes((0, 1))
    task = Segmentation().fit([sample])
    half = sample.annotation.copy()
    half[:12] = 0
    scores = task.score(Prediction(labels=half), sample)
    assert np.isclose(scores["Dice class 1"], 2 * 120 / (240 + 120))
    assert np.isclose(scores["IoU background"], 240 / 360)
    assert task.score(Prediction(labels=sample.annotation), sample)["Dice"] == 1.0


def test_loss_ignores_pixels_of_weight_zero() -> None:
    sample = stripes()
    task = Segmentation().fit([sample])
    target = torch.from_numpy(task.encode(sample).value[:])[None]
    weight = torch.ones(1, 1, 24, 30)
    weight[..., 20:] = 0
    output = torch.randn(1, 3, 24, 30)
    changed = output.clone()
    changed[..., 20:] += torch.randn(3, 24, 10)
    image = torch.zeros(1, 1, 24, 30)
    assert torch.allclose(
        task.loss(output, Batch(image, target, weight)), task.loss(changed, Batch(image, target, weight))
    )


def test_mask_limits_what_counts() -> None:
    sample = stripes((0, 1))
    mask = np.zeros((24, 20), bool)
    mask[:5] = True
    wrong = sample.annotation.copy()
    wrong[5:] = 1 - wrong[5:]
    task = Segmentation().fit([sample])
    assert task.score(Prediction(labels=wrong), replace(sample, mask=mask))["Dice"] == 1.0


def test_a_value_too_large_for_a_class_is_refused_instead_of_becoming_another() -> None:
    sample = stripes()
    labels = sample.annotation.astype(np.uint32)
    labels[0, 0] = 2**32 - 1
    with pytest.raises(AnnotationError, match="4294967295 is too large for a class"):
        Segmentation().check(replace(sample, annotation=labels))
