"""Apply with the real engine in a real window: a model trained for seconds, layers, a folder, the table."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.config import TrainingConfig
from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.dock import MicroforgeDock
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.session.state import Session
from microforge.io.writing import write_image
from microforge.simulate import simulate_nuclei
from microforge.types import Sample

PIXEL = (0.5, 0.5)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from microforge.training.loop import train

    fields = [simulate_nuclei((128, 128), seed=seed) for seed in range(3)]
    samples = [Sample(f"{n}", field.image[None], field.labels, pixel_size=PIXEL) for n, field in enumerate(fields)]
    config = TrainingConfig(steps=80, device="cpu", width=8, patch_size=64, batch_size=8)
    folder = tmp_path_factory.mktemp("run")
    for _ in train(config, samples, None, folder):
        pass
    return folder / "model.safetensors"


@pytest.fixture
def session(make_napari_viewer: Any) -> Iterator[Session]:
    session = Session(make_napari_viewer())
    yield session
    assert session.close(20)


@pytest.fixture
def panel(qtbot: Any, session: Session, model: Path) -> ApplyPanel:
    panel = ApplyPanel(session)
    session.viewer.window.add_dock_widget(panel, name="Apply")
    session.set_model(model)
    return panel


def test_layers_table_and_review(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    field = simulate_nuclei((200, 160), seed=7)
    viewer = session.viewer
    image = viewer.add_image(field.image, name="field", scale=PIXEL, units=("um", "um"))
    truth = viewer.add_labels(field.labels, name="truth", scale=PIXEL)
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        panel.layers.start.click()
    result = viewer.layers["field (objects)"]
    assert result.data.shape == image.data.shape
    assert 0.5 < len(np.unique(result.data)) / len(np.unique(field.labels)) < 2
    assert {"area_um2", "mean_intensity", "eccentricity", "solidity"} <= set(result.features.columns)
    table = panel.layers.objects.table.panel
    assert table.rows.rowCount() == result.data.max()
    assert "confidence" in [column.title for column in table.rows.columns]
    before = table.rows.rowCount()
    panel.layers.decoding.sliders.lines["confidence"].slider.setValue(450)
    qtbot.waitUntil(lambda: table.rows.rowCount() < before, timeout=5000)
    panel.layers.decoding.back.click()
    qtbot.waitUntil(lambda: table.rows.rowCount() == before, timeout=5000)
    review = ReviewPanel(session)
    qtbot.addWidget(review)
    review.truth.set_value(truth)
    review.result.set_value(result)
    with qtbot.waitSignal(review._relay.finished, timeout=20_000):
        review.compare.click()
    assert "objects found" in review.note.text()


def test_image_that_does_not_fit_is_refused_in_words(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    layer = session.viewer.add_image(np.zeros((2, 64, 64), np.float32), name="two colours")
    session.set_axes(layer, "CYX")
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        panel.layers.apply()
    assert "The image has 2 channels, the model needs 1" in panel.layers.message.text()


def test_time_series(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    film = np.stack([simulate_nuclei((96, 96), seed=seed).image for seed in range(3)])
    layer = session.viewer.add_image(film, name="film")
    session.set_axes(layer, "TYX")
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        panel.layers.apply()
    result = session.viewer.layers["film (objects)"]
    assert result.data.shape == film.shape
    assert set(result.features["frame"]) == {0, 1, 2}


def test_folder(qtbot: Any, session: Session, panel: ApplyPanel, tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for seed in range(3):
        write_image(images / f"field {seed}.tif", simulate_nuclei((96, 120), seed=seed).image, "YX", PIXEL)
    (images / "broken.tif").write_bytes(b"II*\0")
    folder = panel.folder
    folder.inputs.set_value([images])
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        folder.start.click()
    states = {row.path.name: row.state for row in folder.table.files.rows}
    assert states.pop("broken.tif") == "failed"
    assert set(states.values()) == {"done"}
    assert "1 failed" in folder.message.text()
    output = tmp_path / "images results"
    assert (output / "objects.csv").exists()
    row = next(row for row in folder.table.files.rows if row.path.name == "field 1.tif")
    with qtbot.waitSignal(folder._opening.finished, timeout=20_000):
        folder.open_row(row)
    names = [layer.name for layer in session.viewer.layers]
    assert len(names) == 2
    assert session.viewer.layers[1].data.max() == row.objects
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        folder.start.click()
    assert folder.table.files.count("skipped") == 3


def test_wrong_output_folder_is_refused(qtbot: Any, session: Session, panel: ApplyPanel, tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", simulate_nuclei((96, 96), seed=1).image, "YX", PIXEL)
    panel.folder.inputs.set_value([tmp_path])
    panel.folder.output.set_value([tmp_path])
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        panel.folder.run()
    assert panel.folder.message.severity == "error"
    assert "output folder" in panel.folder.message.text()


def test_window_closed_while_predicting(
    make_napari_viewer: Any, qtbot: Any, session: Session, panel: ApplyPanel
) -> None:
    from napari.utils import progress

    session.viewer.add_image(np.tile(simulate_nuclei((256, 256), seed=1).image, (8, 8)), name="large")
    panel.settings._form.fields["tile_size"].widget.value = 64
    panel.layers.start.click()
    qtbot.waitUntil(lambda: panel.layers.busy.bar.value() > 0, timeout=60_000)
    began = time.monotonic()
    assert session.close(20)
    assert time.monotonic() - began < 5
    assert not progress._all_instances


def test_dock_taken_away_leaves_the_viewer_alone(make_napari_viewer: Any, qtbot: Any, model: Path) -> None:
    viewer = make_napari_viewer(show=True)
    dock = MicroforgeDock(viewer)
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.session.set_model(model)
    qtbot.waitUntil(lambda: not dock.session.warming.running, timeout=60_000)
    viewer.window.remove_dock_widget(dock)
    layer = viewer.add_image(np.zeros((8, 8)))
    viewer.add_labels(np.zeros((8, 8), int))
    layer.name = "other"
    viewer.layers.selection = {layer}
    viewer.layers.clear()
