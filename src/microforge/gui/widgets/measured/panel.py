"""Table, line of sums and plot of the measurements of some images, which choose rows for each other."""

from collections.abc import Mapping, Sequence

import numpy as np
from qtpy.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from qtpy.QtWidgets import QDialog, QVBoxLayout, QWidget

from microforge.gui.widgets.basics import Note, Picker, button, rows, stacked, tick
from microforge.gui.widgets.measured.plot import PLOT_HEIGHT, MeasuredPlot
from microforge.gui.widgets.measured.rows import MeasuredRows
from microforge.gui.widgets.table import RowsView
from microforge.measurements.distributions import summary_text
from microforge.types import Array

#: Lines of the table that are seen in the dock.
_LINES = 8
_LARGE = (1000, 760)
_UNLIMITED = (1 << 24) - 1
_TIP = (
    "One line per object. Click a head to sort, a line to see its object, or an object on the image to find its line."
)


class MeasuredPanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Measurements to look through; `chosen` gives the rows chosen here, by their places in the columns."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.rows = MeasuredRows(self)
        self._window: QDialog | None = None
        self._busy, self._frame = False, -1
        self._chosen: tuple[int, ...] = ()
        self._make_widgets()
        self._lay_out()
        self._connect()

    def set_values(self, values: Mapping[str, Array], said: Mapping[str, str] | None = None) -> None:
        """Show measurements, one array per column; a column `image` and a `frame` are there to choose by.

        `said` is told of columns, by their names, where a person points at their titles.
        """
        images = list(dict.fromkeys(values.get("image", ())))
        before = self.rows.headings
        self._busy, self._chosen = True, ()
        self.rows.set_values(values, ("image",) if len(images) < 2 else (), said)
        self.image.set_choices([*((str(one), one) for one in images), ("all images", None)])
        self._choices.setRowVisible(self.image, len(images) > 1)
        self.all_frames.setVisible("frame" in values)
        self._offer_columns()
        self._busy = False
        self.filter()
        if self.rows.headings != before:
            self.view.resizeColumnsToContents()

    def set_frame(self, frame: int) -> None:
        """Show the objects of this time point, unless all are asked for."""
        if frame != self._frame:
            self._frame = frame
            if self.rows.has("frame"):
                self.filter()

    def filter(self) -> None:
        """Show the rows that are asked for."""
        if self._busy:
            return
        here = np.ones(self.rows.count, bool)
        if self.rows.has("image") and self.image.value() is not None and self.image.isVisibleTo(self):
            here &= self.rows.column("image") == self.image.value()
        if self.rows.has("frame") and not self.all_frames.isChecked():
            here &= self.rows.numbers("frame") == self._frame
        self.rows.restrict(here)
        self._draw()

    def choose(self, chosen: Sequence[int]) -> None:
        """Mark rows, and scroll to the first of them; says nothing of it."""
        self._chosen = tuple(chosen)
        lines = sorted(line for row in chosen if (line := self.rows.line_of(row)) is not None)
        self._busy = True
        flag = QItemSelectionModel.SelectionFlag
        selection = QItemSelection()
        for first, last in _stretches(lines):
            selection.select(self.rows.index(first, 0), self.rows.index(last, 0))
        self.view.selectionModel().select(selection, flag.ClearAndSelect | flag.Rows)
        if lines:
            first = self.rows.index(lines[0], 0)
            self.view.selectionModel().setCurrentIndex(first, flag.NoUpdate)
            self.view.scrollTo(first)
        self._busy = False
        self.plot.mark(self._chosen)
        self._sum_up()

    def set_colours(self, background: str, text: str) -> None:
        """Follow napari's theme."""
        self.plot.set_colours(background, text)

    def open_large(self) -> None:
        """Move table and plot into a window of their own; they come back when it is closed."""
        window = self._window = QDialog(self.window())
        window.setWindowTitle("Measurements")
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.resize(*_LARGE)
        QVBoxLayout(window).addWidget(self.content)
        self._allow_height(large=True)
        window.finished.connect(self._come_back)
        window.show()

    def close_large(self) -> None:
        """Take table and plot back from their window."""
        if self._window is not None:
            self._window.close()

    def _make_widgets(self) -> None:
        self.content = QWidget()
        self.view = RowsView(_TIP)
        self.view.setModel(self.rows)
        self.view.setSortingEnabled(True)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.horizontalHeader().setResizeContentsPrecision(50)
        self.image = Picker("Whose objects are listed.")
        self.all_frames = tick("All frames", "List the objects of all time points, not only of the one that is shown.")
        self.summary = Note(tip="Of the objects listed; of those chosen, where there are several.")
        self.x = Picker("What is drawn from left to right, and summed up above.")
        self.y = Picker("What is drawn upwards: how many objects there are (histogram), or another measurement.")
        self.plot = MeasuredPlot()
        self.large = button("Open large", "Show table and plot in a window of their own.", self.open_large)

    def _lay_out(self) -> None:
        self._choices = rows(("Image", self.image))
        drawn = rows(("Plot", self.y), ("over", self.x))
        parts = (self._choices, self.all_frames, self.view, self.summary, drawn, self.plot)
        inner = stacked(self.content, *parts)
        inner.setStretchFactor(self.view, 2)
        inner.setStretchFactor(self.plot, 1)
        stacked(self, self.content, self.large)
        self._allow_height(large=False)

    def _connect(self) -> None:
        self.view.selectionModel().selectionChanged.connect(self._on_selection)
        self.rows.modelReset.connect(self._on_reset)
        self.plot.picked.connect(self._on_picked)
        self.image.value_changed.connect(lambda _: self.filter())
        self.all_frames.toggled.connect(lambda _: self.filter())
        self.x.value_changed.connect(lambda _: self._draw())
        self.y.value_changed.connect(lambda _: self._draw())

    def _offer_columns(self) -> None:
        measured = self.rows.measured
        known = {one.name for one in measured}
        x, y = self.x.value(), self.y.value()
        titles = [(one.text, one.name) for one in measured]
        self.x.set_choices(titles)
        self.y.set_choices([("how many", None), *titles])
        usual = next((one.name for one in measured if one.added), measured[0].name if measured else None)
        self.x.set_value(x if x in known else usual)
        self.y.set_value(y if y in known else None)

    def _draw(self) -> None:
        if self._busy:
            return
        shown, headings = self.rows.shown, {one.name: one for one in self.rows.measured}
        x, y = self.x.value(), self.y.value()
        self.plot.setVisible(x in headings)
        if x in headings:
            across, up = ((headings[one], self.rows.numbers(one)[shown]) if one in headings else None for one in (x, y))
            assert across is not None
            self.plot.show_rows(shown, across, up, self.rows.far(x)[shown])
        self.choose(self._chosen)

    def _sum_up(self) -> None:
        heading = next((one for one in self.rows.measured if one.name == self.x.value()), None)
        if heading is None:
            self.summary.say("")
            return
        values, several = self.rows.numbers(heading.name), len(self._chosen) > 1
        rows = list(self._chosen) if several else self.rows.shown
        self.summary.say(("Chosen: " if several else "") + summary_text(values[rows], heading))

    def _on_selection(self) -> None:
        if self._busy:
            return
        self._chosen = tuple(self.rows.rows[index.row()] for index in self.view.selectionModel().selectedRows())
        self.plot.mark(self._chosen)
        self._sum_up()
        self.chosen.emit(self._chosen)

    def _on_reset(self) -> None:
        if not self._busy:
            self.choose(self._chosen)

    def _on_picked(self, chosen: Sequence[int]) -> None:
        self.choose(chosen)
        self.chosen.emit(self._chosen)

    def _allow_height(self, *, large: bool) -> None:
        line = self.view.verticalHeader().defaultSectionSize()
        self.view.setMinimumHeight((_LINES + 2) * line)
        self.view.setMaximumHeight(_UNLIMITED if large else (_LINES + 2) * line)
        self.plot.set_height(None if large else PLOT_HEIGHT)
        self.large.setVisible(not large)

    def _come_back(self) -> None:
        self._window = None
        self.layout().insertWidget(0, self.content)
        # What leaves a window that was closed is hidden.
        self.content.show()
        self._allow_height(large=False)


def _stretches(lines: Sequence[int]) -> list[tuple[int, int]]:
    """Give the first and last of each stretch of whole numbers without a gap."""
    if not lines:
        return []
    parts = np.split(np.asarray(lines), np.flatnonzero(np.diff(lines) > 1) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]
