"""Where the strip stands: a dock of its own at the bottom of napari's window, there once it is of use."""

import contextlib
from typing import Any

from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from microforge.gui.strip.panel import Strip

_NAME = "Images"


class StripPlace:
    """Show the strip at the bottom of the window, and take it away again.

    Parameters
    ----------
    home
        What the strip belongs to while it is not shown.
    """

    def __init__(self, viewer: ViewerModel, strip: Strip, home: QWidget) -> None:
        self._viewer, self._strip, self._home = viewer, strip, home
        self._closed = False
        strip.setParent(home)
        strip.hide()

    def show(self) -> None:
        """Show the strip, wherever it is; nothing happens where there is no window."""
        window: Any = getattr(self._viewer, "window", None)
        if self._closed or window is None:
            return
        if self._strip.parent() in (None, self._home):
            window.add_dock_widget(self._strip, name=_NAME, area="bottom")
        dock = self._strip.parent()
        if isinstance(dock, QWidget):
            dock.show()
        self._strip.show()

    def close(self) -> None:
        """Take the strip out of the window; it is not shown again."""
        self._closed = True
        window: Any = getattr(self._viewer, "window", None)
        # Where the window was closed first, it has taken the strip along.
        with contextlib.suppress(LookupError, RuntimeError, AttributeError):
            if window is not None and self._strip.parent() not in (None, self._home):
                window.remove_dock_widget(self._strip)
        with contextlib.suppress(RuntimeError):
            self._strip.setParent(self._home)
            self._strip.hide()
