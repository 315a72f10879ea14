from dataclasses import replace

import numpy as np
import pytest
import torch

from microforge.config import AugmentationConfig, TrainingConfig
from microforge.data.augment import Augmentation
from microforge.data.normalise import normaliser_for
from microforge.data.patch_source import Resident, Windowed, store
from microforge.data.sampler import Sampler
from microforge.data.split import make_split
from microforge.io.model_file import NormalisationCard
from microforge.tasks.counting.task import Counting
from microforge.tasks.images.denoising import Denoising, DenoisingOptions
from microforge.tasks.images.restoration import Restoration
from microforge.tasks.segmentation import Segmentation, SegmentationOptions
from microforge.training.setup import make_sampler, make_setup
from microforge.types import Points, Sample
from support.discs import disc_sample

PLAIN = AugmentationConfig(flip=False, rotate=False, scale=1, intensity=0)


def make(samples: list[Sample], **settings: object) -> Sampler:
    if "task" not in settings:
        settings["task_options"] = {"working_scale": 1.0}
    setup = make_setup(TrainingConfig(device="cpu", patch_size=32, **settings), samples, ())
    steps = make_sampler(setup)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_batches_have_the_promised_shapes() -> None:
    batch = make([disc_sample()], batch_size=5).draw()
    assert batch.image.shape == (5, 1, 32, 32)
    assert batch.target.shape == (5, 2, 32, 32)
    assert batch.weight.shape == (5, 1, 32, 32)
    assert {t.dtype for t in (batch.image, batch.target, batch.weight)} == {torch.float32}


def test_image_and_target_are_warped_together() -> None:
    sampler = make([disc_sample(count=20)], augmentation=AugmentationConfig(intensity=0, elastic=4))
    correlation = []
    for _ in range(10):
        batch = sampler.draw()
        known = batch.weight > 0.99
        both = torch.stack([batch.image[known], batch.target[:, :1][known]])
        correlation.append(torch.corrcoef(both)[0, 1].item())
    assert np.mean(correlation) > 0.9


def test_without_augmentation_patches_are_parts_of_the_image() -> None:
    sampler = make([disc_sample()], augmentation=PLAIN, batch_size=1)
    whole = sampler.sources[0].store.data.float()
    batch = sampler.draw()
    places = [
        (y, x)
        for y in range(whole.shape[1] - 31)
        for x in range(whole.shape[2] - 31)
        if torch.equal(whole[0, y : y + 32, x : x + 32], batch.image[0, 0])
    ]
    assert len(places) == 1


def test_patches_that_are_not_normalised_are_as_recorded() -> None:
    sample = disc_sample()
    bright = replace(sample, image=(sample.image.astype(np.uint32) * 331).clip(0, 65535).astype(np.uint16))
    sampler = make([bright], augmentation=PLAIN, normalisation="none")
    values = np.unique(np.concatenate([sampler.draw().image.numpy().ravel() for _ in range(4)]))
    assert values.max() == 65535
    assert np.isin(values, bright.image).all()


def test_same_seed_same_batches_and_state_can_be_restored() -> None:
    a, b = make([disc_sample()], seed=3), make([disc_sample()], seed=3)
    for _ in range(4):
        assert torch.equal(a.draw().image, b.draw().image)
    state = a.state
    expected = a.draw().image
    a.draw()
    a.state = state
    assert torch.equal(a.draw().image, expected)


def test_image_smaller_than_the_patch_is_padded_with_weight_zero() -> None:
    small = disc_sample("small", shape=(20, 24), count=3)
    batch = make([small, disc_sample("large")], augmentation=PLAIN).draw()
    inside = [batch.weight[k].sum().item() for k, name in enumerate(batch.names) if name == "small"]
    assert inside
    assert set(inside) == {20 * 24}


def test_object_sampling_prefers_images_with_objects() -> None:
    many, few = disc_sample("many", count=30), disc_sample("few", count=1)
    evenly = make([many, few], object_sampling=0).probability
    assert evenly.tolist() == [0.5, 0.5]
    by_objects = make([many, few], object_sampling=1).probability
    assert by_objects[0] > 0.9


def test_large_images_are_cut_window_by_window() -> None:
    sampler = make([disc_sample()], augmentation=PLAIN, batch_size=4)
    source, sample = sampler.sources[0], disc_sample()
    setup = make_setup(TrainingConfig(device="cpu", patch_size=32, task_options={"working_scale": 1.0}), [sample], ())
    lazy = Windowed(
        sample.image,
        normaliser_for(sample.image, setup.normalisation),
        [source.store.data[1:].numpy()],
        torch.device("cpu"),
    )
    other = make([disc_sample()], augmentation=PLAIN, batch_size=4)
    other.replace(replace(source, store=lazy))
    a, b = sampler.draw(), other.draw()
    assert torch.allclose(a.image, b.image, atol=2e-3)
    assert torch.equal(a.target, b.target)


