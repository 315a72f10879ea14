"""A person who annotates in a session whose layers are kept in a project; no window."""

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from napari.components import ViewerModel
from napari.layers import Image
from pytestqt.qtbot import QtBot

from microforge.gui.layers.convert import note_file
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.opening.project_opening import ProjectOpening
from microforge.gui.session.saving.autosave import Autosave
from microforge.gui.session.state import Session
from microforge.project import Project
from support.fakes import FakeTraining

#: Milliseconds that are waited at most, on a machine that is busy.
LONG = 60_000


class Person:
    """A session whose layers are watched and kept."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot, self.folder = qtbot, folder
        self.session = Session(ViewerModel(), FakeTraining(), folder / "runs")
        self.watch, self.autosave = Watch(self.session), Autosave(self.session)
        self.opening = ProjectOpening(self.session, self.autosave)

    def image(self, name: str = "cells", shape: tuple[int, ...] = (60, 80), *, file: bool = True) -> Any:
        pixels = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
        path = self.folder / "images" / f"{name}.tif"
        if not file:
            return self.session.viewer.add_image(pixels, name=name)
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, pixels, photometric="minisblack")
        layer = Image(pixels, name=name)
        note_file(layer, path)
        return self.session.viewer.add_layer(layer)

    def saved(self) -> Project:
        """Wait until all is on disk; give the project as somebody else would open it."""
        # Until a change of the pixels is noticed, all seems to be on disk.
        self.qtbot.wait(400)
        self.qtbot.waitUntil(self.all_saved, timeout=LONG)
        assert self.autosave.project is not None
        return Project.open(self.autosave.project.folder, read_only=True)

    def all_saved(self) -> bool:
        return self.autosave.project is not None and not self.autosave.saving and not self.autosave.unsaved()

    def close(self) -> None:
        self.autosave.close()
        self.watch.close()
        assert self.session.close(5)

    def open(self, folder: Path) -> None:
        """Open a project, and wait until its images are there."""
        self.opening.open(folder)
        self.qtbot.waitUntil(lambda: self.session.project is not None, timeout=LONG)
        self.qtbot.waitUntil(lambda: not self.opening.running, timeout=LONG)
