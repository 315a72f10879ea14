"""The line above all tabs that says how far a run in *Apply* is."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QWidget

from microforge.events import FolderFinished, FolderStarted, ImageFinished, ImageStarted
from microforge.gui.apply import strip as module
from microforge.gui.apply.strip import ApplyStrip
from microforge.gui.session.state import Session

FILES = tuple(Path(f"well {number}.tif") for number in range(200))


@pytest.fixture
def strip(qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApplyStrip]:
    monkeypatch.setattr(module, "_PERIOD", 5)
    page = QWidget()
    made = ApplyStrip(session)
    made.setParent(page)
    qtbot.addWidget(page)
    page.show()
    yield made
    page.close()


def folder(wait: Callable[[], None], failed: int = 0) -> Callable[[], Iterator[Any]]:
    def events() -> Iterator[Any]:
        yield FolderStarted(FILES, Path("results"))
        for index, path in enumerate(FILES):
            yield ImageStarted(path, index)
            wait()
            yield ImageFinished(path, None)
        yield FolderFinished(len(FILES) - failed, 0, failed, Path("results"))

    return events


def slowly() -> None:
    time.sleep(0.02)


def test_a_folder_run_is_told_of_and_held_and_stopped(qtbot: QtBot, session: Session, strip: ApplyStrip) -> None:
    assert not strip.isVisible()
    session.applying.start(folder(slowly))
    qtbot.waitUntil(lambda: "of 200" in strip.state.text())
    assert strip.isVisible()
    assert "well " in strip.state.toolTip()
    strip.pause.click()
    assert session.applying.paused
    assert strip.state.text().startswith("Paused: ")
    assert strip.pause.text() == "Continue"
    strip.pause.click()
    assert not session.applying.paused
    assert strip.state.text().startswith("Applying: ")
    strip.stop.click()
    qtbot.waitUntil(lambda: not session.applying.running)
    assert session.applying.stopped
    assert not strip.isVisible()


@pytest.mark.parametrize("failed", [0, 3])
def test_the_end_of_a_folder_run_is_told(qtbot: QtBot, session: Session, strip: ApplyStrip, failed: int) -> None:
    session.applying.start(folder(lambda: slowly() if not strip.isVisible() else None, failed))
    qtbot.waitUntil(lambda: not session.applying.running)
    said = "Applied to 197 images, 3 failed: Apply says why" if failed else "Applied to 200 images"
    assert strip.state.text() == said
    assert strip.isVisible()
    assert not strip.pause.isVisible()
    assert not strip.stop.isVisible()


def test_what_takes_less_than_a_moment_is_not_told(qtbot: QtBot, session: Session, strip: ApplyStrip) -> None:
    strip._clock.setInterval(60_000)
    session.applying.start(folder(lambda: None))
    qtbot.waitUntil(lambda: not session.applying.running)
    assert not strip.isVisible()
