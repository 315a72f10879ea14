"""Counts of open images without a network, and pictures to count in."""

from pathlib import Path
from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from microforge.config import PredictionConfig
from microforge.gui.apply.open_images import ApplyLayers
from microforge.gui.apply.results.counts import CountResults
from microforge.gui.session.state import Session
from microforge.gui.widgets.canvas_overlay import overlay_of
from microforge.tasks import get_task
from microforge.tasks.counting.interval import Interval
from support.fakes import FakeCounter

INTERVALS = {"": Interval(width=1.0, typical=10, images=20)}


def cells(*places: tuple[int, ...], shape: tuple[int, ...] = (60, 80), value: int = 50) -> np.ndarray:
    image = np.zeros(shape, np.float32)
    for place in places:
        image[place] = value
    return image


FIVE = ((10, 10), (10, 30), (30, 10), (30, 50), (45, 70))


class Bench:
    """Apply for open images, with a counter that needs no network."""

    def __init__(self, qtbot: QtBot, session: Session, **options: Any) -> None:
        self.qtbot, self.session, self.viewer = qtbot, session, session.viewer
        task = get_task("counting").from_options({"spacing": 12.0, **options})
        self.panel = ApplyLayers(session, PredictionConfig, lambda _model, _config: FakeCounter(task))
        qtbot.addWidget(self.panel)
        self.panel.show()
        session.set_model(Path("model.safetensors"))

    @property
    def counts(self) -> Any:
        return self.panel.part(CountResults)

    @property
    def text(self) -> str:
        overlay = overlay_of(self.viewer)
        return overlay.text if overlay.visible else ""

    def apply(self) -> None:
        with self.qtbot.waitSignal(self.session.applying.finished, timeout=10_000):
            self.panel.apply()
        self.qtbot.waitUntil(lambda: all(one.rows for one in self.counts.images), timeout=5000)

    def wait(self, text: str) -> None:
        self.qtbot.waitUntil(lambda: text in self.text, timeout=5000)

    def table(self) -> list[list[str]]:
        texts = self.counts.table.texts
        return [[column.title for column in texts.columns], *[list(row) for row in texts.rows]]


def rectangle(top: float, left: float, bottom: float, right: float) -> np.ndarray:
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)
