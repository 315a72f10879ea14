"""A meter: how much there is of what is needed, with a mark where a first step is reached."""

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from microforge.tasks.readiness import Headway

_HEIGHT = 8
#: Below the mark, from it on, and where it is full; well seen on dark ground and on light one.
_LITTLE, _SOME, _ENOUGH = "#d98a00", "#3b86e8", "#2f9e5f"
#: How strongly the part that is not filled is drawn in the colour of the text.
_FAINT = 0.25


class Meter(QWidget):  # type: ignore[misc]  # qtpy has no types
    """A thin bar that fills; hidden until it is told something.

    Attributes
    ----------
    share, mark
        What is filled, and where the mark is, 0..1.
    """

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.share, self.mark = 0.0, 0.0
        self.setToolTip(tip)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def tell_of(self, headway: Headway | None) -> None:
        """Show how far annotation has come; nothing where that cannot be said."""
        if headway is not None:
            self.share, self.mark = headway.share, headway.first
            self.update()
        self.setVisible(headway is not None)

    @property
    def colour(self) -> str:
        """What it is filled with, ``#rrggbb``."""
        if self.share >= 1:
            return _ENOUGH
        return _SOME if self.share >= self.mark else _LITTLE

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar and its mark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        ground = QColor(text)
        ground.setAlphaF(_FAINT)
        bar = QRectF(0, 1, self.width(), self.height() - 2)
        for colour, width in ((ground, bar.width()), (QColor(self.colour), bar.width() * self.share)):
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(bar.x(), bar.y(), width, bar.height()), 3, 3)
        if 0 < self.mark < 1:
            at = self.mark * bar.width()
            painter.setPen(text)
            painter.drawLine(QPointF(at, 0), QPointF(at, self.height()))
        painter.end()
