"""Images that show the same are found, whatever was done to their numbers; others are not taken for it."""

from dataclasses import replace

import numpy as np
import pytest

from microforge.data.duplicates import find_duplicates, united
from microforge.data.split import Split, group_of, make_split
from microforge.types import Sample
from support.discs import disc_sample


def found(*samples: Sample) -> list[tuple[str, str]]:
    return [(pair.first.name, pair.second.name) for pair in find_duplicates(samples, group_of)]


def field(seed: int, shape: tuple[int, int] = (200, 240)) -> np.ndarray:
    return disc_sample("x", seed=seed, shape=shape, count=40).image.astype(np.float64)  # type: ignore[union-attr]


def copied(name: str, change: str) -> Sample:
    image = field(1)
    noise = np.random.default_rng(5).normal(0, 8, image.shape)
    y, x = np.mgrid[:200, :240]
    changed = {
        "equal": image,
        "8 bits": (image / 5).clip(0, 255).astype(np.uint8),
        "brighter": image * 3 + 200,
        "gamma": image**0.7,
        "noise": image + noise,
        "vignette": image * (1 - ((y - 100) ** 2 + (x - 120) ** 2) / 60_000),
        "one bad pixel": np.where(np.arange(image.size).reshape(image.shape) == 7, np.nan, image),
    }
    return Sample(name, changed[change])


@pytest.mark.parametrize("change", ["equal", "8 bits", "brighter", "gamma", "noise", "vignette", "one bad pixel"])
def test_a_copy_is_found_whatever_was_done_to_its_numbers(change: str) -> None:
    samples = (Sample("a", field(1)), copied("b", change), Sample("c", field(2)), Sample("d", field(3)))
    assert found(*samples) == [("a", "b")]


def test_other_fields_are_no_copies_however_alike_they_are_lit() -> None:
    y, x = np.mgrid[:200, :240]
    light = 1000 * (1 - ((y - 100) ** 2 + (x - 120) ** 2) / 40_000)
    assert not found(*(Sample(f"field {k}", field(k) * 0.2 + light) for k in range(12)))


def test_empty_images_are_nothing_to_compare() -> None:
    noise = np.random.default_rng(0)
    assert not found(*(Sample(f"n{k}", noise.normal(size=(1, 90, 90))) for k in range(6)))
    assert not found(*(Sample(f"flat {k}", np.full((1, 90, 90), 7.0)) for k in range(3)))
    assert not found(Sample("a", np.zeros((1, 2, 2))), Sample("b", np.zeros((1, 2, 2))))


def test_equal_images_are_told_from_like_ones() -> None:
    noise = np.random.default_rng(0).normal(0, 80, (1, 200, 240))
    like = find_duplicates([Sample("a", field(1)), Sample("b", field(1) + noise)], group_of)
    equal = find_duplicates([Sample("a", field(1)), copied("b", "equal")], group_of)
    assert (like[0].is_copy, equal[0].is_copy) == (False, True)


def test_time_points_of_a_series_stay_together_anyway() -> None:
    assert not found(Sample("film t=000", field(1)), Sample("film t=001", field(1)))
    assert not found(Sample("film_t001", field(1)), Sample("film_t002", field(1)))


def test_stacks_are_compared_by_their_middle() -> None:
    stack = np.stack([field(5), field(1), field(6)], axis=1)
    other = np.stack([field(7), field(1), field(8)], axis=1)
    assert found(Sample("a", stack), Sample("b", other)) == [("a", "b")]


def test_images_of_other_sizes_are_compared_too() -> None:
    halved = field(1).reshape(1, 100, 2, 120, 2).mean((2, 4))
    assert found(Sample("a", field(1)), Sample("b", halved)) == [("a", "b")]


def test_groups_that_show_the_same_become_one() -> None:
    assert united([("a", "b"), ("c", "d"), ("b", "c")]) == {"b": "a", "c": "a", "d": "a"}
    assert united([("a", "z")], fixed=["z"]) == {"a": "z"}
    assert united([("a", "z")], fixed=["a", "z"]) == {}


@pytest.mark.parametrize("seed", range(8))
def test_copies_are_never_on_both_sides(seed: int) -> None:
    samples = [disc_sample(f"field {k}", seed=k) for k in range(12)]
    samples += [replace(samples[k], name=f"copy of {k}") for k in range(0, 12, 2)]
    alike = {f"copy of {k}": f"field {k}" for k in range(0, 12, 2)}
    split = make_split(samples, 0.3, seed, alike=alike)
    assert split.kept_aside(samples).parts
    assert all(split.role(samples[k]) == split.role(samples[12 + k // 2]) for k in range(0, 12, 2))


def test_an_image_that_comes_later_takes_the_role_of_what_it_shows() -> None:
    split = Split(roles={"a": "validation", "b": "training"}, fraction=0.3)
    grown = split.with_alike([("a", "copy")]).grown([Sample(name, field(1)) for name in ("a", "b", "copy")])
    assert grown.role(Sample("copy", field(1))) == "validation"
    assert split.with_alike([("a", "b")]).alike == {}, "roles stay as long as a run does"
