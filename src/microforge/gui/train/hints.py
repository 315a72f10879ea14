"""Hints of a training: few at a time, the rest behind a button, and each only as long as it holds."""

from qtpy.QtWidgets import QPushButton, QWidget

from microforge.gui.widgets.basics import Note, button, stacked

#: More than this nobody reads beside a picture that changes; the others wait behind a button.
MOST_SHOWN = 2
#: What ends a hint that does not hold for ever, by the beginning of its code.
BETTER, ENDED = "better", "ended"
_ENDED_BY = {
    "overfitting": (BETTER,),
    "not-falling": (BETTER, ENDED),
    "few-steps": (ENDED,),
    "memory": (ENDED,),
    "skipped": (ENDED,),
    "change ": (ENDED,),
}


class Hints(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Notes by code; warnings stand first, then what was said last.

    Parameters
    ----------
    all_kinds
        Whether hints are shown that are no warnings.
    """

    def __init__(self, all_kinds: bool = True) -> None:
        super().__init__()
        self._all_kinds = all_kinds
        self._said: dict[str, tuple[str, str]] = {}
        self._all = False
        self._notes: list[Note] = []
        tip = "Show all hints, or only those that matter most."
        self.more: QPushButton = button("", tip, self._turn)
        self.more.setFlat(True)
        self._page = stacked(self, self.more)
        self._show()

    @property
    def texts(self) -> list[str]:
        """What stands there by now, the most important first."""
        return [text for text, _ in self._in_order()]

    def say(self, code: str, text: str, severity: str) -> None:
        """Show a hint, each kind once."""
        if severity == "warning" or self._all_kinds:
            self._said.pop(code, None)
            self._said[code] = (text, severity)
            self._show()

    def end(self, event: str) -> None:
        """Take away what no longer holds, as something has happened."""
        left = {code: said for code, said in self._said.items() if event not in _enders(code)}
        if len(left) < len(self._said):
            self._said = left
            self._show()

    def clear(self) -> None:
        """Begin anew."""
        self._said, self._all = {}, False
        self._show()

    def _in_order(self) -> list[tuple[str, str]]:
        newest = list(self._said.values())[::-1]
        return [said for said in newest if said[1] == "warning"] + [said for said in newest if said[1] != "warning"]

    def _turn(self) -> None:
        self._all = not self._all
        self._show()

    def _show(self) -> None:
        said = self._in_order()
        shown = said if self._all else said[:MOST_SHOWN]
        while len(self._notes) < len(shown):
            self._notes.append(Note())
            self._page.insertWidget(len(self._notes) - 1, self._notes[-1])
        for place, note in enumerate(self._notes):
            note.say(*(shown[place] if place < len(shown) else ("", "")))
        hidden = len(said) - MOST_SHOWN
        self.more.setVisible(hidden > 0)
        self.more.setText("Fewer hints" if self._all else f"{hidden} more hint{'s' * (hidden != 1)} …")
        self.setVisible(bool(said))


def _enders(code: str) -> tuple[str, ...]:
    return next((events for start, events in _ENDED_BY.items() if code.startswith(start)), ())
