"""A person at a real window who annotates: the dock, images to paint on, a mouse."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtTest import QTest

from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from support.fakes import FakeTraining
from support.mouse import LEFT, Mouse

Pixels = np.ndarray[Any, Any]
PLANE = (80, 120)
LEFT_BOX, RIGHT_BOX = (slice(20, 60), slice(20, 50)), (slice(20, 60), slice(50, 80))


class Annotating:
    """A window with the dock for a goal; `open` gives an image to paint on."""

    def __init__(self, viewer: Any, folder: Path, goal: str = "instances") -> None:
        self.viewer = viewer
        self.dock = MicroforgeDock(viewer, Session(viewer, FakeTraining(), folder), lambda: iter(()))
        viewer.window.add_dock_widget(self.dock, name="Microforge")
        self.dock.annotate.task.set_value(goal)

    @property
    def tools(self) -> Any:
        return self.dock.annotate.tools[LABELS]

    @property
    def layer(self) -> Any:
        item = self.dock.annotate.current()
        assert item is not None
        return item.labels

    @property
    def labels(self) -> Pixels:
        return np.asarray(self.layer.data)

    def open(self, shape: tuple[int, ...] = PLANE, axes: str = "YX") -> None:
        """Open an image, and press Annotate this image."""
        image = self.viewer.add_image(np.zeros(shape, np.uint8), name=f"cells {len(self.viewer.layers)}")
        self.dock.session.set_axes(image, axes)
        self.dock.annotate.image.set_value(image)
        self.tools.annotate.click()
        self.mouse = Mouse(self.viewer, self.layer)
        self.viewer.reset_view()
        QTest.qWait(30)

    def put(self, *objects: tuple[int, tuple[Any, ...]]) -> Pixels:
        """Put objects where they are, as if painted long ago; give the labels."""
        for label, window in objects:
            self.layer.data[window] = label
        self.layer.refresh()
        return self.labels.copy()

    def passed(self, *places: tuple[float, float]) -> Pixels:
        """Give what the brush passes over on its way: what it paints where nothing is."""
        assert not self.labels.any()
        self.mouse.drag(*places, button=LEFT)
        passed = self.labels > 0
        self.mouse.undo()
        return np.asarray(passed)

    def close(self) -> None:
        self.dock.close_down()
        # pytest keeps what fixtures give; napari minds windows that are kept.
        vars(self).clear()


def annotating(make_napari_viewer: Callable[..., Any], folder: Path, goal: str = "instances") -> Iterator[Annotating]:
    """Give a person at a window, for a fixture."""
    made = Annotating(make_napari_viewer(show=True), folder, goal)
    yield made
    made.close()
