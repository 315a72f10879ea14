"""What is said of a model that has learnt too little, and that nothing is said of one that has learnt enough."""

import pytest

from microforge.config import NetworkConfig
from microforge.io.model_file import BaselineCard, ModelCard, TrainingSummary
from microforge.training.quality.doubt import ENOUGH_STEPS, StepBudget, doubt_of, duration_text


def card(value: float | None, steps: int = 60, *, beside: dict[str, object] | None = None) -> ModelCard:
    """Give the card of a model trained at one step per second beside a threshold of 0.4."""
    values = {"kind": "a threshold", "metric": "AP@0.5", "value": 0.4, "images": 7, "enough_steps": ENOUGH_STEPS}
    return ModelCard(
        task="instances",
        network=NetworkConfig(),
        training=TrainingSummary(steps=steps, seconds=float(steps)),
        metrics={} if value is None else {"AP@0.5": value},
        baseline=BaselineCard.model_validate(values | (beside or {})),
    )


def test_worse_than_the_simple_method_says_by_how_much_and_how_much_longer_to_train() -> None:
    doubt = doubt_of(card(0.1, beside={"symptom": "one object that covers the image"}))
    assert doubt is not None
    assert doubt.brief == "not yet better than a threshold"
    assert "AP@0.5 0.100, a threshold 0.400, on 7 images kept aside after 60 steps" in doubt.text
    assert "finds one object that covers the image, whatever the image" in doubt.text
    assert f"about {ENOUGH_STEPS} steps are usual, about 4 minutes more" in doubt.text


@pytest.mark.parametrize(("steps", "said"), [(60, True), (ENOUGH_STEPS, False)])
def test_nearly_as_good_is_of_use_only_after_enough_steps(steps: int, said: bool) -> None:
    assert (doubt_of(card(0.395, steps)) is not None) is said


@pytest.mark.parametrize("value", [0.4, 0.41, 0.9, 1.0])
def test_as_good_or_better_says_nothing(value: float) -> None:
    assert doubt_of(card(value)) is None


def test_a_metric_that_is_better_low_is_compared_the_other_way_round() -> None:
    assert doubt_of(card(0.5, beside={"higher_is_better": False})) is not None
    assert doubt_of(card(0.3, beside={"higher_is_better": False})) is None


@pytest.mark.parametrize(
    ("value", "simple", "symptom", "said"),
    [
        (0.0, 0.0, "", True),
        (0.5, 0.5, "the class good", True),
        (0.5, 0.5, "", False),
        (1.0, 1.0, "the class good", False),
    ],
)
def test_alike_is_of_no_use_only_where_it_finds_nothing_or_the_same_in_all(
    value: float, simple: float, symptom: str, said: bool
) -> None:
    assert (doubt_of(card(value, beside={"value": simple, "symptom": symptom})) is not None) is said


def test_without_measurement_few_steps_are_said_and_many_are_not() -> None:
    unknown = {"value": None, "kind": ""}
    doubt = doubt_of(card(None, beside=unknown))
    assert doubt is not None
    assert "Quality was not measured, and 60 steps are few" in doubt.text
    assert doubt_of(card(None, ENOUGH_STEPS, beside=unknown)) is None
    assert doubt_of(card(None, beside={**unknown, "enough_steps": 0})) is None  # started from another model
    assert doubt_of(card(0.1, beside=unknown)) is None  # measured, but there is nothing to compare with


def test_old_cards_say_nothing() -> None:
    assert doubt_of(card(0.0).model_copy(update={"baseline": None})) is None


def test_after_many_steps_more_of_them_are_not_advised() -> None:
    doubt = doubt_of(card(0.1, 20 * ENOUGH_STEPS))
    assert doubt is not None
    assert "Train longer" not in doubt.text
    assert "look at the annotations" in doubt.text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "about 10 seconds"), (41, "about 50 seconds"), (61, "about 2 minutes"), (7200, "about 2.0 hours")],
)
def test_durations_are_never_too_short(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def warnings(time: float | None, rate: float, enough: int = ENOUGH_STEPS) -> list[tuple[int, str]]:
    """Give what is said, and at which step, in a run of so many steps per second after a first one of 5 s."""
    budget = StepBudget(time, enough)
    last = int((time or 60) * rate)
    said = ((step, budget.advice(step, 5 + step / rate)) for step in range(1, last))
    return [(step, advice.text) for step, advice in said if advice is not None]


def test_too_few_steps_for_the_time_set_are_foreseen_early_and_once() -> None:
    ((step, text),) = warnings(90, 0.8)
    assert step <= 6
    assert text.startswith("About 68 steps fit into the time set")
    assert f"before {ENOUGH_STEPS}: give it about 7 minutes" in text


@pytest.mark.parametrize(("time", "rate", "enough"), [(90, 10, ENOUGH_STEPS), (None, 0.1, ENOUGH_STEPS), (90, 0.8, 0)])
def test_enough_steps_no_end_and_models_to_start_from_need_no_warning(
    time: float | None, rate: float, enough: int
) -> None:
    assert warnings(time, rate, enough) == []
