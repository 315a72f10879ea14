"""How an image of the strip is drawn: its picture, a mark of how it stands, and its name below."""

from qtpy.QtCore import QModelIndex, QPoint, QRect, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPalette, QPen
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from microforge.gui.session.annotations.base import AmountDrawn
from microforge.gui.session.image_list.listed_image import WantedRole
from microforge.gui.strip.model import Cell, StripModel
from microforge.gui.widgets.look.buttons import ACCENT
from microforge.gui.widgets.look.icons import DONE

#: Pixels of a picture, and around it.
PICTURE, _GAP = QSize(84, 64), 4
#: What is annotated has the colour of what a person draws, as on the canvas.
_MARKS: dict[AmountDrawn, tuple[str, bool]] = {"part": ("#ffb000", False), "all": ("#ffb000", True)}
_BADGES: dict[WantedRole, str] = {"training": "learn", "validation": "aside", "test": "test"}
_DARK, _ERROR = "#14181d", "#e0484d"
_MARK, _INWARDS = 14, QPoint(-2, 2)
#: Qt counts angles in sixteenths of a degree.
_DEGREE = 16


class CellDrawing(QStyledItemDelegate):  # type: ignore[misc]  # qtpy has no types
    """Draws a `Cell`."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Give the room for a picture and a line of text."""
        return QSize(PICTURE.width() + 2 * _GAP, PICTURE.height() + option.fontMetrics.height() + 3 * _GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the image of an index."""
        cell = index.data(StripModel.CELL)
        if not isinstance(cell, Cell):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRect(option.rect.topLeft(), PICTURE).translated(_GAP, _GAP)
        self._picture(painter, cell, frame)
        self._marks(painter, cell, frame)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if cell.is_current or chosen:
            painter.setPen(QPen(QColor(ACCENT), 3 if cell.is_current else 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(-1, -1, 1, 1), 3, 3)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        below = QRect(option.rect.left(), frame.bottom() + 2, option.rect.width(), option.fontMetrics.height() + 2)
        name = option.fontMetrics.elidedText(cell.name, Qt.TextElideMode.ElideMiddle, below.width() - 4)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, name)
        painter.restore()

    def _picture(self, painter: QPainter, cell: Cell, frame: QRect) -> None:
        painter.fillRect(frame, QColor(_DARK))
        if cell.picture is not None:
            size = cell.picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(frame.topLeft(), size)
            place.moveCenter(frame.center())
            painter.drawPixmap(place, cell.picture)
        elif cell.problem:
            painter.setPen(QColor(_ERROR))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, "cannot be\nopened")
        else:
            painter.setPen(QColor("#7a8aa0"))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "…")

    def _marks(self, painter: QPainter, cell: Cell, frame: QRect) -> None:
        if cell.progress in _MARKS:
            colour, filled = _MARKS[cell.progress]
            dot = QRect(0, 0, _MARK, _MARK)
            dot.moveTopRight(frame.topRight() + _INWARDS)
            painter.setPen(QPen(QColor(_DARK), 1))
            painter.setBrush(QColor(_DARK))
            painter.drawEllipse(dot)
            painter.setBrush(QColor(colour))
            inside = dot.adjusted(2, 2, -2, -2)
            if filled:
                painter.drawEllipse(inside)
            else:
                painter.drawChord(inside, 90 * _DEGREE, 180 * _DEGREE)
        if cell.reviewed:
            self._badge(painter, "✓", QColor(DONE), frame, left=False)
        if cell.role in _BADGES:
            self._badge(painter, _BADGES[cell.role], QColor("#d5dbe3"), frame, left=True)

    def _badge(self, painter: QPainter, text: str, colour: QColor, frame: QRect, *, left: bool) -> None:
        """Draw a word on a dark ground in a lower corner of the picture."""
        size = painter.fontMetrics().size(0, text)
        box = QRect(0, 0, size.width() + 6, size.height())
        (box.moveBottomLeft if left else box.moveBottomRight)(frame.bottomLeft() if left else frame.bottomRight())
        ground = QColor(_DARK)
        ground.setAlpha(210)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 2, 2)
        painter.setPen(colour)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
