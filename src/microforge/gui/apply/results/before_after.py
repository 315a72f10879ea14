"""Buttons for comparing before and after: original, result, split view, difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from napari.layers import Image, Layer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QButtonGroup, QLabel, QPushButton, QSlider, QWidget

from microforge.answers.before_after import Halves, Removed
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.results import DETAILS
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked, steady, tick

RESULT, ORIGINAL, SPLIT = "Result", "Original", "Split"
_TIPS = {
    RESULT: "Show the result.",
    ORIGINAL: "Hide the result, to see the image as it was.",
    SPLIT: "Left of the line the original, right of it the result; move the line with the slider.",
}
NOISE_ONLY = "The difference layer must look like noise. Structures that you see in it were removed from the image."
#: Positions of the divider.
SLIDER_STEPS = 1000
#: Milliseconds in which several moves of the divider become one.
REDRAW_DELAY = 15


@dataclass(eq=False)
class BeforeAfterPair:
    """An image, the layers made from it, and those that compare them.

    Attributes
    ----------
    alike
        Whether both are in the same intensities, so that they are shown alike and can be subtracted.
    covered
        Whether the source was hidden because both halves lie over it: a layer less to draw keeps the slider fluid.
    """

    source: Image
    results: list[Layer]
    alike: bool
    split: Layer | None = None
    removed: Layer | None = None
    covered: bool = False


class BeforeAfter(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Compare the images of the last run with their results, all of them at once."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._pairs: list[BeforeAfterPair] = []
        self._busy = False
        self.buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self.divider = steady(QSlider(Qt.Orientation.Horizontal))
        self.divider.setRange(0, SLIDER_STEPS)
        self.divider.setValue(SLIDER_STEPS // 2)
        self.divider.setToolTip("Where the line between original and result is.")
        tip = "Add a layer of what was removed: the original minus the result."
        self.difference = tick("Difference layer", tip)
        self.about = Note(NOISE_ONLY, "info")
        self._soon = QTimer(self, singleShot=True, interval=REDRAW_DELAY)
        self._left_over: list[Layer] = []
        self._sweeping = QTimer(self, singleShot=True, interval=0)
        self._lay_out()
        self._connect()
        self.clear()

    def clear(self) -> None:
        """Forget the last run; its results are shown, what compared them goes."""
        self.show_mode(RESULT)
        self._remove([pair.split for pair in self._pairs])
        self._pairs = []
        self._show_parts()

    def add(self, source: Image, results: Sequence[Layer], *, alike: bool) -> None:
        """Take in an image and its results."""
        pair = BeforeAfterPair(source, list(results), alike)
        known = (
            layer for layer in self._session.viewer.layers if layer.metadata.get("removed_from") == source.unique_id
        )
        pair.removed = next(known, None)
        self._pairs.append(pair)
        if pair.removed is not None:
            self._renew(pair, pair.removed)
        self._show_parts()
        self._on_difference(self.difference.isChecked())

    def _renew(self, pair: BeforeAfterPair, layer: Layer) -> None:
        """Bring a difference layer of an earlier run up to date; a new one would cost more."""
        if _can_subtract(pair):
            after = pair.results[0]
            layer.data = Removed(pair.source.data, after.data, colour=after.rgb)
        else:
            self._remove([layer])

    def close_down(self) -> None:
        """Let go of the viewer."""
        self._soon.stop()
        self._sweeping.stop()
        self._session.viewer.layers.events.removed.disconnect(self._on_removed)

    def show_mode(self, mode: str) -> None:
        """Show the result, the original, or both halves."""
        if not self.buttons[mode].isChecked():
            self.buttons[mode].setChecked(True)
        self.divider.setVisible(mode == SPLIT)
        for pair in self._pairs:
            self._show_pair(pair, mode)

    def _lay_out(self) -> None:
        for mode, tip in _TIPS.items():
            made = button(mode, tip, partial(self.show_mode, mode))
            made.setCheckable(True)
            self._group.addButton(made)
            self.buttons[mode] = made
        row = beside(QLabel("Show"), *self.buttons.values(), wide=(1, 2, 3))
        stacked(self, row, self.divider, self.difference, self.about)
        self.buttons[RESULT].setChecked(True)

    def _connect(self) -> None:
        self.divider.valueChanged.connect(lambda _: self._soon.start())
        self._soon.timeout.connect(self._move)
        self._sweeping.timeout.connect(self._sweep)
        self.difference.toggled.connect(self._on_difference)
        self._session.viewer.layers.events.removed.connect(self._on_removed)

    def _show_parts(self) -> None:
        self.setVisible(bool(self._pairs))
        self.buttons[SPLIT].setVisible(any(_can_split(pair) for pair in self._pairs))
        removable = any(_can_subtract(pair) for pair in self._pairs)
        self.difference.setVisible(removable)
        self.about.setVisible(removable and self.difference.isChecked())

    def _show_pair(self, pair: BeforeAfterPair, mode: str) -> None:
        split = mode == SPLIT and _can_split(pair)
        if split and pair.split is None:
            pair.split = _split_layer(pair)
            self._insert(pair.split)
        self._move()
        for layer in pair.results:
            layer.visible = mode == RESULT or (mode == SPLIT and not split)
        if pair.split is not None:
            pair.split.visible = split
        if pair.removed is not None:
            # It would cover what is asked for.
            pair.removed.visible = False
        if mode == ORIGINAL or (pair.covered and not split):
            pair.source.visible = True
        elif split:
            pair.source.visible = False
        pair.covered = split

    def _move(self) -> None:
        for pair in self._pairs:
            if pair.split is not None and pair.split.visible:
                halves = pair.split.data
                halves.divider = round(self.divider.value() / SLIDER_STEPS * halves.width)
                pair.split.refresh(extent=False, thumbnail=False, highlight=False)

    def _on_difference(self, wanted: bool) -> None:
        for pair in self._pairs if wanted else ():
            if pair.removed is None and _can_subtract(pair):
                pair.removed = _removed_layer(pair)
                self._insert(pair.removed)
            elif pair.removed is not None:
                pair.removed.visible = True
        if not wanted:
            self._remove([pair.removed for pair in self._pairs])
        self._show_parts()

    def _insert(self, layer: Layer) -> None:
        """Add a layer; what is selected, and would be predicted next, stays."""
        layers = self._session.viewer.layers
        chosen, active = set(layers.selection), layers.selection.active
        add_beside_brushes(self._session.viewer, layer)
        layers.selection = chosen
        layers.selection.active = active

    def _remove(self, layers: Sequence[Layer | None]) -> None:
        self._busy = True
        for layer in layers:
            if layer is not None and layer in self._session.viewer.layers:
                self._session.viewer.layers.remove(layer)
        self._busy = False

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        for pair in self._pairs:
            pair.results = [one for one in pair.results if one is not layer]
            pair.removed = None if pair.removed is layer else pair.removed
            if pair.split is layer:
                pair.split = None
        gone = [pair for pair in self._pairs if pair.source is layer or not pair.results]
        self._pairs = [pair for pair in self._pairs if pair not in gone]
        # What compared them holds on to images that are gone. Later: in the middle of a removal napari loses count of
        # its layers, and the graphics driver crashes.
        self._left_over += [pair.split for pair in gone if pair.split is not None]
        self._sweeping.start()
        if not self._busy:
            self._follow(layer)
        self._show_parts()

    def _sweep(self) -> None:
        layers, self._left_over = self._left_over, []
        self._remove(layers)

    def _follow(self, layer: Layer) -> None:
        """Take a comparison that the user removed by hand for one that is not wanted."""
        if layer.metadata.get("split"):
            self.show_mode(RESULT)
        if "removed_from" in layer.metadata and not any(pair.removed for pair in self._pairs):
            self.difference.setChecked(False)


def _can_split(pair: BeforeAfterPair) -> bool:
    """Whether original and result have the same dimensions, the result perhaps a finer grid."""
    before, after = pair.source, pair.results[0] if pair.results else None
    if after is None or before.multiscale or before.rgb != after.rgb or before.data.ndim != after.data.ndim:
        return False
    y, x = (after.data.ndim - 2 - after.rgb, after.data.ndim - 1 - after.rgb)
    factor = after.data.shape[x] // before.data.shape[x]
    wanted = [n * factor if axis in (y, x) else n for axis, n in enumerate(before.data.shape)]
    return factor > 0 and list(after.data.shape) == wanted


def _can_subtract(pair: BeforeAfterPair) -> bool:
    return pair.alike and _can_split(pair) and pair.results[0].data.shape == pair.source.data.shape


def _split_layer(pair: BeforeAfterPair) -> Layer:
    before, after = pair.source, pair.results[0]
    if pair.alike:
        look = {} if after.rgb else {"contrast_limits": after.contrast_limits, "colormap": after.colormap}
        ranges, line = None, 255.0 if after.rgb else after.contrast_limits[1]
    else:
        look = {"contrast_limits": (0, 1), "colormap": "gray"}
        ranges, line = (tuple(before.contrast_limits), tuple(after.contrast_limits)), 1.0
    halves = Halves(before.data, after.data, colour=after.rgb, ranges=ranges, line=line)
    layer = Image(
        halves,
        name=f"{before.name} | {after.name}",
        rgb=after.rgb,
        metadata={"split": True, DETAILS: {"source": before.unique_id, "kind": "split"}},
        **look,
        **geometry_of(after, range(after.ndim)),
    )
    mark_result(layer, layer.name)
    return layer


def _removed_layer(pair: BeforeAfterPair) -> Layer:
    before, after = pair.source, pair.results[0]
    removed = Removed(before.data, after.data, colour=after.rgb)
    most = removed.spread() or 1.0
    layer = Image(
        removed,
        name=f"{before.name} removed",
        colormap="gray",
        contrast_limits=(-most, most),
        metadata={"removed_from": before.unique_id, DETAILS: {"source": before.unique_id, "kind": "removed"}},
        **geometry_of(after, range(after.ndim)),
    )
    mark_result(layer, layer.name)
    return layer
