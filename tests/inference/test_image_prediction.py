"""Predicting images: tiles, finer grids, flips, series; with networks of random weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from microforge.config import PredictionConfig
from microforge.data.normalise import Normaliser, normaliser_for
from microforge.errors import ModelMismatchError
from microforge.events import ImageFailed, ImageFinished, TileFinished
from microforge.inference.folder.run import predict_folder
from microforge.inference.predictor import Predictor
from microforge.inference.tiling import TiledNetwork
from microforge.io.images import read_image
from microforge.io.model_file import ModelFile, NormalisationCard, TrainingSummary, save_model
from microforge.io.writing import write_image
from microforge.networks.unet import UNet
from microforge.tasks import get_task
from microforge.types import Image, Prediction
from support.random_models import random_model


def predictor(model: ModelFile, **settings: object) -> Predictor:
    return Predictor(model, PredictionConfig.model_validate({"device": "cpu", **settings}))


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).poisson(300, shape).astype(np.uint16)


@pytest.mark.parametrize(("dims", "shape"), [(2, (150, 117)), (3, (5, 90, 70))])
@pytest.mark.parametrize("upscale", [2, 3])
def test_tiles_of_a_finer_grid_equal_the_whole(dims: int, shape: tuple[int, ...], upscale: int) -> None:
    model = random_model("super-resolution", dims, upscale=upscale)
    image = Image("x", noise(*shape), "ZYX"[-dims:], pixel_size=(2.0, 0.6, 0.6)[-dims:])
    whole = predictor(model, tile_size=512).predict(image)
    tiled = predictor(model, tile_size=48).predict(image)
    assert whole.image is not None
    assert whole.image.shape == (1, *shape[:-2], shape[-2] * upscale, shape[-1] * upscale)
    span = np.ptp(whole.image)
    # Bicubic interpolation mirrors at the border of a tile, too: margins must keep that out.
    np.testing.assert_allclose(tiled.image, whole.image, atol=1e-4 * span)
    assert whole.pixel_size == pytest.approx((2.0, 0.6 / upscale, 0.6 / upscale)[-dims:])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_smooth_ramp_keeps_its_grey_levels_in_half_precision(dtype: torch.dtype) -> None:
    file = random_model(residual=False)
    file.weights["head.bias"].fill_(0.75)
    ramp = np.linspace(100, 4000, 256 * 256, dtype=np.float32).reshape(256, 256)
    answers = []
    for forced in (torch.float32, dtype):
        model = predictor(file)
        model.network.dtype = forced
        answers.append(model.predict(ramp).image)
    exact, found = (np.asarray(answer, np.float64) for answer in answers)
    assert len(np.unique(found.astype(np.float32))) > 1000
    assert 10 * np.log10(np.ptp(exact) ** 2 / np.mean((found - exact) ** 2)) >= 50


def test_flips_give_the_average_of_eight() -> None:
    model = random_model()
    task, device = get_task("denoising")(), torch.device("cpu")
    network = UNet(model.card.network)
    network.load_state_dict(dict(model.weights))
    image = noise(1, 40, 40).astype(np.float32) / 300
    plain, averaged = (TiledNetwork(network.eval(), task, device, 64, flips=flips) for flips in (False, True))
    by_hand = []
    for turns in range(4):
        for mirrored in (False, True):
            posed = np.rot90(image[:, :, ::-1] if mirrored else image, turns, (1, 2))
            answer = np.rot90(plain.forward(np.ascontiguousarray(posed)[None])[0], -turns, (1, 2))
            by_hand.append(answer[:, :, ::-1] if mirrored else answer)
    np.testing.assert_allclose(averaged.forward(image[None])[0], np.mean(by_hand, axis=0), atol=1e-5)


ORIENTED = [  # flip and rotate in training, shape, how many ways remain
    (False, True, (40, 40), 4),
    (False, True, (40, 56), 2),
    (True, False, (40, 40), 4),
    (False, False, (40, 40), 1),
]


@pytest.mark.parametrize(("flip", "rotate", "shape", "count"), ORIENTED)
def test_averages_take_only_the_poses_that_were_learnt(
    flip: bool, rotate: bool, shape: tuple[int, int], count: int
) -> None:
    file = random_model()
    settings = {"augmentation": {"flip": flip, "rotate": rotate}}
    file = ModelFile(file.card.model_copy(update={"training": TrainingSummary(settings=settings)}), file.weights)
    seen: list[np.ndarray] = []
    network = predictor(file, flips=True).network
    network.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][0, 0].numpy()))  # type: ignore[attr-defined]
    image = noise(1, *shape).astype(np.float32)
    network.forward(image[None])
    assert len(seen) == count
    for mirrored in (False, True):
        for quarters in range(4):
            pose = np.rot90(image[0, :, ::-1] if mirrored else image[0], quarters)
            allowed = (flip or not mirrored) and (rotate or (quarters if not mirrored else quarters % 2) % 2 == 0)
            allowed = allowed and (flip or rotate or quarters == 0) and (quarters % 2 == 0 or shape[0] == shape[1])
            assert any(np.array_equal(pose, one) for one in seen) == allowed


def test_flips_of_an_oblong_image_keep_its_shape() -> None:
    answer = predictor(random_model(), flips=True).predict(noise(40, 56))
    assert answer.image is not None
    assert answer.image.shape == (1, 40, 56)


@pytest.mark.parametrize("side", [48, 150], ids=["together", "in tiles"])
def test_a_streamed_series_equals_frames_one_by_one(tmp_path: Path, side: int) -> None:
    file = random_model()
    save_model(tmp_path / "m.safetensors", file.weights, file.card)
    movie = noise(5, side, side)
    write_image(tmp_path / "movie.tif", movie, "TYX", (0.5, 0.5), time_interval=3.0)
    config = PredictionConfig(device="cpu", tile_size=96)
    events = list(predict_folder(tmp_path / "m.safetensors", [tmp_path / "movie.tif"], tmp_path / "out", config=config))
    assert sum(isinstance(event, ImageFinished) for event in events) == 1
    progress = [event.done / event.total for event in events if isinstance(event, TileFinished)]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    streamed = read_image(tmp_path / "out" / "movie.tif")
    single = predictor(file, tile_size=96)
    for frame, written in zip(movie, streamed.data, strict=True):
        wanted = single.predict(frame).image
        np.testing.assert_allclose(written, wanted[0], rtol=1e-6, atol=1e-6 * np.ptp(wanted))
    *_, whole = single.run_image(Image("movie", movie, "TYX"))
    assert isinstance(whole, Prediction)
    assert whole.image is not None
    np.testing.assert_array_equal(whole.image[:, 0], streamed.data)
    assert (streamed.time_interval, streamed.pixel_size) == (3.0, pytest.approx((0.5, 0.5)))


def test_what_fails_together_is_tried_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    single = predictor(random_model())

    def too_much(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(single, "forward_many", too_much)
    answer = single.predict(Image("movie", noise(3, 40, 40), "TYX"))
    assert answer.image is not None
    assert answer.image.shape == (3, 1, 40, 40)


@pytest.mark.parametrize(
    ("shape", "axes", "words"), [((2, 40, 40), "CYX", "2 channels"), ((6, 40, 40), "ZYX", "3 spatial dimensions")]
)
def test_images_of_another_kind_are_refused(tmp_path: Path, shape: tuple[int, ...], axes: str, words: str) -> None:
    file = random_model()
    save_model(tmp_path / "m.safetensors", file.weights, file.card)
    with pytest.raises(ModelMismatchError, match=words):
        predictor(file).predict(Image("x", noise(*shape), axes))
    write_image(tmp_path / "x.tif", noise(*shape), axes, None)
    events = list(predict_folder(tmp_path / "m.safetensors", [tmp_path / "x.tif"], tmp_path / "out"))
    assert words in next(event.reason for event in events if isinstance(event, ImageFailed))


def test_the_normaliser_of_a_sample_is_found_once() -> None:
    from microforge.axes.samples import to_samples

    single = predictor(random_model())
    (sample,) = to_samples(Image("x", noise(40, 40), "YX"))
    first = single.normaliser(sample)
    assert isinstance(first, Normaliser)
    assert single.normaliser(sample) is first
    assert np.array_equal(first.low, normaliser_for(sample.image, NormalisationCard()).low)
