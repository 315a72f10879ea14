"""Scatter plot of true and predicted counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from microforge.evaluation.cases import Case
from microforge.gui.layers.marks import networks_point
from microforge.gui.widgets.basics import stacked
from microforge.gui.widgets.curves import colour_plot, still_plot

HEIGHT = 250


class CountPlot(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A point per image and kind, with its interval; `chosen` gives the number of the image that was clicked."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        tip = "Each point is an image: on the line the count is right. Click a point to see the image."
        self.plot = still_plot(HEIGHT, tip)
        self.plot.showGrid(x=True, y=True, alpha=0.15)
        self.plot.setLabel("bottom", "true cells")
        self.plot.setLabel("left", "cells found")
        self._line = pyqtgraph.InfiniteLine((0, 0), angle=45, pen=pyqtgraph.mkPen("#7a8aa0", width=1))
        self._bars = pyqtgraph.ErrorBarItem(x=np.zeros(0), y=np.zeros(0), pen=pyqtgraph.mkPen("#7a8aa0", width=1))
        self._points = pyqtgraph.ScatterPlotItem(
            size=9, hoverable=True, hoverSize=13, tip=_tip, pen=pyqtgraph.mkPen("#101418", width=1)
        )
        for item in (self._line, self._bars, self._points):
            self.plot.addItem(item)
        self._points.sigClicked.connect(self._on_clicked)
        stacked(self, self.plot)

    def show_cases(self, cases: Sequence[Case], selected: Sequence[int] = ()) -> None:
        """Show these images; those selected are larger."""
        spots, x, y, low, high = [], [], [], [], []
        kinds = list(dict.fromkeys(count.kind for case in cases for count in case.counts))
        for number, case in enumerate(cases):
            for count in case.counts:
                brush = networks_point(kinds.index(count.kind))
                shape = {"size": 16, "symbol": "d"} if number in selected else {"size": 9, "symbol": "o"}
                text = f"{case.name}{f', {count.kind}' if count.kind else ''}: {count.found:.0f} of {count.truth}"
                spots.append({"pos": (count.truth, count.found), "brush": brush, "data": (number, text), **shape})
                if count.low is not None and count.high is not None:
                    x.append(count.truth)
                    y.append(count.found)
                    low.append(count.found - count.low)
                    high.append(count.high - count.found)
        self._points.setData(spots=spots)
        arrays = {"x": x, "y": y, "bottom": low, "top": high}
        self._bars.setData(**{name: np.array(values, float) for name, values in arrays.items()}, beam=0)
        counts = [count for case in cases for count in case.counts]
        most = max([max(count.truth, count.found) for count in counts], default=1)
        # An interval that is very wide may leave the plot, rather than squeeze the points into a corner.
        most = max([most, *(min(count.high or 0, 1.3 * most) for count in counts)])
        self.plot.setRange(xRange=(0, most), yRange=(0, most), padding=0.05)

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        colour_plot(self.plot, background, text)

    def _on_clicked(self, _item: Any, points: Sequence[Any], _event: Any = None) -> None:
        if len(points):
            self.chosen.emit(int(points[0].data()[0]))


def _tip(x: float, y: float, data: Any) -> str:
    return str(data[1])
