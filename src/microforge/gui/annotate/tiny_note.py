"""A line in *Annotate* about tiny objects that were painted by accident: show them, or delete them."""

from napari.layers import Labels
from qtpy.QtWidgets import QWidget

from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked
from microforge.gui.widgets.canvas_view import look_at
from microforge.label_editing import TinyObject, without

_NAMED = 3


class TinyNote(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Tell of tiny objects on the layer that is painted on; hidden where there are none."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._layer: Labels | None = None
        self._found: tuple[TinyObject, ...] = ()
        self._shown = -1
        self.text = Note(tip="Far smaller than your other objects: perhaps a click by accident. It would be learnt.")
        self.show_next = button("Show", "Bring it into the middle of the view; once more: the next one.", self._show)
        self.delete = button("Delete", "Take it away. Ctrl+Z on its layer brings it back.", self._delete)
        line = beside(self.show_next, self.delete, wide=())
        line.addStretch()
        stacked(self, self.text, line)
        self.hide()

    def tell(self, layer: Labels | None, found: tuple[TinyObject, ...]) -> None:
        """Show what was found on a layer."""
        if (layer, found) != (self._layer, self._found):
            self._layer, self._found, self._shown = layer, found, -1
        self.text.say(_words(found), "warning")
        self.setVisible(bool(found))

    def _show(self) -> None:
        if self._layer is not None and self._found:
            self._shown = (self._shown + 1) % len(self._found)
            look_at(self.session.viewer, self._layer, self._found[self._shown].at)

    def _delete(self) -> None:
        if self._layer is None:
            return
        edit = without(self._layer.data, self._found)
        if edit is not None:
            self._layer.data_setitem(edit.where, edit.new)
        self.tell(None, ())


def _words(found: tuple[TinyObject, ...]) -> str:
    if not found:
        return ""
    sizes = ", ".join(f"{one.pixels:,}" for one in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
    return f"{len(found)} tiny object{'s' * (len(found) != 1)} ({sizes} px): by accident?"
