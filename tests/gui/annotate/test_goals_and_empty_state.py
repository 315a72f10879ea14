"""Choosing a goal among pictures, and what stands there before an image is open."""

from pathlib import Path
from typing import Any

import numpy as np
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.plugin_settings import LAST_GOAL, last_goal
from microforge.gui.session.state import Session
from microforge.io.writing import write_image
from microforge.tasks import available_tasks, goals_by_group


def test_goals_stand_in_groups_with_a_picture_each(panel: AnnotatePanel) -> None:
    task = panel.task
    lines = [(task.itemText(row), bool(task.model().item(row).flags())) for row in range(task.count())]
    assert lines == [
        ("Find", False),
        ("Segment objects", True),
        ("Count cells", True),
        ("Classify pixels", True),
        ("Classify images", True),
        ("Improve", False),
        ("Denoise", True),
        ("Restore from pairs", True),
        ("Predict a stain", True),
        ("Increase resolution", True),
    ]
    pictures = [task.itemIcon(row).pixmap(task.iconSize()).toImage() for row, (_, goal) in enumerate(lines) if goal]
    assert len({bytes(image.constBits().asarray(image.sizeInBytes())) for image in pictures}) == 8, "all differ"


def test_the_keyboard_passes_over_titles_of_groups(qtbot: QtBot, panel: AnnotatePanel) -> None:
    assert panel.task.currentText() == "Segment objects"
    qtbot.keyClick(panel.task, Qt.Key.Key_Up)
    assert panel.task.currentText() == "Segment objects"
    for _ in range(4):
        qtbot.keyClick(panel.task, Qt.Key.Key_Down)
    assert panel.task.currentText() == "Denoise"
    assert panel.session.config.task == "denoising"


def test_the_goal_chosen_last_is_there_at_the_next_start(qtbot: QtBot, panel: AnnotatePanel) -> None:
    panel.task.set_value("segmentation")
    session = Session(ViewerModel(), runs_folder=panel.session.runs_folder)
    watch = Watch(session)
    again = AnnotatePanel(session, watch)
    qtbot.addWidget(again)
    assert again.task.currentText() == "Classify pixels"
    assert session.config.task_options["classes"], "with the classes that are offered first"
    again.close_down()
    watch.close()
    (session.runs_folder / LAST_GOAL).write_text("no such goal", encoding="utf-8")
    assert last_goal(session.runs_folder) == "no such goal"
    session.close(5)


def test_every_task_has_its_place(panel: AnnotatePanel) -> None:
    groups = goals_by_group(available_tasks().values())
    places = [(task.group, task.place) for tasks in groups.values() for task in tasks if task.group != "More"]
    assert len(set(places)) == len(places) == 8


def test_without_an_image_the_way_is_shown_and_a_sample_offered(panel: AnnotatePanel) -> None:
    assert panel.empty.isVisibleTo(panel)
    assert not panel.task.isVisibleTo(panel)
    panel.empty.sample.click()
    assert [layer.name for layer in panel.session.viewer.layers] == ["nuclei"]
    assert not panel.empty.isVisibleTo(panel)
    assert panel.task.isVisibleTo(panel)
    assert panel.image.value() is panel.session.viewer.layers[0]
    panel.session.viewer.layers.clear()
    assert panel.empty.isVisibleTo(panel)


def test_a_file_is_opened_with_its_axes_and_pixel_size(
    qtbot: QtBot, panel: AnnotatePanel, tmp_path: Path, nuclei: Any
) -> None:
    write_image(tmp_path / "stack.tif", np.stack([nuclei] * 3).astype(np.float32), "ZYX", (2.0, 0.5, 0.5))
    panel.empty.read(tmp_path / "stack.tif")
    qtbot.waitUntil(lambda: len(panel.session.viewer.layers) == 1)
    (layer,) = panel.session.viewer.layers
    assert panel.session.axes_of(layer) == "ZYX"
    assert tuple(layer.scale) == (2.0, 0.5, 0.5)


def test_a_file_that_is_no_image_is_told(qtbot: QtBot, panel: AnnotatePanel, tmp_path: Path) -> None:
    (tmp_path / "notes.tif").write_text("no image")
    panel.empty.read(tmp_path / "notes.tif")
    qtbot.waitUntil(lambda: panel.empty.message.severity == "error")
    assert "notes.tif" in panel.empty.message.text()
    assert panel.empty.isVisibleTo(panel)
