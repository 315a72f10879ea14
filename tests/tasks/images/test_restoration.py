import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from microforge.config import TrainingConfig
from microforge.errors import AnnotationError
from microforge.events import RunAdvice, RunFinished
from microforge.inference.predictor import Predictor
from microforge.metrics import images as image_metrics
from microforge.tasks import get_task
from microforge.training.loop import train
from microforge.types import Sample
from support.noisy import clean_field, noisy_field, noisy_sample, pair_sample

LEARN = TrainingConfig(task="restoration", device="cpu", steps=220, width=16, patch_size=64, batch_size=4)


def check(sample: Sample, **options: object) -> Sample:
    return get_task("restoration").from_options(options).check(sample)


def quality(image: np.ndarray, clean: np.ndarray) -> float:
    return image_metrics.psnr(clean, image_metrics.fit_linear(image, clean))


@pytest.mark.parametrize("loss", ["MSE", "L1", "mixed"])
def test_it_restores_better_than_any_blur(loss: str, tmp_path: Path) -> None:
    config = LEARN.model_copy(update={"task_options": {"loss": loss}})
    events = list(train(config, [pair_sample(k) for k in range(8)], None, tmp_path))
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.metrics["PSNR after linear fit"] > 20
    noisy, clean = noisy_sample(60), clean_field(60)
    image = Predictor(tmp_path / "model.safetensors").predict(noisy).image
    assert image is not None
    blurs = [quality(gaussian_filter(noisy.image[0].astype(float), s / 2), clean) for s in range(1, 9)]
    assert quality(image[0], clean) > max(blurs) + 0.2
    # Targets had a gain of 500: the result has the intensities of the input, gain 10 and offset 100.
    slope, offset = image_metrics.linear_fit(clean, image[0])
    assert slope == pytest.approx(10, rel=0.15)
    assert offset == pytest.approx(100, abs=20)


def test_targets_are_brought_to_the_intensities_of_their_images() -> None:
    sample = pair_sample(3)
    fitted = check(sample).annotation
    assert fitted is not None
    np.testing.assert_allclose(fitted[0], clean_field(3) * 10 + 100, atol=6)
    kept = check(sample, match=False).annotation
    np.testing.assert_array_equal(kept, sample.annotation)


def test_other_channels_come_in_the_units_of_their_targets(tmp_path: Path) -> None:
    def two(seed: int) -> Sample:
        first = pair_sample(seed)
        assert first.annotation is not None
        return replace(
            first, annotation=np.concatenate([first.annotation, first.annotation / 50]), target_names=("a", "b")
        )

    list(train(LEARN, [two(k) for k in range(6)], None, tmp_path))
    prediction = Predictor(tmp_path / "model.safetensors").predict(noisy_sample(61))
    assert prediction.image is not None
    assert prediction.channel_names == ("a", "b")
    for channel, gain in zip(prediction.image, (500, 10), strict=True):
        assert image_metrics.linear_fit(clean_field(61), channel)[0] == pytest.approx(gain, rel=0.3)


def test_sizes_that_differ_are_refused_by_name() -> None:
    sample = pair_sample(0)
    assert sample.annotation is not None
    with pytest.raises(AnnotationError, match="96 x 96 pixels, its target 90 x 96") as refused:
        check(replace(sample, annotation=sample.annotation[:, 3:-3]))
    assert refused.value.where == "field 0"


def test_different_fields_are_refused_by_name() -> None:
    with pytest.raises(AnnotationError, match="do not show the same") as refused:
        check(Sample("mixed up", pair_sample(0).image, pair_sample(1).annotation))
    assert refused.value.where == "mixed up"


def test_swapped_pairs_are_asked_about_and_accepted_when_meant() -> None:
    clean = (clean_field(2) * 10 + 100)[None].astype(np.float32)
    swapped = Sample("swapped", clean, noisy_field(clean_field(2), 2)[None])
    with pytest.raises(AnnotationError, match=r"noisier than the image .* swapped"):
        check(swapped)
    assert check(swapped, noisier_target=True).annotation is not None


def test_two_noisy_recordings_are_no_swapped_pair() -> None:
    clean = clean_field(2)
    check(Sample("repeats", noisy_field(clean, 1)[None], noisy_field(clean, 2)[None]))


def test_a_constant_target_is_refused() -> None:
    with pytest.raises(AnnotationError, match="equal"):
        check(replace(pair_sample(0), annotation=np.ones((1, 96, 96))))


def test_a_missing_target_is_asked_for() -> None:
    with pytest.raises(AnnotationError, match="no target"):
        check(noisy_sample(0))


def test_a_stack_for_a_plane_is_refused() -> None:
    with pytest.raises(AnnotationError, match="dimensions"):
        check(replace(pair_sample(0), annotation=np.zeros((1, 4, 96, 96))))


def test_displaced_pairs_are_pointed_out_with_the_shift(tmp_path: Path) -> None:
    wide = clean_field(7, 160, width=6)
    moved = Sample("moved", noisy_field(wide[20:148, 20:148], 7)[None], wide[None, 16:144, 23:151])
    config = LEARN.model_copy(update={"steps": 1, "validation_fraction": 0.0})
    advice = [e.text for e in train(config, [moved, pair_sample(1)], None, tmp_path) if isinstance(e, RunAdvice)]
    [text] = [text for text in advice if text.startswith("moved: the target lies")]
    down, right = (float(part) for part in re.findall(r"[+-]\d+\.\d", text))
    assert down == pytest.approx(4, abs=0.3)
    assert right == pytest.approx(-3, abs=0.3)
    assert not any(text.startswith("field 1: the target lies") for text in advice)


def test_pixels_that_are_not_finite_teach_nothing() -> None:
    sample = pair_sample(0)
    assert sample.annotation is not None
    broken = sample.annotation.copy()
    broken[0, :10] = np.nan
    task = get_task("restoration").from_options({"channels": 1})
    target = task.encode(task.check(replace(sample, annotation=broken)))
    assert np.isfinite(target.value).all()
    assert not target.weight[0, :10].any()
    assert target.weight[0, 10:].all()
