"""The one loop that measures a model image by image."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.config import PredictionConfig
from microforge.errors import AnnotationError
from microforge.evaluation.cases import (
    Case,
    CaseFailed,
    CaseOrigin,
    FileSource,
    KnownSamples,
    MeasuringStarted,
    confusion_table,
    mean_count_error,
    measure,
    measure_samples,
)
from microforge.events import Preparing
from microforge.io.points import write_points_csv
from microforge.io.writing import write_image
from microforge.tasks import Task, get_task
from microforge.types import Points, Prediction, Sample
from support.fakes import FakeClassifier, FakeCounter

COUNTING = get_task("counting").from_options({"spacing": 12.0, "kinds": ("live", "dead")})


def field(name: str, live: list[tuple[int, int]], dead: list[tuple[int, int]], true: list[tuple[int, int]]) -> Sample:
    """Give a field where cells of two kinds are found; all true ones are alive."""
    pixels = np.zeros((1, 42, 50), np.float32)
    for places, value in ((live, 50), (dead, 200)):
        for place in places:
            pixels[(0, *place)] = value
    points = Points(np.array(true, np.float32).reshape(-1, 2), np.zeros(len(true), np.int32), ("live", "dead"))
    return Sample(name, pixels, points=points)


def measured(*samples: Sample) -> list[Case | CaseFailed]:
    return list(measure_samples(FakeCounter(COUNTING), [(CaseOrigin(key=k), one) for k, one in enumerate(samples)]))


def test_counts_and_points_of_each_kind() -> None:
    (case,) = measured(field("a t=003", [(10, 10), (30, 10)], [(30, 40)], [(10, 10), (20, 25), (30, 40)]))
    assert isinstance(case, Case)
    assert case.origin == CaseOrigin(key=0, frame=3)
    assert [(count.kind, count.truth, round(count.found)) for count in case.counts] == [("live", 3, 2), ("dead", 0, 1)]
    assert round(case.error) == 2
    assert case.missed is not None
    assert case.missed.tolist() == [False, True, True], "a point of another kind is no partner"
    assert case.extra is not None
    assert sorted(case.extra.tolist()) == [False, True, True]
    sample = field("a", [(10, 10), (30, 10)], [(30, 40)], [(10, 10), (20, 25), (30, 40)])
    assert case.tally == COUNTING.tally(FakeCounter(COUNTING).predict(sample), sample)


def test_only_what_is_annotated_counts() -> None:
    mask = np.zeros((42, 50), bool)
    mask[:20] = True
    (case,) = measured(replace(field("a", [(10, 10), (35, 10)], [], [(10, 10), (38, 40)]), mask=mask))
    assert isinstance(case, Case)
    assert case.counts[0].truth == 1
    assert len(case.truth or ()) == len(case.found or ()) == 1


def test_mean_of_counts() -> None:
    cases = measured(*(field("a", [], [], [(5, 5 * k) for k in range(n)]) for n in (3, 5, 5)))
    live, dead = np.array([3, 5, 5]), np.zeros(3)
    errors = [np.abs(one - one.mean()).mean() for one in (live, dead)]
    assert mean_count_error([case for case in cases if isinstance(case, Case)]) == pytest.approx(np.mean(errors))
    assert mean_count_error([]) == 0


def test_classes_and_their_confusion() -> None:
    task = get_task("classification").from_options({"names": ("blurred", "good"), "weights": (1, 1)})
    values = {"good": (90, 30), "blurred": (20, 10, 80)}
    samples = [
        (CaseOrigin(), Sample(f"{name} {value}", np.full((1, 8, 9), value), class_name=name))
        for name, ones in values.items()
        for value in ones
    ]
    cases = [one for one in measure_samples(FakeClassifier(task), samples) if isinstance(one, Case)]
    assert confusion_table(cases, ("blurred", "good")) == [[2, 1], [1, 1]]
    assert cases[0].probabilities == {"blurred": pytest.approx(0.1), "good": pytest.approx(0.9)}


def test_objects_say_what_went_wrong() -> None:
    class Merges:
        task = get_task("instances")()

        def predict(self, image: Sample) -> Prediction:
            return Prediction(labels=(np.asarray(image.annotation) > 0).astype(np.int32))

    labels = np.zeros((20, 30), np.int32)
    labels[2:8, 2:8], labels[2:8, 8:14], labels[2:8, 14:20] = 1, 2, 3
    (case,) = measure_samples(Merges(), [(CaseOrigin(), Sample("a", np.zeros((1, 20, 30)), labels))])
    assert isinstance(case, Case)
    assert [(one.kind, one.partners) for one in case.errors] == [("merged", (1, 2, 3))]
    assert case.tally["hits@0.5"] == 0


def test_any_callable_is_a_source() -> None:
    def source(task: Task) -> tuple[int, KnownSamples]:
        return 2, read(task)

    def read(task: Task) -> Iterator[tuple[CaseOrigin, Sample] | CaseFailed]:
        yield CaseFailed("odd", "It cannot be read.")
        yield CaseOrigin(key="mine"), field("b", [(10, 10)], [], [(10, 10)])

    events = list(measure(Path("m"), source, PredictionConfig(), lambda *_: FakeCounter(COUNTING)))
    assert [type(event) for event in events] == [Preparing, MeasuringStarted, CaseFailed, Case]
    assert events[1].total == 2  # type: ignore[union-attr]
    assert events[3].origin.key == "mine"  # type: ignore[union-attr]


def test_files_are_read_one_by_one_and_failures_named(tmp_path: Path) -> None:
    class Refuses(FakeCounter):
        def predict(self, sample: Any) -> Prediction:
            if sample.name.startswith("b"):
                raise AnnotationError("It is odd.", remedy="Leave it out.")
            return super().predict(sample)

    points = Points(np.ones((1, 3), np.float32), np.zeros(1, np.int32), axes="TYX")
    for part in ("images", "points"):
        (tmp_path / part).mkdir()
    for name in "abc":
        write_image(tmp_path / "images" / f"{name}.tif", np.zeros((2, 42, 50), np.float32), "TYX", None)
        write_points_csv(tmp_path / "points" / f"{name}.csv", points)
    (tmp_path / "points" / "c.csv").write_text("nothing\nof use\n")
    task = get_task("counting").from_options({"spacing": 12.0, "empty": "no cells"})
    source = FileSource(tmp_path / "images", tmp_path / "points")
    total, samples = source(task)
    assert total == 3
    outcomes = list(measure_samples(Refuses(task), samples))
    assert [(one.name, one.origin.frame) for one in outcomes if isinstance(one, Case)] == [
        ("a t=000", 0),
        ("a t=001", 1),
    ]
    assert [one.name for one in outcomes if isinstance(one, CaseFailed)] == ["b.tif", "b.tif", "c.tif"]
