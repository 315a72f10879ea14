"""The table of results beside the canvas: a row finds its object, an object its row, a film the rows of its frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.layers import Points as PointsLayer
from qtpy.QtWidgets import QWidget

from microforge.gui.layers.point_results import columns_of_points
from microforge.gui.layers.results import CERTAINTY, DETAILS, measurements_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import stacked
from microforge.gui.widgets.canvas_view import ChosenBox, look_at, place_shown
from microforge.gui.widgets.measured import MeasuredPanel
from microforge.io.tables import joined_tables
from microforge.measurements.boxes import box_around
from microforge.types import Array

#: Pixels of the screen that the mouse may move in a click.
_STILL = 4
#: How far around a point its box reaches, in widths of the point.
_AROUND = 1.0
#: Pixels between an object and its box.
_MARGIN = 2


@dataclass(eq=False)
class TableOf:
    """A layer whose things are rows, its table, and the first of its rows in the table of all."""

    layer: Layer
    columns: dict[str, Array]
    first: int

    @property
    def letters(self) -> tuple[str, ...]:
        """One for each dimension of the layer; others are those that a result lacks."""
        return tuple(self.layer.axis_labels)

    @property
    def count(self) -> int:
        """How many rows it has."""
        return len(next(iter(self.columns.values()), ()))

    def place(self, row: int) -> list[float]:
        """Give where the thing of a row lies, in pixels of the layer."""
        if isinstance(self.layer, PointsLayer):
            return [float(value) for value in self.layer.data[row]]
        names = {"T": "frame", "Z": "centroid_z", "Y": "centroid_y", "X": "centroid_x"}
        columns = [self.columns.get(names.get(letter, "")) for letter in self.letters]
        return [0.0 if column is None else float(column[row]) for column in columns]

    def row_at(self, position: Sequence[float]) -> int | None:
        """Give the row of what lies at a place of the world; None where nothing does."""
        value = self.layer.get_value(position, world=True)
        if isinstance(self.layer, PointsLayer):
            return None if value is None else int(value)
        if not value:
            return None
        here = self.columns["label"] == int(value)
        if "frame" in self.columns:
            place = self.layer.world_to_data(position[-self.layer.ndim :])
            here &= self.columns["frame"] == round(float(place[self.letters.index("T")]))
        rows = np.flatnonzero(here)
        return int(rows[0]) if len(rows) else None

    def corners(self, row: int, shown: Sequence[int]) -> list[tuple[float, float]] | None:
        """Give the corners of the box around the thing of a row, along the two dimensions that are shown."""
        place = self.place(row)
        if isinstance(self.layer, PointsLayer):
            reach = _AROUND * float(np.max(np.asarray(self.layer.size)[row]))
            return [tuple(place[axis] + side * reach for axis in shown) for side in (-1, 1)]  # type: ignore[misc]
        kept = [axis for axis, letter in enumerate(self.letters) if letter in "ZYX"]
        if any(axis not in kept for axis in shown):
            return None
        at = tuple(slice(None) if axis in kept else round(place[axis]) for axis in range(self.layer.ndim))
        box = box_around(self.layer.data[at], int(self.columns["label"][row]), [place[axis] for axis in kept])
        sides = [box[kept.index(axis)] for axis in shown] if box else []
        if not sides:
            return None
        return [tuple(side[end] - 0.5 + (2 * end - 1) * _MARGIN for side in sides) for end in (0, 1)]  # type: ignore[misc]


class ObjectTable(QWidget):  # type: ignore[misc]  # qtpy has no types
    """The measurements of results, in the dock."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._viewer = session.viewer
        self._tables: list[TableOf] = []
        self._box, self._going = ChosenBox(), False
        self.panel = MeasuredPanel()
        stacked(self, self.panel)
        self.panel.chosen.connect(self._on_chosen)
        self._viewer.dims.events.current_step.connect(self._on_step)
        self._viewer.mouse_drag_callbacks.append(self._on_press)

    def show_layers(self, layers: Sequence[Layer]) -> None:
        """List what these layers hold, in a table of all."""
        self._box.hide()
        self._tables, first = [], 0
        for layer in layers:
            self._tables.append(TableOf(layer, table_of(layer), first))
            first += self._tables[-1].count
        self._on_step()
        self.panel.set_values(self.columns(), {"confidence": certainty_of(layers)})

    def columns(self) -> Mapping[str, Array]:
        """Give the table of all, with a column that names the image."""
        return joined_tables([(source_name(one.layer), one.columns) for one in self._tables])

    def close_down(self) -> None:
        """Let go of the viewer."""
        self.panel.close_large()
        self._box.hide()
        self._viewer.dims.events.current_step.disconnect(self._on_step)
        # A viewer that closes forgets them by itself.
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_chosen(self, chosen: Sequence[int]) -> None:
        """Bring the first of the chosen objects into view, with a box around it."""
        self._box.hide()
        one = self._owner(chosen[0]) if len(chosen) else None
        if one is None or one.layer not in self._viewer.layers:
            return
        row = chosen[0] - one.first
        self._going = True
        look_at(self._viewer, one.layer, one.place(row))
        self._going = False
        self._surround(one, row)

    def _surround(self, one: TableOf, row: int) -> None:
        dims = self._viewer.dims
        shown = [axis - dims.ndim + one.layer.ndim for axis in dims.displayed]
        if len(shown) == 2 and min(shown) >= 0 and (corners := one.corners(row, shown)) is not None:
            self._box.show(one.layer, corners)

    def _owner(self, row: int) -> TableOf | None:
        return next((one for one in self._tables if 0 <= row - one.first < one.count), None)

    def _on_step(self, _event: Any = None) -> None:
        """Follow the frame that is looked at."""
        if not self._going:
            self._box.hide()
        film = next((one for one in self._tables if "frame" in one.columns and "T" in one.letters), None)
        if film is not None and film.layer in self._viewer.layers:
            self.panel.set_frame(round(float(place_shown(self._viewer, film.layer)[film.letters.index("T")])))

    def _on_press(self, _viewer: Any, event: Any) -> Iterator[None]:
        """Find the row of what is clicked on the canvas, unless a tool is in hand."""
        start = np.asarray(event.pos)
        yield
        while event.type == "mouse_move":
            yield
        active = self._viewer.layers.selection.active
        in_hand = str(getattr(active, "mode", "pan_zoom")) != "pan_zoom"
        if not in_hand and self.panel.content.isVisible() and np.abs(np.asarray(event.pos) - start).max() <= _STILL:
            self._pick(event.position)

    def _pick(self, position: Sequence[float]) -> None:
        for one in sorted(self._tables, key=lambda one: -self._height(one.layer)):
            row = one.row_at(position) if self._height(one.layer) >= 0 and one.layer.visible else None
            if row is not None:
                self.panel.choose([one.first + row])
                self._box.hide()
                self._surround(one, row)
                return

    def _height(self, layer: Layer) -> int:
        """Give how high a layer lies on the canvas; -1 where it is gone."""
        layers = self._viewer.layers
        return int(layers.index(layer)) if layer in layers else -1


def certainty_of(layers: Sequence[Layer]) -> str:
    """Say what the confidence of results is worth: on how many objects it was calibrated, if it was."""
    said = dict.fromkeys(str(layer.metadata.get(DETAILS, {}).get(CERTAINTY, "")) for layer in layers)
    words = "; ".join(one for one in said if one)
    return f"{words[0].upper()}{words[1:]}." if words else ""


def table_of(layer: Layer) -> dict[str, Array]:
    """Give what was measured of the things of a result, one row for each."""
    return columns_of_points(layer) if isinstance(layer, PointsLayer) else measurements_of(layer)


def source_name(layer: Layer) -> str:
    """Give the name of the image that a result is of."""
    return str(layer.metadata[DETAILS]["name"]).rpartition(" (")[0]
