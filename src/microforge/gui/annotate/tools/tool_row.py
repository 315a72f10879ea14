"""The row of tools for objects below *Annotate*: each takes a tool in hand, and says its key."""

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from microforge.gui.layers.gestures import FILL_PLANES, TOOLS, Hand, Tool
from microforge.gui.widgets.basics import plain_tip

_COLUMNS = 5


class ToolRow(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Buttons for the tools of a hand; the one in hand is pressed."""

    picked = Signal(object)
    planes_wanted = Signal()
    keys_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons = {tool: _button(tool.word, f"{_sentence(tool.does)} Key {tool.key}.") for tool in TOOLS}
        self.planes = _button("Planes", f"{_sentence(FILL_PLANES.does)} Key {FILL_PLANES.key}.")
        self.keys = _button("Keys ?", "Show what the keys do. Key ?")
        self._lay_out()
        self._connect()

    def show_hand(self, hand: Hand | None, *, stack: bool) -> None:
        """Show the tools that are of use, and the one in hand; hidden where nothing is annotated."""
        self.setVisible(hand is not None)
        self.planes.setVisible(stack and hand is not None and hand.objects)
        for tool, made in self.buttons.items():
            made.setVisible(hand is not None and hand.has(tool))
            blocker = QSignalBlocker(made)
            made.setChecked(hand is not None and hand.tool is tool)
            blocker.unblock()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for place, made in enumerate((*self.buttons.values(), self.planes, self.keys)):
            grid.addWidget(made, place // _COLUMNS, place % _COLUMNS)

    def _connect(self) -> None:
        for tool, made in self.buttons.items():
            made.setCheckable(True)
            made.toggled.connect(lambda on, tool=tool: self._on_toggled(tool, on))
        self.planes.clicked.connect(lambda _=False: self.planes_wanted.emit())
        self.keys.clicked.connect(lambda _=False: self.keys_wanted.emit())

    def _on_toggled(self, tool: Tool, on: bool) -> None:
        self.picked.emit(tool if on else None)


def _button(word: str, tip: str) -> QToolButton:
    made = QToolButton()
    made.setText(word)
    made.setToolTip(plain_tip(tip))
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made


def _sentence(does: str) -> str:
    return f"{does[0].upper()}{does[1:]}."
