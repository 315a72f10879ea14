"""What the window says of the project."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QFileDialog

from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from microforge.project import Project
from support.fakes import FakeTraining

LONG = 60_000
MakeDock = Callable[[], MicroforgeDock]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "images" / "exp3.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, np.random.default_rng(0).integers(0, 255, (60, 80), np.uint8))
    return path


@pytest.fixture
def make_dock(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> MakeDock:
    def make() -> MicroforgeDock:
        viewer = make_napari_viewer()
        dock = MicroforgeDock(viewer, Session(viewer, FakeTraining(), tmp_path / "runs"), lambda: iter(()))
        qtbot.addWidget(dock)
        return dock

    return make


def paint(qtbot: QtBot, dock: MicroforgeDock, image: Path) -> Any:
    dock.annotate.empty.read(image)
    qtbot.waitUntil(lambda: bool(dock.session.images()), timeout=LONG)
    dock.annotate.tools[LABELS].annotate.click()
    labels = dock.session.annotated[0].labels
    labels.data[10:20, 10:20] = 1
    labels.data[30:40, 10:20] = 2
    labels.refresh()
    return labels


def wait_until_saved(qtbot: QtBot, dock: MicroforgeDock) -> None:
    for _ in range(2):
        qtbot.waitUntil(lambda: dock.project.state.text() == "All saved", timeout=LONG)
        qtbot.wait(300)


def test_it_says_where_all_is_kept_and_an_image_opened_another_day_offers_to_go_on(
    qtbot: QtBot, make_dock: MakeDock, image: Path
) -> None:
    dock = make_dock()
    assert dock.project.go_on.isHidden()
    painted = paint(qtbot, dock, image).data
    wait_until_saved(qtbot, dock)
    assert dock.project.name.text() == "exp3 ▾"
    assert str(image.parent / "exp3.microforge") in dock.note.text()
    qtbot.waitUntil(lambda: "2 objects" in dock.watch.readiness.text, timeout=LONG)
    dock.close_down()

    again = make_dock()
    qtbot.waitUntil(lambda: not again.project.go_on.isHidden(), timeout=LONG)
    assert again.project.go_on.open.text() == "Go on with exp3: 2 objects in 1 image, today"
    again.annotate.empty.read(image)
    qtbot.waitUntil(lambda: "It has an annotation" in again.project.go_on.open.toolTip(), timeout=LONG)
    again.project.go_on.open.click()
    qtbot.waitUntil(lambda: bool(again.session.annotated) and not again.project.opening.running, timeout=LONG)
    assert np.array_equal(again.session.annotated[0].labels.data, painted)
    assert len(again.session.images()) == 1
    assert again.project.go_on.isHidden()
    again.close_down()


def test_what_cannot_be_written_stands_in_red_with_what_is_waiting(
    qtbot: QtBot, make_dock: MakeDock, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock = make_dock()
    labels = paint(qtbot, dock, image)
    wait_until_saved(qtbot, dock)
    assert dock.project.rescue.isHidden()
    folder = image.parent / "exp3.microforge"
    folder.rename(tmp_path / "away")
    labels.paint((50, 50), 3)
    qtbot.waitUntil(lambda: not dock.project.rescue.isHidden(), timeout=LONG)
    assert dock.project.state.text() == "Not saved"
    assert dock.project.problem.severity == "error"
    words = dock.project.problem.text()
    assert words.startswith("Not on disk yet: exp3 annotation. The folder of the project is gone")
    assert "go on painting" in words
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "safe"), ""))
    dock.project.elsewhere.click()
    qtbot.waitUntil(dock.project.rescue.isHidden, timeout=LONG)
    wait_until_saved(qtbot, dock)
    dock.close_down()
    project = Project.open(tmp_path / "safe.microforge")
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)
    project.close()


def test_runs_go_into_the_project(qtbot: QtBot, make_dock: MakeDock, image: Path) -> None:
    dock = make_dock()
    paint(qtbot, dock, image)
    wait_until_saved(qtbot, dock)
    qtbot.waitUntil(dock.train.train.isEnabled, timeout=LONG)
    dock.train.train.click()
    qtbot.waitUntil(lambda: dock.train.run.folder is not None)
    assert dock.train.run.folder.parent == image.parent / "exp3.microforge" / "runs"
    qtbot.waitUntil(lambda: dock.train.stop.isVisibleTo(dock.train))
    dock.train.stop.click()
    qtbot.waitUntil(lambda: dock.session.model_path is not None, timeout=LONG)
    qtbot.waitUntil(lambda: bool(dock.session.project.document.model), timeout=LONG)
    document = dock.session.project.document
    assert document.model.startswith("runs/")
    assert [model.path for model in document.models] == [document.model]
    dock.close_down()


def test_what_cannot_be_kept_as_it_is_is_said(qtbot: QtBot, make_dock: MakeDock, image: Path) -> None:
    dock = make_dock()
    labels = paint(qtbot, dock, image)
    wait_until_saved(qtbot, dock)
    labels.data[5, 5] = -3
    labels.refresh()
    qtbot.waitUntil(lambda: dock.project.state.text() == "Not all saved", timeout=LONG)
    assert dock.project.unfit.text().startswith("exp3 cannot be kept as it is. Labels are whole numbers from 0")
    labels.data[5, 5] = 3
    labels.refresh()
    wait_until_saved(qtbot, dock)
    assert dock.project.unfit.isHidden()
    dock.close_down()
