import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from microforge.errors import AnnotationError
from microforge.metrics import images as image_metrics
from support.noisy import clean_field


def test_a_linear_fit_finds_slope_and_offset() -> None:
    truth = clean_field(0)
    slope, offset = image_metrics.linear_fit(truth * 3 + 7, truth)
    assert slope == pytest.approx(1 / 3)
    assert offset == pytest.approx(-7 / 3, rel=1e-4)
    np.testing.assert_allclose(image_metrics.fit_linear(truth * 3 + 7, truth), truth, rtol=1e-5)


def test_a_constant_image_is_fitted_by_the_mean() -> None:
    truth = clean_field(0)
    assert image_metrics.linear_fit(np.ones_like(truth), truth) == (0.0, pytest.approx(float(truth.mean())))


def test_psnr_is_that_of_the_textbook() -> None:
    truth = np.zeros((10, 10))
    truth[0, 0] = 100
    assert image_metrics.psnr(truth, truth + 1) == pytest.approx(40)


def test_ssim_is_one_for_the_same_and_falls_with_noise() -> None:
    truth = clean_field(1).astype(float)
    rng = np.random.default_rng(0)
    a_little, much = (image_metrics.ssim(truth, truth + rng.normal(0, s, truth.shape)) for s in (0.5, 5))
    assert image_metrics.ssim(truth, truth) == pytest.approx(1)
    assert 1 > a_little > much


def test_ssim_of_a_tiny_image_uses_smaller_windows() -> None:
    tiny = np.arange(20.0).reshape(4, 5)
    assert image_metrics.ssim(tiny, tiny) == pytest.approx(1)


def test_pearson_ignores_gain_and_offset_and_knows_constants() -> None:
    truth = clean_field(2)
    assert image_metrics.pearson(truth, 5 * truth - 3) == pytest.approx(1)
    assert image_metrics.pearson(truth, -truth) == pytest.approx(-1)
    assert image_metrics.pearson(truth, np.ones_like(truth)) == 0


@pytest.mark.parametrize("shape", [(1, 40, 50), (3, 40, 50), (2, 4, 40, 50)])
def test_likeness_of_what_is_the_same_and_of_what_is_darker(shape: tuple[int, ...]) -> None:
    clean = np.random.default_rng(0).gamma(2.0, 100.0, shape).astype(np.float32)
    names = (*image_metrics.LIKENESS_FIGURES, "SSIM")
    same, darker = (image_metrics.likeness(clean, image, names) for image in (clean, clean * 0.5 + 20))
    assert same["PSNR"] > 100
    assert same["SSIM"] == pytest.approx(1)
    assert darker["PSNR"] < 30
    assert darker["PSNR after linear fit"] > 80
    assert darker["SSIM"] < 0.99
    assert darker["SSIM after linear fit"] == pytest.approx(1, abs=1e-4)
    assert darker["Pearson r"] == pytest.approx(1)


@pytest.mark.parametrize("where", ["truth", "image", "both"])
def test_pixels_that_are_no_numbers_count_for_nothing(where: str) -> None:
    """A strip that is not known, however wide, changes no figure of the rest."""
    rng = np.random.default_rng(0)
    clean = rng.gamma(2.0, 100.0, (1, 40, 60)).astype(np.float32)
    image = clean + rng.normal(0, 20, clean.shape).astype(np.float32)
    wanted = image_metrics.likeness(clean[..., :40], image[..., :40], (*image_metrics.LIKENESS_FIGURES, "SSIM"))
    for name, array in (("truth", clean), ("image", image)):
        if where in (name, "both"):
            array[..., 40:] = np.nan
    assert image_metrics.likeness(clean, image, tuple(wanted)) == pytest.approx(wanted)


def test_ssim_where_no_window_is_known_throughout() -> None:
    clean = np.random.default_rng(0).gamma(2.0, 100.0, (1, 20, 20)).astype(np.float32)
    broken = clean.copy()
    broken[0, ::5, ::5] = np.nan
    assert image_metrics.likeness(clean, broken, ["SSIM"])["SSIM"] > 0.5


def test_likeness_needs_a_pixel_known_in_both() -> None:
    clean = np.arange(128, dtype=np.float32).reshape(2, 8, 8)
    half = np.stack([clean[0], np.full((8, 8), np.nan)])
    assert image_metrics.likeness(clean, half)["PSNR"] > 100, "a channel that is not known counts for nothing"
    with pytest.raises(AnnotationError, match="No pixel"):
        image_metrics.likeness(clean, np.full_like(clean, np.nan))


@pytest.mark.parametrize("sigma", [0.5, 3.0, 20.0])
def test_the_noise_level_is_measured_on_structured_images(sigma: float) -> None:
    noisy = clean_field(3, 256) + np.random.default_rng(0).normal(0, sigma, (256, 256))
    assert image_metrics.noise_level(noisy) == pytest.approx(sigma, rel=0.05)


def test_the_residual_is_white_for_noise_and_not_for_structure() -> None:
    rng = np.random.default_rng(0)
    white = rng.normal(size=(128, 128))
    assert abs(image_metrics.residual_correlation(white)) < 0.02
    assert image_metrics.residual_correlation(gaussian_filter(white, 1.5)) > 0.7
    assert image_metrics.residual_correlation(np.zeros((8, 8))) == 0


def test_stripes_show_in_the_residual_correlation() -> None:
    rows = np.repeat(np.random.default_rng(0).normal(size=(64, 1)), 64, axis=1)
    assert image_metrics.residual_correlation(rows) > 0.9


@pytest.mark.parametrize(("level", "dtype"), [(255, np.uint8), (4095, np.uint16), (65535, np.uint16)])
def test_saturated_pixels_are_counted_also_of_12_bit_cameras(level: int, dtype: type) -> None:
    image = np.random.default_rng(0).integers(0, level - 5, (64, 64)).astype(dtype)
    assert image_metrics.saturated(image) == (0, 0)
    image[:5, :8] = level
    assert image_metrics.saturated(image) == (40, level)


def test_a_bright_end_that_no_camera_has_is_not_saturation() -> None:
    image = np.full((32, 32), 1000, np.uint16)
    assert image_metrics.saturated(image) == (0, 0)


def test_displacement_of_large_images_is_that_of_their_middle() -> None:
    field = np.zeros((1400, 1300), np.float32)
    field[300:1100, 250:1050] = clean_field(5, 800, width=6)
    assert image_metrics.displacement(field, np.roll(field, (4, -7), (0, 1))) == pytest.approx((4, -7), abs=0.2)


@pytest.mark.parametrize("moved", [(3.0, -5.0), (0.0, 0.0), (-1.5, 2.5)])
def test_displacement_is_measured_through_noise(moved: tuple[float, float]) -> None:
    field = clean_field(4, 160)
    rng = np.random.default_rng(0)
    image = field + rng.normal(0, 4, field.shape)
    target = shift(field, moved, order=3, mode="nearest")
    assert image_metrics.displacement(image, target) == pytest.approx(moved, abs=0.4)
