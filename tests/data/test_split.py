"""Who trains and who measures: by image, group, class, amount, or a block of an image."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from microforge.config import TrainingConfig
from microforge.data.split import make_split
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
    training, validation = make_split(given, 0.1, seed).divide(given)
    assert counts(validation)["often"] >= 1
    assert counts(validation)["rare"] >= 1
    assert set(counts(training)) == {"often", "rare", "rarer", "single"}
    assert len(training) + len(validation) == len(given)
    assert len(validation) == 5


def test_more_classes_than_places_are_all_measured() -> None:
    training, validation = make_split(samples(a=3, b=3, c=3, d=3), 0.1, 0).divide(samples(a=3, b=3, c=3, d=3))
    assert counts(validation) == Counter("abcd")
    assert counts(training) == Counter("abcd" * 2)


def test_classes_of_one_image_each_leave_nothing_to_measure() -> None:
    training, validation = make_split(samples(a=1, b=1, c=1), 0.3, 0).divide(samples(a=1, b=1, c=1))
    assert len(training) == 3
    assert validation == ()


def test_time_points_of_a_series_stay_together() -> None:
    image = np.zeros((1, 8, 8), np.uint8)
    given = [Sample(f"{name} t={t:03d}", image, class_name=name[0]) for name in ("a1", "a2", "a3", "b1", "b2", "b3")
             for t in range(4)]  # fmt: skip
    _, validation = make_split(given, 0.1, 0).divide(given)
    assert counts(validation) == {"a": 4, "b": 4}


def test_an_image_more_changes_the_role_of_no_other() -> None:
    given = samples(none=30)
    split = make_split(given[:29], 0.2, 3)
    for later in (given, [*given[::-1], *samples(late=20)]):
        grown = split.grown(later)
        assert {name: grown.roles[name] for name in split.roles} == split.roles
    assert len(split.divide(given[:29])[1]) == 6


def test_of_many_new_images_about_the_wanted_part_is_kept_aside() -> None:
    split = make_split(samples(none=40), 0.2, 0).grown(samples(late=30))
    late = [role for name, role in split.roles.items() if name.startswith("late")]
    assert 2 <= late.count("validation") <= 10


def test_a_choice_depends_on_names_and_seed_not_on_order() -> None:
    given = samples(none=30)
    chosen = [make_split(order, 0.2, 0).divide(given)[1] for order in (given, given[::-1])]
    assert chosen[0] == chosen[1]
    assert make_split(given, 0.2, 1).divide(given)[1] != chosen[0]


def large(name: str, amount: int, side: int = 8) -> Sample:
    """Give an image of which the first `amount` pixels are annotated."""
    mask = (np.arange(side * side) < amount).reshape(side, side)
    return Sample(name, np.zeros((1, side, side), np.uint8), mask.astype(np.int32), mask)


@pytest.mark.parametrize("seed", range(10))
def test_the_image_with_nearly_all_annotations_is_never_kept_aside_nor_one_without_any(seed: int) -> None:
    given = [large("most", 60), large("some", 4), large("nothing", 0)]
    assert [sample.name for sample in make_split(given, 0.3, seed).divide(given)[1]] == ["some"]


def test_a_block_of_an_image_that_holds_all_annotations_is_kept_aside() -> None:
    given = [large("all", 256 * 256, 256), large("nothing", 0)]
    training, validation = make_split(given, 0.1, 0).divide(given)
    assert [sample.name for sample in validation] == ["all (block)"]
    assert [sample.name for sample in training] == ["all", "nothing"]
    assert validation[0].whole is given[0].image


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (None, ["a_t001", "a_t002", "b_t001", "b_t002", "c t1", "c t2"]),
        (None, ["a-T1.tif", "a-T2.tif", "b-T1.tif", "b-T2.tif"]),
        (r"^(\w)_", ["a_1", "a_2", "b_1", "b_2", "c_1", "c_2"]),
        ("slide[12]", ["x slide1", "y slide1", "x slide2", "y slide2"]),
    ],
)
def test_images_of_a_group_have_one_role(pattern: str | None, names: list[str]) -> None:
    given = [large(name, 8) for name in names]
    for seed in range(5):
        split = make_split(given, 0.3, seed, group_by=pattern)
        validation = {sample.name for sample in split.divide(given)[1]}
        assert validation
        groups = [set(names[k : k + 2]) for k in range(0, len(names), 2)]
        assert all(group <= validation or not group & validation for group in groups)


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValidationError, match="no regular expression"):
        TrainingConfig(group_by="^(slide")


def test_a_person_s_choice_for_an_image_wins_over_its_group() -> None:
    split = make_split([large("a_t001", 8), large("b", 8)], 0, 0).with_aside([large("a_t002", 8)])
    assert (split.role(large("a_t001", 8)), split.role(large("a_t002", 8))) == ("training", "validation")
