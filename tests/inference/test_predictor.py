from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from microforge.axes.samples import to_samples
from microforge.config import NetworkConfig, PredictionConfig, TrainingConfig
from microforge.data.normalise import Normaliser, normaliser_for
from microforge.errors import ModelFileError, ModelMismatchError, OutOfMemoryError, SettingsError
from microforge.events import TileFinished
from microforge.inference.predictor import Predictor
from microforge.inference.tiling import TiledNetwork, choose_batch_pixels, plan_tiles
from microforge.io.model_file import NormalisationCard, load_model, read_card, save_model
from microforge.networks.unet import UNet, receptive_field
from microforge.tasks.instances.task import Instances
from microforge.training.loop import train
from microforge.transfer import Download
from microforge.types import Image, Prediction, Sample
from support.discs import disc_sample, draw_discs
from support.random_models import random_model

CPU = PredictionConfig(device="cpu")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    options = {"working_scale": 1.0}
    config = TrainingConfig(device="cpu", steps=60, width=8, patch_size=48, batch_size=4, task_options=options)
    list(train(config, [disc_sample(f"{k}", seed=k) for k in range(3)], (), folder))
    return folder / "model.safetensors"


def random_network(config: NetworkConfig) -> UNet:
    torch.manual_seed(1)
    network = UNet(config)
    torch.nn.init.normal_(network.head.weight, std=0.3)
    return network.eval()


@pytest.mark.parametrize(
    ("shape", "config", "tiles"),
    [
        ((300, 221), NetworkConfig(out_channels=2, width=8), (128, 160, 224)),
        ((20, 70, 90), NetworkConfig(dims=3, out_channels=2, width=2, stem=(1, 2, 2), pools=((2, 2, 2),)), (40, 64)),
    ],
    ids=["2D", "3D"],
)
def test_tile_size_does_not_change_the_result(shape: tuple[int, ...], config: NetworkConfig, tiles: tuple[int]) -> None:
    image = np.random.default_rng(0).random((1, *shape), np.float32)
    normaliser = normaliser_for(image, NormalisationCard(mode="none"))
    results = []
    for size in (2048, *tiles):
        tiled = TiledNetwork(random_network(config), Instances(), torch.device("cpu"), size)
        tiled.dtype = torch.float32
        *progress, output = tiled.run(image, normaliser)
        results.append(output)
        assert [p.done for p in progress] == list(range(1, progress[0].total + 1))
    assert len(plan_tiles(shape, tiles[0], config)) > 1
    for other in results[1:]:
        assert np.abs(other - results[0]).max() < 1e-4


def test_labels_hardly_depend_on_the_tile_size_in_half_precision(model: Path) -> None:
    image = draw_discs((400, 400), 150, 5)[0]
    whole = Predictor(model, PredictionConfig(device="cpu", tile_size=2048)).predict(image).labels
    tiled = Predictor(model, PredictionConfig(device="cpu", tile_size=128)).predict(image).labels
    assert ((whole > 0) == (tiled > 0)).mean() >= 0.999
    assert abs(int(whole.max()) - int(tiled.max())) <= 1


@pytest.mark.parametrize("shape", [(1000, 30), (17, 5), (1, 1), (513, 512)])
def test_tiles_cover_every_pixel_once(shape: tuple[int, int]) -> None:
    seen = np.zeros(shape, int)
    for tile in plan_tiles(shape, 192, NetworkConfig(out_channels=2)):
        seen[tile.keep] += 1
        assert all(r.start % 8 == 0 for r in tile.read)
    assert (seen == 1).all()


def test_margin_is_half_the_receptive_field() -> None:
    network = NetworkConfig(out_channels=2)
    tile = plan_tiles((4000, 4000), 512, network)[30]
    margins = [k.start - r.start for k, r in zip(tile.keep, tile.read, strict=True) if r.start]
    assert min(margins) >= receptive_field(network)[0] // 2


