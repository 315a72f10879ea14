from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from microforge.config import TrainingConfig
from microforge.errors import NotEnoughDataError, SettingsError
from microforge.events import RunAdvice, RunFinished, TrainingEvent, Validated
from microforge.inference.predictor import Predictor
from microforge.metrics import images as image_metrics
from microforge.tasks import get_task
from microforge.training.loop import train
from microforge.types import Batch, Image, Prediction, Sample
from support.noisy import clean_field, noisy_field, noisy_sample

LEARN = TrainingConfig(task="denoising", device="cpu", steps=150, width=16, patch_size=64, batch_size=4)
ERROR = "error on unseen pixels (%)"


def denoised(model: Path, sample: Sample) -> Prediction:
    return Predictor(model).predict(sample)


def gain_over_blur(prediction: Prediction, sample: Sample, clean: np.ndarray) -> float:
    """Give by how many dB a prediction beats the best Gaussian blur, after a linear fit."""
    assert prediction.image is not None
    noisy = np.asarray(sample.image[0], float)
    blurred = [gaussian_filter(noisy, s / 2) for s in range(1, 9)]
    best = max(image_metrics.psnr(clean, image_metrics.fit_linear(b, clean)) for b in blurred)
    return image_metrics.psnr(clean, image_metrics.fit_linear(prediction.image[0], clean)) - best


def events_of(config: TrainingConfig, samples: list[Sample], folder: Path) -> list[TrainingEvent]:
    return list(train(config, samples, None, folder))


def test_sub_sampling_removes_most_of_the_noise(tmp_path: Path) -> None:
    config = LEARN.model_copy(update={"task_options": {"method": "sub-sampling"}, "patch_size": None})
    events_of(config, [noisy_sample(k) for k in range(8)], tmp_path)
    sample, clean = noisy_sample(50), clean_field(50)
    image = denoised(tmp_path / "model.safetensors", sample).image
    assert image is not None
    before, after = (
        image_metrics.psnr(clean, image_metrics.fit_linear(one, clean)) for one in (sample.image[0], image[0])
    )
    assert after > before + 8


def test_it_denoises_better_than_any_blur_from_noisy_images_alone(tmp_path: Path) -> None:
    config = LEARN.model_copy(update={"task_options": {"method": "hidden pixels"}, "steps": 250})
    events_of(config, [noisy_sample(k) for k in range(8)], tmp_path)
    sample, clean = noisy_sample(50), clean_field(50)
    prediction = denoised(tmp_path / "model.safetensors", sample)
    assert prediction.image is not None
    assert prediction.image.shape == (1, 96, 96)
    assert gain_over_blur(prediction, sample, clean) > 0.3
    # In the units of the input: gain 10, offset 100.
    slope, offset = image_metrics.linear_fit(clean, prediction.image[0])
    assert slope == pytest.approx(10, rel=0.1)
    assert offset == pytest.approx(100, abs=15)


def test_noise_before_and_after_and_what_was_removed_are_measured(tmp_path: Path) -> None:
    events_of(LEARN, [noisy_sample(k) for k in range(8)], tmp_path)
    statistics = denoised(tmp_path / "model.safetensors", noisy_sample(51)).statistics
    assert statistics["noise after"] < 0.2 * statistics["noise before"]
    assert abs(statistics["residual correlation"]) < 0.15


def test_quality_is_measured_on_pixels_the_network_does_not_see(tmp_path: Path) -> None:
    events = events_of(LEARN, [noisy_sample(k) for k in range(8)], tmp_path)
    last = [event for event in events if isinstance(event, Validated)][-1]
    # No network can guess the noise itself: the error cannot fall below it.
    rng_noise = np.std(noisy_field(clean_field(0), 0) - (clean_field(0) * 10 + 100))
    span = np.subtract(*np.percentile(noisy_field(clean_field(0), 0), (99.8, 1)))
    assert 0.7 * 100 * rng_noise / span < last.metrics[ERROR] < 1.6 * 100 * rng_noise / span


def test_frames_that_repeat_each_other_teach_each_other(tmp_path: Path) -> None:
    frames = [
        Sample(f"series {s} t={t:03d}", noisy_field(clean_field(s), 100 * s + t)[None])
        for s in range(3)
        for t in range(4)
    ]
    config = LEARN.model_copy(update={"task_options": {"method": "repeats"}, "steps": 250})
    events = events_of(config, frames, tmp_path)
    advice = [event.text for event in events if isinstance(event, RunAdvice)]
    assert "Each of 12 frames learns from its neighbour in time." in advice
    sample = noisy_sample(52)
    assert gain_over_blur(denoised(tmp_path / "model.safetensors", sample), sample, clean_field(52)) > 0.3


def test_repeats_need_a_series(tmp_path: Path) -> None:
    config = LEARN.model_copy(update={"task_options": {"method": "repeats"}})
    with pytest.raises(NotEnoughDataError, match="series"):
        train(config, [noisy_sample(0), noisy_sample(1)], None, tmp_path)


