"""A process with a real window in which a person paints with the mouse, until it is killed; see `test_killed_window`.

Tells on its output what is painted, once the window says that all is saved.
"""

import json
import sys
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from qtpy.QtTest import QTest

from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from support.fakes import FakeTraining
from support.mouse import Mouse


def main(folder: Path) -> None:
    """Open an image, paint two strokes, tell, and paint on."""
    image = folder / "cells.tif"
    tifffile.imwrite(image, np.random.default_rng(0).integers(0, 255, (80, 120), np.uint8))
    viewer = napari.Viewer(show=True)
    dock = MicroforgeDock(viewer, Session(viewer, FakeTraining(), folder / "runs"), lambda: iter(()))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.annotate.empty.read(image)
    while not dock.session.images():
        QTest.qWait(20)
    dock.annotate.tools[LABELS].annotate.click()
    labels = dock.session.annotated[0].labels
    viewer.reset_view()
    QTest.qWait(50)
    mouse = Mouse(viewer, labels)
    mouse.drag((20, 20), (20, 60))
    mouse.drag((50, 30), (60, 90))
    tell_when_saved(dock, labels)
    while True:
        QTest.qWait(20)


def tell_when_saved(dock: Any, labels: Any) -> None:
    """Tell the labels as run lengths, once the window says that they are kept."""
    QTest.qWait(500)
    while dock.project.state.text() != "All saved" or dock.autosave.unsaved():
        QTest.qWait(20)
    sys.stdout.write(f"{json.dumps(np.asarray(labels.data).tolist())}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
