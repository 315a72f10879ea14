"""What the report of a training says of a model that is of no use yet."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from microforge.events import Doubt, RunFinished, Validated
from microforge.gui.train.report import RunReport

DOUBT = Doubt("not yet better than a threshold", "Not yet better than a threshold: AP@0.5 0.000 ... Train longer.")


def test_doubt_takes_the_place_of_best_until_the_model_is_better(qtbot: QtBot) -> None:
    report = RunReport()
    qtbot.addWidget(report)
    report.show()
    report.begin("AP@0.5", limited=False)
    report.add(Validated(60, {"AP@0.5": 0.0}, True, doubt=DOUBT))
    assert report.score.text() == "AP@0.5 0.000 (not yet better than a threshold)"
    assert report.doubt.isVisible()
    assert report.doubt.text() == DOUBT.text
    report.add(Validated(200, {"AP@0.5": 0.7}, True))
    assert report.score.text() == "AP@0.5 0.700 (best 0.700)"
    assert not report.doubt.isVisible()
    report.end()


def test_the_end_says_that_the_model_is_saved_and_what_speaks_against_it(qtbot: QtBot) -> None:
    report = RunReport()
    qtbot.addWidget(report)
    report.show()
    report.add(RunFinished(60, 90.0, Path("m.safetensors"), {}, "stopped", DOUBT))
    assert report.doing.text() == "Stopped: the model is saved, but it is not yet better than a threshold."
    assert report.doing.severity == "warning"
    assert report.doubt.text() == DOUBT.text
    report.clear()
    assert not report.doubt.isVisible()
    report.add(RunFinished(600, 90.0, Path("m.safetensors"), {}, "time"))
    assert report.doing.text() == "The time set is over: the model is saved."
    assert not report.doubt.isVisible()
