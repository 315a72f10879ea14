"""What the report of a training says of a model that is of no use yet."""

from pathlib import Path

import numpy as np
from pytestqt.qtbot import QtBot

from microforge.events import Doubt, Preparing, RunAdvice, RunFinished, RunStarted, StepFinished, Validated, WorstPlace
from microforge.gui.layers.marks import MINE
from microforge.gui.train.report import RunReport
from microforge.tasks import get_task

DOUBT = Doubt("not yet better than a threshold", "Not yet better than a threshold: AP@0.5 0.000 ...", "Train longer.")


def test_doubt_takes_the_place_of_best_until_the_model_is_better(qtbot: QtBot) -> None:
    report = RunReport()
    qtbot.addWidget(report)
    report.show()
    report.begin(get_task("instances"), limited=False)
    report.add(Validated(60, {"AP@0.5": 0.0}, True, doubt=DOUBT))
    assert report.score.text() == "AP@0.5 0.000 (not yet better than a threshold)"
    assert report.quality.text() == "Not yet better than a threshold. Train longer."
    assert (report.quality.severity, report.quality.toolTip()) == ("warning", DOUBT.text)
    report.add(Validated(200, {"AP@0.5": 0.7, "F1@0.5": 0.8}, True))
    assert report.score.text() == "AP@0.5 0.700 (best 0.700) · F1@0.5 0.800"
    assert report.quality.text() == "Finds 8 of 10 objects; 1 in 5 it finds is none."
    assert report.quality.severity == "ok"
    report.end()


def test_the_end_says_that_the_model_is_saved_and_what_speaks_against_it(qtbot: QtBot) -> None:
    report = RunReport()
    qtbot.addWidget(report)
    report.show()
    report.add(RunFinished(60, 90.0, Path("m.safetensors"), {}, "stopped", DOUBT))
    assert report.doing.text() == "Stopped: the model is saved."
    assert report.doing.severity == "info"
    assert report.quality.text() == "Not yet better than a threshold. Train longer."
    assert report.quality.severity == "warning"
    report.clear()
    assert not report.quality.isVisible()
    report.add(RunFinished(600, 90.0, Path("m.safetensors"), {}, "time"))
    assert report.doing.text() == "The time set is over: the model is saved."
    assert not report.quality.isVisible()


def shown(qtbot: QtBot) -> RunReport:
    report = RunReport()
    qtbot.addWidget(report)
    report.show()
    report.begin(get_task("instances"), limited=False)
    return report


def test_words_do_not_flicker_between_steps(qtbot: QtBot) -> None:
    report = shown(qtbot)
    report.add(Preparing("Reading images"))
    assert report.doing.text() == "Reading images", "before the first step it is all there is to say"
    report.add(StepFinished(1, 0.5, 0.1))
    said = []
    for step in range(2, 6):
        report.add(Preparing("Measuring"))
        said.append(report.doing.text())
        report.add(StepFinished(step, 0.5, 0.1 * step))
        said.append(report.doing.text())
    assert set(said) == {""}
    report.add(Preparing("Measuring"))
    qtbot.waitUntil(lambda: report.doing.text() == "Measuring")
    report.end()


def test_hints_are_few_and_leave_when_they_hold_no_more(qtbot: QtBot) -> None:
    report = shown(qtbot)
    for code, severity in (("stack", "info"), ("overfitting", "warning"), ("dtypes", "info")):
        report.add(RunAdvice(code, f"about {code}", severity))  # type: ignore[arg-type]
    visible = [note.text() for note in report.hints._notes if note.isVisible()]
    assert visible == ["about overfitting", "about dtypes"]
    assert report.hints.more.text() == "1 more hint …"
    report.hints.more.click()
    assert [note.text() for note in report.hints._notes if note.isVisible()][2] == "about stack"
    report.add(Validated(5, {"AP@0.5": 0.4}, is_best=False))
    assert report.hints.texts == ["about overfitting", "about dtypes", "about stack"]
    report.add(Validated(9, {"AP@0.5": 0.6}, is_best=True))
    assert report.hints.texts == ["about dtypes", "about stack"]
    assert not report.hints.more.isVisible()
    report.end()


def test_no_quality_is_plotted_where_none_is_measured_any_more(qtbot: QtBot) -> None:
    report = shown(qtbot)
    report.add(RunStarted("", "a device", 1, {}, ("a",), ("b",)))
    report.add(Validated(5, {"AP@0.5": 0.4}, is_best=True))
    assert report.plots._score_plot.isVisible()
    report.begin(get_task("instances"), limited=False)
    report.add(RunStarted("", "a device", 1, {}, ("a",), (), resumed_at=5))
    assert not report.plots._score_plot.isVisible()
    assert not report.score.text()
    assert report.quality.text().startswith("Quality is unknown")
    report.add(RunAdvice("no-validation", "Fewer than 40 objects: quality is not measured."))
    assert report.quality.text() == "Fewer than 40 objects: quality is not measured.", "why stands where quality would"
    assert not report.hints.texts
    report.add(Validated(9, {"AP@0.5": 0.0, "F1@0.5": 0.0}, is_best=True))
    assert (report.quality.text(), report.quality.severity) == ("Finds none of the objects.", "warning")
    report.end()


def test_the_worst_places_are_shown_in_pictures(qtbot: QtBot) -> None:
    report = shown(qtbot)
    outlines = np.zeros((96, 96), bool)
    outlines[10, 10:20] = True
    place = WorstPlace("a", (0, 0), 99, np.full((96, 96), 128, np.uint8), outlines, np.zeros((96, 96), bool))
    wanted: list[WorstPlace] = []
    report.worst.wanted.connect(wanted.append)
    report.add(Validated(5, {"AP@0.5": 0.4}, is_best=True, worst=(place,)))
    first, second = report.worst.buttons
    assert first.isVisible()
    assert not second.isVisible()
    colours = {first.icon().pixmap(96, 96).toImage().pixelColor(x, 10).name() for x in range(96)}
    assert colours == {"#808080", MINE[0]}
    first.click()
    assert wanted == [place]
    report.add(Validated(9, {"AP@0.5": 0.9}, is_best=True))
    assert not report.worst.isVisible()
    report.end()
