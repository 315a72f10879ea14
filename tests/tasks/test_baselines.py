"""The simple methods that models are measured beside."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from microforge.evaluation.evaluate import evaluate_pairs
from microforge.io.pairing import pair_folders
from microforge.tasks import Task, get_task
from microforge.tasks.abilities import baseline_of
from microforge.tasks.baselines import (
    Blur,
    MajorityClass,
    MajorityPixel,
    MeanCount,
    Regression,
    Watershed,
)
from microforge.tasks.classification import Classification, ClassificationOptions
from microforge.tasks.counting.interval import Interval
from microforge.tasks.counting.options import CountingOptions
from microforge.tasks.counting.task import Counting
from microforge.types import Points, Prediction, Sample
from support.discs import disc_sample, draw_discs


def smooth(seed: int, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (1000 + 3000 * ndimage.gaussian_filter(rng.standard_normal(shape), 4)).astype(np.float32)


def noisy(seed: int, clean: np.ndarray) -> np.ndarray:
    return clean + np.random.default_rng(seed).normal(0, 300, clean.shape).astype(np.float32)


def test_the_best_blur_beats_no_blur() -> None:
    blur = Blur()
    samples = [Sample(f"{k}", noisy(k, smooth(k, 1, 64, 64)), smooth(k, 1, 64, 64)) for k in range(3)]
    for sample in samples:
        blur.look(sample)
    assert 1 <= blur.sigma <= 4
    assert blur.name == f"best Gaussian (sigma {blur.sigma:g})"
    task = get_task("denoising")()
    for sample in samples:
        answer, as_is = blur.predict(sample), Prediction(image=np.asarray(sample.image))
        gain = [task.score(one, sample)["PSNR after linear fit"] for one in (answer, as_is)]
        assert gain[0] > gain[1] + 3


def test_images_without_noise_need_no_blur_and_are_enlarged() -> None:
    fine = smooth(0, 1, 64, 64)
    coarse = fine.reshape(1, 32, 2, 32, 2).mean((2, 4))
    blur, sample = Blur(), Sample("x", coarse, fine)
    blur.look(sample)
    assert (blur.sigma, blur.predict(sample).image.shape) == (0, (1, 64, 64))
    assert "bicubic" in blur.name


def test_stacks_are_blurred_by_the_same_length_everywhere() -> None:
    point = np.zeros((1, 9, 33, 33), np.float32)
    point[0, 4, 16, 16] = 1
    blur = Blur()
    blur.psnr[4] = 1
    answer = blur.predict(Sample("x", point, point, pixel_size=(4.0, 1.0, 1.0))).image[0]
    assert answer[5, 16, 16] < 0.2 * answer[4, 16, 16]
    assert answer[4, 16, 18] > 0.3 * answer[4, 16, 16]


def test_regression_finds_weighted_sums_of_the_channels() -> None:
    regression = Regression()
    samples = []
    for seed in range(2):
        image = np.random.default_rng(seed).normal(0, 1, (2, 60, 60)).astype(np.float32)
        target = np.stack([3 * image[0] - ndimage.gaussian_filter(image[1], 2, mode="nearest") * 9 + 50, image[1]])
        samples.append(Sample("x", image, target))
        regression.look(samples[-1])
    for sample in samples:
        answer = regression.predict(sample).image
        for given, wanted in zip(answer, sample.annotation, strict=True):
            assert np.corrcoef(given.ravel(), wanted.ravel())[0, 1] > 0.98
    assert "fitted on these very images" in regression.name


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("denoising", Blur),
        ("super-resolution", Blur),
        ("label-free", Regression),
        ("instances", Watershed),
        ("segmentation", MajorityPixel),
        ("counting", MeanCount),
        ("classification", MajorityClass),
    ],
)
def test_each_kind_of_answer_has_its_baseline(task: str, kind: type) -> None:
    assert isinstance(baseline_of(get_task(task)()), kind)


def with_points(counts: tuple[int, ...], mask: np.ndarray | None = None) -> Sample:
    """Give an image with so many points of each kind, side by side from the upper left."""
    places = [(8 * kind + 4, 8 * k + 4) for kind, number in enumerate(counts) for k in range(number)]
    kind = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    names = ("red", "green")[: len(counts)] if len(counts) > 1 else ("",)
    points = Points(np.array(places, np.float32).reshape(-1, 2), kind, names)
    return Sample("x", np.zeros((1, 32, 96), np.uint8), points=points, mask=mask)


def test_the_mean_count_errs_by_the_spread_of_the_counts_and_has_no_places() -> None:
    interval = Interval(width=1.0, typical=5.0, images=20)
    task = Counting(CountingOptions(spacing=8, anisotropy=(1, 1), intervals={"": interval}))
    mean, samples = MeanCount(), [with_points((count,)) for count in (2, 4, 9)]
    for sample in samples:
        mean.look(sample)
    errors = [task.score(mean.predict(sample), sample) for sample in samples]
    assert [one["bias"] for one in errors] == pytest.approx([3, 1, -4], abs=1e-3)
    assert errors[0]["F1"] == 0
    assert mean.name == "always the mean count of these images (5.0), no places"


def test_the_mean_count_knows_kinds_and_regions() -> None:
    task = Counting(CountingOptions(spacing=8, anisotropy=(1, 1), kinds=("red", "green")))
    left = np.zeros((32, 96), bool)
    left[:, :20] = True
    mean = MeanCount()
    for sample in (with_points((4, 1), left), with_points((4, 0), left)):
        mean.look(sample)
    counts = task.count(mean.predict(with_points((4, 1), left)), left)
    assert [count.value for count in counts] == pytest.approx([2, 0.5])


def test_the_majority_class_finds_one_class_only() -> None:
    task = Classification(ClassificationOptions(names=("bad", "good"), weights=(1, 1)))
    samples = [Sample("x", np.zeros((1, 8, 8)), class_name=name) for name in ("good", "bad", "good")]
    majority = MajorityClass()
    for sample in samples:
        majority.look(sample)
    assert [task.score(majority.predict(sample), sample)["accuracy"] for sample in samples] == [1, 0, 1]
    assert majority.name == "always the most frequent class (good)"


def test_the_majority_of_pixels_is_taken_where_they_are_known() -> None:
    labels = np.ones((8, 8), np.int32)
    labels[:, 3:] = 2
    sample = Sample("x", np.zeros((1, 8, 8)), labels, labels == 1)
    majority = MajorityPixel()
    majority.look(sample)
    assert (majority.predict(sample).labels == 1).all()
    assert majority.name == "the most frequent class everywhere (label 1)"


@pytest.mark.parametrize("shape", [(96, 96), (24, 48, 48)])
def test_the_watershed_finds_lone_discs_and_splits_some(shape: tuple[int, ...]) -> None:
    task, method = get_task("instances")(), Watershed()
    samples = [disc_sample(seed=seed, shape=shape, count=8) for seed in range(3)]
    for sample in samples:
        method.look(sample)
    assert np.mean([task.score(method.predict(sample), sample)["F1@0.5"] for sample in samples]) > 0.7
    assert method.name == "Otsu threshold and distance watershed (bright objects)"


def test_the_watershed_finds_the_side_and_the_channel() -> None:
    image, labels = draw_discs(seed=1)
    noise = np.random.default_rng(0).normal(0, 5000, image.shape)
    dark = Sample("x", np.stack([60000.0 - image, noise, 2000 + 0.1 * noise]), labels)
    method = Watershed()
    method.look(dark)
    assert method.best == ("the brightest channel", False)
    assert method.name == "Otsu threshold of the brightest channel and distance watershed (dark objects)"
    assert get_task("instances")().score(method.predict(dark), dark)["F1@0.5"] > 0.7


def test_the_watershed_of_nothing_is_nothing() -> None:
    empty = Sample("x", np.zeros((1, 32, 32), np.uint8), np.zeros((32, 32), np.int32))
    method = Watershed()
    method.look(empty)
    assert method.predict(empty).labels.shape == (32, 32)


class Cheating:
    """Stands for a predictor that knows the truth."""

    def __init__(self) -> None:
        self.task: Task = get_task("denoising")()

    def predict(self, image: Sample) -> Prediction:
        return Prediction(image=np.asarray(image.annotation, np.float32) + 1)


def test_evaluation_reports_the_baseline_beside_the_model(tmp_path: Path) -> None:
    for part in ("noisy", "clean"):
        (tmp_path / part).mkdir()
    for seed in range(3):
        clean = smooth(seed, 64, 64)
        tifffile.imwrite(tmp_path / "clean" / f"f{seed}.tif", clean)
        tifffile.imwrite(tmp_path / "noisy" / f"f{seed}.tif", noisy(seed, clean))
    (tmp_path / "noisy" / "f2.tif").write_bytes(b"")
    result = evaluate_pairs(Cheating(), pair_folders(tmp_path / "noisy", tmp_path / "clean"))
    name = "PSNR after linear fit"
    assert (result["images"], len(result["failed"])) == (2, 1)
    assert result["metrics"][name] > 80
    assert 10 < result["baseline"]["metrics"][name] < 60
    assert result["baseline"]["name"].startswith("best Gaussian")
