"""An image, a session, a training that needs no engine."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from microforge.gui.session.state import Session
from support.count_bench import INTERVALS, Bench
from support.fakes import FakeTraining

#: How long to wait, in milliseconds, for what a thread does: seconds pass before it is its turn on a busy machine.
PATIENCE = 30_000


@pytest.fixture
def qtbot(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """Wait longer than the five seconds that are usual; what comes at once takes no longer for it."""
    monkeypatch.setattr(qtbot, "waitUntil", partial(qtbot.waitUntil, timeout=PATIENCE))
    return qtbot


@pytest.fixture
def training() -> FakeTraining:
    return FakeTraining()


@pytest.fixture
def nuclei() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 255, (40, 48), np.uint8)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path, training: FakeTraining) -> Iterator[Session]:
    session = Session(ViewerModel(), training, tmp_path / "runs")
    yield session
    assert session.close(5), "a thread is left"


@pytest.fixture
def make_session(tmp_path: Path, training: FakeTraining) -> Callable[[Any], Session]:
    return lambda viewer: Session(viewer, training, tmp_path / "runs")


@pytest.fixture
def bench(qtbot: QtBot, session: Session) -> Bench:
    return Bench(qtbot, session, intervals=INTERVALS)
