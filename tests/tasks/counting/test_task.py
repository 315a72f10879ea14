"""Counting: from points to a density, back to points, and what is said about both."""

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from microforge.config import AugmentationConfig, PredictionConfig, TrainingConfig
from microforge.errors import AnnotationError
from microforge.events import RunFinished, StepFinished
from microforge.inference.predictor import Predictor
from microforge.simulate import simulate_crowd
from microforge.tasks.counting.interval import FEWEST
from microforge.tasks.counting.options import CountingOptions
from microforge.tasks.counting.points import TWICE, clean_points
from microforge.tasks.counting.task import Counting
from microforge.training.loop import train
from microforge.training.mailbox import Live
from microforge.training.setup import make_setup
from microforge.types import Points, Prediction, Sample

RNG = np.random.default_rng(0)


def points(places: list[list[float]], kinds: tuple[str, ...] = ("",), kind: list[int] | None = None) -> Points:
    coordinates = np.array(places, np.float32).reshape(len(places), -1 if places else 2)
    return Points(coordinates, np.array(kind or [0] * len(places), np.int32), kinds)


def sample(places: Points | None, shape: tuple[int, ...] = (64, 80), **values: object) -> Sample:
    image = RNG.integers(0, 200, (1, *shape)).astype(np.uint8)
    return replace(Sample("field", image, points=places), **values)


GRID = points([[y, x] for y in range(8, 64, 16) for x in range(8, 80, 16)])


def fitted(*samples: Sample, **options: object) -> Counting:
    task = Counting(CountingOptions(**options))
    return task.fit([task.check(one) for one in samples])


def answer(task: Counting, one: Sample) -> Prediction:
    """What a perfect network would lead to."""
    return task.decode(task.encode(one).value * task._unit)


def test_density_integrates_to_the_count_at_borders_too() -> None:
    one = sample(points([[0, 0], [63, 79], [30, 40.5], [-0.4, 10]]))
    task = fitted(one)
    density = task.encode(one).value * task._unit
    np.testing.assert_allclose(density.sum(), 4, rtol=1e-5)


def test_width_follows_the_distance_of_points_and_flat_voxels() -> None:
    task = fitted(sample(GRID))
    assert task.options.spacing == pytest.approx(16)
    assert task.sigmas == pytest.approx((3.2, 3.2))
    stack = Points(np.array([[2, 8, 8], [2, 8, 24], [6, 8, 8]], np.float32), np.zeros(3, np.int32), axes="ZYX")
    deep = fitted(sample(stack, (9, 32, 48), pixel_size=(2.0, 0.5, 0.5)))
    assert deep.options.anisotropy == pytest.approx((4, 1, 1))
    assert deep.sigmas[0] == pytest.approx(deep.sigmas[2] / 4)
    assert deep.options.spacing == pytest.approx(16)


def test_a_perfect_density_gives_the_points_back() -> None:
    placed = points(RNG.uniform(4, 60, (40, 2)).tolist())
    one = sample(placed, (64, 64))
    task = fitted(one, radius=2.0)
    scores = task.score(answer(task, one), one)
    assert scores["MAE"] < 0.01
    assert scores["F1"] > 0.9


def test_stack_gives_the_points_back() -> None:
    places = np.array([[2, 10, 10], [2, 10, 30], [6, 20, 12], [5, 28, 30]], np.float32)
    one = sample(Points(places, np.zeros(4, np.int32), axes="ZYX"), (9, 40, 40), pixel_size=(1.0, 0.5, 0.5))
    task = fitted(one)
    result = answer(task, one)
    assert result.points is not None
    assert result.points.axes == "ZYX"
    assert task.score(result, one)["F1"] == 1


def test_kinds_have_a_channel_each() -> None:
    placed = points([[10, 10], [10, 40], [40, 10], [40, 40]], ("live", "dead"), [0, 0, 0, 1])
    one = sample(placed)
    task = fitted(one)
    assert task.out_channels == 2
    result = answer(task, one)
    assert [(count.kind, round(count.value)) for count in task.count(result)] == [("live", 3), ("dead", 1)]
    assert sorted(result.measurements["kind"].tolist()) == ["dead", "live", "live", "live"]
    assert {name: round(value) for name, value in task.statistics(result, one).items()} == {
        "count": 4,
        "count live": 3,
        "count dead": 1,
    }


