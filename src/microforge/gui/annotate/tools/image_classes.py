"""Tools for image classification: give each image a class by button or key."""

from collections import Counter

from napari.layers import Image, Layer
from qtpy.QtWidgets import QMessageBox

from microforge.annotations import IMAGE_CLASSES
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.tools.base import AnnotationTools
from microforge.gui.annotate.tools.image_class_names import KEYS, ClassKeys, ClassNames
from microforge.gui.layers.gestures import KeyUse
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, beside, button, confirmed, stacked, tick


class ClassTools(AnnotationTools):
    """Give images their class, one after the other."""

    kind = IMAGE_CLASSES

    #: Given back where they are not wanted.
    holds_keys = True

    def __init__(self, session: Session, choice: ImageChoice, watch: Watch) -> None:
        super().__init__(session, choice, watch)
        self.keys = ClassKeys(session.viewer, self._on_key)
        self.names = ClassNames()
        self.add = button("Add class", "A further class, with the next key.", self._add)
        self.none = button("No class", "Take the class of this image away: it is not learnt from. Key 0.", self.clear)
        tip = "Hide the images above the one that is asked for; they come back with another goal."
        self.alone = tick("Uncover the image", tip, on=True)
        self.verdict = Note(tip="The class of the image chosen, and what is still to be done.")
        self.hint = Note("Keys 1 to 9 give the class and go on to the next image · 0 takes it away")
        self._hidden: set[Layer] = set()
        more = beside(self.add, self.none, wide=(0, 1))
        stacked(self, self.verdict, self.names, more, self.alone, self.hint)
        self._connect()

    def refresh(self) -> None:
        """Show the session as it is; the keys are bound while images are told apart, and only then."""
        if self.session.kind is not IMAGE_CLASSES:
            self.leave()
            return
        if not self.keys.bound:
            self._begin()
        self.keys.bind()
        item, chosen = self.current(), self.selected()
        known = {one.image: one.class_name for one in self.session.annotated}
        counts = Counter(known.get(layer, "") for layer in self.session.images())
        shown = item.class_name if item is not None else ""
        self.names.show_classes(self.session.class_names, counts, shown)
        self.names.setEnabled(bool(chosen))
        self.none.setEnabled(any(self._class_of(layer) for layer in chosen))
        self.verdict.say(*_verdict(self.choice.value(), shown, len(chosen), counts[""]))

    def follow_selection(self) -> None:
        """Take the image that is selected in the layer list for the one that is meant."""
        active = self.session.viewer.layers.selection.active
        if active in self.session.images():
            self.choice.picker.set_value(active)
        self.refresh()

    def give(self, number: int) -> None:
        """Give the image chosen, or all that are selected, a class by its place in the list; go to the next."""
        if number >= len(self.session.class_names):
            return
        layers = self.selected()
        if not layers:
            self.session.say("Open an image first: drag files onto the window.", "warning")
            return
        self.choice.confirm()
        self.session.set_class(layers, self.session.class_names[number])
        self._go_on(layers)

    def clear(self) -> None:
        """Take the class of the images chosen away."""
        self.session.set_class(self.selected(), "")

    def leave(self) -> None:
        """Give back the keys, and show the images that were hidden."""
        self.keys.unbind()
        self._show_hidden()

    def key_uses(self) -> list[KeyUse]:
        """Give the keys and what they do."""
        classes = zip(KEYS[1:], self.session.class_names, strict=False)
        names = [KeyUse(key, f"this image is {name}") for key, name in classes]
        return [*names, KeyUse(KEYS[0], "take the class of this image away")]

    def close_down(self) -> None:
        """Leave the viewer as it was found."""
        self.leave()

    def _begin(self) -> None:
        """Mean the image that is seen: the one selected, else the top one."""
        active, images = self.session.viewer.layers.selection.active, self.session.images()
        seen = [layer for layer in images if layer.visible]
        if seen:
            self.choice.picker.set_value(active if active in images else seen[-1])

    def _on_choice(self) -> None:
        """Show the image that was chosen, and select it."""
        image = self.choice.value()
        if self.session.kind is not IMAGE_CLASSES or image is None or not self.keys.bound:
            return
        self.session.viewer.layers.selection.active = image
        if self.alone.isChecked():
            self._uncover(image)

    def _connect(self) -> None:
        self.choice.changed.connect(self._on_choice)
        self.names.picked.connect(self.give)
        self.names.renamed.connect(self._rename)
        self.names.removed.connect(self._remove)
        self.alone.toggled.connect(lambda on: None if on else self._show_hidden())

    def _on_key(self, number: int) -> None:
        if number:
            self.give(number - 1)
        else:
            self.clear()

    def _class_of(self, layer: Layer | None) -> str:
        item = self.session.annotated_of(layer)
        return "" if item is None else item.class_name

    def _go_on(self, done: list[Image]) -> None:
        """Choose the next image without a class: below in the layer list, as the top one is seen first."""
        images = self.session.images()
        known = {one.image for one in self.session.annotated if one.class_name}
        place = images.index(done[0])
        order = [*reversed(images[:place]), *reversed(images[place:])]
        after = next((layer for layer in order if layer not in known), None)
        if after is None:
            # All are done: the class just given is to be seen.
            self.refresh()
            return
        # It is selected and shown then.
        self.choice.picker.set_value(after)

    def _uncover(self, image: Image) -> None:
        # Not those below: each layer that is shown or hidden takes napari a while where there are many.
        images = self.session.images()
        for layer in images[images.index(image) + 1 :]:
            if layer.visible:
                self._hidden.add(layer)
                layer.visible = False
        self._hidden.discard(image)
        if not image.visible:
            image.visible = True

    def _show_hidden(self) -> None:
        for layer in self._hidden:
            layer.visible = True
        self._hidden.clear()

    def _add(self) -> None:
        names, number = self.session.class_names, 1
        while f"class {number}" in names:
            number += 1
        names.append(f"class {number}")
        self.session.changed.emit()
        self.names.ask_name(len(names) - 1)

    def _rename(self, number: int, name: str) -> None:
        names = self.session.class_names
        old = names[number]
        if name and name not in names:
            names[number] = name
            self._replace(old, name)
        elif name != old:
            problem = f"There is a class called {name} already." if name else "A class needs a name."
            self.session.say(problem, "warning")
        self.refresh()

    def _remove(self, number: int) -> None:
        name = self.session.class_names[number]
        count = sum(item.class_name == name for item in self.session.annotated)
        text = f"{count} image{'s' * (count != 1)} of the class '{name}' will have no class. The layers stay."
        if count and not confirmed(self, "Remove the class?", text, QMessageBox.StandardButton.Yes):
            return
        self.session.class_names.remove(name)
        self._replace(name, "")

    def _replace(self, old: str, new: str) -> None:
        layers = [item.image for item in self.session.annotated if item.class_name == old]
        self.session.set_class(layers, new)


def _verdict(image: Image | None, name: str, chosen: int, without: int) -> tuple[str, str]:
    """Say what the image chosen is, and how many images have no class yet."""
    if image is None:
        return "", ""
    if chosen > 1:
        first = f"{chosen} images are selected: all of them get the class."
    else:
        first = f"{image.name}: {name}" if name else f"{image.name} has no class yet."
    left = f"{without:,} open image{'s' * (without != 1)} without a class." if without else "All open images have one."
    return f"{first}\n{left}", "ok" if name and chosen == 1 else "info"
