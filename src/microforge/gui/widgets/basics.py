"""Notes, pickers, buttons and rows of forms that all panels use."""

from collections.abc import Callable, Collection, Sequence
from html import escape
from typing import Any, Protocol, TypeVar, runtime_checkable

from qtpy.QtCore import QEvent, QObject, QPoint, QSignalBlocker, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMessageBox,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from microforge.gui.widgets.look.icons import IconButton

# These stand out on napari's dark theme and on its light one.
_COLOURS = {"ok": "#2f9e5f", "warning": "#d98a00", "error": "#e0484d", "info": "#7a8aa0"}

_W = TypeVar("_W", bound=QWidget)
_UNLIMITED = (1 << 24) - 1
#: Pixels that a picker needs at least.
_NARROW = 110


@runtime_checkable
class Themed(Protocol):
    """Draws in colours of its own, which follow napari's theme."""

    def set_colours(self, background: str, text: str) -> None:
        """Take the colours of background and text, as ``#rrggbb``."""


class Note(QLabel):  # type: ignore[misc]  # qtpy has no types
    """A line of words that wraps; with a severity it has a coloured edge. Hidden while empty."""

    def __init__(self, text: str = "", severity: str = "", tip: str = "") -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setToolTip(tip)
        self.severity = ""
        self.say(text, severity)

    def minimumSizeHint(self) -> QSize:
        """Let a narrow dock wrap the text; Qt would ask for the height that the text has in a single column."""
        return QSize(40, self.fontMetrics().height())

    def say(self, text: str, severity: str = "") -> None:
        """Show a text; severity is ok, info, warning, error or none."""
        if severity != self.severity:
            self.severity = severity
            colour = _COLOURS.get(severity)
            self.setStyleSheet(f"border-left: 3px solid {colour}; padding-left: 6px;" if colour else "")
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))


class _Passing(QObject):  # type: ignore[misc]  # qtpy has no types
    """Leaves the wheel to the page: who scrolls must not change what happens to lie under the mouse."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ignore the wheel, so that it goes on to the page."""
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return False


def steady(widget: _W) -> _W:
    """Let the wheel pass over a field of a page that scrolls; keys and clicks change it as ever."""
    widget.installEventFilter(_Passing(widget))
    return widget


def plain_tip(text: str) -> str:
    """Give a tool tip that shows what stands in a file as it stands there: Qt takes what looks like HTML for it."""
    return f"<span style='white-space: pre-wrap'>{escape(text)}</span>" if "<" in text else text


class Picker(QComboBox):  # type: ignore[misc]  # qtpy has no types
    """Choose one of some objects by their titles."""

    value_changed = Signal(object)

    def __init__(self, tip: str, nothing: str = "") -> None:
        super().__init__()
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self._values: list[Any] = []
        self._nothing = nothing
        self.setPlaceholderText(nothing)
        steady(self)
        self.currentIndexChanged.connect(self._on_index)

    def minimumSizeHint(self) -> QSize:
        """Fit a narrow dock; Qt would make room for the whole text that stands there while nothing can be chosen."""
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), _NARROW), hint.height())

    def set_choices(self, choices: Sequence[tuple[str, Any]]) -> None:
        """Offer these titles and objects; the one chosen stays chosen if it is still there, else the last is."""
        if [value for _, value in choices] == self._values and [title for title, _ in choices] == self._titles():
            return
        chosen, signals = self.value(), QSignalBlocker(self)
        self.clear()
        self._values = [value for _, value in choices]
        self.addItems([title for title, _ in choices])
        self.setCurrentIndex(self._values.index(chosen) if chosen in self._values else len(choices) - 1)
        signals.unblock()
        if self.value() is not chosen:
            self.value_changed.emit(self.value())

    def value(self) -> Any:
        """Give the object chosen, or None."""
        index = self.currentIndex()
        return self._values[index] if 0 <= index < len(self._values) else None

    def set_value(self, value: Any) -> None:
        """Choose an object; ignored where it is not offered."""
        if value in self._values:
            self.setCurrentIndex(self._values.index(value))

    def _titles(self) -> list[str]:
        return [self.itemText(i) for i in range(self.count())]

    def _on_index(self, index: int) -> None:
        self.value_changed.emit(self.value())


def button(text: str, tip: str, clicked: Callable[[], Any], *, icon: str = "") -> IconButton:
    """Make a push button, perhaps with an icon before its text."""
    made = IconButton(text, icon)
    made.setToolTip(tip)
    made.clicked.connect(lambda _=False: clicked())
    return made


class _Tick(QCheckBox):  # type: ignore[misc]  # qtpy has no types
    """A check box that reacts in all of its place; Qt's own does so on its glyph and text only."""

    def hitButton(self, place: QPoint) -> bool:
        """Tell whether a click at a place is meant for it."""
        return bool(self.rect().contains(place))


def tick(text: str, tip: str, *, on: bool = False) -> QCheckBox:
    """Make a check box."""
    made = _Tick(text)
    made.setToolTip(tip)
    made.setChecked(on)
    return made


def remover(tip: str, clicked: Callable[[], Any]) -> QToolButton:
    """Make the small button that takes a line of a list away."""
    made = QToolButton()
    made.setText("×")
    made.setToolTip(tip)
    made.clicked.connect(lambda _=False: clicked())
    return made


def confirmed(parent: QWidget, title: str, question: str, yes: QMessageBox.StandardButton) -> bool:
    """Ask before something is lost; give whether `yes` was pressed rather than Cancel."""
    no = QMessageBox.StandardButton.Cancel
    return bool(QMessageBox.question(parent, title, plain_tip(question), yes | no, no) == yes)


def collapsible(title: str, tip: str, content: QWidget) -> QCollapsible:
    """Make a part that is closed until its title is clicked."""
    made = QCollapsible(title)
    made.setToolTip(tip)
    made.setDuration(0)
    made.setCollapsedIcon("▸")
    made.setExpandedIcon("▾")
    made.layout().setContentsMargins(0, 0, 0, 0)
    made.layout().setSpacing(0)
    made.setContent(content)
    made.collapse(animate=False)
    # Its content may grow while it is open: superqt measures it only when it is opened.
    made.toggled.connect(lambda is_open: content.setMaximumHeight(_UNLIMITED if is_open else 0))
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    return made


def stacked(page: QWidget, *parts: QWidget | QLayout) -> QVBoxLayout:
    """Lay out the parts of a page below each other, without margins; give the layout."""
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        if isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)
    return layout


def beside(*parts: QWidget, wide: Collection[int] = (0,)) -> QHBoxLayout:
    """Lay out parts beside each other; those at the places `wide` share the room that is left."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    for place, part in enumerate(parts):
        layout.addWidget(part, int(place in wide))
    return layout


def rows(*fields: tuple[str, QWidget]) -> QFormLayout:
    """Make a layout of titles and fields that stays usable in a narrow dock."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for title, field in fields:
        add_row(layout, title, field)
    return layout


def add_row(layout: QFormLayout, title: str, field: QWidget) -> None:
    """Add a field with a title that shares its tooltip."""
    label = QLabel(title)
    label.setToolTip(field.toolTip())
    layout.addRow(label, field)


def shortened(text: str, most: int = 240) -> str:
    """Leave out the middle of a text that would fill the panel."""
    return text if len(text) <= most else f"{text[: most // 2]} … {text[-most // 2 :]}"