def test_stripes_are_removed_only_when_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    samples, cleans = [], []
    for k in range(8):
        clean = clean_field(k)
        # Noise shared by runs of pixels in a row.
        noise = gaussian_filter(rng.normal(size=clean.shape), (0, 1.0))
        samples.append(Sample(f"field {k}", (clean * 10 + 100 + noise * 60 / noise.std())[None].astype(np.float32)))
        cleans.append(clean)
    quality = {}
    for stripes in ("none", "horizontal"):
        config = LEARN.model_copy(update={"task_options": {"stripes": stripes}, "steps": 250})
        events_of(config, samples[:7], tmp_path / stripes)
        image = denoised(tmp_path / stripes / "model.safetensors", samples[7]).image
        assert image is not None
        quality[stripes] = image_metrics.psnr(cleans[7], image_metrics.fit_linear(image[0], cleans[7]))
    assert quality["horizontal"] > quality["none"] + 1


def test_channels_are_denoised_each_with_its_own_range(tmp_path: Path) -> None:
    def two(seed: int) -> Sample:
        dim, bright = (
            noisy_field(clean_field(seed), seed),
            noisy_field(clean_field(seed + 70), seed, gain=200, offset=900),
        )
        return Sample(f"field {seed}", np.stack([dim, bright]), channel_names=("actin", "DNA"))

    events_of(LEARN, [two(k) for k in range(6)], tmp_path)
    prediction = denoised(tmp_path / "model.safetensors", two(40))
    assert prediction.image is not None
    assert prediction.channel_names == ("actin", "DNA")
    for channel, seed, gain in ((0, 40, 10), (1, 110, 200)):
        slope, _ = image_metrics.linear_fit(clean_field(seed), prediction.image[channel])
        assert slope == pytest.approx(gain, rel=0.2)


def test_a_stack_is_denoised(tmp_path: Path) -> None:
    stack = np.stack([noisy_field(clean_field(3, 48), z) for z in range(8)])
    config = LEARN.model_copy(update={"steps": 20, "width": 8, "patch_size": 32})
    events_of(config, [Sample("stack", stack[None]), Sample("other", stack[None, ::-1])], tmp_path)
    prediction = denoised(tmp_path / "model.safetensors", Sample("stack", stack[None]))
    assert prediction.image is not None
    assert prediction.image.shape == (1, 8, 48, 48)


def test_stacks_are_said_to_be_taken_as_stacks(tmp_path: Path) -> None:
    stack = np.stack([noisy_field(clean_field(3, 48), z) for z in range(8)])
    config = LEARN.model_copy(update={"steps": 1, "width": 8, "patch_size": 32})
    said = [e.text for e in events_of(config, [Sample("stack", stack[None])], tmp_path) if isinstance(e, RunAdvice)]
    assert any("stacks of 8 planes" in text and "TYX" in text for text in said)


def test_one_small_image_alone_is_enough(tmp_path: Path) -> None:
    small = Sample("small", noisy_sample(5, 40).image)
    events = events_of(LEARN.model_copy(update={"steps": 10, "patch_size": None}), [small], tmp_path)
    assert isinstance(events[-1], RunFinished)
    assert denoised(tmp_path / "model.safetensors", small).image is not None


