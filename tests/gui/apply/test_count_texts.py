"""What stands on the canvas: counts of images, and their classes."""

import csv
from pathlib import Path

import numpy as np
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from microforge.config import PredictionConfig
from microforge.gui.apply.open_images import ApplyLayers
from microforge.gui.apply.results.image_classes import ClassResults
from microforge.gui.session.state import Session
from microforge.gui.widgets.canvas_overlay import CanvasText, overlay_of
from microforge.tasks import get_task
from support.count_bench import FIVE, Bench, cells
from support.fakes import FakeClassifier


def test_selected_image_is_named_on_the_canvas(bench: Bench) -> None:
    first = bench.viewer.add_image(cells(*FIVE), name="first")
    bench.viewer.add_image(cells(*FIVE[:2]), name="second")
    bench.viewer.layers.selection = set(bench.viewer.layers)
    bench.apply()
    bench.viewer.layers.selection.active = None
    assert bench.text.splitlines() == ["first: 5 cells (3–7)", "second: 2 cells (1–3)"]
    bench.viewer.layers.selection.active = first
    assert bench.text == "first: 5 cells (3–7)"


def test_her_own_text_comes_back(bench: Bench) -> None:
    overlay = overlay_of(bench.viewer)
    overlay.text, overlay.visible, overlay.font_size = "24 h", True, 8
    before = (overlay.position, overlay.font_size)
    bench.viewer.add_image(cells(*FIVE))
    bench.apply()
    assert overlay.text != "24 h"
    bench.counts.clear()
    assert (overlay.text, overlay.visible, (overlay.position, overlay.font_size)) == ("24 h", True, before)


def test_text_is_given_back_when_the_layers_go(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE))
    bench.apply()
    bench.viewer.layers.clear()
    bench.qtbot.waitUntil(lambda: not bench.text)
    assert bench.counts.isHidden()


def test_text_she_wrote_over_ours_stays() -> None:
    viewer = ViewerModel()
    text = CanvasText(viewer)
    text.show("5 cells")
    overlay_of(viewer).text = "mine"
    text.clear()
    assert overlay_of(viewer).text == "mine"


def test_classes_of_images(qtbot: QtBot, session: Session, tmp_path: Path) -> None:
    task = get_task("classification").from_options({"names": ("blurred", "good"), "weights": (1, 1)})
    panel = ApplyLayers(session, PredictionConfig, lambda _model, _config: FakeClassifier(task))
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(Path("model.safetensors"))
    overlay = overlay_of(session.viewer)
    layers = [session.viewer.add_image(np.full((8, 9), value), name=name) for name, value in (("a", 98), ("b", 30))]
    session.viewer.layers.selection = set(layers)
    with qtbot.waitSignal(session.applying.finished, timeout=10_000):
        panel.apply()
    assert "a: good (98 %)" in panel.message.text()
    assert [list(row) for row in panel.part(ClassResults).table.texts.rows] == [
        ["a", "good", "2 %", "98 %"],
        ["b", "blurred", "70 %", "30 %"],
    ]
    panel.part(ClassResults).table.selectRow(0)
    assert session.viewer.layers.selection.active is layers[0]
    assert overlay.text == "a: good (98 %)"
    panel.part(ClassResults).save_table(tmp_path / "classes.csv")
    with (tmp_path / "classes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (rows[1]["image"], rows[1]["class"], float(rows[1]["P(blurred)"])) == ("b", "blurred", 0.7)
    assert len(session.viewer.layers) == 2
    assert panel.objects.isHidden()
    session.viewer.layers.clear()
    assert not overlay.visible
    assert panel.part(ClassResults).isVisible(), "it can still be saved"
