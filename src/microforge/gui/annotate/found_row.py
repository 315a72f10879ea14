"""What a network found, to be taken: all of it at once, and a model that is asked for it."""

from pathlib import Path

from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QWidget

from microforge.errors import MicroforgeError
from microforge.events import RunFailed
from microforge.gui.layers.gestures import TAKE_ALL, found_layers
from microforge.gui.session.plugin_settings import model_title
from microforge.gui.session.results_to_learn import ObjectTaking, confident_ones
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import beside, button, plain_tip, stacked
from microforge.inference.open_images import OpenImageFailed

_FILTER = "Microforge models (*.safetensors)"


class FoundRow(QWidget):  # type: ignore[misc]  # qtpy has no types
    """Let a model propose objects on the image chosen, and take all that it is sure of."""

    #: The image on which objects were proposed.
    proposed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._image: Image | None = None
        self._asked = False
        self.taking = ObjectTaking(session)
        self.propose = button("Let a model propose", "", self._on_propose)
        self.all = button(
            "Take all it is sure of",
            "Make objects that the network found yours, where you have painted none. Those it doubts are left to you: "
            f"click them with the tool Take. Key {TAKE_ALL.key}.",
            self.take_all,
        )
        stacked(self, beside(self.propose, self.all, wide=(0, 1)))
        session.model_changed.connect(self._show)
        session.applying.event.connect(self._on_event)
        session.applying.finished.connect(self._on_finished)
        session.viewer.layers.events.inserted.connect(self._show)
        session.viewer.layers.events.removed.connect(self._show)

    def show_image(self, image: Image | None) -> None:
        """Offer what there is for an image; nothing for none."""
        self._image = image
        self._show()

    def take_all(self) -> None:
        """Take all that the network is sure of and that is not painted yet."""
        layers = [] if self._image is None else found_layers(self._session.viewer, self._image)
        if not layers:
            self._session.say("No network has said anything of this image yet.", "info")
            return
        assert self._image is not None
        try:
            self.taking.start(self._image, layers[0], confident_ones)
        except MicroforgeError as error:
            self._session.say(str(error), "error")

    def close_down(self) -> None:
        """Let go of the viewer."""
        self.taking.close()
        self._session.viewer.layers.events.inserted.disconnect(self._show)
        self._session.viewer.layers.events.removed.disconnect(self._show)

    def _show(self, _event: object = None) -> None:
        model, image = self._session.model_path, self._image
        found = [] if image is None else found_layers(self._session.viewer, image)
        self.all.setVisible(bool(found))
        self.propose.setEnabled(not self._session.applying.running)
        self.propose.setText("Let a model propose" if model else "Let a model propose …")
        which = f"Now: {model_title(model)}." if model else "You are asked for its file."
        tip = "Show what a model of objects finds on this image: take what is right, paint the rest."
        self.propose.setToolTip(plain_tip(f"{tip} {which}"))
        self.setVisible(image is not None)

    def _on_propose(self) -> None:
        session, image = self._session, self._image
        if session.model_path is None:
            start, _ = QFileDialog.getOpenFileName(self, "Open a model", "", _FILTER)
            if not start:
                return
            session.set_model(Path(start))
        if image is not None:
            self._asked = True
            session.viewer.layers.selection = {image}
            session.proposals_wanted.emit()
            self._show()

    def _on_event(self, event: object) -> None:
        if self._asked and isinstance(event, OpenImageFailed):
            self._session.say(f"{event.name}: {event.reason}", "error")
        elif self._asked and isinstance(event, RunFailed):
            self._session.say(event.in_words, "error")

    def _on_finished(self) -> None:
        self._show()
        asked, self._asked = self._asked, False
        if asked and self._image is not None and found_layers(self._session.viewer, self._image):
            self.proposed.emit(self._image)
            self._session.say("Take what is right: all it is sure of at once, or a click for each.", "info")
