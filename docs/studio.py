"""A napari window with the dock, and a camera: what the pictures of the user guide are made with."""

import time
from collections.abc import Callable
from pathlib import Path

import napari
from napari.layers import Layer
from PIL import Image as Picture
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QWidget

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.training_run import RunState

SIZE = (1360, 860)
DOCK_WIDTH = 340
#: Micrometres per pixel of the images made here.
PIXEL = (0.35, 0.35)


class Studio:
    """A napari window with the dock, and a camera."""

    def __init__(self, images: Path, work: Path) -> None:
        self.images, self.work = images, work
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*SIZE)
        self.frame, self.dock = self.viewer.window.add_plugin_dock_widget("napari-microforge", "Microforge")
        assert isinstance(self.dock, MicroforgeDock)
        self.dock.session.runs_folder = work / "runs"
        self.wait(lambda: not self.dock.session.warming.running)
        self.resize_dock()

    def again(self) -> None:
        """Begin anew with a field of nuclei."""
        self.viewer.layers.clear()
        self.pause(0.5)
        self.viewer.open_sample("napari-microforge", "nuclei")
        self.pause(0.5)
        self.viewer.reset_view()

    def resize_dock(self) -> None:
        """Give the dock the width most people leave it."""
        self.frame.parent().resizeDocks([self.frame], [DOCK_WIDTH], Qt.Orientation.Horizontal)

    def turn_to(self, tab: str) -> None:
        """Open a tab."""
        tabs = self.dock.tabs
        tabs.setCurrentIndex([tabs.tabText(i) for i in range(tabs.count())].index(tab))

    def scroll_to(self, part: QWidget) -> None:
        """Bring a part of the open tab to its top."""
        page = self.dock.tabs.currentWidget()
        page.verticalScrollBar().setValue(part.mapTo(page.widget(), part.rect().topLeft()).y())

    def shoot(self, name: str) -> None:
        """Photograph the window in both themes."""
        self.resize_dock()
        for theme, suffix in (("light", "-light"), ("dark", "")):
            self.viewer.theme = theme
            self.pause(0.6)
            shot = self.viewer.screenshot(canvas_only=False, flash=False)
            # A palette makes the files four times smaller, and nobody sees a difference.
            picture = Picture.fromarray(shot[..., :3]).quantize(255, dither=Picture.Dither.NONE)
            picture.save(self.images / f"{name}{suffix}.png", optimize=True)
        print(name, flush=True)

    def fresh(self, task: str) -> None:
        """Begin anew with another task."""
        self.turn_to("Annotate")
        self.viewer.layers.clear()
        # With napari 0.9 the graphics driver crashes where new layers come before the window was drawn without the old.
        self.pause(0.5)
        self.dock.annotate.task.set_value(task)

    def train(self, seconds: float, name: str = "") -> None:
        """Train for a while, photograph it, stop."""
        panel = self.dock.train
        self.turn_to("Train")
        self.wait(panel.train.isEnabled)
        panel.train.click()
        self.wait(lambda: panel.preview.layer is not None)
        self.pause(seconds)
        if name:
            self.shoot(name)
        panel.stop.click()
        self.wait(lambda: panel.run.state is RunState.ENDED)

    def apply_to(self, image: Layer) -> None:
        """Apply the model to an open image."""
        self.turn_to("Apply")
        self.viewer.layers.selection = {image}
        for layer in self.viewer.layers:
            layer.visible = layer is image
        self.dock.apply.layers.start.click()
        self.wait(lambda: not self.dock.session.applying.running)
        self.pause(0.5)

    def pause(self, seconds: float) -> None:
        """Let the window live for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)

    def wait(self, until: Callable[[], bool], seconds: float = 120) -> None:
        """Let the window live until something is so."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError("The dock did not get where the pictures need it.")
            self.pause(0.05)
