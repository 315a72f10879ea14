"""Buttons that stand out: the next step of a tab, and what destroys something; come here for their colours."""

from typing import Literal, TypeVar

from qtpy.QtGui import QColor
from qtpy.QtWidgets import QPushButton

#: What a button is on its page: the next step (one for each page), what cannot be undone, or one among others.
ButtonRole = Literal["accent", "danger", ""]
_B = TypeVar("_B", bound=QPushButton)
#: White letters are well read on it, and it is well seen on napari's dark theme and on its light one.
ACCENT = "#1f6fd6"
_ACCENT_UNDER_MOUSE, _ACCENT_PRESSED = "#3b86e8", "#1857aa"
#: Lines and letters of what destroys, on dark and on light ground.
_DANGER_ON_DARK, _DANGER_ON_LIGHT = "#ff7d7d", "#b3261e"
#: From this lightness (0..255) on a ground is light.
_LIGHT = 128


def accent(made: _B) -> _B:
    """Make a button the next step of its page, drawn in the accent colour."""
    return stand_out(made, "accent")


def danger(made: _B) -> _B:
    """Make a button one that destroys something, outlined in red."""
    return stand_out(made, "danger")


def stand_out(made: _B, role: ButtonRole) -> _B:
    """Say what a button is on its page; an empty role takes that back."""
    if made.property("role") != role:
        made.setProperty("role", role)
        # Qt looks at properties when it applies a style sheet, and not again.
        made.style().unpolish(made)
        made.style().polish(made)
    return made


def style_sheet(background: str) -> str:
    """Give the style sheet of a dock on a ground of this colour, ``#rrggbb``."""
    red = _DANGER_ON_LIGHT if QColor(background).lightness() >= _LIGHT else _DANGER_ON_DARK
    return f"""
        QPushButton[role="accent"]:enabled {{ background-color: {ACCENT}; color: white; font-weight: bold; }}
        QPushButton[role="accent"]:enabled:hover {{ background-color: {_ACCENT_UNDER_MOUSE}; }}
        QPushButton[role="accent"]:enabled:pressed {{ background-color: {_ACCENT_PRESSED}; }}
        QPushButton[role="danger"]:enabled {{ background-color: transparent; color: {red}; border: 1px solid {red}; }}
        QPushButton[role="danger"]:enabled:hover {{ background-color: {red}; color: {background}; }}
    """