def test_a_run_holds_the_annotated_part_only() -> None:
    sample = disc_sample(shape=(600, 600), count=60)
    mask = np.zeros((600, 600), bool)
    y, x = np.argwhere(sample.annotation == 7)[0]
    mask[max(y - 30, 0) : y + 30, max(x - 40, 0) : x + 40] = True
    source = make([replace(sample, mask=mask)]).sources[0]
    assert np.prod(source.shape) < 0.3 * 600 * 600


@pytest.mark.parametrize("shape", [(12, 64, 64), (40, 40, 40)])
def test_stacks_are_cut_as_stacks(shape: tuple[int, ...]) -> None:
    batch = make([disc_sample(shape=shape, count=10)]).draw()
    assert batch.image.ndim == 5
    assert batch.target.shape[1] == 2


def test_split_keeps_images_apart_and_time_points_together() -> None:
    samples = [Sample(f"{n} t={t}", np.zeros((1, 8, 8))) for n in "abcde" for t in range(3)]
    training, validation = make_split(samples, 0.2, 0).divide(samples)
    series = {s.name[0] for s in training}, {s.name[0] for s in validation}
    assert not series[0] & series[1]
    assert len(validation) == 3
    assert make_split(samples, 0, 0).divide(samples) == (tuple(samples), ())


def test_one_image_is_split_in_space_with_a_margin() -> None:
    sample = disc_sample(shape=(128, 400), count=60)
    (training,), (validation,) = make_split([sample], 0.1, 0).divide([sample])
    learnt = np.flatnonzero(training.mask.any(axis=0))
    start = 400 - validation.image.shape[-1]
    assert start - learnt[-1] > 8
    assert 60 < validation.image.shape[-1] < 140
    assert np.array_equal(validation.annotation, sample.annotation[:, start:])


def test_one_small_image_is_not_split() -> None:
    assert make_split([disc_sample()], 0.1, 0).divide([disc_sample()])[1] == ()


def test_warp_keeps_values_in_range() -> None:
    augmentation = Augmentation(AugmentationConfig(elastic=3), (32, 32))
    windows = torch.rand(3, 4, *augmentation.window(True))
    warped, area, _ = augmentation.warp(windows, np.random.default_rng(0))
    assert area.shape == (3,)
    assert warped.shape == (3, 4, 32, 32)
    assert warped.min() >= 0
    assert warped.max() <= 1