def test_counts_of_regions_add_up() -> None:
    one = sample(GRID)
    task = fitted(one)
    result, left = answer(task, one), np.zeros((64, 80), bool)
    left[:, :40] = True
    (whole,), (part,), (rest,) = (task.count(result, region) for region in (None, left, ~left))
    assert part.value + rest.value == pytest.approx(whole.value, rel=1e-5)
    assert part.value == pytest.approx(10, abs=0.5)


def test_only_what_is_annotated_is_measured() -> None:
    mask = np.zeros((64, 80), bool)
    mask[:, :32] = True
    one = sample(GRID.only(GRID.coordinates[:, 1] < 32), mask=mask)
    task = fitted(sample(GRID))
    scores = task.score(answer(task, sample(GRID)), one)
    assert scores["MAE"] < 0.2
    assert scores["F1"] == 1
    assert task.encode(one).weight.sum() == mask.sum()


def test_scaled_patches_keep_their_integral() -> None:
    import torch

    from microforge.types import Batch

    task, target = fitted(sample(GRID)), torch.ones(2, 1, 4, 4)
    batch = Batch(target, target, target, area=torch.tensor([1.0, 0.5]))
    changed = task.corrupt(batch, RNG)
    assert changed.target[:, 0, 0, 0].tolist() == [1.0, 0.5]


def test_duplicates_are_merged_and_said() -> None:
    one = sample(points([[10, 10], [10.3, 10.2], [30, 30], [31, 30]]))
    task = Counting()
    used = task.check(one)
    assert used.points is not None
    assert len(used.points) == 3
    assert task.changes(one, used) == "1 point on another merged with it"


def test_points_of_two_kinds_may_lie_on_each_other() -> None:
    used = Counting().check(sample(points([[10, 10], [10, 10]], ("live", "dead"), [0, 1])))
    assert used.points is not None
    assert len(used.points) == 2


def test_points_outside_the_image_are_left_out_and_said() -> None:
    one = sample(points([[10, 10], [70, 10], [-3, 5]]))
    used = Counting().check(one)
    assert used.points is not None
    assert len(used.points) == 1
    assert Counting().changes(one, used) == "2 points outside the image left out"


def test_points_outside_the_region_are_said() -> None:
    mask = np.zeros((64, 80), bool)
    mask[:20] = True
    (advice,) = Counting().advise([sample(points([[10, 10], [40, 10]]), mask=mask)])
    assert "1 point outside the annotated region" in advice.text


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (None, "No points"),
        (Points(np.ones((2, 3), np.float32), np.zeros(2, np.int32), axes="ZYX"), "3 coordinates"),
        (points([[np.nan, 1]]), "no place"),
        (points([]), "no points"),
    ],
)
def test_points_that_cannot_be_used(points: Points | None, words: str) -> None:
    with pytest.raises(AnnotationError, match=words):
        Counting().check(sample(points))


def test_wrong_coordinates_on_a_stack() -> None:
    with pytest.raises(AnnotationError, match=r"2 coordinates.*3 dimensions"):
        Counting().check(sample(points([[1, 1]]), (4, 16, 16)))


def test_no_cells_is_an_annotation_only_if_said() -> None:
    empty = sample(points([]))
    assert Counting(CountingOptions(empty="no cells")).check(empty).points is not None
    assert Counting().check(replace(empty, mask=np.ones((64, 80), bool))).points is not None


def test_unknown_kind_is_refused_and_a_single_one_may_be_renamed() -> None:
    task = Counting(CountingOptions(kinds=("live", "dead")))
    with pytest.raises(AnnotationError, match="kind 'odd'"):
        task.check(sample(points([[1, 1]], ("odd",))))
    renamed = Counting(CountingOptions(kinds=("cells",))).check(sample(points([[1, 1]], ("nuclei",))))
    assert renamed.points is not None
    assert renamed.points.kinds == ("cells",)