def test_short_memory_makes_tiles_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    config = NetworkConfig(out_channels=2, width=4)
    tiled, real = TiledNetwork(random_network(config), Instances(), torch.device("cpu"), 512), TiledNetwork.forward

    def forward(self: TiledNetwork, images: np.ndarray) -> np.ndarray:
        if max(images.shape[2:]) > 260:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, images)

    monkeypatch.setattr(TiledNetwork, "forward", forward)
    image = np.zeros((1, 600, 600), np.float32)
    *_, output = tiled.run(image, normaliser_for(image, NormalisationCard(mode="none")))
    assert output.shape == (2, 600, 600)
    assert tiled.tile_size == 256


def test_no_memory_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    tiled = TiledNetwork(random_network(NetworkConfig(out_channels=2)), Instances(), torch.device("cpu"), 128)
    monkeypatch.setattr(TiledNetwork, "forward", lambda *_: (_ for _ in ()).throw(MemoryError()))
    image = np.zeros((1, 64, 64), np.float32)
    with pytest.raises(OutOfMemoryError, match="smallest tile"):
        list(tiled.run(image, normaliser_for(image, NormalisationCard(mode="none"))))


def test_crop_and_full_image_agree(model: Path) -> None:
    image = draw_discs((300, 300), 90, 6)[0]
    predictor = Predictor(model, CPU)
    full, crop = predictor.predict(image).labels, predictor.predict(image[60:240, 60:240]).labels
    inner = slice(50, 130)
    assert ((full[60:240, 60:240] > 0)[inner, inner] == (crop > 0)[inner, inner]).mean() > 0.98


def test_of_an_empty_field_hardly_a_pixel_is_taken_for_an_object(model: Path) -> None:
    noise = np.random.default_rng(0).normal(200, 30, (1, 200, 200)).clip(0).astype(np.uint16)
    assert (Predictor(model, CPU).predict(Sample("empty", noise)).labels > 0).mean() < 0.01


def test_time_series_are_predicted_one_by_one(model: Path) -> None:
    frames = np.stack([draw_discs(seed=k)[0] for k in range(3)])
    predictor = Predictor(model, CPU)
    items = list(predictor.run_image(Image("series", frames, "TYX", pixel_size=(0.5, 0.5))))
    assert [i.done for i in items if isinstance(i, TileFinished)] == [1, 2, 3]
    assert items[-1].labels.shape == frames.shape
    assert np.array_equal(items[-1].labels[1], predictor.predict(frames[1]).labels)
    assert items[-1].pixel_size == (0.5, 0.5)


def test_batched_and_single_prediction_agree(model: Path) -> None:
    samples = [disc_sample(f"{k}", seed=k) for k in range(3)]
    predictor = Predictor(model, CPU)
    for sample, output in zip(samples, predictor.forward_many(samples), strict=True):
        single = predictor.predict(sample).labels
        assert ((predictor.finish(output, sample).labels > 0) == (single > 0)).mean() > 0.999


@pytest.mark.parametrize(
    ("array", "axes", "words"),
    [
        (np.zeros((2, 64, 64)), "CYX", "2 channels"),
        (np.zeros((64, 64, 3)), "YXS", "3 channels"),
        (np.zeros((8, 64, 64)), "ZYX", "3 spatial"),
    ],
)
def test_an_image_of_another_kind_is_refused(model: Path, array: np.ndarray, axes: str, words: str) -> None:
    with pytest.raises(ModelMismatchError, match=words):
        Predictor(model, CPU).predict(Image("x", array, axes))


def test_odd_images_get_a_note_and_a_result(model: Path) -> None:
    predictor = Predictor(model, CPU)
    constant = predictor.predict(np.full((50, 70), 9, np.uint8))
    assert constant.labels.shape == (50, 70)
    assert "equal" in constant.notes[0]
    holes = draw_discs()[0].astype(np.float32)
    holes[:3] = np.nan
    assert "NaN" in predictor.predict(holes).notes[0]
    assert predictor.predict(draw_discs((9, 11), 1)[0]).labels.shape == (9, 11)


def test_other_pixel_size_is_noted(tmp_path: Path, model: Path) -> None:
    file = load_model(model)
    save_model(tmp_path / "m.safetensors", file.weights, file.card.model_copy(update={"pixel_size": (0.2, 0.2)}))
    image = Image("x", draw_discs()[0], "YX", pixel_size=(1.0, 1.0))
    assert "5 times" in Predictor(tmp_path / "m.safetensors", CPU).predict(image).notes[0]