def with_points(room: int = 16, side: int = 96) -> Sample:
    """An image with a point every `room` pixels."""
    places = np.stack(np.meshgrid(*[np.arange(room // 2, side, room)] * 2, indexing="ij"), -1).reshape(-1, 2)
    image = np.random.default_rng(0).integers(0, 99, (1, side, side)).astype(np.uint8)
    return Sample("points", image, points=Points(places.astype(np.float32), np.zeros(len(places), np.int32)))


def test_borders_of_patches_are_not_learnt_from_but_those_of_the_image_are() -> None:
    sampler = make([with_points()], task="counting", augmentation=PLAIN, batch_size=32)
    ignored_border = min(sampler.ignored_border[0], 32 // 4)
    assert ignored_border > 3
    weight = torch.cat([sampler.draw().weight for _ in range(4)])[:, 0]
    assert (weight[:, ignored_border:-ignored_border, ignored_border:-ignored_border] == 1).all()
    top = weight[:, 0, 16]
    # A third of the patches begin at the edge of so small an image.
    assert 0.1 < top.mean() < 0.6
    assert (weight[:, :ignored_border, 16] == top[:, None]).all()


def test_half_of_a_patch_is_learnt_from_where_cells_are_large() -> None:
    sampler = make([with_points(60, 240)], task="counting", augmentation=PLAIN, batch_size=16)
    assert sampler.ignored_border[0] > 32 / 2
    assert sampler.draw().weight.mean() >= 0.25


def test_the_integral_of_a_density_survives_scaling() -> None:
    scaled = AugmentationConfig(flip=False, rotate=False, scale=2, intensity=0)
    sampler = make([with_points(8, 160)], task="counting", augmentation=scaled, batch_size=64)
    task = Counting().fit([with_points(8, 160)])
    per_area, shares = [], []
    for _ in range(8):
        batch = sampler.draw()
        assert batch.area is not None
        changed = task.corrupt(batch, sampler.rng)
        counts = (changed.target * batch.weight).sum((1, 2, 3)) * task._unit
        per_area.append(counts / (batch.weight.sum((1, 2, 3)) * batch.area))
        shares.append(batch.area)
    assert torch.cat(shares).std() > 0.3
    assert torch.cat(per_area).mean() == pytest.approx(1 / 64, rel=0.03)


@pytest.mark.parametrize("limit", [0, 1 << 30])
def test_an_image_known_everywhere_keeps_no_plane_of_weights_and_counts_in_full(limit: int) -> None:
    rng = np.random.default_rng(0)
    sample = Sample("noisy", rng.poisson(50, (1, 24, 40)).astype(np.uint16))
    target = Denoising().encode(sample)
    kept = store(sample, target, normaliser_for(sample.image, NormalisationCard()), torch.device("cpu"), limit)
    cut = kept.cut((slice(4, 12), slice(0, 16)))
    assert target.weight is None
    assert tuple(cut.shape) == (2, 8, 16)
    assert torch.equal(cut[1], torch.ones(8, 16, dtype=torch.float16))
    assert isinstance(kept, Resident) or kept.answers[0].shape[0] == 0


def test_a_finer_target_known_everywhere_weighs_all_its_pixels() -> None:
    rng = np.random.default_rng(0)
    coarse = rng.poisson(50, (1, 16, 16)).astype(np.uint16)
    sample = Sample("pair", coarse, coarse.repeat(2, 1).repeat(2, 2))
    normaliser = normaliser_for(sample.image, NormalisationCard())
    target = Restoration().encode(sample)
    with_ones = replace(target, weight=np.ones((1, 32, 32), np.float32))
    window = (slice(2, 10), slice(4, 12))
    cuts = [store(sample, one, normaliser, torch.device("cpu"), 0).cut(window) for one in (target, with_ones)]
    assert target.weight is None
    assert torch.equal(*cuts)


@pytest.mark.parametrize("limit", [0, 1 << 30])
@pytest.mark.parametrize("shape", [(24, 40), (5, 24, 40)])
def test_numbers_of_classes_give_the_patches_that_planes_give(limit: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 9, shape).astype(np.int32)
    sample = Sample("classes", rng.poisson(50, (1, *shape)).astype(np.uint16), labels)
    task = Segmentation(SegmentationOptions(classes={1: "a", 2: "b", 5: "c", 7: "d"}))
    target, normaliser = task.encode(sample), normaliser_for(sample.image, NormalisationCard())
    planes = np.stack([labels == value for value in (1, 2, 5, 7)]).astype(np.float32)
    window = (*[slice(1, 4)] * (len(shape) - 2), slice(3, 20), slice(0, 33))
    kept, by_planes = (
        store(sample, one, normaliser, torch.device("cpu"), limit) for one in (target, replace(target, value=planes))
    )
    assert torch.equal(kept.cut(window), by_planes.cut(window))
    assert target.weight is not None
    assert np.array_equal(target.weight[0] > 0, planes.any(0))
    if isinstance(kept, Resident):
        assert kept.data.shape[0] == 2, "the image and its weight; four classes are one byte a pixel"


class Recording:
    """A frame on disk that counts how many pixels were read of it."""

    def __init__(self, frame: np.ndarray) -> None:
        self.frame, self.read = frame, 0
        self.shape, self.ndim, self.dtype = frame.shape, frame.ndim, frame.dtype

    def __getitem__(self, key: object) -> np.ndarray:
        part = self.frame[key]  # type: ignore[index]
        self.read += part.size
        return part

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self[:]


def test_of_repeated_frames_on_disk_only_the_windows_learnt_from_are_read() -> None:
    rng = np.random.default_rng(0)
    frames = [Recording(rng.normal(100, 10, (1, 300, 300)).astype(np.float32)) for _ in range(2)]
    frames[1].frame[0, 10, 10] = np.nan
    task = Denoising(DenoisingOptions(method="repeats"))
    samples, _ = task.arrange([Sample(f"film t={t:03}", frame) for t, frame in enumerate(frames)])
    first, normaliser = samples[0], normaliser_for(frames[0], NormalisationCard())
    kept = store(first, task.encode(first), normaliser, torch.device("cpu"), 0)
    assert frames[1].read == 0
    window = (slice(5, 25), slice(0, 30))
    cut = kept.cut(window).numpy()
    assert frames[1].read == 600
    wanted = frames[1].frame[0][window]
    known = np.isfinite(wanted)
    assert np.array_equal(cut[2], known), "image, the other frame, weight"
    assert np.allclose(cut[1][known], normaliser(wanted[None])[0][known], atol=1e-3), "kept as float16"
    whole = store(first, task.encode(first), normaliser, torch.device("cpu"), 1 << 30)
    assert torch.equal(whole.cut(window), kept.cut(window)), "small ones are kept, and the same is learnt"


def test_images_made_of_one_are_drawn_in_place_of_two_thirds_of_it_and_replaced_with_it() -> None:
    sample = disc_sample(shape=(128, 128))
    partly = replace(sample, mask=np.asarray(sample.annotation) >= 0)
    partly.mask[:4] = False  # type: ignore[index]
    sampler = make([partly, disc_sample("whole", 1)], object_sampling=0.0)
    share = dict.fromkeys(("discs", "whole"), 0.0)
    for source, probability in zip(sampler.sources, sampler.probability, strict=True):
        share[source.name] += probability
    assert share == pytest.approx({"discs": 0.5, "whole": 0.5})
    assert sampler.probability[0] == pytest.approx(0.5 / 3)
    assert len(sampler.sources) > 2
    sampler.replace(replace(sampler.sources[0], share=1.0))
    assert [source.name for source in sampler.sources] == ["discs", "whole"]
    sampler.replace(replace(sampler.sources[0], name="new"))
    assert [source.name for source in sampler.sources] == ["discs", "whole", "new"]
