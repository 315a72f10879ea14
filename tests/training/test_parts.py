from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from microforge.config import NetworkConfig, TrainingConfig
from microforge.data.annotated_extent import part_of_large
from microforge.io.model_file import read_card
from microforge.networks.unet import UNet
from microforge.tasks.counting.task import Counting
from microforge.tasks.instances.task import Instances
from microforge.training import schedule as clock_module
from microforge.training.advice import Watcher, advice_on_data
from microforge.training.checkpoint import load_checkpoint, save_checkpoint
from microforge.training.defaults import make_plan
from microforge.training.loop import train
from microforge.training.quality.kept_weights import Best, Final
from microforge.training.run import Run
from microforge.training.schedule import ActiveClock, Repeated, Schedule
from microforge.training.step.averaging import AveragedWeights
from microforge.training.step.optimiser import Optimiser, orthogonalise, pace
from microforge.types import Points, Sample
from support.discs import disc_sample

CPU = torch.device("cpu")
SMALL = NetworkConfig(out_channels=2, width=4)


@pytest.mark.parametrize("shape", [(32, 288), (64, 16), (48, 48)])
def test_orthogonalised_matrix_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
    assert values.max() < 1.35
    assert values.median() > 0.6


def test_orthogonalised_zero_is_zero() -> None:
    assert orthogonalise(torch.zeros(8, 30)).abs().max() == 0


def test_optimiser_lowers_a_loss_and_resumes_exactly() -> None:
    torch.manual_seed(0)
    network, x = UNet(SMALL), torch.randn(2, 1, 32, 32)
    optimiser = Optimiser(network, None)

    def loss() -> torch.Tensor:
        return (network(x) - 1).square().mean()

    first = loss().item()
    for _ in range(60):
        loss().backward()
        optimiser.step(0.5)
    assert loss().item() < 0.7 * first
    twin = UNet(SMALL)
    twin.load_state_dict(network.state_dict())
    other = Optimiser(twin, None)
    other.load_tensors({name: tensor.clone() for name, tensor in optimiser.tensors().items()})
    for net, rule in ((network, optimiser), (twin, other)):
        (net(x) - 1).square().mean().backward()
        rule.step(0.5)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), twin.parameters(), strict=True))


def test_a_huge_gradient_does_not_make_a_huge_update() -> None:
    network = UNet(SMALL)
    before = network.down[0][0].weight.detach().clone()
    optimiser = Optimiser(network, None)
    (network(torch.randn(1, 1, 32, 32)) * 1e6).sum().backward()
    optimiser.step(1.0)
    assert (network.down[0][0].weight - before).abs().max() < 0.1


def test_pace_warms_up_and_falls() -> None:
    assert pace(0, None) < 0.05
    assert pace(1000, None) == 1.0
    assert pace(8000, None) == pytest.approx(0.5)
    assert pace(1000, 0.5) == 0.5
    assert 0 < pace(1000, 1.0) < 0.05


def test_average_lags_behind_by_a_tenth_of_the_steps() -> None:
    source, copy = UNet(SMALL), UNet(SMALL)
    average = AveragedWeights(source, copy)
    weight = source.head.bias
    for step in range(1, 1001):
        with torch.no_grad():
            weight.fill_(step)
        average.update(step)
    lag = 1000 - copy.head.bias.mean().item()
    assert 30 < lag < 120


def test_average_of_a_long_run_lags_behind_by_two_hundred_steps() -> None:
    source, copy = UNet(SMALL), UNet(SMALL)
    average = AveragedWeights(source, copy)
    with torch.no_grad():
        for step in range(9_000, 12_001):
            source.head.bias.fill_(step)
            average.update(step)
    assert 12_000 - copy.head.bias.mean().item() == pytest.approx(199, abs=5)


def test_clock_counts_work_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(clock_module.time, "perf_counter", lambda: now[0])
    clock = ActiveClock(before=2.0)
    clock.start()
    now[0] = 3.0
    clock.stop()
    now[0] = 100.0
    assert clock.seconds == 5.0