def test_channels_of_other_names_are_noted(tmp_path: Path, model: Path) -> None:
    file = load_model(model)
    path = tmp_path / "m.safetensors"
    save_model(path, file.weights, file.card.model_copy(update={"channel_names": ("DAPI",)}))
    image = Image("x", draw_discs()[0], "YX", channel_names=("GFP",))
    assert "called GFP" in Predictor(path, CPU).predict(image).notes[0]


def test_options_replace_the_models_own(model: Path) -> None:
    strict = Predictor(model, PredictionConfig(device="cpu", task_options={"smallest": 10_000}))
    assert strict.predict(disc_sample()).labels.max() == 0
    with pytest.raises(SettingsError, match="merging"):
        Predictor(model, PredictionConfig(device="cpu", task_options={"nonsense": 1}))


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 100, (10**9).to_bytes(8, "little") + b"{}"])
def test_damaged_model_files_are_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="cannot be read"):
        Predictor(path, CPU)


def test_missing_foreign_newer_and_cut_model_files(tmp_path: Path, model: Path) -> None:
    from safetensors.torch import save_file

    with pytest.raises(ModelFileError, match="no such"):
        Predictor(tmp_path / "none.safetensors", CPU)
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(ModelFileError, match="not a Microforge"):
        Predictor(tmp_path / "foreign.safetensors", CPU)
    file = load_model(model)
    save_model(tmp_path / "new.safetensors", file.weights, file.card.model_copy(update={"format_version": 99}))
    with pytest.raises(ModelFileError, match="newer"):
        Predictor(tmp_path / "new.safetensors", CPU)
    (tmp_path / "cut.safetensors").write_bytes(model.read_bytes()[:-1000])
    assert read_card(tmp_path / "cut.safetensors").task == "instances"
    with pytest.raises(ModelFileError, match="cannot be read"):
        Predictor(tmp_path / "cut.safetensors", CPU)


def test_cancelling_closes_cleanly(model: Path) -> None:
    items = Predictor(model, PredictionConfig(device="cpu", tile_size=128)).run(disc_sample(shape=(500, 500)))
    assert isinstance(next(items), TileFinished)
    items.close()
    assert torch.is_inference_mode_enabled() is False


def test_prediction_is_frozen(model: Path) -> None:
    prediction = Predictor(model, CPU).predict(disc_sample())
    assert isinstance(prediction, Prediction)
    with pytest.raises(AttributeError):
        prediction.labels = None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.linspace(-3e38, 3e38, 64 * 64, dtype=np.float32).reshape(64, 64), "All pixels are NaN, infinite or"),
        (np.full((64, 64), 1.7e308), "All pixels are NaN, infinite or beyond"),
        (np.where(np.eye(64) > 0, -1.7e308, np.arange(64.0)), "Some pixels are NaN, infinite or beyond"),
    ],
)
@pytest.mark.parametrize("task", ["instances", "denoising"])
def test_pixels_beyond_any_intensity_are_told_and_the_result_is_finite(
    model: Path, task: str, array: np.ndarray, words: str
) -> None:
    file = load_model(model) if task == "instances" else random_model()
    prediction = Predictor(file, PredictionConfig(device="cpu")).predict(array)
    assert any(words in note for note in prediction.notes)
    if prediction.image is not None:
        assert np.isfinite(prediction.image).all()
        assert np.isfinite(list(prediction.statistics.values())).all()


def test_an_image_of_one_bit_is_predicted(model: Path) -> None:
    image = np.asarray(disc_sample().annotation > 0)
    prediction = Predictor(model, PredictionConfig(device="cpu")).predict(image)
    assert prediction.labels.shape == image.shape
    assert not prediction.notes


def test_a_network_too_large_for_float16_answers_in_float32() -> None:
    config = NetworkConfig(out_channels=2, width=8)
    network = random_network(config)
    with torch.no_grad():
        network.down[0][0].weight.mul_(1e5)
    images = np.random.default_rng(0).random((1, 1, 64, 64), np.float32)
    exact, half = (TiledNetwork(network, Instances(), torch.device("cpu"), 64) for _ in range(2))
    exact.dtype, half.dtype = torch.float32, torch.float16
    answer = half.forward(images)
    assert half.dtype is torch.float32
    np.testing.assert_array_equal(answer, exact.forward(images))


