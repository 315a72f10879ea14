import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.widgets.curves import MOST_POINTS, Curve, TrainingPlots


def test_a_curve_stays_short_and_keeps_its_shape() -> None:
    curve = Curve()
    for step in range(50_000):
        curve.add(step, 2 * step)
    assert MOST_POINTS // 2 <= len(curve.x) <= MOST_POINTS
    assert curve.x == sorted(curve.x)
    assert all(y == pytest.approx(2 * x) for x, y in zip(curve.x, curve.y, strict=True))


def test_points_are_drawn_only_when_asked(qtbot: QtBot) -> None:
    plots = TrainingPlots()
    qtbot.addWidget(plots)
    plots.show()
    plots.add_loss(1, 0.5)
    plots.add_score(1, 0.4)
    assert plots._loss_line.getData()[0] is None
    plots.draw()
    assert list(plots._loss_line.getData()[1]) == [0.5]
    assert plots._score_plot.isVisible()
    assert not plots._loss_plot.isVisible(), "quality says more, and there is little room"
    plots.show_loss(True)
    assert plots._loss_plot.isVisible()
    plots.show_loss(False)
    plots.clear()
    assert not plots._score_plot.isVisible()
    assert plots._loss_plot.isVisible()


def test_plots_follow_the_theme(qtbot: QtBot) -> None:
    plots = TrainingPlots()
    qtbot.addWidget(plots)
    plots.set_colours("#ffffff", "#123456")
    assert plots._loss_plot.getAxis("left").textPen().color().name() == "#123456"
