"""What is said of answers."""

import numpy as np
import pytest

from microforge.answers import words
from microforge.types import Points, Prediction

NOWHERE = Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int32))


@pytest.mark.parametrize(
    ("value", "kind", "bounds", "text"),
    [
        (1.2, "", (), "1 cell"),
        (0.0, "", (), "0 cells"),
        (1234.4, "live", (), "1,234 live"),
        (176.0, "", (167.6, 184.4), "176 cells (168–184)"),
    ],
)
def test_counts(value: float, kind: str, bounds: tuple[float, ...], text: str) -> None:
    assert words.count_text(value, kind, *bounds) == text


def test_counts_of_a_result() -> None:
    statistics = {"count": 7.0, "count live": 5.0, "count dead": 2.0, "low dead": 1.0, "high dead": 3.0}
    points = Points(NOWHERE.coordinates, NOWHERE.kind, ("live", "dead"))
    assert words.counts_text(Prediction(points=points, statistics=statistics)) == "5 live, 2 dead (1–3)"
    series = Points(np.zeros((0, 3), np.float32), NOWHERE.kind, axes="TYX")
    assert words.counts_text(Prediction(points=series, statistics={"count": 3.0})) == "on average 3 cells"
    density = np.full((1, 10, 10), 0.05, np.float32)
    assert words.densities_text(Prediction(points=NOWHERE, image=density)) == "5 cells"


def test_classes() -> None:
    prediction = Prediction(class_name="good", statistics={"P(good)": 0.98, "P(blurred)": 0.02, "focus": 3.0})
    probabilities = words.class_probabilities(prediction)
    assert probabilities == {"good": 0.98, "blurred": 0.02}
    assert words.class_text("good", probabilities) == "good (98 %)"
    assert words.class_text("good (2), blurred (1)", probabilities) == "good (2), blurred (1)"


def test_what_was_measured() -> None:
    figures = {"noise before": 12.0, "noise after": 1.5, "residual correlation": 0.01, "drift": 2.0}
    said = words.statistics_text(figures)
    assert said.startswith("Noise 12 → 1.5 grey levels. What was removed looks like noise")
    assert said.endswith("drift 2.")
    assert "more than noise" in words.statistics_text({"residual correlation": 0.5})


def test_confusion() -> None:
    lines = words.confusion_text(["good", "blurred"], [[5, 1], [0, 22]]).splitlines()
    assert [line.split()[-2:] for line in lines] == [["good", "blurred"], ["5", "1"], ["0", "22"]]
    assert len({len(line) for line in lines}) == 1
