"""What is said of two models on the same images is no more than the images tell."""

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_rel

from microforge.evaluation.comparison import compare_scores, image_scores
from microforge.tasks import get_task


def named(*values: float) -> dict[str, float]:
    return {f"image {k}": value for k, value in enumerate(values)}


def words(first: list[float], second: list[float], *, higher_is_better: bool = True) -> tuple[str, str]:
    paired = compare_scores(named(*first), named(*second), higher_is_better=higher_is_better)
    return paired.in_words("before")


def test_most_images_better_is_called_better() -> None:
    text, severity = words([0.5] * 10, [0.6] * 9 + [0.45])
    assert (text, severity) == ("Better than before on 9 of 10 images kept aside.", "ok")


def test_worse_is_a_warning_and_says_where_it_may_be_chance() -> None:
    text, severity = words([0.5] * 10, [0.4] * 7 + [0.55] * 3)
    assert severity == "warning"
    assert text == "Worse than before on 7 of 10 images kept aside, which may be chance."


def test_few_images_do_not_tell_for_sure() -> None:
    assert words([0.5, 0.5, 0.5], [0.9, 0.9, 0.9])[0] == (
        "Better than before on all 3 images kept aside; so few do not tell for sure."
    )
    assert "the one image" in words([0.5], [0.9])[0]


def test_equal_scores_are_as_good() -> None:
    assert words([0.5] * 4, [0.5] * 4) == ("As good as before on all 4 images kept aside.", "ok")
    assert "cannot be told" in words([], [])[0]


def test_where_most_images_are_alike_it_is_about_as_good() -> None:
    assert words([0.5] * 4, [0.5, 0.5, 0.5, 0.7])[0] == (
        "About as good as before: better on 1, worse on 0 of 4 images kept aside."
    )
    assert words([0.5] * 12, [0.5] * 6 + [0.3] * 6)[1] == "warning", "six of six that differ are no chance"


def test_images_that_are_alike_are_not_taken_for_worse() -> None:
    first = [0.5] * 20
    assert words(first, [0.6] * 10 + [0.4] * 2 + [0.5] * 8)[0] == (
        "Better than before on 10 of 20 images kept aside, worse on 2."
    )
    assert words(first, [0.3] * 11 + [0.5] * 9)[0] == "Worse than before on 11 of 20 images kept aside, better on none."


def test_more_images_better_with_a_worse_mean_is_neither() -> None:
    text, severity = words([0.5] * 5, [0.52, 0.52, 0.52, 0.1, 0.1])
    assert (text.startswith("Neither better nor worse"), severity) == (True, "ok")


def test_errors_are_better_the_smaller_they_are() -> None:
    assert words([4.0] * 8, [2.0] * 8, higher_is_better=False)[0].startswith("Better than before on all 8")
    assert words([2.0] * 8, [4.0] * 8, higher_is_better=False)[1] == "warning"


def test_images_that_only_one_was_scored_on_do_not_count() -> None:
    first, second = {"a": 0.5, "b": 0.5, "c": float("nan")}, {"a": 0.7, "c": 0.6, "d": 0.1}
    assert compare_scores(first, second, higher_is_better=True).images == 1


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_figures_are_those_of_a_sign_test_and_a_paired_t_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.uniform(0.3, 0.9, 12)
    second = first + rng.normal(0.05, 0.1, 12)
    paired = compare_scores(named(*first), named(*second), higher_is_better=True)
    interval = ttest_rel(second, first).confidence_interval(0.95)
    assert (paired.low, paired.high) == pytest.approx((interval.low, interval.high))
    assert paired.chance == pytest.approx(binomtest(paired.better, paired.better + paired.worse).pvalue)


def test_an_interval_needs_three_images() -> None:
    assert compare_scores(named(1, 2), named(2, 3), higher_is_better=True).low is None


def test_time_points_of_a_series_are_one_image() -> None:
    task, counts = get_task("instances")(), {"hits": 3.0, "extra": 0.0, "missed": 1.0}
    good = {f"{name}@{at}": value for at in (0.5, 0.7, 0.8) for name, value in counts.items()} | {"iou": 3.0}
    bad = {name: 4.0 if name.startswith("missed") else 0.0 for name in good}
    scores = image_scores(task, {"film t=000": good, "film t=001": bad, "b": good})
    assert scores == pytest.approx({"film": 3 / 8, "b": 3 / 4})