def test_costly_things_come_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(clock_module.time, "perf_counter", lambda: now[0])
    clock = ActiveClock()
    clock.start()
    repeated = Repeated(clock, first=1.0, every=2.0, share=0.1)
    assert not repeated.due()
    now[0] = 1.0
    assert repeated.due()
    events = repeated.timed(iter("ab"))
    next(events)
    now[0] = 6.0
    list(events)
    now[0] = 55.0
    assert not repeated.due()
    now[0] = 56.0
    assert repeated.due()


def test_fraction_follows_whichever_limit_comes_first() -> None:
    schedule = Schedule(ActiveClock(before=25.0))
    assert schedule.fraction(TrainingConfig(), 10) is None
    assert schedule.fraction(TrainingConfig(steps=100), 10) == 0.1
    assert schedule.fraction(TrainingConfig(steps=100, time=50.5), 10) == 0.5
    assert schedule.end(TrainingConfig(), 10, False) == ""
    assert schedule.end(TrainingConfig(steps=10), 10, False) == "steps"
    assert schedule.end(TrainingConfig(time=20), 10, False) == "time"
    assert schedule.end(TrainingConfig(), 10, True) == "stopped"


def test_checkpoint_keeps_two_generations(tmp_path: Path) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, {"network": {"w": torch.full((2,), float(step))}}, {"step": step})
    assert load_checkpoint(tmp_path).values["step"] == 2
    assert load_checkpoint(tmp_path).part("network")["w"].tolist() == [2.0, 2.0]
    (tmp_path / "checkpoint.safetensors").unlink()
    assert load_checkpoint(tmp_path).values["step"] == 1


def test_advice_for_few_objects_and_an_odd_image() -> None:
    few = [disc_sample("few", count=3)]
    assert [a.code for a in advice_on_data(Instances(), few)] == ["few"]
    alike = [disc_sample(f"{k}", seed=k) for k in range(5)]
    assert list(advice_on_data(Instances(), alike)) == []
    odd = replace(alike[0], name="odd", image=(alike[0].image.astype(np.uint32) * 1000))
    codes = [a.code for a in advice_on_data(Instances(), [*alike[1:], odd])]
    assert "unlike odd" in codes


def test_watcher_says_once_that_the_loss_does_not_fall() -> None:
    watcher = Watcher("max")
    said = [watcher.loss(1.0, seconds=float(k)) for k in range(300)]
    assert [a.code for a in said if a] == ["not-falling"]
    falling = Watcher("max")
    assert not any(falling.loss(1 / (1 + k), seconds=float(k)) for k in range(300))


@pytest.mark.parametrize(("direction", "sign"), [("max", 1), ("min", -1)])
def test_watcher_sees_overfitting_in_the_right_direction(direction: str, sign: int) -> None:
    watcher = Watcher(direction)  # type: ignore[arg-type]
    rising = [watcher.validation(sign * 0.01 * k, 10.0 * k) for k in range(20)]
    assert not any(rising)
    worse = [watcher.validation(sign * (0.2 - 0.01 * k), 200.0 + 20 * k) for k in range(30)]
    assert [a.code for a in worse if a] == ["overfitting"]


def test_watcher_does_not_take_chance_for_overfitting() -> None:
    few, many = (Watcher("min", Counting().metric_noise(images)) for images in (2, 16))
    statistics = [3.0, *np.linspace(4.0, 6.0, 30)]
    said = [[watcher.validation(value, 60.0 + 20 * k) for k, value in enumerate(statistics)] for watcher in (few, many)]
    assert not any(said[0]), "the mean error of two counts says little"
    assert [a.code for a in said[1] if a] == ["overfitting"]


@pytest.mark.parametrize(("images", "wins"), [(2, "last"), (16, "earlier")])
def test_earlier_weights_win_where_that_is_not_chance(images: int, wins: str) -> None:
    task, weights = Counting(), {name: {name: torch.zeros(1)} for name in ("last", "earlier")}
    run: Any = SimpleNamespace(
        _now=lambda: Final(weights["last"], {}, {"MAE": 6.0}, 9, ""),
        setup=SimpleNamespace(task=task),
        best=Best(2.8, weights["earlier"], {}, {"MAE": 2.8}, 3),
        metrics={"MAE": 6.0},
        metric_noise=task.metric_noise(images),
    )
    kept = Run.final(run)
    assert kept.weights is weights[wins]
    assert (kept.metrics["MAE"], kept.step) == ((6.0, 9) if wins == "last" else (2.8, 3))


