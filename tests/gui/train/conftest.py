"""The tab Train, shown without a dock."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session
from microforge.gui.train.panel import TrainPanel


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> Iterator[TrainPanel]:
    watch = Watch(session)
    panel = TrainPanel(session, watch)
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    watch.close()
    session.close(5)
    panel.close_down()
