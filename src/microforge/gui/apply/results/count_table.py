"""Table of counts by image, region and cell type."""

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication

from microforge.answers.region_counts import CountRow, count_columns
from microforge.gui.widgets.table import Column, SmallTable

_IMAGE = Column("Image", "The image.")
_FRAME = Column("Frame", "The time point, from 0.", True)
_REGION = Column("Region", "The whole image, or an area drawn on it. Double click a region to name it.")
_KIND = Column("Kind", "The kind of cells.")
_CELLS = Column("Cells", "How many cells there are.", True)
_RANGE = Column("Range", "The true number lies in here for nine in ten images like those kept aside (90 %).", True)
_SIZES = {
    2: (
        Column("µm²", "Area in square micrometres.", True),
        Column("per mm²", "Cells per square millimetre.", True),
    ),
    3: (
        Column("µm³", "Volume in cubic micrometres, over all planes.", True),
        Column("per mm³", "Cells per cubic millimetre.", True),
    ),
}
_BY = Column("Counted by", "The model, or you, where points were added, moved or deleted.")


class CountTable(SmallTable):
    """Counts, one line per image, time point, region and kind; `renamed` gives a line and the new name."""

    renamed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__("One line per image, region and kind. Double click the name of a region to change it.")
        self._rows: list[CountRow] = []
        self.texts.edited.connect(self._on_edited)

    def show_rows(self, rows: Sequence[CountRow]) -> None:
        """Show these counts."""
        self._rows = list(rows)
        self.setVisible(bool(rows))
        columns = _columns(rows)
        lines = [[_text(row, column) for column in columns] for row in rows]
        place = columns.index(_REGION)
        named = [(number, place) for number, row in enumerate(rows) if row.region is not None]
        self.set_content(columns, lines, named)

    def copy(self) -> None:
        """Put all columns on the clipboard, as they are saved."""
        columns = count_columns(self._rows)
        lines = ["\t".join(columns)]
        lines += ["\t".join(_plain(value) for value in line) for line in zip(*columns.values(), strict=True)]
        QApplication.clipboard().setText("\n".join(lines))

    def _on_edited(self, row: int, _column: int, text: str) -> None:
        self.renamed.emit(row, text)


def _columns(rows: Sequence[CountRow]) -> list[Column]:
    """Choose the columns that differ between lines or say anything."""
    columns = [_IMAGE] if len({row.image for row in rows}) > 1 else []
    columns += [_FRAME] if any(row.frame is not None for row in rows) else []
    columns.append(_REGION)
    columns += [_KIND] if any(row.kind for row in rows) else []
    columns.append(_CELLS)
    columns += [_RANGE] if any(row.low is not None for row in rows) else []
    columns += [_BY] if any(row.by_hand for row in rows) else []
    if any(row.size > 0 for row in rows):
        size, density = _SIZES[rows[0].dims]
        columns += [density, size]
    return columns


def _text(row: CountRow, column: Column) -> str:
    low, high = row.low, row.high
    between = "" if low is None or high is None else f"{round(low):,}–{round(high):,}"
    texts = {
        _IMAGE: row.image,
        _FRAME: str(row.frame),
        _REGION: row.place,
        _KIND: row.kind,
        _CELLS: f"{round(row.value):,}",
        _RANGE: between,
        _BY: "you" if row.by_hand else "model",
    }
    if column in texts:
        return texts[column]
    value = row.size if column in {area for area, _ in _SIZES.values()} else row.per_mm
    return "" if np.isnan(value) else f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _plain(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.6g}"
    return str(value)
