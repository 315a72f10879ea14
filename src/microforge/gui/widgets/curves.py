"""Plots of loss and validation score (pyqtgraph)."""

from typing import Any

import pyqtgraph
from qtpy.QtCore import QTimer
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QWidget

from microforge.gui.widgets.basics import stacked

#: Milliseconds between redraws; a redraw costs about 2 ms.
DRAW_PERIOD = 400
#: More points than this are halved by averaging neighbours; the eye sees no difference.
MOST_POINTS = 1000
_LOSS, _SCORE = "#4f9dff", "#2fae66"
#: Size of titles, and in points of the numbers beside axes: what is well read on a laptop.
LETTERS, _LETTER_POINTS = "10pt", 10
#: Pixels from top to bottom: less, and a curve is a line.
CURVE_HEIGHT = 122


class Curve:
    """A growing line that never gets slow to draw: beyond a number of points neighbours are averaged."""

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self._each = 1
        self._waiting: list[tuple[float, float]] = []

    def add(self, x: float, y: float) -> None:
        """Add a point."""
        self._waiting.append((x, y))
        if len(self._waiting) >= self._each:
            self.x.append(sum(x for x, _ in self._waiting) / len(self._waiting))
            self.y.append(sum(y for _, y in self._waiting) / len(self._waiting))
            self._waiting.clear()
        if len(self.x) > MOST_POINTS:
            self.x, self.y, self._each = _halved(self.x), _halved(self.y), self._each * 2

    def clear(self) -> None:
        """Forget all points."""
        self.x, self.y, self._each = [], [], 1
        self._waiting.clear()


class TrainingPlots(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Plots of quality and loss, redrawn now and then. Where quality is known, loss is shown if it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.loss, self.score = Curve(), Curve()
        self._dirty = False
        tip = "The loss: how wrong the network is on what it practises. It falls, with ups and downs."
        self._loss_plot, self._loss_line = _plot("How wrong it still is", tip, _LOSS)
        self._score_plot, self._score_line = _plot("Quality", "", _SCORE, points=True)
        stacked(self, self._score_plot, self._loss_plot).setSpacing(2)
        self._loss_wanted = False
        self._show_plots()
        self._timer = QTimer(self, interval=DRAW_PERIOD)
        self._timer.timeout.connect(self.draw)

    def clear(self) -> None:
        """Begin anew."""
        self.loss.clear()
        self.forget_score()
        self._dirty = True
        self.draw()

    def set_running(self, running: bool) -> None:
        """Redraw now and then, or no more."""
        self.draw()
        (self._timer.start if running else self._timer.stop)()

    def add_loss(self, step: int, loss: float) -> None:
        """Add the loss of a step."""
        self.loss.add(step, loss)
        self._dirty = True

    def name_score(self, name: str, *, higher_is_better: bool) -> None:
        """Say which score is added: it measures quality, or errors where a lower one is better."""
        what, way = ("Quality", "rises") if higher_is_better else ("Error", "falls")
        self._score_plot.setTitle(f"{what} on what was kept aside", size=LETTERS)
        self._score_plot.setToolTip(f"{name}, measured on images or parts that are not trained on: it {way}.")

    def add_score(self, step: int, value: float) -> None:
        """Add a score on what was kept aside."""
        self.score.add(step, value)
        self._show_plots()
        self._dirty = True

    def forget_score(self) -> None:
        """Show no scores until there are new ones."""
        self.score.clear()
        self._show_plots()

    def show_loss(self, wanted: bool) -> None:
        """Show the loss also where quality is plotted."""
        self._loss_wanted = wanted
        self._show_plots()

    def _show_plots(self) -> None:
        measured = bool(self.score.x)
        self._score_plot.setVisible(measured)
        self._loss_plot.setVisible(self._loss_wanted or not measured)

    def draw(self) -> None:
        """Redraw if there is anything new and anyone to see it."""
        if not self._dirty or not self.isVisible():
            return
        self._dirty = False
        self._loss_line.setData(self.loss.x, self.loss.y)
        self._score_line.setData(self.score.x, self.score.y)

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        for plot in (self._loss_plot, self._score_plot):
            colour_plot(plot, background, text)
            plot.getPlotItem().titleLabel.setText(plot.getPlotItem().titleLabel.text, color=text)


def _plot(title: str, tip: str, colour: str, *, points: bool = False) -> tuple[Any, Any]:
    plot = still_plot(CURVE_HEIGHT, tip)
    plot.setTitle(title, size=LETTERS)
    plot.setLimits(yMin=0, minYRange=0.05)
    plot.showGrid(x=False, y=True, alpha=0.2)
    marks = {"symbol": "o", "symbolSize": 5, "symbolBrush": colour, "symbolPen": None} if points else {}
    return plot, plot.plot(pen=pyqtgraph.mkPen(colour, width=1.5), **marks)


def still_plot(height: int, tip: str) -> Any:
    """Make a plot that is only looked at: no menu, no buttons, no zoom."""
    plot = pyqtgraph.PlotWidget()
    plot.setFixedHeight(height)
    plot.setMinimumWidth(1)
    plot.setToolTip(tip)
    plot.setMenuEnabled(False)
    plot.setMouseEnabled(False, False)
    plot.hideButtons()
    font = QFont()
    font.setPointSize(_LETTER_POINTS)
    for side in ("left", "bottom"):
        plot.getAxis(side).setStyle(tickFont=font)
    return plot


def colour_plot(plot: Any, background: str, text: str) -> None:
    """Give a plot the colours of napari's theme."""
    plot.setBackground(background)
    for side in ("left", "bottom"):
        plot.getAxis(side).setPen(text)
        plot.getAxis(side).setTextPen(text)


def _halved(values: list[float]) -> list[float]:
    return [(a + b) / 2 for a, b in zip(values[::2], values[1::2], strict=False)]