def test_rgb_is_denoised_as_three_channels(tmp_path: Path) -> None:
    rgb = np.stack([noisy_field(clean_field(k), k) // 4 for k in range(3)], axis=-1).astype(np.uint8)
    images = [Sample(f"slide {k}", np.moveaxis(np.roll(rgb, k, 0), -1, 0)) for k in range(3)]
    events_of(LEARN.model_copy(update={"steps": 10}), images, tmp_path)
    prediction = Predictor(tmp_path / "model.safetensors").predict(Image("slide", rgb, "YXS"))
    assert prediction.image is not None
    assert prediction.image.shape == (3, 96, 96)


def test_constant_images_are_left_out_and_said(tmp_path: Path) -> None:
    samples = [*(noisy_sample(k) for k in range(3)), Sample("black", np.zeros((1, 96, 96), np.uint16))]
    events = events_of(LEARN.model_copy(update={"steps": 2}), samples, tmp_path)
    assert any("black: all pixels are equal" in e.text for e in events if isinstance(e, RunAdvice))


def test_saturated_pixels_are_counted_in_12_bit_images(tmp_path: Path) -> None:
    image = np.minimum(noisy_sample(1).image[0].astype(int) * 16, 4095).astype(np.uint16)
    clipped = int((image == 4095).sum())
    events = events_of(
        LEARN.model_copy(update={"steps": 2}), [Sample("bright", image[None]), noisy_sample(2)], tmp_path
    )
    assert any(f"{clipped:,} pixels" in e.text and "4095" in e.text for e in events if isinstance(e, RunAdvice))


def test_nan_does_not_spread(tmp_path: Path) -> None:
    image = noisy_sample(1).image.astype(np.float32)
    image[0, 10:14, 10:14] = np.nan
    events = events_of(LEARN.model_copy(update={"steps": 5}), [Sample("nan", image), noisy_sample(2)], tmp_path)
    assert isinstance(events[-1], RunFinished)
    prediction = denoised(tmp_path / "model.safetensors", Sample("nan", image))
    assert prediction.image is not None
    assert np.isfinite(prediction.image).all()
    assert any("NaN" in note for note in prediction.notes)


def test_hidden_pixels_and_targets_of_a_batch_belong_together() -> None:
    task = get_task("denoising").from_options({"method": "hidden pixels"})
    image = torch.randn(2, 1, 32, 32)
    batch = task.corrupt(Batch(image, image[:, :0], torch.ones(2, 1, 32, 32)), np.random.default_rng(0))
    assert torch.equal(batch.target, image)
    assert torch.equal(batch.image[batch.weight == 0], image[batch.weight == 0])
    # A network that gives back what it sees is punished for the hidden pixels.
    assert float(task.loss(batch.image, batch)) > 0.5
    assert float(task.loss(batch.target, batch)) == 0


def test_sub_sampled_images_are_different_neighbours_of_one_block() -> None:
    task = get_task("denoising").from_options({"method": "sub-sampling"})
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    image = (y * 100 + x)[None, None]
    batch = task.corrupt(Batch(image, image[:, :0], torch.ones(1, 1, 16, 16)), np.random.default_rng(0))
    assert batch.image.shape == batch.target.shape == (1, 1, 8, 8)
    away = (batch.image - batch.target).abs()
    assert set(away.unique().tolist()) <= {1.0, 100.0}
    assert torch.equal(batch.image // 200, batch.target // 200)


def test_the_truth_is_compared_with_after_a_linear_fit() -> None:
    task = get_task("denoising").from_options({})
    clean = clean_field(1)
    sample = Sample("field", noisy_sample(1).image, (clean * 3 + 5)[None])
    scores = task.score(Prediction(image=clean[None]), sample)
    assert scores["PSNR after linear fit"] > 80
    assert scores["PSNR"] < 40


def test_unknown_methods_are_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="method"):
        get_task("denoising").from_options({"method": "magic"})


def test_a_run_resumes_exactly(tmp_path: Path) -> None:
    samples = [noisy_sample(k) for k in range(3)]
    short = LEARN.model_copy(update={"width": 8, "patch_size": 32})
    list(train(short.model_copy(update={"steps": 8}), samples, (), tmp_path / "whole"))
    # The pace depends on the number of steps: the first part is cut off, not planned shorter.
    first = train(short.model_copy(update={"steps": 8}), samples, (), tmp_path / "parts")
    for event in first:
        if getattr(event, "step", 0) == 4:
            break
    first.close()  # type: ignore[attr-defined]
    list(train(short.model_copy(update={"steps": 8}), samples, (), tmp_path / "parts", resume=True))
    whole, parts = (denoised(tmp_path / name / "model.safetensors", samples[0]).image for name in ("whole", "parts"))
    np.testing.assert_allclose(whole, parts, atol=1e-3)


def test_both_ways_take_turns_on_patches_of_one_size() -> None:
    task = get_task("denoising").from_options({})
    rng = np.random.default_rng(0)
    image = torch.randn(2, 1, 64, 64)
    batches = [task.corrupt(Batch(image, image[:, :0], torch.ones(2, 1, 64, 64)), rng) for _ in range(40)]
    assert all(batch.image.shape == batch.target.shape == (2, 1, 32, 32) for batch in batches)
    dense = sum(float(batch.weight.mean()) == 1 for batch in batches)
    assert 10 <= dense <= 30


def test_stripes_are_never_sub_sampled() -> None:
    task = get_task("denoising").from_options({"stripes": "vertical"})
    assert task.hints.input_downsampling == 1
    image = torch.randn(2, 1, 32, 32)
    rng = np.random.default_rng(0)
    batches = [task.corrupt(Batch(image, image[:, :0], torch.ones(2, 1, 32, 32)), rng) for _ in range(10)]
    assert all(float(batch.weight.mean()) < 0.2 for batch in batches)


def test_posing_hides_pixels_but_keeps_what_was_recorded() -> None:
    task = get_task("denoising").from_options({})
    sample = noisy_sample(1)
    posed = task.validation_input(sample)
    assert posed.mask is not None
    assert posed.annotation is not None
    np.testing.assert_array_equal(posed.annotation, sample.image)
    changed = np.asarray(posed.image)[0] != sample.image[0]
    assert 0.02 < posed.mask.mean() < 0.06
    assert not changed[~posed.mask].any()
    again = replace(sample)
    np.testing.assert_array_equal(np.asarray(task.validation_input(again).image), np.asarray(posed.image))
