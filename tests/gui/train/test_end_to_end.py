"""The real engine, in the real dock, through its widgets."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from microforge.annotations import LABELS
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from microforge.simulate import simulate_nuclei

LONG = 120_000


def annotated_dock(qtbot: QtBot, viewer: Any, folder: Path, shape: tuple[int, ...] = (128, 128)) -> MicroforgeDock:
    """Open the dock on a simulated field whose truth is its annotation, with a small network."""
    field = simulate_nuclei(shape, diameter=12 if len(shape) == 3 else 22, seed=1)
    axes = "ZYX"[-len(shape) :]
    lengths = {"scale": (0.5,) * len(shape), "units": ("um",) * len(shape)}
    viewer.add_image(field.image, name="nuclei", metadata={"axes": axes}, **lengths)
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=folder))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.annotate.tools[LABELS].annotate.click()
    viewer.layers.selection.active.data = field.labels
    dock.session.set_config(width=8, depth=2, batch_size=2)
    qtbot.waitUntil(dock.train.train.isEnabled, timeout=LONG)
    return dock


def close(qtbot: QtBot, viewer: Any) -> None:
    viewer.close()
    qtbot.wait(300)


@pytest.mark.parametrize("shape", [(128, 128), (12, 64, 64)])
def test_train_preview_stop_continue(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path, shape: tuple[int, ...]
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = annotated_dock(qtbot, viewer, tmp_path, shape)
    panel = dock.train
    panel.train.click()
    qtbot.waitUntil(lambda: panel.preview.layer is not None, timeout=LONG)
    assert panel.preview.layer.data.shape == shape  # type: ignore[union-attr]
    assert tuple(panel.preview.layer.scale) == (0.5,) * len(shape)  # type: ignore[union-attr]
    assert viewer.layers.selection.active.name == "nuclei annotation"
    qtbot.waitUntil(lambda: "Step" in panel.report.numbers.text(), timeout=LONG)
    viewer.layers.selection.active.paint((3,) * len(shape), 900)
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.run.busy, timeout=LONG)
    assert "saved" in panel.report.doing.text(), panel.report.doing.text()
    model = dock.session.model_path
    assert model is not None
    assert model.exists()
    steps = panel.report._step.step  # type: ignore[union-attr]
    panel.proceed.click()
    qtbot.waitUntil(lambda: panel.report._step.step > steps, timeout=LONG)  # type: ignore[union-attr]
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.run.busy, timeout=LONG)
    close(qtbot, viewer)


def test_closing_the_window_saves_the_model(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    dock = annotated_dock(qtbot, viewer, tmp_path)
    dock.train.train.click()
    qtbot.waitUntil(lambda: "Step" in dock.train.report.numbers.text(), timeout=LONG)
    close(qtbot, viewer)
    assert list(tmp_path.glob("*/model.safetensors"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("microforge")]


def test_scribbled_classes(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> None:
    viewer = make_napari_viewer(show=True)
    dock = annotated_dock(qtbot, viewer, tmp_path)
    dock.annotate.task.set_value("segmentation")
    labels = viewer.layers["nuclei annotation"]
    classes = (labels.data > 0) + 1
    classes[64:] = 0
    labels.data = classes
    qtbot.waitUntil(lambda: "foreground" in dock.annotate.count.text(), timeout=LONG)
    qtbot.waitUntil(dock.train.train.isEnabled, timeout=LONG)
    dock.train.train.click()
    qtbot.waitUntil(lambda: "Step" in dock.train.report.numbers.text(), timeout=LONG)
    dock.train.stop.click()
    qtbot.waitUntil(lambda: not dock.train.run.busy, timeout=LONG)
    assert "saved" in dock.train.report.doing.text(), dock.train.report.doing.text()
    close(qtbot, viewer)
