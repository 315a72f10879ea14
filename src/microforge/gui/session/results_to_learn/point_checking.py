"""Check counted cells one by one: what is right becomes a point of hers, what is wrong goes from the result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.errors import MicroforgeError
from microforge.evaluation.queue import ToCheck, queue_of_points
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.point_results import columns_of_points, points_of_result
from microforge.gui.layers.points import points_on
from microforge.gui.session.results_to_learn.checking import Checking
from microforge.gui.session.results_to_learn.points import known_points, take_point
from microforge.gui.session.state import Session
from microforge.types import Array, Points

#: How far a box reaches around a point, in widths of the point.
_REACH = 1.0


@dataclass(frozen=True, eq=False)
class DoubtfulPoint:
    """A point that is asked about: itself, its place in the layer of the result, and how far its box reaches."""

    one: ToCheck
    point: Points
    place: npt.NDArray[np.float64]
    reach: float

    def corners(self) -> tuple[list[float], list[float]]:
        """Give two corners of the box around it, in pixels of the layer of the result."""
        return (self.place - self.reach).tolist(), (self.place + self.reach).tolist()


class PointChecking(Checking):
    """Asks about the cells that a model counted."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._image: Layer | None = None
        self._result: PointsLayer | None = None

    @property
    def layer(self) -> PointsLayer | None:
        """The layer of the result, while something is checked."""
        return self._result

    def start(self, image: Layer, layer: PointsLayer) -> None:
        """Find out what is to be checked of the cells counted on an image.

        Raises
        ------
        MicroforgeError
            If it is not known how sure the model is of each.
        """
        self.stop()
        sure = columns_of_points(layer).get("confidence")
        if sure is None:
            raise MicroforgeError("How sure the model is of these cells is not known.", remedy="Apply it again.")
        found, axes = points_of_result(layer), axes_of(image, self._session.axes_of(image))[0]
        item = self._session.annotated_of(image)
        hers = points_on(() if item is None else item.points, image, axes)
        self._image, self._result = image, layer
        places, reach = np.array(layer.data, np.float64), _REACH * float(np.median(layer.size)) if len(found) else 1.0
        self.begin(layer, lambda: _queue(found, hers, np.asarray(sure, np.float64), places, reach))

    def stop(self) -> None:
        """Ask about nothing any more; what was answered stays."""
        self._image = self._result = None
        super().stop()

    def question(self) -> str:
        """Ask whether there is a cell."""
        asked = self.asked
        kind = asked.point.kinds[int(asked.point.kind[0])]
        what = f"a cell of the kind {kind}" if kind else "a cell"
        return f"Is there {what} in the box? (The model: {100 * asked.one.confidence:.0f} % sure.)"

    def right(self) -> None:
        """Make it a point of hers."""
        self._take()

    def wrong(self) -> None:
        """Take it out of the result: the cells left are those that count."""
        asked, result = self.asked, self._result
        if asked is None or result is None:
            return
        rows = np.flatnonzero((np.asarray(result.data) == asked.place).all(axis=1))
        if not len(rows):
            self.go_on(lambda: None)
            return
        row = int(rows[0])
        result.selected_data = {row}
        result.remove_selected()
        self.go_on(lambda: _put_back(result, asked.place))

    def repair(self) -> None:
        """Make it a point of hers, and let her move it."""
        layer = self._take()
        if layer is not None:
            self._session.viewer.layers.selection.active = layer
            layer.mode = "select"
            layer.selected_data = {len(layer.data) - 1}

    def _take(self) -> PointsLayer | None:
        asked, image, result = self.asked, self._image, self._result
        if asked is None or image is None or result is None:
            return None
        layer = take_point(self._session, image, result, asked.point)
        self.go_on(lambda: _take_away(layer))
        return layer


def _queue(
    found: Points, hers: Points, sure: npt.NDArray[np.float64], places: Array, reach: float
) -> Iterator[list[DoubtfulPoint]]:
    """Give the cells that are to be checked: those that she has not clicked already."""
    known: Sequence[bool] = known_points(hers, found, np.ones(len(found.axes.replace("T", "")))).tolist()
    queue = [one for one in queue_of_points(found, np.nan_to_num(sure, nan=1.0)) if not known[one.number]]
    yield [DoubtfulPoint(one, found.only(np.array([one.number])), places[one.number], reach) for one in queue]


def _take_away(layer: PointsLayer) -> None:
    if len(layer.data):
        layer.selected_data = {len(layer.data) - 1}
        layer.remove_selected()


def _put_back(layer: PointsLayer, place: npt.NDArray[np.float64]) -> None:
    layer.add(place)
    layer.selected_data = set()
