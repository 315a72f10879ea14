"""Commands of napari menus: open the dock at one of its tabs."""

from typing import Any

import napari

from microforge.errors import MicroforgeError
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Step

#: As napari names the dock that its menu Plugins opens, so that the entry there shows and hides the same one.
DOCK_NAME = "Microforge (Microforge)"


def open_annotate() -> None:
    """Open the dock where images are annotated."""
    _open(Step.ANNOTATE)


def open_train() -> None:
    """Open the dock where a model is trained."""
    _open(Step.TRAIN)


def open_apply() -> None:
    """Open the dock where a model is applied."""
    _open(Step.APPLY)


def _open(step: Step) -> None:
    viewer = napari.current_viewer()
    if viewer is None:
        raise MicroforgeError("There is no napari window.", remedy="Start napari first.")
    dock = _dock_in(viewer.window)
    if dock is None:
        dock = MicroforgeDock(viewer)
        viewer.window.add_dock_widget(dock, name=DOCK_NAME)
    frame = dock.parentWidget()
    if frame is not None:
        frame.show()
        frame.raise_()
    dock.go_to(step)


def _dock_in(window: Any) -> MicroforgeDock | None:
    """Give the dock of a window, whoever opened it."""
    return next((dock for dock in window.dock_widgets.values() if isinstance(dock, MicroforgeDock)), None)
