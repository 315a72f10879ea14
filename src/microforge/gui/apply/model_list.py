"""How models look in the list that opens: a picture of a result, the name, and what is known of it below."""

from pathlib import Path
from typing import Any

from qtpy.QtCore import QModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QFontMetrics, QPainter, QPalette, QPixmap
from qtpy.QtWidgets import QComboBox, QStyle, QStyledItemDelegate, QStyleOptionViewItem

#: Of an item: what is known of a model in words, and the file of a picture.
ABOUT_ROLE, PICTURE_ROLE = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole + 2
_SIDE, _GAP, _WIDEST = 36, 6, 460


class ModelRows(QStyledItemDelegate):  # type: ignore[misc]  # qtpy has no types
    """Draws the rows of a list of models."""

    def __init__(self, box: QComboBox) -> None:
        super().__init__(box)
        self._pictures: dict[Path, QPixmap] = {}

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw a row: a picture where there is one, and two lines."""
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Text
        painter.save()
        painter.setPen(option.palette.color(role))
        area = option.rect.adjusted(_GAP, 0, -_GAP, 0)
        picture = self._picture(index.data(PICTURE_ROLE))
        if picture is not None:
            painter.drawPixmap(area.left(), area.center().y() - picture.height() // 2, picture)
        left = area.adjusted(_SIDE + _GAP, 2, 0, -2)
        about = index.data(ABOUT_ROLE) or ""
        self._write(painter, option, left, index.data(Qt.ItemDataRole.DisplayRole), above=bool(about))
        if about:
            painter.setOpacity(0.7)
            half = left.adjusted(0, left.height() // 2, 0, 0)
            self._write(painter, option, half, about, above=False)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Make room for both lines, up to a width that fits beside a narrow dock."""
        metrics = QFontMetrics(option.font)
        texts = index.data(Qt.ItemDataRole.DisplayRole) or "", index.data(ABOUT_ROLE) or ""
        width = _SIDE + 4 * _GAP + max(metrics.horizontalAdvance(text) for text in texts)
        return QSize(min(width, _WIDEST), max(_SIDE + 6, 2 * metrics.height() + 6))

    def _write(self, painter: QPainter, option: QStyleOptionViewItem, area: QRect, text: str, *, above: bool) -> None:
        metrics = QFontMetrics(option.font)
        line = area.adjusted(0, 0, 0, -(area.height() // 2)) if above else area
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _picture(self, path: Any) -> QPixmap | None:
        if not isinstance(path, Path):
            return None
        if path not in self._pictures:
            read, keep = QPixmap(str(path)), Qt.AspectRatioMode.KeepAspectRatio
            smooth = Qt.TransformationMode.SmoothTransformation
            self._pictures[path] = read if read.isNull() else read.scaled(_SIDE, _SIDE, keep, smooth)
        return None if self._pictures[path].isNull() else self._pictures[path]
