"""The simulator: exact truth, the same for the same seed, hard enough and not too hard."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from microforge.io.images import read_image, read_labels
from microforge.io.pairing import pair_folders
from microforge.simulate import noisy_pair, noisy_series, simulate_cells, simulate_nuclei, write_samples

SAMPLES = Path(__file__).parents[2] / "sample_data"


def test_the_same_seed_gives_the_same_field() -> None:
    a, b, c = (simulate_nuclei((64, 64), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(a.image, b.image)
    np.testing.assert_array_equal(a.labels, b.labels)
    assert not np.array_equal(a.image, c.image)


@pytest.mark.parametrize(("shape", "n"), [((256, 256), 40), ((24, 96, 96), 12)])
def test_a_field_holds_what_was_asked_for(shape: tuple[int, ...], n: int) -> None:
    field = simulate_nuclei(shape, n=n, seed=1)
    assert (field.image.shape, field.image.dtype) == (shape, np.uint16)
    assert (field.labels.shape, field.labels.dtype) == (shape, np.int32)
    assert field.points.shape == (field.labels.max(), len(shape))
    assert 0.85 * n <= field.labels.max() <= n


def test_every_object_is_one_piece_of_the_asked_size() -> None:
    field = simulate_nuclei(seed=2, diameter=22)
    sizes = np.bincount(field.labels.ravel())[1:]
    assert sizes.min() >= 12
    assert np.median(sizes) == pytest.approx(np.pi / 4 * 22**2, rel=0.35)
    assert all(ndimage.label(field.labels == number)[1] == 1 for number in range(1, field.labels.max() + 1))


def test_points_are_the_middles_of_the_labels() -> None:
    field = simulate_nuclei((128, 128), seed=5)
    expected = ndimage.center_of_mass(field.labels > 0, field.labels, range(1, field.labels.max() + 1))
    np.testing.assert_allclose(field.points, expected, atol=1e-3)


def test_some_nuclei_touch() -> None:
    labels = simulate_nuclei(seed=0).labels
    right, left = labels[:, 1:], labels[:, :-1]
    touching = (right != left) & (right > 0) & (left > 0)
    assert len(set(zip(left[touching].tolist(), right[touching].tolist(), strict=True))) >= 8


def test_nuclei_shine_above_background_though_not_all_alike() -> None:
    field = simulate_nuclei(seed=0)
    background = np.median(field.image[field.labels == 0])
    means = ndimage.mean(field.image, field.labels, range(1, field.labels.max() + 1))
    assert background < 250
    assert np.mean(means > 2 * background) > 0.8
    assert np.std(means) / np.mean(means) > 0.15


def test_fewer_photons_make_more_noise() -> None:
    def roughness(photons: float) -> float:
        field = simulate_nuclei((96, 96), seed=0, photons=photons)
        inside = ndimage.binary_erosion(field.labels > 0, iterations=3)
        pixels = field.image.astype(float) - 100
        return float((pixels - ndimage.gaussian_filter(pixels, 1))[inside].std() / pixels[inside].mean())

    assert roughness(10) > 2 * roughness(200)


def test_planes_of_a_stack_are_further_apart_than_pixels() -> None:
    field = simulate_nuclei((24, 128, 128), seed=1, anisotropy=3)
    boxes = [box for box in ndimage.find_objects(field.labels) if box[0].start > 0 and box[0].stop < 24]
    height = np.median([box[0].stop - box[0].start for box in boxes])
    width = np.median([box[1].stop - box[1].start for box in boxes])
    assert 2 < width / height < 4.5


def test_two_channels_show_the_same_cells() -> None:
    cells = simulate_cells((128, 128), seed=0)
    assert (cells.image.shape, cells.image.dtype) == ((2, 128, 128), np.uint16)
    ring = ndimage.binary_dilation(cells.labels > 0, iterations=4) & (cells.labels == 0)
    nuclei, cytoplasm = cells.image.astype(float)
    assert nuclei[cells.labels > 0].mean() > 3 * nuclei[ring].mean()
    assert cytoplasm[ring].mean() > 1.5 * cytoplasm[cells.labels > 0].mean()


# Recorded twice -------------------------------------------------------------------------------------------------


def fitted_psnr(image: np.ndarray, truth: np.ndarray) -> float:
    slope, offset = np.polyfit(image.ravel(), truth.ravel(), 1)
    error = np.mean((slope * image + offset - truth) ** 2)
    return float(10 * np.log10(np.ptp(truth) ** 2 / error))


def test_a_field_is_recorded_noisy_and_clean() -> None:
    noisy, clean = noisy_pair(3, (96, 128))
    assert (noisy.shape, clean.shape, noisy.dtype, clean.dtype) == ((96, 128), (96, 128), np.uint16, np.uint16)
    again = noisy_pair(3, (96, 128))
    np.testing.assert_array_equal(noisy, again[0])
    np.testing.assert_array_equal(clean, again[1])
    assert not np.array_equal(clean, noisy_pair(4, (96, 128))[1])
    light = (clean.astype(float) - 100).mean() / (noisy.astype(float) - 100).mean()
    assert light == pytest.approx(20, rel=0.1)


def test_a_large_field_is_recorded_too() -> None:
    with np.errstate(all="raise", under="ignore"):
        noisy, clean = noisy_pair(1, (1024, 1024))
    assert noisy.shape == clean.shape == (1024, 1024)
    # Structures stand out, and nothing is saturated.
    assert np.percentile(clean, 99) > 2 * np.median(clean)
    assert (clean == clean.max()).sum() < 10


def test_the_noise_is_worth_removing_and_has_no_pattern() -> None:
    noisy, clean = (one.astype(float) for one in noisy_pair(1))
    gaussian = [fitted_psnr(ndimage.gaussian_filter(noisy, sigma), clean) for sigma in (0, 0.7, 1, 1.5, 2)]
    assert gaussian[0] < 26 < max(gaussian) < 33
    noise = noisy - (clean - 100) / 20
    shifted = [
        np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel()),
        np.corrcoef(noise[:-1].ravel(), noise[1:].ravel()),
    ]
    assert all(abs(one[0, 1]) < 0.05 for one in shifted)


def test_fewer_photons_make_more_noise_and_the_ratio_counts() -> None:
    clean = noisy_pair(2, (96, 96))[1].astype(float)
    dim, bright = (noisy_pair(2, (96, 96), photons=photons)[0].astype(float) for photons in (2, 40))
    assert fitted_psnr(dim, clean) < fitted_psnr(bright, clean) - 5
    even = noisy_pair(2, (96, 96), ratio=1)
    assert even[0].mean() == pytest.approx(even[1].mean(), rel=0.02)


def test_things_move_in_a_series() -> None:
    noisy, clean = noisy_series(1, 6, (64, 64))
    assert (noisy.shape, clean.shape, noisy.dtype) == ((6, 64, 64), (6, 64, 64), np.uint16)
    frames = clean.reshape(6, -1).astype(float)
    assert np.corrcoef(frames[0], frames[1])[0, 1] > np.corrcoef(frames[0], frames[5])[0, 1] > 0.5
    np.testing.assert_array_equal(noisy, noisy_series(1, 6, (64, 64))[0])


# Sample images --------------------------------------------------------------------------------------------------


def test_the_sample_images_are_those_of_the_simulator(tmp_path: Path) -> None:
    written = write_samples(tmp_path)
    assert len(written) == 89
    stored = sorted(path.relative_to(SAMPLES) for path in SAMPLES.rglob("*.*") if path.name != "README.md")
    assert stored == sorted(path.relative_to(tmp_path) for path in written)
    for name in (name for name in stored if name.suffix == ".tif"):
        a, b = np.asarray(read_image(SAMPLES / name).data, float), np.asarray(read_image(tmp_path / name).data, float)
        # Sums may differ in the last digit between processors, and a photon with them.
        assert np.mean(a != b) < 0.01


def test_the_sample_images_are_small_paired_and_calibrated() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*")) < 7e6
    for folder, count in (("nuclei", 10), ("stack", 1), ("two_channels", 1)):
        pairing = pair_folders(SAMPLES / folder / "images", SAMPLES / folder / "labels")
        assert (len(pairing.pairs), pairing.images_alone, pairing.annotations_alone) == (count, (), ())
    assert len(pair_folders(SAMPLES / "nuclei" / "test_images", SAMPLES / "nuclei" / "test_labels").pairs) == 4
    stack = read_image(SAMPLES / "stack" / "images" / "stack.tif")
    assert (stack.axes, stack.pixel_size, stack.axes_known) == ("ZYX", (1.5, 0.5, 0.5), True)
    cells = read_image(SAMPLES / "two_channels" / "images" / "cells.tif")
    assert (cells.axes, cells.pixel_size, cells.channel_names) == ("CYX", (0.5, 0.5), ("nuclei", "cytoplasm"))
    assert read_labels(SAMPLES / "nuclei" / "labels" / "field_01.tif").pixel_size == (0.5, 0.5)
    pairing = pair_folders(SAMPLES / "denoising" / "noisy", SAMPLES / "denoising" / "clean")
    assert (len(pairing.pairs), pairing.images_alone, pairing.annotations_alone) == (6, (), ())
    for part, count in (("", 10), ("test_", 4)):
        points = SAMPLES / "counting" / f"{part}points"
        images = SAMPLES / "counting" / f"{part}images"
        assert [path.stem for path in sorted(images.iterdir())] == [path.stem for path in sorted(points.iterdir())]
        assert len(list(points.iterdir())) == count
    series = read_image(SAMPLES / "timelapse" / "series.tif")
    assert (series.axes, series.axes_known, series.data.shape) == ("TYX", True, (12, 128, 128))