def test_small_images_go_together_as_far_as_the_memory_of_a_gpu_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    free = [1 << 40]
    monkeypatch.setattr("microforge.inference.tiling.free_memory", lambda _: free[0])
    network, gpu = NetworkConfig(width=32), torch.device("cuda")
    assert choose_batch_pixels(network, gpu) == 2048**2
    free[0] = 1 << 32
    assert 2**19 < choose_batch_pixels(network, gpu) < 2048**2
    assert choose_batch_pixels(network, gpu) * 12 * 32 < 0.3 * free[0]
    assert choose_batch_pixels(network, torch.device("cpu")) == 2**19


def too_large() -> Image:
    return Image("slide", np.broadcast_to(np.uint16(3), (20_000, 20_000)), "YX")


def test_an_image_that_cannot_fit_is_refused_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.inference.predictor.available_memory", lambda: 4_000_000_000)
    predictor = Predictor(random_model(), CPU)
    steps = predictor.run_image(too_large())
    with pytest.raises(OutOfMemoryError, match=r"20,000 x 20,000 pixels need about 6\.4 GB at once, and 4\.0 GB"):
        next(steps)


def test_an_image_that_fits_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = Predictor(random_model(), CPU)
    [sample] = to_samples(too_large())
    monkeypatch.setattr("microforge.inference.predictor.available_memory", lambda: 16_000_000_000)
    predictor.check_memory(sample)
    monkeypatch.setattr("microforge.inference.predictor.available_memory", lambda: 1)
    predictor.check_memory(to_samples(Image("small", np.zeros((512, 512), np.uint8), "YX"))[0])


class OnDisk:
    """A float image that counts how many of its pixels are read, and refuses to be read at once."""

    def __init__(self, data: np.ndarray) -> None:
        self.data, self.shape, self.ndim, self.dtype = data, data.shape, data.ndim, data.dtype
        self.read = 0

    def __getitem__(self, key: Any) -> np.ndarray:
        part = self.data[key]
        self.read += part.size
        return part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        raise AssertionError("read as a whole")


@pytest.mark.parametrize("place", [None, (0, 1299, 1777)])
def test_missing_pixels_of_images_on_disk_are_told_without_reading_all_again(
    place: tuple[int, ...] | None,
) -> None:
    data = np.random.default_rng(0).normal(100, 9, (1, 1300, 1800)).astype(np.float32)
    if place:
        data[place] = np.nan
    predictor = Predictor(random_model(), CPU)
    prediction = predictor.predict(Sample("slide", OnDisk(data)))
    assert any("NaN" in note for note in prediction.notes) == bool(place)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_tiles_that_overlap_reading_and_computing_give_the_same(dtype: torch.dtype) -> None:
    image = np.random.default_rng(0).random((1, 300, 221), np.float32)
    network = random_network(NetworkConfig(out_channels=2, width=4))
    runs = []
    for overlaps in (False, True):
        tiled = TiledNetwork(network, Instances(), torch.device("cpu"), 128)
        tiled.dtype, tiled.overlaps = dtype, overlaps
        runs.append(list(tiled.run(image, normaliser_for(image, NormalisationCard()))))
    assert runs[0][:-1] == runs[1][:-1]
    assert len(runs[1]) > 4
    np.testing.assert_array_equal(runs[0][-1], runs[1][-1])


def test_the_next_tile_is_read_before_the_one_before_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    tiled = TiledNetwork(random_network(NetworkConfig(out_channels=2, width=4)), Instances(), torch.device("cpu"), 128)
    tiled.overlaps = True
    real = Download.read
    monkeypatch.setattr(Download, "read", lambda self: order.append("wait") or real(self))

    class Read:
        shape, ndim, dtype = (1, 200, 90), 3, np.dtype(np.float32)

        def __getitem__(self, window: tuple[slice, ...]) -> np.ndarray:
            order.append("read")
            return np.ones(self.shape, np.float32)[window]

    normaliser = Normaliser(np.zeros(1, np.float32), np.ones(1, np.float32))
    list(tiled.run(Read(), normaliser))
    assert order[:3] == ["read", "read", "wait"]
    assert order.count("read") == order.count("wait")