def test_describe_counts_each_kind() -> None:
    one = sample(points([[10, 10], [20, 20], [30, 30]], ("live", "dead"), [0, 0, 1]))
    assert Counting().describe([one]).text == "3 points in 1 image: 2 live, 1 dead"
    assert not Counting().describe([sample(points([]))]).ready


def test_interval_comes_from_images_kept_aside() -> None:
    task = fitted(sample(GRID))
    truth = RNG.uniform(100, 200, FEWEST)
    tallies = [{"found ": t + e, "truth ": t} for t, e in zip(truth, RNG.normal(0, 5, FEWEST), strict=True)]
    assert not task.calibrate(tallies[1:]).options.intervals
    calibrated = task.calibrate(tallies)
    (count,) = calibrated.count(answer(task, sample(GRID)))
    assert count.low is not None
    assert count.high is not None
    assert count.low < count.value < count.high
    again = Counting.from_options(calibrated.options.model_dump(mode="json"))
    assert again.options == calibrated.options


def test_least_confident_points_can_be_hidden() -> None:
    one = sample(GRID)
    task = fitted(one)
    weak = task.encode(one).value * task._unit * np.linspace(0.4, 1, 80, dtype=np.float32)
    strict = Counting(task.options.model_copy(update={"confidence": 0.8}))
    shown, hidden = (t.decode(weak).points for t in (task, strict))
    assert shown is not None
    assert hidden is not None
    assert 0 < len(hidden) < len(shown)
    assert task.count(task.decode(weak)) == strict.count(strict.decode(weak))


def test_nothing_in_an_empty_density() -> None:
    task = fitted(sample(GRID))
    result = task.decode(np.zeros((1, 32, 32), np.float32))
    assert result.points is not None
    assert len(result.points) == 0
    assert task.count(result)[0].value == 0


def test_what_all_counts_have_in_common_is_made_up_for() -> None:
    task = fitted(sample(GRID))
    low = [{"found ": 0.9 * n, "truth ": n} for n in (50, 100, 200)]
    levelled = task.level(low)
    assert levelled.options.gains == pytest.approx((1 / 0.9,))
    import torch

    raw = torch.ones(1, 1, 4, 4)
    assert (levelled.activate(raw) / task.activate(raw)).mean().item() == pytest.approx(1 / 0.9)
    again = levelled.level([{"found ": n, "truth ": n} for n in (50, 100)])
    assert again.options.gains == levelled.options.gains
    assert task.level([{"found ": 1.0, "truth ": 100}]).options.gains == (1.4,)
    assert task.level([{"found ": 0.0, "truth ": 100}]).options.gains == (1.0,)


def test_training_levels_and_calibrates_the_model(tmp_path: Path) -> None:
    crowds = [simulate_crowd((96, 96), seed=seed) for seed in range(14)]
    fields = [
        Sample(f"crowd {k}", c.image[None], points=Points(c.points, c.kind * 0), pixel_size=(0.5, 0.5))
        for k, c in enumerate(crowds)
    ]
    config = TrainingConfig(task="counting", steps=60, device="cpu", patch_size=64, batch_size=4)
    *_, last = train(config, fields[:4], fields[4:], tmp_path)
    assert isinstance(last, RunFinished)
    assert last.model is not None
    predictor = Predictor(last.model, PredictionConfig(device="cpu"))
    options = predictor.task.options
    assert isinstance(options, CountingOptions)
    assert len(options.gains) == 1
    assert options.intervals[""].images == 10
    found = sum(predictor.task.tally(predictor.predict(one), one)["found "] for one in fields[:4])
    truth = sum(len(one.points) for one in fields[:4] if one.points is not None)
    assert found == pytest.approx(truth, rel=0.01) or options.gains[0] in (0.7, 1.4)
    assert "coverage" not in last.metrics


def test_an_image_without_points_adds_no_kind() -> None:
    image = np.zeros((1, 40, 40), np.uint8)
    both = Points(np.array([[5, 5], [20, 20]], np.float32), np.array([0, 1], np.int32), ("A", "B"))
    none = Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int32))
    samples = [Sample("both", image, points=both), Sample("none", image, points=none)]
    assert Counting().describe(samples).text == "2 points in 2 images: 1 A, 1 B"
    fitted = Counting().fit(samples)
    assert fitted.kinds == ("A", "B")
    assert fitted.encode(samples[1]).value.sum() == 0
    assert Counting().fit(samples[1:]).kinds == ("",)


