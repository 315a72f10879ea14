"""What crashes in graphics drivers."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from vispy.gloo import gl, glir

from microforge.gui.layers.brush_cursor import delete_shaders_late

#: Removes a layer right after it was drawn, and draws another.
REMOVING = """
import time
import napari, numpy as np
from microforge.gui.layers.brush_cursor import delete_shaders_late
from qtpy.QtWidgets import QApplication

def draw():
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        QApplication.processEvents()

delete_shaders_late()
viewer = napari.Viewer(show=True)
viewer.add_image(np.zeros((384, 384), np.float32))
draw()
viewer.add_shapes([np.array([[9, 9], [9, 90], [90, 90], [90, 9.0]])], name="shapes")
draw()
viewer.layers.remove("shapes")
draw()
viewer.camera.zoom *= 1.1
draw()
print("drawn", flush=True)
viewer.close()
"""


def test_shaders_are_deleted_once_something_else_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr(glir.GlirProgram, "draw", lambda _, mode: done.append(mode))
    monkeypatch.setattr(glir.GlirProgram, "delete", glir.GlirProgram.delete)
    monkeypatch.setattr(glir.GlirProgram, "microforge_deleted_late", False, raising=False)
    monkeypatch.setattr(gl, "glDeleteProgram", done.append)
    delete_shaders_late()
    delete_shaders_late()
    canvas, other = SimpleNamespace(env={}), SimpleNamespace(env={})
    removed, kept, elsewhere = (glir.GlirProgram.__new__(glir.GlirProgram) for _ in range(3))
    removed._parser = kept._parser = canvas
    elsewhere._parser = other
    removed._handle, kept._handle, elsewhere._handle = 1, 2, 3
    removed.delete()
    elsewhere.draw("of another canvas")
    assert done == ["of another canvas"]
    kept.draw("lines")
    kept.draw("lines")
    assert done == ["of another canvas", "lines", 1, "lines"]


@pytest.mark.slow
def test_a_layer_removed_right_after_it_was_drawn_does_not_end_the_program() -> None:
    ran = subprocess.run([sys.executable, "-c", REMOVING], capture_output=True, text=True, check=False, timeout=120)
    assert "drawn" in ran.stdout, ran.stderr
