"""Training from points and from classes: what reaches the training, before and while it runs."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.annotations import POINTS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.layers.points import add_points
from microforge.gui.session.annotations import serves
from microforge.gui.session.state import Session
from microforge.gui.train.panel import TrainPanel
from microforge.io.points import write_points_csv
from microforge.io.writing import write_image
from microforge.simulate import simulate_nuclei
from microforge.types import Points
from support.fakes import FakeTraining

LONG = 120_000


def clicked(session: Session, data: Any, name: str, points: Any = ()) -> Any:
    image = session.viewer.add_image(data, name=name)
    layer = add_points(session.viewer, image, "YX")
    if len(points):
        layer.add(points)
    return session.annotate_points(image, [layer])


def start(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    qtbot.waitUntil(panel.train.isEnabled)
    panel.train.click()
    qtbot.waitUntil(lambda: bool(training.calls) and "Step" in panel.report.numbers.text())


def test_points_set_meanwhile_reach_the_training(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    panel.session.set_task("counting")
    first = clicked(panel.session, nuclei, "a", [[3, 4], [20, 30]])
    second = clicked(panel.session, nuclei, "b")
    qtbot.waitUntil(lambda: "2 points in 1 image" in panel.state.text())
    start(qtbot, panel, training)
    assert [(one.name, len(one.points)) for one in training.calls[0]["training"]] == [("a", 2)]
    replaced = training.calls[0]["replaced"]
    qtbot.wait(600)
    assert replaced == [], "nothing has changed yet"
    first.image.name = "renamed"
    first.points[0].add([[30, 40]])
    qtbot.waitUntil(lambda: [(one.name, len(one.points)) for one in replaced] == [("a", 3)])
    second.points[0].add([[30, 40]])
    qtbot.waitUntil(lambda: [(one.name, len(one.points)) for one in replaced[1:]] == [("b", 1)])
    first.points[0].data[0] = 0
    qtbot.waitUntil(lambda: [one.points.coordinates[0].tolist() for one in replaced[2:]] == [[0, 0]])
    assert replaced[0].points.coordinates[0].tolist() == [3, 4]
    third = clicked(panel.session, nuclei, "c")
    panel.session.change(third, no_cells=True)
    qtbot.waitUntil(lambda: [(one.name, len(one.points)) for one in replaced[3:]] == [("c", 0)])
    assert replaced[3].mask.all()


def test_points_deleted_meanwhile_are_forgotten(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    panel.session.set_task("counting")
    first, _ = (clicked(panel.session, nuclei, name, [[3, 4], [20, 30]]) for name in "ab")
    start(qtbot, panel, training)
    replaced = training.calls[0]["replaced"]
    first.points[0].remove([0])
    qtbot.waitUntil(lambda: [(one.name, len(one.points)) for one in replaced] == [("a", 1)])
    first.points[0].remove([0])
    qtbot.waitUntil(lambda: [(one.name, len(one.points)) for one in replaced[1:]] == [("a", 0)])
    assert not replaced[1].mask.any()
    panel.session.task.check(replaced[1])


def test_classes_given_meanwhile_reach_the_training(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    session = panel.session
    session.set_task("classification")
    images = [session.viewer.add_image(nuclei, name=name) for name in "abc"]
    session.set_class(images[:1], "good")
    session.set_class(images[1:], "bad")
    qtbot.waitUntil(lambda: "2 bad, 1 good" in panel.state.text())
    assert [panel.list.tree.topLevelItem(row).text(3) for row in range(3)] == ["good", "bad", "bad"]
    start(qtbot, panel, training)
    assert [one.class_name for one in training.calls[0]["training"]] == ["good", "bad", "bad"]
    session.set_class(images[2:], "good")
    qtbot.waitUntil(lambda: [(one.name, one.class_name) for one in training.calls[0]["replaced"]] == [("c", "good")])


def test_an_image_left_out_is_forgotten_only_by_this_task(session: Session, nuclei: Any) -> None:
    session.set_task("counting")
    item = clicked(session, nuclei, "a", [[3, 4]])
    session.set_class([item.image], "good")
    session.leave_out(item)
    assert (item.points, item.class_name, session.annotated) == ((), "good", [item])
    session.set_class([item.image], "")
    assert session.annotated == []
    assert len(session.viewer.layers) == 2


def test_points_belong_to_their_image(session: Session, nuclei: Any) -> None:
    item = clicked(session, nuclei, "a")
    assert session.annotated_of(item.points[0]) is item
    assert serves(item, session.task_class.annotation) is False
    session.set_task("counting")
    assert session.items == [item]


def test_the_preview_follows_the_points(panel: TrainPanel, nuclei: Any) -> None:
    panel.session.set_task("counting")
    first, _ = (clicked(panel.session, nuclei, name, [[3, 4]]) for name in "ab")
    panel.session.viewer.layers.selection.active = first.points[0]
    assert panel.preview.looked_at() is first.image


def test_folders_of_points_and_of_classes_are_trained_on(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, tmp_path: Path
) -> None:
    session, fields = panel.session, panel.list
    for number, name in enumerate(("good", "bad")):
        field = simulate_nuclei((64, 64), diameter=12, seed=number)
        for folder in (tmp_path / "images", tmp_path / "sorted" / name):
            folder.mkdir(parents=True, exist_ok=True)
            write_image(folder / f"{number}.tif", field.image, "YX", None)
        write_points_csv(tmp_path / f"{number}.csv", Points(field.points, np.zeros(len(field.points), np.int32)))
    (tmp_path / "classes.csv").write_text("name;class\n0.tif;good\n1.tif;bad\n")
    seen = []
    for task, images, partner in (
        ("counting", "images", [tmp_path]),
        ("classification", "images", [tmp_path / "classes.csv"]),
        ("classification", "sorted", []),
    ):
        session.set_task(task)
        fields.images.set_value([tmp_path / images])
        fields.annotations.set_value(partner)
        qtbot.waitUntil(panel.train.isEnabled)
        panel.train.click()
        qtbot.waitUntil(lambda: len(training.calls) > len(seen))
        seen.append(training.calls[-1]["training"])
        panel.stop.click()
        qtbot.waitUntil(lambda: not panel.run.busy)
    assert all(len(sample.points) > 3 for sample in seen[0])
    assert [[sample.class_name for sample in each] for each in seen[1:]] == [["good", "bad"], ["bad", "good"]]
    session.set_task("counting")
    assert not panel.train.isEnabled(), "points need a folder of their own"


def test_the_second_folder_is_called_as_the_task_needs_it(panel: TrainPanel) -> None:
    field = panel.list.annotations
    for task, title, asks in (
        ("counting", "Points", "folder"),
        ("classification", "Classes", "files"),
        ("instances", "Labels", "folder"),
    ):
        panel.session.set_task(task)
        assert panel.list._rows.labelForField(field).text() == title
        assert field._kinds == (asks,)
        assert title.lower()[:4] in field.line.toolTip().lower()


@pytest.mark.slow
def test_cells_are_clicked_trained_on_and_counted(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    from microforge.inference.predictor import Predictor

    viewer = make_napari_viewer(show=True)
    field, other = (simulate_nuclei((128, 128), diameter=14, seed=seed) for seed in (1, 2))
    viewer.add_image(field.image, name="nuclei", metadata={"axes": "YX"}, scale=(0.5, 0.5))
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=tmp_path))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.annotate.task.set_value("counting")
    dock.annotate.tools[POINTS].click.click()
    viewer.layers.selection.active.add(field.points)
    dock.session.set_config(width=8, depth=2, batch_size=4, patch_size=64)
    qtbot.waitUntil(dock.train.train.isEnabled, timeout=LONG)
    dock.train.train.click()
    qtbot.waitUntil(lambda: dock.train.report._step is not None and dock.train.report._step.step > 150, timeout=LONG)
    dock.train.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy, timeout=LONG)
    assert dock.session.model_path is not None, dock.train.report.doing.text()
    predictor = Predictor(dock.session.model_path)
    (count,) = predictor.task.count(predictor.predict(other.image))
    assert count.value == pytest.approx(len(other.points), rel=0.35)
    viewer.close()
    qtbot.wait(300)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("microforge")]
