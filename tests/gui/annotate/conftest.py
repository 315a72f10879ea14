"""The tab Annotate, shown without a dock."""

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> Iterator[AnnotatePanel]:
    watch = Watch(session)
    panel = AnnotatePanel(session, watch)
    qtbot.addWidget(panel)
    panel.show()
    yield panel
    watch.close()
    panel.close_down()
