"""The window goes on when all layers go at once: with a driver that crashes, the whole program would end."""

import subprocess
import sys
from pathlib import Path

import pytest

#: In a program of its own, as what is to be seen is whether that program ends well.
STEPS = """
import time
import napari
import numpy as np
from qtpy.QtWidgets import QApplication
from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from support.fakes import fake_warm_up

def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)

viewer = napari.Viewer(show=True)
dock = MicroforgeDock(viewer, Session(viewer), fake_warm_up)
viewer.window.add_dock_widget(dock, name="Microforge")
pixels = np.random.default_rng(0).random((192, 192))
for shape in ((1, 1, 1, 192, 192), (3, 192, 192)):
    viewer.add_image(pixels)
    dock.annotate.tools[LABELS].annotate.click()
    wait(0.4)
    viewer.layers.selection.active.paint((30, 30), 1)
    viewer.add_labels(np.ones((192, 192), int))
    wait(0.3)
    viewer.layers.clear()
    wait(0.3)
    viewer.add_image(np.broadcast_to(pixels, shape))
    wait(0.5)
    viewer.layers.clear()
viewer.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(2))
def test_window_survives_that_all_layers_go_while_painting_and_images_of_more_dimensions_come(turn: int) -> None:
    tests = Path(__file__).parents[1]
    ended = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, timeout=120, cwd=tests)
    assert ended.returncode == 0, ended.stderr[-2000:]