def test_plan_follows_the_data() -> None:
    flat = make_plan(TrainingConfig(), Instances(), [disc_sample(shape=(300, 300))], CPU)
    assert flat.patch == (128, 128)
    small = make_plan(TrainingConfig(), Instances(), [disc_sample(shape=(60, 60))], CPU)
    assert small.patch == (56, 56)
    coarse = replace(disc_sample(shape=(16, 64, 64)), pixel_size=(3.0, 0.5, 0.5))
    assert make_plan(TrainingConfig(), Instances(), [coarse], CPU).network.pools[0][0] == 1
    even = replace(coarse, pixel_size=(0.5, 0.5, 0.5))
    assert make_plan(TrainingConfig(), Instances(), [even], CPU).network.stem == (2, 2, 2)
    asked = make_plan(TrainingConfig(width=8, depth=3, batch_size=2), Instances(), [disc_sample()], CPU)
    assert (asked.network.width, len(asked.network.pools), asked.batch_size) == (8, 3, 2)


def test_byte_order_makes_no_other_number_type() -> None:
    little = disc_sample("little")
    big = replace(disc_sample("big", seed=1), image=disc_sample("big", seed=1).image.astype(">u2"))
    assert [a for a in advice_on_data(Instances(), [little, big]) if a.code == "dtypes"] == []


def counted_field(side: int, mask: np.ndarray | None = None) -> Sample:
    """A large field with a point every 50 pixels."""
    places = np.stack(np.meshgrid(*[np.arange(25, side, 50)] * 2), -1).reshape(-1, 2).astype(np.float32)
    image = np.random.default_rng(0).integers(0, 255, (1, side, side)).astype(np.uint8)
    return Sample("large", image, points=Points(places, np.zeros(len(places), np.int32)), mask=mask)


def test_counts_of_images_too_large_to_look_at_whole_are_levelled_on_parts(tmp_path: Path) -> None:
    config = TrainingConfig(task="counting", device="cpu", steps=1, width=4, depth=1, patch_size=32, batch_size=1)
    list(train(config, [counted_field(1300)], (), tmp_path))
    (gain,) = read_card(tmp_path / "model.safetensors").task_options["gains"]
    assert 0.7 <= gain <= 1.4


@pytest.mark.parametrize("annotated", ["everywhere", "in a region"])
def test_a_part_of_a_large_image_counts_inside_what_is_annotated_only(annotated: str) -> None:
    mask = None
    if annotated == "in a region":
        mask = np.zeros((900, 900), bool)
        mask[100:800, 200:850] = True
    whole = counted_field(900, mask)
    for seed in range(5):
        part = part_of_large(whole, 90_000, (40, 40), np.random.default_rng(seed))
        assert part.mask is not None
        assert 0.98 * 90_000 <= part.mask.sum() <= 90_000
        assert part.known_points(part.points).coordinates.shape[0] == pytest.approx(36, abs=8)

        assert max(part.image.shape[1:]) <= 320 + 80


def film(name: str, frames: int) -> list[Sample]:
    return [replace(counted_field(64), name=f"{name} t={t:03d}") for t in range(frames)]


@pytest.mark.parametrize(("films", "frames", "images"), [(2, 10, 0), (10, 2, 10)])
def test_intervals_of_counts_rest_on_films_and_not_on_their_frames(
    tmp_path: Path, films: int, frames: int, images: int
) -> None:
    config = TrainingConfig(task="counting", device="cpu", steps=1, width=4, depth=1, patch_size=32, batch_size=1)
    kept_aside = [one for k in range(films) for one in film(f"film {k}", frames)]
    list(train(config, [counted_field(64)], kept_aside, tmp_path))
    intervals = read_card(tmp_path / "model.safetensors").task_options["intervals"]
    assert [interval["images"] for interval in intervals.values()] == ([images] if images else [])
