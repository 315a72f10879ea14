"""Histogram of one column or scatter plot of two; what is chosen is marked, what is clicked is told."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QWidget

from microforge.gui.widgets.basics import stacked
from microforge.gui.widgets.curves import colour_plot, still_plot
from microforge.gui.widgets.measured.rows import OUTLIER
from microforge.measurements.distributions import Histogram, histogram
from microforge.measurements.headings import Heading
from microforge.types import Doubles

PLOT_HEIGHT = 150
_PLAIN, _CHOSEN = "#4f9dff", "#e8459b"
_TIP = "Click a bar or a point to choose its objects: they are marked in the table and shown on the image."


class MeasuredPlot(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A plot of rows, each known by a number; `picked` gives those that were clicked."""

    picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.plot = still_plot(PLOT_HEIGHT, _TIP)
        for side in ("left", "bottom"):
            # Thousandths written beside the title are read as a unit.
            self.plot.getAxis(side).enableAutoSIPrefix(False)
        self._bars = pyqtgraph.BarGraphItem(x0=[], x1=[], height=[], brush=_PLAIN, pen=None)
        self._chosen_bars = pyqtgraph.BarGraphItem(x0=[], x1=[], height=[], brush=_CHOSEN, pen=None)
        self._line = pyqtgraph.InfiniteLine(angle=90, pen=pyqtgraph.mkPen(_CHOSEN, width=2))
        self._points = pyqtgraph.ScatterPlotItem(size=6, pen=None, hoverable=True, hoverSize=9, tip=None)
        self._chosen_points = pyqtgraph.ScatterPlotItem(size=10, pen=pyqtgraph.mkPen("#ffffff", width=1), brush=_CHOSEN)
        for item in (self._bars, self._chosen_bars, self._line, self._points, self._chosen_points):
            self.plot.addItem(item)
        self._rows: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._x: Doubles = np.zeros(0)
        self._y: Doubles | None = None
        self._histogram: Histogram | None = None
        self._points.sigClicked.connect(self._on_point)
        self.plot.scene().sigMouseClicked.connect(self._on_click)
        stacked(self, self.plot)

    def show_rows(
        self,
        rows: npt.NDArray[np.int64],
        x: tuple[Heading, Doubles],
        y: tuple[Heading, Doubles] | None = None,
        far: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Show a histogram of `x`, or `y` over it; `far` tells which rows are far from the others."""
        self._rows, self._x, self._y = rows, x[1], None if y is None else y[1]
        self._histogram = histogram(self._x) if y is None else None
        self.plot.setLabel("bottom", x[0].text)
        self.plot.setLabel("left", "objects" if y is None else y[0].text)
        self._draw(np.zeros(len(rows), bool) if far is None else far)
        self.mark(())
        self.plot.getPlotItem().getViewBox().autoRange(padding=0.03)

    def mark(self, chosen: Sequence[int]) -> None:
        """Mark the rows that are chosen."""
        here = np.isin(self._rows, np.asarray(chosen, np.int64))
        x = self._x[here]
        alone = self._y is None and len(x) == 1 and bool(np.isfinite(x[0]))
        self._line.setVisible(alone)
        if alone:
            self._line.setPos(float(x[0]))
        if self._histogram is not None:
            bars = self._histogram.bar_of(x)
            counts = np.bincount(bars[bars >= 0], minlength=len(self._histogram.counts))
            _set_bars(self._chosen_bars, self._histogram, counts if len(x) > 1 else counts * 0)
            self._chosen_points.clear()
        elif self._y is not None:
            _set_bars(self._chosen_bars, None)
            self._chosen_points.setData(x=x, y=self._y[here])

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        colour_plot(self.plot, background, text)

    def set_height(self, height: int | None) -> None:
        """Give the plot so many pixels, or what room there is."""
        self.plot.setMinimumHeight(height or PLOT_HEIGHT)
        self.plot.setMaximumHeight(height or (1 << 24) - 1)

    def _draw(self, far: npt.NDArray[np.bool_]) -> None:
        _set_bars(self._bars, self._histogram)
        if self._y is None:
            self._points.clear()
            return
        known = np.isfinite(self._x) & np.isfinite(self._y)
        brushes = np.where(far[known], OUTLIER, _PLAIN).tolist()
        self._points.setData(x=self._x[known], y=self._y[known], data=self._rows[known], brush=brushes)

    def _on_point(self, _item: Any, points: Sequence[Any], _event: Any = None) -> None:
        if len(points):
            self.picked.emit([int(points[0].data())])

    def _on_click(self, event: Any) -> None:
        found = self._histogram
        if found is None or event.button() != Qt.MouseButton.LeftButton:
            return
        box = self.plot.getPlotItem().getViewBox()
        if box.sceneBoundingRect().contains(event.scenePos()):
            bar = found.bar_of(np.array([box.mapSceneToView(event.scenePos()).x()]))[0]
            self.picked.emit(self._rows[found.bar_of(self._x) == bar].tolist() if bar >= 0 else [])


def _set_bars(bars: Any, found: Histogram | None, counts: npt.NDArray[Any] | None = None) -> None:
    if found is None or not len(found.counts):
        bars.setOpts(x0=[], x1=[], height=[])
        return
    bars.setOpts(x0=found.edges[:-1], x1=found.edges[1:], height=found.counts if counts is None else counts)
