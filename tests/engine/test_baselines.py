"""The simple methods that predicted images are measured beside."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from microforge.inference.evaluation import evaluate_pairs
from microforge.io.pairs import pair_folders
from microforge.tasks import Task, get_task
from microforge.tasks.baselines import Blur, Regression, baseline_for
from microforge.types import Prediction, Sample


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
    ("task", "kind"), [("denoising", Blur), ("super-resolution", Blur), ("label-free", Regression), ("instances", None)]
)
def test_each_kind_of_answer_has_its_baseline(task: str, kind: type | None) -> None:
    found = baseline_for(get_task(task)())
    assert found is None if kind is None else isinstance(found, kind)


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
