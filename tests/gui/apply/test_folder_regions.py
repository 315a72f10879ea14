"""Regions for the files of a folder, and what the table of files tells of counts and classes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Points as PointsLayer
from pytestqt.qtbot import QtBot

from microforge.config import PredictionConfig
from microforge.events import FolderFinished, FolderStarted, ImageFinished
from microforge.gui.apply.folder.panel import ApplyFolder
from microforge.gui.apply.folder.regions import DRAWN
from microforge.gui.apply.folder.table import FILE_HEADERS, OBJECTS_COLUMN, FileRow
from microforge.gui.session.state import Session
from microforge.io.points import write_points_csv
from microforge.io.rois import read_rois
from microforge.io.writing import write_image
from microforge.types import Points
from support.model_cards import write_model


class Folder:
    """Stands in for a folder run; remembers its settings."""

    def __init__(self) -> None:
        self.configs: list[PredictionConfig] = []
        self.finished: list[ImageFinished] = []

    def __call__(self, _model: Path, _inputs: Any, output: Path, **arguments: Any) -> Iterator[Any]:
        self.configs.append(arguments["config"])
        yield FolderStarted(tuple(one.path for one in self.finished), output, things="cells")
        yield from self.finished
        yield FolderFinished(len(self.finished), 0, 0, output)


@pytest.fixture
def session(session: Session, tmp_path: Path) -> Session:
    session.set_model(write_model(tmp_path / "model.safetensors", task="counting"))
    return session


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def panel(qtbot: QtBot, session: Session, folder: Folder) -> ApplyFolder:
    panel = ApplyFolder(session, PredictionConfig, folder)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def run(qtbot: QtBot, panel: ApplyFolder, tmp_path: Path) -> None:
    panel.inputs.set_value([tmp_path])
    panel.output.set_value([tmp_path / "out"])
    with qtbot.waitSignal(panel._session.applying.finished, timeout=10_000):
        panel.run()


def square(top: float, left: float, side: float) -> np.ndarray:
    return np.array([[top, left], [top, left + side], [top + side, left + side], [top + side, left]])


def test_regions_go_into_the_settings(qtbot: QtBot, panel: ApplyFolder, folder: Folder, tmp_path: Path) -> None:
    run(qtbot, panel, tmp_path)
    panel.regions.field.set_value([tmp_path / "atlas.tif"])
    run(qtbot, panel, tmp_path)
    assert [config.regions for config in folder.configs] == [None, tmp_path / "atlas.tif"]


def test_only_models_that_find_cells_have_regions(
    qtbot: QtBot, panel: ApplyFolder, folder: Folder, tmp_path: Path
) -> None:
    panel.regions.field.set_value([tmp_path / "atlas.tif"])
    assert panel.regions.isVisible()
    panel._session.set_model(write_model(tmp_path / "denoising.safetensors", task="denoising"))
    assert not panel.regions.isVisible()
    run(qtbot, panel, tmp_path)
    assert folder.configs[-1].regions is None
    panel._session.set_model(write_model(tmp_path / "objects.safetensors", task="instances"))
    assert panel.regions.isVisible(), "objects are counted in regions too"


def test_drawn_regions_are_used_for_every_file(
    qtbot: QtBot, panel: ApplyFolder, folder: Folder, tmp_path: Path
) -> None:
    viewer = panel._session.viewer
    assert not panel.regions.use.isVisible()
    viewer.add_image(np.zeros((40, 50)), name="section", scale=(0.5, 0.5))
    viewer.add_shapes(
        [square(2, 3, 10), square(20, 10, 15)], features={"name": ["cortex", ""]}, name="areas", scale=(0.5, 0.5)
    )
    assert panel.regions.use.text() == "Use the regions of areas"
    panel.regions.use.click()
    assert "results first" in panel.regions.note.text()
    panel.output.set_value([tmp_path / "out"])
    panel.regions.use.click()
    path = tmp_path / "out" / DRAWN
    assert panel.regions.field.value() == [path]
    assert [one.name for one in read_rois(path)] == ["cortex", "region 2"]
    assert np.allclose(read_rois(path)[0].roi.coordinates().min(axis=0), (3.5, 2.5)), "x, y from corners of pixels"
    run(qtbot, panel, tmp_path)
    assert folder.configs[-1].regions == path


def test_regions_that_cannot_be_written_are_said(panel: ApplyFolder, tmp_path: Path) -> None:
    viewer = panel._session.viewer
    viewer.add_shapes([square(2, 3, 10)])
    panel.output.set_value([tmp_path / "out"])
    panel.regions.use.click()
    assert "no areas drawn over an image" in panel.regions.note.text()
    viewer.add_image(np.zeros((40, 50)))
    (tmp_path / "file").write_text("")
    panel.output.set_value([tmp_path / "file"])
    panel.regions.use.click()
    assert panel.regions.note.severity == "error"


def test_table_tells_cells_and_classes(qtbot: QtBot, panel: ApplyFolder, folder: Folder, tmp_path: Path) -> None:
    folder.finished = [ImageFinished(tmp_path / "a.tif", tmp_path / "a.csv", 176)]
    run(qtbot, panel, tmp_path)
    model = panel.table.files
    assert (model.rows[0].texts()[OBJECTS_COLUMN], model.things) == ("176", "Cells")
    folder.finished = [ImageFinished(tmp_path / "a.tif", None, class_name="good")]
    run(qtbot, panel, tmp_path)
    assert (model.rows[0].texts()[OBJECTS_COLUMN], model.things) == ("good", "Class")
    assert not panel.table.isColumnHidden(OBJECTS_COLUMN)
    assert FileRow(tmp_path).texts()[OBJECTS_COLUMN] == ""
    assert FILE_HEADERS[OBJECTS_COLUMN] == "Objects"


@pytest.mark.parametrize("kinds", [("",), ("live", "dead")])
def test_counted_file_opens_with_its_points(
    qtbot: QtBot, panel: ApplyFolder, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    write_image(tmp_path / "a.tif", np.zeros((20, 30), np.uint8), "YX", (0.5, 0.5))
    kind = np.array([0, len(kinds) - 1], np.int32)
    points = Points(np.array([[2, 3], [10, 20]], np.float32), kind, kinds)
    (tmp_path / "out").mkdir()
    columns = {"confidence": np.array([0.5, 1.0])}
    write_points_csv(tmp_path / "out" / "a.csv", points, columns, (0.5, 0.5))
    panel.output.set_value([tmp_path / "out"])
    panel.open_row(FileRow(tmp_path / "a.tif", "skipped", result=tmp_path / "out" / "a.csv"))
    layers = panel._session.viewer.layers
    qtbot.waitUntil(lambda: len(layers) == 2, timeout=5000)
    assert isinstance(layers[1], PointsLayer)
    assert layers[1].data.tolist() == [[2, 3], [10, 20]]
    assert np.allclose(layers[1].scale, 0.5)
    assert len(np.unique(layers[1].border_color, axis=0)) == len(kinds)
