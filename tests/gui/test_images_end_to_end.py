"""Denoise, and learn from pairs, with the real engine in the real dock, through its widgets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.annotations import IMAGE_PAIRS, NOTHING
from microforge.gui.apply.results.before_after import SPLIT
from microforge.gui.apply.results.images import ImageResults
from microforge.gui.dock import MicroforgeDock
from microforge.io.writing import write_image
from microforge.metrics import images as image_metrics
from microforge.simulate import noisy_pair
from support.real_dock import LONG, close, open_dock, train


def apply(qtbot: QtBot, dock: MicroforgeDock, image: Any) -> None:
    dock.session.viewer.layers.selection = {image}
    with qtbot.waitSignal(dock.session.applying.finished, timeout=LONG):
        dock.apply.layers.start.click()
    assert dock.apply.layers.message.severity == "ok", dock.apply.layers.message.text()


@pytest.mark.slow
def test_denoise(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    noisy, clean = noisy_pair(1, (96, 96))
    image = viewer.add_image(noisy, name="field", scale=(0.5, 0.5), units=("um", "um"), contrast_limits=(100, 300))
    dock = open_dock(qtbot, viewer, tmp_path, "denoising")
    dock.annotate.tools[NOTHING].use.click()
    preview = train(qtbot, dock, 150)
    assert preview.data.shape == noisy.shape
    apply(qtbot, dock, image)
    result = viewer.layers["field denoised"]
    assert result.data.shape == noisy.shape
    assert (tuple(result.scale), tuple(result.contrast_limits)) == ((0.5, 0.5), (100, 300))
    before, after = (image_metrics.psnr(clean, image_metrics.fit_linear(one, clean)) for one in (noisy, result.data))
    assert after > before + 0.5
    images = dock.apply.layers.part(ImageResults)
    assert "Noise" in images.statistics.text()
    images.compare.difference.click()
    assert np.allclose(np.asarray(viewer.layers["field removed"].data), noisy - result.data)
    images.compare.buttons[SPLIT].click()
    images.compare.divider.setValue(300)
    qtbot.wait(100)
    folder_run(qtbot, dock, tmp_path, noisy)
    close(qtbot, viewer)


def folder_run(qtbot: QtBot, dock: MicroforgeDock, place: Path, noisy: Any) -> None:
    """Apply to a folder, and open a file with its result."""
    (place / "images").mkdir()
    for name in "ab":
        write_image(place / "images" / f"{name}.tif", noisy, "YX", (0.5, 0.5))
    panel = dock.apply.folder
    panel.inputs.set_value([place / "images"])
    with qtbot.waitSignal(dock.session.applying.finished, timeout=LONG):
        panel.start.click()
    assert panel.table.files.count("done") == 2, panel.message.text()
    assert panel.table.isColumnHidden(1)
    with qtbot.waitSignal(panel._opening.finished, timeout=LONG):
        panel.open_row(panel.table.files.rows[0])
    assert "a result" in dock.session.viewer.layers


def test_a_finer_grid_from_pairs(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    _, fine = noisy_pair(2, (192, 192))
    coarse = fine.astype(np.float32).reshape(96, 2, 96, 2).mean((1, 3))
    image = viewer.add_image(coarse, name="coarse", scale=(0.4, 0.4), units=("um", "um"))
    target = viewer.add_image(fine, name="fine", scale=(0.2, 0.2), units=("um", "um"))
    dock = open_dock(qtbot, viewer, tmp_path, "super-resolution")
    dock.annotate.image.set_value(image)
    assert dock.annotate.tools[IMAGE_PAIRS].targets() == (target,)
    dock.annotate.tools[IMAGE_PAIRS].use.click()
    preview = train(qtbot, dock, 10)
    apply(qtbot, dock, image)
    result = viewer.layers["coarse upscaled"]
    for layer in (preview, result):
        assert layer.data.shape == fine.shape
        assert np.allclose(layer.scale, 0.2)
        assert np.allclose(layer.data_to_world((-0.5, -0.5)), image.data_to_world((-0.5, -0.5)))
    close(qtbot, viewer)


def test_stains_from_transmitted_light(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    phase, stain = noisy_pair(3, (96, 96))
    image = viewer.add_image(phase, name="phase")
    stains = viewer.add_image(np.stack([stain, stain[::-1]]), name="stains", metadata={"axes": "CYX"})
    dock = open_dock(qtbot, viewer, tmp_path, "label-free")
    dock.annotate.image.set_value(image)
    dock.annotate.tools[IMAGE_PAIRS].rows[0].choice.picker.set_value(stains)
    dock.annotate.tools[IMAGE_PAIRS].use.click()
    assert "1 of 2" in train(qtbot, dock, 10).name
    apply(qtbot, dock, image)
    names = [layer.name for layer in viewer.layers if "predicted" in layer.name]
    assert names == ["phase predicted stains 1", "phase predicted stains 2"]
    close(qtbot, viewer)
