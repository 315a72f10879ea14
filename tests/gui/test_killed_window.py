"""A window that is killed loses nothing that it called saved."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.state import Session
from support.fakes import FakeTraining

LONG = 120_000
TESTS = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill a process without its knowing.")
def test_what_was_painted_with_the_mouse_is_there_after_a_kill(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    painted = painted_and_killed(tmp_path)
    assert len(np.unique(painted)) == 3
    viewer = make_napari_viewer(show=True)
    dock = MicroforgeDock(viewer, Session(viewer, FakeTraining(), tmp_path / "runs"), lambda: iter(()))
    viewer.window.add_dock_widget(dock, name="Microforge")
    qtbot.waitUntil(lambda: not dock.project.go_on.isHidden(), timeout=LONG)
    assert "Go on with cells" in dock.project.go_on.open.text()
    assert "today" in dock.project.go_on.open.text()
    dock.project.go_on.open.click()
    qtbot.waitUntil(lambda: bool(dock.session.annotated) and not dock.project.opening.running, timeout=LONG)
    assert np.array_equal(dock.session.annotated[0].labels.data, painted)
    assert "not closed properly" in dock.project.found.text()
    assert dock.project.go_on.isHidden()
    dock.close_down()


def painted_and_killed(folder: Path) -> np.ndarray[Any, Any]:
    """Let a person paint in a window of its own, and kill it when it says that all is saved; give what was painted."""
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    window = subprocess.Popen(
        [sys.executable, "-m", "support.painted_until_killed", str(folder)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        text=True,
    )
    assert window.stdout is not None
    try:
        told = window.stdout.readline()
    finally:
        window.send_signal(signal.SIGKILL)
        window.wait()
        window.stdout.close()
    return np.array(json.loads(told))
