"""Click cells, train, count, correct, learn from it, review: with the real engine in the real dock."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from scipy import ndimage

from microforge.gui.apply.results.counts import CountResults
from microforge.gui.review.counts import CountReview
from microforge.gui.widgets.canvas_overlay import overlay_of
from microforge.io.tables import write_table
from microforge.io.writing import write_image
from microforge.simulate import simulate_nuclei
from support.real_dock import LONG, close, open_dock, train


def field(seed: int, shape: tuple[int, int] = (128, 128)) -> tuple[np.ndarray, np.ndarray]:
    made = simulate_nuclei(shape, seed=seed)
    labels = np.unique(made.labels)[1:]
    return made.image, np.array(ndimage.center_of_mass(made.labels > 0, made.labels, labels))


@pytest.mark.slow
def test_count_cells(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    image, centres = field(1)
    layer = viewer.add_image(image, name="field", scale=(0.5, 0.5), units=("um", "um"))
    dock = open_dock(qtbot, viewer, tmp_path, "counting")
    points = viewer.add_points(centres, name="clicked", scale=(0.5, 0.5), units=("um", "um"))
    dock.session.annotate_points(layer, [points])
    preview = train(qtbot, dock, 150)
    assert preview.name.startswith("preview: ")
    viewer.layers.selection = {layer}
    with qtbot.waitSignal(dock.session.applying.finished, timeout=LONG):
        dock.apply.layers.start.click()
    counts = dock.apply.layers.part(CountResults)
    qtbot.waitUntil(lambda: bool(counts.images and counts.images[0].rows), timeout=LONG)
    found = counts.images[0].rows[0]
    assert 0 < found.value < 3 * len(centres), "a short training"
    assert f"{round(found.value):,} cell" in overlay_of(viewer).text
    assert "fewer than 9" in counts.note.text()
    counts.draw.click()
    viewer.layers.selection.active.add_rectangles([[0, 0], [0, 127], [63, 127], [63, 0]])
    qtbot.waitUntil(lambda: "region 1: " in overlay_of(viewer).text, timeout=LONG)
    counts.images[0].points.add((1, 1))
    qtbot.waitUntil(lambda: "counted by you" in overlay_of(viewer).text, timeout=LONG)
    review(qtbot, dock, tmp_path)
    close(qtbot, viewer)


def review(qtbot: QtBot, dock: Any, folder: Path) -> None:
    for name in ("images", "points"):
        (folder / name).mkdir()
    for seed in range(2, 5):
        image, centres = field(seed)
        write_image(folder / "images" / f"{seed}.tif", image, "YX", (0.5, 0.5))
        write_table(folder / "points" / f"{seed}.csv", {"y": centres[:, 0], "x": centres[:, 1]})
    panel = dock.review.part(CountReview)
    panel.source.images.set_value([folder / "images"])
    panel.source.truth.set_value([folder / "points"])
    with qtbot.waitSignal(panel.source.ended, timeout=LONG):
        panel.source.start.click()
    assert len(panel.cases) == 3, panel.source.note.text()
    panel.both.click()
    viewer = dock.session.viewer
    qtbot.waitUntil(lambda: sum(one.name.endswith(" truth") for one in viewer.layers) == 2, timeout=LONG)
