"""Table of segmentation errors (missed, extra, merged, split objects); choosing a line goes to the object."""

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from microforge.evaluation.object_errors import FINDING_KINDS, ObjectFinding

FINDING_HEADERS = ("What", "Label", "Pixels", "Overlap")
FINDING_HEADER_TIPS = (
    "; ".join(f"{kind}: {text}" for kind, text in FINDING_KINDS.items()),
    "The label of the object: in the truth for missed, split and outline, else in the prediction.",
    "Size of the object.",
    "Overlap with its partner: 1 = the same pixels.",
)


class FindingsModel(QAbstractTableModel):  # type: ignore[misc]  # qtpy has no types
    """Findings in the order given."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.findings: list[ObjectFinding] = []

    def set_findings(self, findings: Sequence[ObjectFinding]) -> None:
        """Show other findings."""
        self.beginResetModel()
        self.findings = list(findings)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(self.findings)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: D102 - Qt's name
        return 0 if parent is not None and parent.isValid() else len(FINDING_HEADERS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if not index.isValid():
            return None
        finding = self.findings[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            overlap = f"{finding.overlap:.2f}" if finding.overlap else ""
            return (finding.kind, str(finding.label), f"{finding.size:,.0f}", overlap)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return FINDING_KINDS[finding.kind]
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Any, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102
        if orientation != Qt.Orientation.Horizontal:
            return None
        texts = {Qt.ItemDataRole.DisplayRole: FINDING_HEADERS, Qt.ItemDataRole.ToolTipRole: FINDING_HEADER_TIPS}.get(
            role
        )
        return texts[section] if texts else None


class FindingsTable(QTableView):  # type: ignore[misc]  # qtpy has no types
    """The view of a `FindingsModel`; `chosen` gives the finding of the line a person goes to."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found = FindingsModel(self)
        self.setModel(self.found)
        self.setToolTip("Click a line, or walk with the arrow keys, to see the object in the middle of the view.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setMinimumHeight(180)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(self._on_row)

    def _on_row(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self.found.findings[current.row()])
