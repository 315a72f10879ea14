"""The row of tools for objects below *Annotate*: each takes a tool in hand, and says its key."""

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from microforge.gui.layers.gestures import FILL_PLANES, GROUND_KEY, TOOLS, Hand, Tool
from microforge.gui.widgets.basics import plain_tip

#: Buttons beside each other.
_COLUMNS = 5


class ToolRow(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Buttons for the tools of a hand; the one in hand is pressed.

    Attributes
    ----------
    ground
        The button of the background brush, to be placed where brushes are chosen.
    """

    picked = Signal(object)
    planes_wanted = Signal()
    ground_wanted = Signal()
    keys_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons = {tool: _button(tool.word, f"{_sentence(tool.does)} Key {tool.key}.") for tool in TOOLS}
        self.ground = _button("Background", f"{_sentence(GROUND_KEY.does)} Key {GROUND_KEY.key}.")
        self.planes = _button("Planes", f"{_sentence(FILL_PLANES.does)} Key {FILL_PLANES.key}.")
        self.keys = _button("Keys ?", "Show what the keys do. Key ?")
        self._shown: list[QPushButton] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(3)
        self._connect()

    def show_hand(self, hand: Hand | None, *, stack: bool, ground: bool) -> None:
        """Show the tools that are of use, and the one in hand; hidden where nothing is annotated.

        Parameters
        ----------
        stack, ground
            Whether there are planes, and whether the brush says what is background.
        """
        self.setVisible(hand is not None)
        self.ground.setVisible(hand is not None and hand.objects)
        self.ground.setChecked(ground)
        wanted = [made for tool, made in self.buttons.items() if hand is not None and hand.has(tool)]
        wanted += [self.planes] * (stack and hand is not None and hand.objects)
        self._arrange([*wanted, self.keys])
        for tool, made in self.buttons.items():
            blocker = QSignalBlocker(made)
            made.setChecked(hand is not None and hand.tool is tool)
            blocker.unblock()

    def _arrange(self, wanted: list[QPushButton]) -> None:
        """Show these buttons, one after the other, in rows."""
        if wanted == self._shown:
            return
        self._shown = wanted
        for made in (*self.buttons.values(), self.planes, self.keys):
            self._grid.removeWidget(made)
            made.setVisible(made in wanted)
        for place, made in enumerate(wanted):
            self._grid.addWidget(made, place // _COLUMNS, place % _COLUMNS)

    def _connect(self) -> None:
        for tool, made in self.buttons.items():
            made.setCheckable(True)
            made.toggled.connect(lambda on, tool=tool: self._on_toggled(tool, on))
        self.ground.setCheckable(True)
        self.ground.clicked.connect(lambda _=False: self.ground_wanted.emit())
        self.planes.clicked.connect(lambda _=False: self.planes_wanted.emit())
        self.keys.clicked.connect(lambda _=False: self.keys_wanted.emit())

    def _on_toggled(self, tool: Tool, on: bool) -> None:
        self.picked.emit(tool if on else None)


def _button(word: str, tip: str) -> QPushButton:
    made = QPushButton(word)
    made.setStyleSheet("padding: 3px 1px;")
    made.setToolTip(plain_tip(tip))
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return made


def _sentence(does: str) -> str:
    return f"{does[0].upper()}{does[1:]}."
