"""Cells of counting in the table beside the canvas: named, found, and followed when points are moved."""

from pathlib import Path
from typing import Any

import numpy as np

from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.session.state import Session
from microforge.io.model_file import save_model
from microforge.tasks import get_task
from support.fakes import FakeCounter
from support.random_models import counting_model


def make_panel(qtbot: Any, session: Session, tmp_path: Path, dims: int) -> ApplyPanel:
    model = counting_model(dims=dims)
    save_model(tmp_path / "cells.safetensors", model.weights, model.card)
    task = get_task("counting").from_options(model.card.task_options)
    panel = ApplyPanel(session, lambda *_: FakeCounter(task))
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(tmp_path / "cells.safetensors")
    return panel


def test_cells_of_stacks_have_planes_and_films_frames(qtbot: Any, session: Session, tmp_path: Path) -> None:
    film = np.zeros((2, 24, 40, 40), np.float32)
    film[0, 8, 10, 10] = film[1, 12, 30, 20] = film[1, 9, 10, 30] = 50
    panel = make_panel(qtbot, session, tmp_path, 3)
    session.set_axes(session.viewer.add_image(film, name="film"), "TZYX")
    with qtbot.waitSignal(session.applying.finished, timeout=20_000):
        panel.layers.start.click()
    table = panel.layers.objects.table.panel
    assert [column.title for column in table.rows.columns] == ["frame", "plane", "confidence", "y (px)", "x (px)"]
    session.viewer.dims.set_point(0, 1)
    assert table.rows.rowCount() == 2
    row = int(np.argmin(abs(table.rows.numbers("plane") - 12) + abs(table.rows.numbers("frame") - 1)))
    table.view.selectRow(table.rows.line_of(row))
    assert session.viewer.dims.point[:2] == (1, 12)


def test_a_point_that_is_deleted_leaves_the_table(qtbot: Any, session: Session, tmp_path: Path) -> None:
    image = np.zeros((40, 40), np.float32)
    image[10, 10] = image[30, 20] = 50
    panel = make_panel(qtbot, session, tmp_path, 2)
    session.viewer.add_image(image, name="field")
    with qtbot.waitSignal(session.applying.finished, timeout=20_000):
        panel.layers.start.click()
    table = panel.layers.objects.table.panel
    layer = session.viewer.layers["field (cells)"]
    assert table.rows.rowCount() == 2
    layer.selected_data = {0}
    layer.remove_selected()
    qtbot.waitUntil(lambda: table.rows.rowCount() == 1, timeout=5000)


def test_a_slider_leaves_points_out_and_the_count_stays(qtbot: Any, session: Session, tmp_path: Path) -> None:
    model = counting_model()
    save_model(tmp_path / "cells.safetensors", model.weights, model.card)
    panel = ApplyPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(tmp_path / "cells.safetensors")
    session.viewer.add_image(np.random.default_rng(1).gamma(2, 50, (48, 40)).astype(np.float32), name="field")
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        panel.layers.start.click()
    layer, counts = session.viewer.layers["field (cells)"], panel.layers.parts[0]
    before = len(layer.data)
    middle = float(np.median(layer.features["confidence"]))
    qtbot.waitUntil(lambda: len(counts.columns()["count"]) == 1, timeout=5000)
    count = counts.columns()["count"].tolist()
    slider = panel.layers.decoding.sliders.lines["confidence"].slider
    slider.setValue(round(middle * slider.maximum()))
    qtbot.waitUntil(lambda: 0 < len(layer.data) < before, timeout=5000)
    assert f"{before - len(layer.data)} less certain than" in panel.layers.decoding.note.text()
    qtbot.waitUntil(lambda: panel.layers.objects.table.panel.rows.rowCount() == len(layer.data), timeout=5000)
    qtbot.waitUntil(lambda: counts.columns()["count"].tolist() == count, timeout=5000)
    assert [one.name for one in session.viewer.layers] == ["field", "field (cells)"]