def test_patches_are_varied_little_unless_asked_for() -> None:
    calm = Counting().augmentation(AugmentationConfig())
    assert (calm.scale, calm.intensity) == (1.0, 0.1)
    coloured = Counting(CountingOptions(channels=3)).augmentation(AugmentationConfig())
    assert (coloured.scale, coloured.intensity) == (1.25, 0.3)
    wild = Counting().augmentation(AugmentationConfig(scale=1.5, intensity=0.6))
    assert (wild.scale, wild.intensity) == (1.5, 0.6)


def test_the_network_sees_several_cells_at_once() -> None:
    near, far = (spread_field(spacing) for spacing in (12, 40))
    config = TrainingConfig(task="counting", device="cpu")
    depths = [len(make_setup(config, [one], ()).plan.network.pools) for one in (near, far)]
    assert depths[0] == 2 < depths[1]
    asked = make_setup(config.model_copy(update={"depth": 2}), [far], ())
    assert len(asked.plan.network.pools) == 2


def spread_field(spacing: int) -> Sample:
    side = np.arange(spacing // 2, 240, spacing)
    places = [[y, x] for y in side.tolist() for x in side.tolist()]
    return sample(points(places), (240, 240))


def test_a_stopped_training_has_measured_its_last_weights(tmp_path: Path) -> None:
    crowds = [simulate_crowd((64, 64), seed=seed) for seed in range(12)]
    fields = [Sample(f"crowd {k}", c.image[None], points=Points(c.points, c.kind * 0)) for k, c in enumerate(crowds)]
    live, last = Live(), None
    for event in train(TrainingConfig(task="counting", device="cpu"), fields[:3], fields[3:], tmp_path, live):
        if isinstance(event, StepFinished) and event.step == 3:
            live.stop()
        last = event
    assert isinstance(last, RunFinished)
    assert last.model is not None
    assert last.reason == "stopped"
    assert "MAE" in last.metrics
    predictor = Predictor(last.model, PredictionConfig(device="cpu"))
    errors = [predictor.task.tally(predictor.predict(one), one)["error"] for one in fields[3:]]
    assert last.metrics["MAE"] == pytest.approx(np.mean(errors), rel=0.01)
    assert predictor.task.options.intervals[""].images == 9


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("spread", [0.0, 0.3, 3.0, 30.0])
def test_a_point_goes_where_an_earlier_one_is_nearer_than_half_a_pixel(dims: int, spread: float) -> None:
    places = 20 + spread * np.random.default_rng(0).random((80, dims)).astype(np.float32)
    apart = np.linalg.norm(places[:, None].astype(np.float64) - places[None], axis=2)
    alone = [not (apart[k, :k] <= TWICE).any() for k in range(len(places))]
    kept = clean_points(Points(places, np.zeros(80, np.int32), axes="ZYX"[-dims:]), (60,) * dims)
    assert np.array_equal(kept.points.coordinates, places[alone])


def test_many_points_at_one_place_cost_no_more_memory_than_points_apart() -> None:
    near = 20 + 0.3 * np.random.default_rng(0).random((20_000, 2)).astype(np.float32)
    tracemalloc.start()
    try:
        assert len(clean_points(Points(near, np.zeros(20_000, np.int32)), (60, 60)).points) == 1
        assert tracemalloc.get_traced_memory()[1] < 50_000_000  # all pairs would be 3 GB
    finally:
        tracemalloc.stop()


def test_a_region_of_all_pixels_counts_exactly_as_the_whole_image() -> None:
    density = np.random.default_rng(0).random((1, 1500, 1500), dtype=np.float32)
    prediction, task = Prediction(image=density), Counting()
    [whole], [region] = task.count(prediction), task.count(prediction, np.ones((1500, 1500), bool))
    assert region.value == pytest.approx(whole.value, rel=1e-12)
