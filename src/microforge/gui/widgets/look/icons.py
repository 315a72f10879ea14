"""Icons that follow napari's theme, and pictures of goals and steps: small SVG files of our own, drawn when needed."""

from functools import cache
from pathlib import Path

from qtpy.QtCore import QByteArray, QEvent, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QPushButton

#: Of the tick at what is done: well seen on dark and on light ground.
DONE = "#3fb97a"
_HERE = Path(__file__).parent
#: Pixels of an icon beside a text and of the gap between them; the part of a picture's width that is its height.
ICON_SIZE, GAP, PICTURE_SHAPE = 16, 4, 2 / 3
#: Drawn so many times larger than shown, for screens with fine pixels.
_FINE = 3


class IconButton(QPushButton):  # type: ignore[misc]  # qtpy has no types
    """A push button whose icon has the colour of its text, in every theme and state.

    Parameters
    ----------
    icon
        Name of a file in ``icons/``; empty = none.
    """

    def __init__(self, text: str, icon: str = "") -> None:
        super().__init__(text)
        self._icon, self._drawn = icon, ("", "")
        self.setIconSize(QSize(ICON_SIZE + GAP, ICON_SIZE))
        self._draw()

    def show_icon(self, icon: str) -> None:
        """Show another icon, or none."""
        self._icon = icon
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon anew where the theme, or whether the button can be pressed, has changed."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange, QEvent.Type.EnabledChange):
            self._draw()

    def _draw(self) -> None:
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        colour = self.palette().color(group, QPalette.ColorRole.ButtonText).name()
        if self._drawn != (self._icon, colour):
            self._drawn = (self._icon, colour)
            self.setIcon(icon_of(self._icon, colour) if self._icon else QIcon())


def icon_of(name: str, colour: str) -> QIcon:
    """Give an icon in a colour, ``#rrggbb``."""
    svg = _text("icons", name).replace("currentColor", QColor(colour).name())
    return QIcon(_drawn(svg, ICON_SIZE, ICON_SIZE, GAP))


def picture(name: str, width: int) -> QPixmap:
    """Give the picture of a goal or step, so many pixels wide; a plain one where there is none of that name."""
    known = (_HERE / "pictures" / f"{name}.svg").exists()
    return _drawn(_text("pictures", name if known else "other"), width, round(width * PICTURE_SHAPE))


@cache
def _text(folder: str, name: str) -> str:
    return (_HERE / folder / f"{name}.svg").read_text(encoding="utf-8")


def _drawn(svg: str, width: int, height: int, gap: int = 0) -> QPixmap:
    made = QPixmap((width + gap) * _FINE, height * _FINE)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, width * _FINE, height * _FINE))
    painter.end()
    made.setDevicePixelRatio(_FINE)
    return made
