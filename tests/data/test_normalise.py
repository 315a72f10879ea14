import numpy as np
import pytest

from microforge.config import NetworkConfig
from microforge.data.normalise import Normaliser, blank, card_for, intensity_range, is_constant, normaliser_for
from microforge.io.model_file import ModelCard, NormalisationCard

PER_IMAGE = NormalisationCard()


def field(scale: float = 1.0, offset: float = 100.0, dtype: type = np.uint16, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = rng.normal(0, 5, (1, 128, 128))
    image[:, 20:60, 20:60] += 300
    return (offset + scale * image).clip(0).astype(dtype)


DTYPES = ["u1", "i1", "<u2", ">u2", "i2", "u4", "i4", "u8", "i8", "f2", "<f4", ">f4", "f8"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_type_gives_background_near_zero_and_signal_near_one(dtype: str) -> None:
    image = field(0.25, 20).astype(dtype)
    x = normaliser_for(image, PER_IMAGE)(image)
    assert x.dtype == np.float32
    assert abs(np.median(x[0, 70:, 70:])) < 0.15
    assert abs(np.median(x[0, 25:55, 25:55]) - 1) < 0.15


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9])
def test_pixels_of_one_bit_become_zero_and_one(share: float) -> None:
    image = np.random.default_rng(0).random((1, 100, 100)) < share
    x = normaliser_for(image, PER_IMAGE)(image)
    assert np.array_equal(x, image.astype(np.float32))
    assert x.dtype == np.float32
    assert not is_constant(image)
    assert is_constant(np.zeros((1, 8, 8), bool))


def test_not_normalised_is_as_recorded() -> None:
    card = card_for([], "none")
    for image in (field(dtype=np.uint16) * 200, field(dtype=np.float32) - 5000):
        normaliser = normaliser_for(image, card)
        assert np.array_equal(normaliser(image), image.astype(np.float32))
        assert np.array_equal(normaliser.invert(normaliser(image)), image.astype(np.float32))


def test_saved_rules_of_before_compress_in_every_mode() -> None:
    saved = ModelCard(task="instances", network=NetworkConfig(), normalisation=card_for([], "none")).model_dump()
    assert ModelCard.model_validate(saved).normalisation == card_for([], "none")
    del saved["normalisation"]["compressed"]
    card = ModelCard.model_validate(saved).normalisation
    assert normaliser_for(field(), card)(field()).max() < 10


@pytest.mark.parametrize(("value", "dtype"), [(3.4e38, "f4"), (-1.7e308, "f8"), (1e30, "f4"), (np.inf, "f2")])
def test_marks_for_no_measurement_become_background_and_change_nothing_else(value: float, dtype: str) -> None:
    clean = field(0.25, 20).astype(dtype)
    image = clean.copy()
    image[0, 100, ::3] = value
    x = normaliser_for(image, PER_IMAGE)(image)
    assert (x[0, 100, ::3] == 0).all()
    others = x != 0
    assert np.abs(x - normaliser_for(clean, PER_IMAGE)(clean))[others].max() < 0.05


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((1, 8, 8), np.nan, np.float32), "NaN, infinite or beyond"),
        (np.linspace(-3e38, 3e38, 64, dtype=np.float32).reshape(1, 8, 8), "NaN, infinite or beyond"),
        (np.full((1, 8, 8), 1.7e308), "NaN, infinite or beyond"),
        (np.full((1, 8, 8), 7), "equal"),
        (np.full((1, 8, 8), True), "equal"),
        (np.where(np.eye(8) > 0, np.nan, 3.0)[None], "equal"),
        (field(), ""),
    ],
)
def test_why_nothing_can_be_seen_is_told(image: np.ndarray, words: str) -> None:
    assert words in blank(image)
    assert bool(blank(image)) == bool(words)
    assert np.isfinite(normaliser_for(image, PER_IMAGE)(image)).all()


def test_absurd_answers_stay_finite_when_turned_back() -> None:
    normaliser = Normaliser(np.zeros(1, np.float32), np.full(1, 1e14, np.float32))
    assert np.isfinite(normaliser.invert(np.full((1, 4, 4), 500, np.float32))).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_background_is_near_zero_and_signal_near_one(dtype: type) -> None:
    x = normaliser_for(field(dtype=dtype), PER_IMAGE)(field(dtype=dtype))
    assert x.dtype == np.float32
    assert abs(np.median(x[0, 70:, 70:])) < 0.1
    assert abs(np.median(x[0, 25:55, 25:55]) - 1) < 0.1


def test_exposure_and_offset_do_not_matter() -> None:
    dim, bright = field(1), field(50, 3000)
    a, b = normaliser_for(dim, PER_IMAGE)(dim), normaliser_for(bright, PER_IMAGE)(bright)
    assert np.abs(a - b).max() < 0.02


def test_empty_image_stays_dark() -> None:
    noise = np.random.default_rng(0).normal(100, 5, (1, 128, 128)).astype(np.uint16)
    x = normaliser_for(noise, PER_IMAGE)(noise)
    assert x.std() < 0.15
    assert np.median(x) < 0.35


def test_nan_and_infinite_pixels_become_background() -> None:
    image = field(dtype=np.float32)
    image[0, 0, :5] = np.nan
    image[0, 1, :5] = np.inf
    x = normaliser_for(image, PER_IMAGE)(image)
    assert np.isfinite(x).all()
    clean = field(dtype=np.float32)
    assert np.abs(normaliser_for(clean, PER_IMAGE)(clean) - x)[0, 2:].max() < 0.05


def test_a_hot_pixel_is_compressed() -> None:
    image = field()
    image[0, 5, 5] = 65535
    assert 2 < normaliser_for(image, PER_IMAGE)(image).max() < 10


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_constant_image_gives_finite_values(value: int) -> None:
    image = np.full((2, 32, 32), value, np.uint16)
    assert is_constant(image)
    assert np.isfinite(normaliser_for(image, PER_IMAGE)(image)).all()
    assert not is_constant(field())


def test_all_nan_image_does_not_fail() -> None:
    image = np.full((1, 16, 16), np.nan, np.float32)
    assert np.isfinite(normaliser_for(image, PER_IMAGE)(image)).all()


def test_dataset_mode_treats_a_crop_as_its_full_image() -> None:
    card = card_for([field(seed=1), field(seed=2)], "dataset")
    full = field()
    crop = full[:, 30:50, 30:50]
    assert np.array_equal(normaliser_for(full, card)(full)[:, 30:50, 30:50], normaliser_for(crop, card)(crop))


def test_large_images_are_measured_on_a_part_of_their_rows() -> None:
    class Counting:
        def __init__(self) -> None:
            ramp = np.linspace(0, 4096, 4000).astype(np.uint16)
            self.array, self.read = np.broadcast_to(ramp, (1, 6000, 4000)), 0
            self.shape, self.dtype, self.ndim = self.array.shape, self.array.dtype, 3

        def __getitem__(self, key: object) -> np.ndarray:
            part = self.array[key]
            self.read += part.size
            return part

    image = Counting()
    low, high = intensity_range(image)
    assert image.read < 0.06 * image.array.size
    assert np.allclose([low[0], high[0]], [41, 4088], rtol=0.5, atol=20)


def test_channels_are_normalised_each_for_itself() -> None:
    both = np.concatenate([field(1), field(20, 1000)])
    x = normaliser_for(both, PER_IMAGE)(both)
    assert np.abs(np.median(x[:, 25:55, 25:55], axis=(1, 2)) - 1).max() < 0.1
