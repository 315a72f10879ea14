"""Ask what that is which the network finds where nothing is painted: objects, or background."""

from collections.abc import Iterator

import numpy as np
from napari.layers import Labels, Layer
from qtpy.QtWidgets import QWidget

from microforge.errors import MicroforgeError
from microforge.gui.layers.gestures import found_layers
from microforge.gui.session.background import Relay
from microforge.gui.session.painted_layers import ground_of
from microforge.gui.session.results_to_learn import Laid, ObjectTaking, asked_about, lay, said_background, said_objects
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, remover, stacked
from microforge.gui.widgets.canvas_view import look_at

#: How many more there must be, as a part, before a question that was waved away is asked again.
_MORE = 0.5


class UnpaintedQuestion(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Ask while there is something to ask about; one click turns it into annotation, one Ctrl+Z takes that back."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._image: Layer | None = None
        self._layer: Labels | None = None
        self._found: list[tuple[Laid, list[int]]] = []
        self._waved_away = 0
        self.note = Note(tip="What the network finds and you have painted nowhere teaches it to unlearn, or nothing.")
        self.objects = button(
            "They are objects", "Make each an object of yours, with a label of its own.", self._objects
        )
        self.background = button("Background", "Say with the background brush that nothing is there.", self._background)
        self.show_me = button("Show me", "Move the view to them.", self._show_them)
        self.later = remover("Do not ask until there are many more.", self._later)
        answers = beside(self.objects, self.background, self.show_me, self.later, wide=(0, 1, 2))
        stacked(self, self.note, answers)
        self.taking = ObjectTaking(session)
        self._relay = Relay("a look at what was found")
        self._relay.event.connect(self._on_event)
        self.taking.relay.finished.connect(self.look)
        self.setVisible(False)

    @property
    def count(self) -> int:
        """How many objects are asked about."""
        return sum(len(labels) for _, labels in self._found)

    def follow(self, image: Layer) -> None:
        """Look at what the network says of an image now."""
        self._image = image
        self.look()

    def look(self) -> None:
        """Look again, in the background, whether there is something to ask."""
        layers = [] if self._image is None else found_layers(self._session.viewer, self._image)
        item = self._session.annotated_of(self._image)
        if not layers or item is None or not isinstance(item.labels, Labels) or self._session.has_classes:
            self.forget()
        elif not self._relay.running:
            self._layer = layers[0]
            laid = lay(self._session, item, self._layer)
            self._relay.start(lambda: _looked(laid))

    def forget(self) -> None:
        """Ask nothing."""
        self._found, self._layer = [], None
        self._ask()

    def close_down(self) -> None:
        """Stop what is under way."""
        self.taking.close()
        self._relay.end(1)

    def _on_event(self, event: object) -> None:
        if isinstance(event, list):
            self._found = event
            self._ask()

    def _ask(self) -> None:
        count = self.count
        if not count:
            self._waved_away = 0
        wanted = count > self._waved_away * (1 + _MORE)
        self.note.say(f"The network finds {count:,} objects where you painted none." if wanted else "", "warning")
        self.setVisible(wanted and count > 0)

    def _objects(self) -> None:
        self._take(background=False)

    def _background(self) -> None:
        self._take(background=True)

    def _take(self, *, background: bool) -> None:
        item = self._session.annotated_of(self._image)
        if self._image is None or item is None or self._layer not in self._session.viewer.layers:
            self.forget()
            return
        try:
            ground = ground_of(self._session, item) if background else None
            self.taking.start(self._image, self._layer, said_background if background else said_objects, ground)
        except MicroforgeError as error:
            self._session.say(str(error), "error")

    def _show_them(self) -> None:
        """Move the view to the first of them, with what the network says in sight."""
        if self._layer is None or not self._found:
            return
        laid, labels = self._found[0]
        self._layer.visible = True
        corner = [part.start for part in laid.found.window]
        middle = np.argwhere(laid.found.found == labels[0]).mean(axis=0) + corner
        look_at(self._session.viewer, laid.target.layer, laid.target.in_layer(middle))

    def _later(self) -> None:
        self._waved_away = self.count
        self._ask()


def _looked(laid: list[Laid]) -> Iterator[list[tuple[Laid, list[int]]]]:
    asked = [(one, asked_about(one)) for one in laid]
    yield [(one, labels) for one, labels in asked if labels]
