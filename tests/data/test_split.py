"""Which images are kept aside where images have classes."""

from collections import Counter

import numpy as np
import pytest

from microforge.data.split import split_samples
from microforge.types import Sample


def samples(**classes: int) -> list[Sample]:
    """Give images of classes; those without a class have the name ``none``."""
    image = np.zeros((1, 8, 8), np.uint8)
    return [
        Sample(f"{name} {number}", image, class_name="" if name == "none" else name)
        for name, count in classes.items()
        for number in range(count)
    ]


def counts(part: tuple[Sample, ...]) -> Counter[str]:
    return Counter(sample.class_name for sample in part)


@pytest.mark.parametrize("seed", range(20))
def test_every_class_with_three_images_is_learnt_and_measured(seed: int) -> None:
    given = samples(often=40, rare=3, rarer=2, single=1)
    training, validation = split_samples(given, 0.1, seed)
    assert counts(validation)["often"] >= 1
    assert counts(validation)["rare"] >= 1
    assert set(counts(training)) == {"often", "rare", "rarer", "single"}
    assert len(training) + len(validation) == len(given)
    assert len(validation) == 5


def test_more_classes_than_places_are_all_measured() -> None:
    training, validation = split_samples(samples(a=3, b=3, c=3, d=3), 0.1, 0)
    assert counts(validation) == Counter("abcd")
    assert counts(training) == Counter("abcd" * 2)


def test_classes_of_one_image_each_leave_nothing_to_measure() -> None:
    training, validation = split_samples(samples(a=1, b=1, c=1), 0.3, 0)
    assert len(training) == 3
    assert validation == ()


def test_time_points_of_a_series_stay_together() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    given = [Sample(f"{name} t={t:03d}", image, class_name=name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "b3")
             for t in range(4)]  # fmt: skip
    _, validation = split_samples(given, 0.1, 0)
    assert counts(validation) == {"a": 4, "b": 4}


def test_without_classes_the_choice_is_as_before() -> None:
    given = samples(none=30)
    names = sorted(sample.name for sample in given)
    expected = {names[k] for k in np.random.default_rng(3).permutation(30)[:6]}
    _, validation = split_samples(given, 0.2, 3)
    assert {sample.name for sample in validation} == expected
