"""The meter of what is annotated."""

from pytestqt.qtbot import QtBot

from microforge.gui.widgets.meter import Meter
from microforge.tasks.readiness import Headway


def test_it_fills_up_to_the_share_and_changes_colour_at_the_mark_and_when_full(qtbot: QtBot) -> None:
    meter = Meter("How much is annotated.")
    qtbot.addWidget(meter)
    meter.resize(202, meter.height())
    seen = []
    for share in (0.1, 0.5, 1.0):
        meter.tell_of(Headway(share, 0.2, ""))
        image = meter.grab().toImage()
        inside = image.pixelColor(int(200 * share) - 4, meter.height() // 2).name()
        beyond = image.pixelColor(min(int(200 * share) + 8, 198), meter.height() // 2).name()
        assert inside == meter.colour
        assert (beyond == meter.colour) == (share == 1)
        seen.append(meter.colour)
    assert len(set(seen)) == 3


def test_it_shows_where_something_can_be_said_only(qtbot: QtBot) -> None:
    meter = Meter("How much is annotated.")
    qtbot.addWidget(meter)
    assert not meter.isVisible()
    meter.tell_of(Headway(0.1, 0.2, ""))
    assert meter.isVisible()
    meter.tell_of(None)
    assert not meter.isVisible()
