"""Tools for image pairs: choose the target layers of an image."""

from collections.abc import Callable

from napari.layers import Image
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from microforge.annotations import IMAGE_PAIRS
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.tools.base import AnnotationTools
from microforge.gui.layers.layer_axes import shape_of_layer
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, remover, stacked

_TIP = "The image this one is to become: the same field with less noise, in focus, stained, or on a finer grid."


class TargetRow(QWidget):  # type: ignore[misc]  # qtpy has no types
    """One target: its picker, its axes where nobody knows them, and a button that takes the row away.

    Attributes
    ----------
    chosen
        Whether a person picked the target; else it is only suggested.
    """

    def __init__(self, session: Session, remove: Callable[["TargetRow"], None]) -> None:
        super().__init__()
        self.choice = ImageChoice(session, _TIP, "Open the target image", self)
        self.chosen = False
        self.title = QLabel("Target")
        self.title.setToolTip(_TIP)
        self.remove = remover("Take this target away.", lambda: remove(self))
        stacked(self, beside(self.title, self.choice.picker, self.remove, wide=(1,)), self.choice.about)

    def ask(self, image: Image | None) -> None:
        """Ask for the axes only where they are not those of the image."""
        target = self.choice.value()
        like = image is not None and target is not None and _leading(target) == _leading(image)
        self.choice.about.setVisible(self.choice.about.is_open and not like)


class PairTools(AnnotationTools):
    """Choose what the image is to become, see whether both fit, use the pair."""

    kind = IMAGE_PAIRS

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__(session, choice, watch)
        self._busy = False
        self._of: Image | None = None
        self.rows: list[TargetRow] = []
        self.add = button(
            "Add another target",
            "For several output channels: each is learnt from a target of its own, and becomes a layer of its own.",
            self._add,
        )
        self.swap = button("Swap", "Exchange image and target.", self._swap)
        self.first = self.use = button("Use this pair", "Learn to turn this image into its target.", self._use)
        self.leave_out = button("Leave out", "Learn from this pair no more; the layers stay.", self.leave_out_current)
        self.verdict = Note(tip="Whether image and target can be learnt from.")
        self._targets = QVBoxLayout()
        more, using = beside(self.add, self.swap), beside(self.use, self.leave_out)
        stacked(self, self._targets, more, using, self.verdict)
        self._add()
        watch.verdict_changed.connect(self._show_verdict)

    def targets(self) -> tuple[Image, ...]:
        """Give the images picked as targets."""
        return tuple(row.choice.value() for row in self.rows if row.choice.value() is not None)

    def refresh(self) -> None:
        """Show the session as it is."""
        if self._busy:
            return
        self._busy = True
        image, item = self.choice.value(), self.current()
        if item is not None and image is not self._of:
            self._show_targets(item)
        self._of = image
        for row in self.rows:
            row.choice.refresh()
        self._suggest(image)
        for row in self.rows:
            row.ask(image)
        self._busy = False
        self._show_buttons(image, item)
        self._propose(image)

    def _show_buttons(self, image: Image | None, item: Annotated | None) -> None:
        picked = self.targets()
        for row in self.rows:
            row.remove.setVisible(len(self.rows) > 1)
        self.add.setEnabled(len(self.session.images()) > len(self.rows) + 1)
        self.swap.setEnabled(image is not None and len(picked) == 1 and picked[0] is not image)
        self.use.setEnabled(image is not None and bool(picked))
        same = item is not None and item.targets == picked
        self.use.setText("Use this pair" if item is None or same else "Use these instead")
        self.use.setVisible(not same)
        self.leave_out.setVisible(item is not None)

    def _suggest(self, image: Image | None) -> None:
        """Show another layer than the image itself in rows in which the user has not chosen one."""
        taken = [image, *(row.choice.value() for row in self.rows if row.chosen)]
        for row in self.rows:
            free = [layer for layer in self.session.images() if layer not in taken]
            if not row.chosen and row.choice.value() in taken and free:
                row.choice.picker.set_value(free[-1])
            taken.append(row.choice.value())

    def _propose(self, image: Image | None) -> None:
        asked = self.choice.unclear or any(row.choice.unclear and not row.choice.about.isHidden() for row in self.rows)
        picked = self.targets()
        ready = image is not None and picked and not asked
        self.watch.propose(Annotated(image, targets=picked) if ready else None)

    def _add(self) -> None:
        row = TargetRow(self.session, self._remove)
        row.choice.changed.connect(lambda: self._on_picked(row))
        self.rows.append(row)
        self._targets.addWidget(row)
        self.refresh()

    def _on_picked(self, row: TargetRow) -> None:
        if not self._busy:
            row.chosen = True
            self.refresh()

    def _remove(self, row: TargetRow) -> None:
        self.rows.remove(row)
        row.setParent(None)
        row.deleteLater()
        self.refresh()

    def _show_targets(self, item: Annotated) -> None:
        while len(self.rows) < len(item.targets):
            self._add()
        while len(self.rows) > len(item.targets):
            self._remove(self.rows[-1])
        for row, target in zip(self.rows, item.targets, strict=True):
            row.choice.refresh()
            row.choice.picker.set_value(target)
            row.chosen = True

    def _swap(self) -> None:
        image, picked = self.choice.value(), self.targets()
        old = self.current()
        self._busy = True
        self.rows[0].choice.picker.set_value(image)
        self.rows[0].chosen = True
        self.choice.picker.set_value(picked[0])
        self._of = self.choice.value()
        self._busy = False
        if old is not None:
            self.session.leave_out(old)
        self.refresh()

    def _use(self) -> None:
        image, verdict = self.choice.value(), self.watch.verdict
        if image is None:
            return
        if verdict.problem:
            self._show_verdict(verdict)
            self.session.say("This pair cannot be used: the reason stands below its targets.", "error")
            return
        for choice in (self.choice, *(row.choice for row in self.rows)):
            choice.confirm()
        self.session.pair(image, self.targets())

    def _show_verdict(self, _: object) -> None:
        verdict = self.watch.verdict
        text = "\n".join(part for part in (verdict.problem, *verdict.advice) if part)
        self.verdict.say(text, "error" if verdict.problem else "warning")


def _leading(layer: Image) -> tuple[int, ...]:
    """Give the length of all dimensions but rows and columns, and but those of length one."""
    return tuple(n for n in shape_of_layer(layer)[: layer.ndim - 2] if n > 1)
