"""The real dock with the real engine, driven through its widgets."""

from pathlib import Path
from typing import Any

from pytestqt.qtbot import QtBot

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session

LONG = 120_000


def open_dock(qtbot: QtBot, viewer: Any, folder: Path, task: str) -> MicroforgeDock:
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=folder))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.annotate.task.set_value(task)
    dock.session.set_config(width=8, depth=2, batch_size=4, patch_size=32)
    return dock


def train(qtbot: QtBot, dock: MicroforgeDock, steps: int) -> Any:
    """Train for some steps and stop; give the last preview, which is taken away then."""
    panel = dock.train
    qtbot.waitUntil(panel.train.isEnabled, timeout=LONG)
    panel.train.click()
    qtbot.waitUntil(lambda: panel.preview.layer is not None or "error" in panel.report.doing.severity, timeout=LONG)
    qtbot.waitUntil(lambda: panel.report._step is not None and panel.report._step.step >= steps, timeout=LONG)
    preview = panel.preview.layer
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.run.busy, timeout=LONG)
    assert "saved" in panel.report.doing.text(), panel.report.doing.text()
    assert preview not in dock.session.viewer.layers
    return preview


def close(qtbot: QtBot, viewer: Any) -> None:
    viewer.close()
    qtbot.wait(300)
