"""Confidence learnt from objects of which is known whether they are right."""

import numpy as np
import pytest

from microforge.tasks.confidence import (
    FEWEST_JUDGED,
    Calibration,
    Judged,
    calibration_error,
    calibration_text,
    fit_calibration,
)


def _drawn(count: int, seed: int, others: int = 4) -> tuple[Judged, np.ndarray]:
    """Objects that are right with a probability that the first input tells; the others are noise."""
    rng = np.random.default_rng(seed)
    told = rng.uniform(0.3, 1.0, count)
    share = 1 / (1 + np.exp(-12 * (told - 0.65)))
    noise = {f"noise {k}": rng.normal(0, 1 + k, count) for k in range(others)}
    return Judged({"told": told, **noise}, rng.random(count) < share), share


@pytest.mark.parametrize("count", [60, 300, 3000])
def test_the_confidence_of_other_objects_is_the_share_that_is_right(count: int) -> None:
    errors, ranks = [], []
    for seed in range(8):
        calibration = fit_calibration([_drawn(count, seed)[0]])
        assert calibration is not None
        others, share = _drawn(4000, 1000 + seed)
        confidence = calibration.confidence(others.evidence)
        assert confidence.dtype == np.float32
        assert 0 <= confidence.min() <= confidence.max() <= 1
        errors.append(calibration_error(confidence, others.right))
        ranks.append(np.corrcoef(confidence, share)[0, 1])
    assert np.mean(errors) < (0.07 if count == 60 else 0.04)
    assert np.mean(ranks) > 0.93


def test_inputs_that_tell_something_are_used_once_there_are_objects_enough() -> None:
    rng = np.random.default_rng(0)
    told = rng.uniform(0, 1, (3000, 2))
    right = rng.random(3000) < 1 / (1 + np.exp(-8 * (told.mean(1) - 0.5)))
    one, both = (
        fit_calibration([Judged({name: told[:, k] for k, name in enumerate(names)}, right)])
        for names in (("a",), ("a", "b"))
    )
    assert one is not None
    assert both is not None
    apart = [np.abs(c.confidence({"a": told[:, 0], "b": told[:, 1]}) - right).mean() for c in (one, both)]
    assert apart[1] < 0.9 * apart[0]


def test_too_few_objects_say_nothing() -> None:
    assert fit_calibration([]) is None
    assert fit_calibration([_drawn(FEWEST_JUDGED - 1, 0)[0]]) is None
    assert calibration_text(None) == "not calibrated"
    calibration = fit_calibration([_drawn(20, 0)[0], _drawn(0, 0)[0], _drawn(20, 1)[0]])
    assert calibration_text(calibration) == "calibrated on 40 objects"


@pytest.mark.parametrize("right", [True, False])
def test_where_all_are_alike_no_object_is_certain(right: bool) -> None:
    judged = Judged({"told": np.full(50, 0.9), "more": np.zeros(50)}, np.full(50, right))
    calibration = fit_calibration([judged])
    assert calibration is not None
    sure = calibration.confidence({"told": np.array([0.1, 0.9]), "more": np.array([5.0, 0.0])})
    assert np.allclose(sure, 51 / 52 if right else 1 / 52, atol=0.01)


def test_it_is_kept_as_plain_numbers() -> None:
    judged, _ = _drawn(200, 3)
    calibration = fit_calibration([judged])
    assert calibration is not None
    again = Calibration.model_validate_json(calibration.model_dump_json())
    assert np.array_equal(again.confidence(judged.evidence), calibration.confidence(judged.evidence))


def test_the_calibration_error_is_the_mean_distance_of_said_and_true_shares() -> None:
    said, right = np.array([0.9] * 10 + [0.2] * 10), np.array([True] * 7 + [False] * 3 + [True] * 3 + [False] * 7)
    assert calibration_error(said, right) == pytest.approx((0.2 + 0.1) / 2)
    assert calibration_error(np.zeros(0), np.zeros(0, bool)) == 0
