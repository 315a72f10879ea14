"""Icons have the colour of the text beside them."""

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtGui import QColor, QImage

from microforge.gui.widgets.look.icons import ICON_SIZE, IconButton, icon_of, picture


def colours(image: QImage) -> set[str]:
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def drawn(button: IconButton) -> QImage:
    return button.icon().pixmap(ICON_SIZE, ICON_SIZE).toImage()


def test_an_icon_is_drawn_in_the_colour_asked_for() -> None:
    assert colours(icon_of("stop", "#12ab34").pixmap(ICON_SIZE, ICON_SIZE).toImage()) == {"#12ab34"}


@pytest.mark.parametrize("colour", ["#ffffff", "#101010"])
def test_icons_follow_the_theme(qtbot: QtBot, colour: str) -> None:
    button = IconButton("Stop", "stop")
    qtbot.addWidget(button)
    button.setStyleSheet(f"QPushButton {{ color: {colour}; background: #777777; }}")
    button.show()
    assert QColor(colour).name() in colours(drawn(button))
    button.show_icon("")
    assert button.icon().isNull()


def test_a_goal_without_a_picture_gets_a_plain_one() -> None:
    assert not picture("no such goal", 36).isNull()
    assert picture("no such goal", 36).toImage() == picture("other", 36).toImage()
