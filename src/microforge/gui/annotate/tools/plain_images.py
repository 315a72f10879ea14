"""Tools for tasks without annotation: choose the images to learn from."""

from napari.layers import Image

from microforge.annotations import NOTHING
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.tools.base import AnnotationTools
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, stacked


class PlainTools(AnnotationTools):
    """Say which images are learnt from."""

    kind = NOTHING

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__(session, choice, watch)
        self.first = self.use = button(
            "Use this image",
            "Learn from this image. Where several image layers are selected in the layer list: from all of them.",
            self._use,
        )
        self.use_all = button("Use all open images", "Learn from every image layer that is open.", self._use_all)
        self.leave_out = button("Leave out", "Learn from this image no more; the layer stays.", self.leave_out_current)
        self.verdict = Note(tip="What is odd about this image.")
        stacked(self, beside(self.use, self.leave_out, self.use_all, wide=(0, 1)), self.verdict)
        watch.verdict_changed.connect(self._show_verdict)

    def refresh(self) -> None:
        """Show the session as it is."""
        image, used = self.choice.value(), self.current() is not None
        count = len(self.selected())
        self.use.setText(f"Use these {count} images" if count > 1 else "Use this image")
        self.use.setEnabled(image is not None)
        self.use.setVisible(not used or count > 1)
        self.leave_out.setVisible(used and count <= 1)
        unused = [layer for layer in self.session.images() if not self._is_used(layer)]
        self.use_all.setEnabled(len(unused) > 0)
        if image is not None:
            self.watch.propose(Annotated(image, alone=True))

    def follow_selection(self) -> None:
        """Tell of all images selected."""
        self.refresh()

    def _is_used(self, layer: Image) -> bool:
        item = self.session.annotated_of(layer)
        return item is not None and item.alone

    def _use(self) -> None:
        self.choice.confirm()
        self.session.learn_from(self.selected())

    def _use_all(self) -> None:
        self.choice.confirm()
        self.session.learn_from(self.session.images())

    def _show_verdict(self, _: object) -> None:
        verdict = self.watch.verdict
        self.verdict.say("\n".join((verdict.problem, *verdict.advice)).strip(), "error" if verdict.problem else "info")
