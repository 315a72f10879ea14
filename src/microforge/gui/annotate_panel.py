"""Step one: choose an image and what is wanted, make the layer to paint on, see what is still missing."""

from typing import Any

from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from microforge.errors import MicroforgeError
from microforge.gui.axes_widget import AxesWidget
from microforge.gui.class_list import ClassList
from microforge.gui.fresh_labels import KEY, FreshLabels
from microforge.gui.layers import add_labels, add_region, axes_of, labels_on
from microforge.gui.parts import Note, Picker, add_row, button, rows, shortened
from microforge.gui.session import Annotated, Session, is_result
from microforge.gui.watch import Watch
from microforge.tasks import Readiness, available_tasks, get_task
from microforge.types import Annotation

_OF_THE_LIST = {"inserted", "removed", "reordered", "name"}
_FIRST_CLASSES = {1: "background", 2: "foreground"}


class AnnotatePanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """What a person sees in the tab *Annotate*."""

    def __init__(self, session: Session, watch: Watch) -> None:
        super().__init__()
        self.session, self.watch = session, watch
        self._fresh: dict[Layer, FreshLabels] = {}
        self.image = Picker("The image to annotate.", "Open an image first")
        self.task = Picker("What the model is to learn.")
        self.about = Note()
        self.axes = AxesWidget()
        self.classes = ClassList(self._colour_of)
        self.annotate = button(
            "Annotate this image", "Make a Labels layer to paint on, exactly over the image.", self._go
        )
        self.existing = button(
            "Use a layer …", "Take a Labels layer that is open as this image's annotation.", self._menu
        )
        self.unpainted = Picker(
            "What it means where nothing is painted. Background: there is no object. Not looked at: nothing is "
            "learnt there, so a few strokes are enough. Inside an annotated region it always means background."
        )
        self.region = button(
            "Mark annotated region",
            "Draw rectangles or polygons around what is completely annotated. Inside, everything unpainted is "
            "background; outside, nothing counts. On a stack or time series a region counts for its plane only.",
            self._mark_region,
        )
        self.fresh = QCheckBox("New label for each object")
        self.fresh.setToolTip(
            "Start a stroke on empty ground: a new object with a label of its own. Start on an object: go on with "
            f"it. Key {KEY.upper()}: take a new label now."
        )
        self.hint = Note(tip="The shortcuts of napari's Labels layer.")
        self.count = Note(tip="What is annotated in all images that are ticked in Train.")
        self.missing = Note()
        self._lay_out()
        self._connect()
        self.refresh()

    def current(self) -> Annotated | None:
        """Give what belongs to the image chosen."""
        return self.session.annotated_of(self.image.value())

    def refresh(self) -> None:
        """Show the session as it is."""
        session = self.session
        self.image.set_choices([(layer.name, layer) for layer in session.images()])
        self.task.set_value(session.config.task)
        self.about.say(session.task_class.description)
        self._show_axes()
        self._show_item()

    def _lay_out(self) -> None:
        form = rows()
        for title, field in (("Image", self.image), ("Goal", self.task)):
            add_row(form, title, field)
        form.addRow(self.about)
        self._form = form
        add_row(form, "Axes", self.axes)
        making = QHBoxLayout()
        making.addWidget(self.annotate, 1)
        making.addWidget(self.existing)
        lower = rows()
        self._lower = lower
        add_row(lower, "Unpainted is", self.unpainted)
        page = QVBoxLayout(self)
        page.addLayout(form)
        page.addLayout(making)
        page.addWidget(self.classes)
        page.addWidget(self.fresh)
        page.addWidget(self.hint)
        page.addLayout(lower)
        page.addWidget(self.region)
        page.addWidget(self.count)
        page.addWidget(self.missing)
        page.addStretch()

    def _connect(self) -> None:
        tasks = [(task.title, name) for name, task in available_tasks().items() if task.annotation is Annotation.LABELS]
        self.task.set_choices(tasks)
        self.unpainted.set_choices([("background", True), ("not looked at", False)])
        self.fresh.setChecked(True)
        self.image.value_changed.connect(lambda _: self.refresh())
        self.task.value_changed.connect(self._on_task)
        self.classes.value_changed.connect(self._on_classes)
        self.classes.picked.connect(self._pick)
        self.unpainted.value_changed.connect(self._on_unpainted)
        self.fresh.toggled.connect(self._show_fresh)
        self.session.changed.connect(self.refresh)
        self.session.viewer.layers.events.connect(self._on_layers)
        self.watch.readiness_changed.connect(self._show_readiness)

    def close_down(self) -> None:
        """Leave viewer and layers as they were found."""
        self.session.viewer.layers.events.disconnect(self._on_layers)
        for fresh in self._fresh.values():
            fresh.detach()
        self._fresh.clear()

    def _on_layers(self, event: Any) -> None:
        # The list passes on all that happens to its layers, every stroke too.
        if event.type not in _OF_THE_LIST:
            return
        self._fresh = {layer: fresh for layer, fresh in self._fresh.items() if layer in self.session.viewer.layers}
        self.refresh()

    def _go(self) -> None:
        """Make the annotation of the image chosen, or go to the one there is."""
        image, item = self.image.value(), self.current()
        if image is None:
            self.session.say("Open an image first: drag a file onto the window, or File > Open Sample.", "warning")
            return
        try:
            if item is None:
                self._confirm_axes(image)
                self._adopt(image, add_labels(self.session.viewer, image, self._axes(image)))
            else:
                self._select(item.labels)
        except MicroforgeError as error:
            self.session.say(str(error), "error")

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        layers = self._usable_labels()
        for layer in layers:
            menu.addAction(layer.name, lambda layer=layer: self._use(layer))
        if not layers:
            menu.addAction("No open Labels layer has the size of this image").setEnabled(False)
        menu.exec(self.existing.mapToGlobal(self.existing.rect().bottomLeft()))

    def _use(self, labels: Labels) -> None:
        self._confirm_axes(self.image.value())
        self._adopt(self.image.value(), labels)
        self._select(labels)

    def _usable_labels(self) -> list[Labels]:
        image = self.image.value()
        return [layer for layer in self.session.viewer.layers if image is not None and self._fits(layer, image)]

    def _fits(self, layer: Layer, image: Image) -> bool:
        if not isinstance(layer, Labels) or is_result(layer) or self.session.annotated_of(layer) is not None:
            return False
        try:
            labels_on(layer, image, self._axes(image))
        except MicroforgeError:
            return False
        return True

    def _adopt(self, image: Image, labels: Labels) -> None:
        if labels not in self._fresh:
            self._fresh[labels] = FreshLabels(labels)
        self.session.annotate(image, labels)
        self._show_fresh()
        self.classes.refresh()

    def _select(self, labels: Labels) -> None:
        self.session.viewer.layers.selection.active = labels
        labels.mode = "paint"

    def _mark_region(self) -> None:
        item = self.current()
        if item is None:
            return
        region = item.region
        if region is None:
            region = add_region(self.session.viewer, item.image, self._axes(item.image))
            self.session.set_region(item, region)
        self.session.viewer.layers.selection.active = region
        region.mode = "add_rectangle"

    def _axes(self, image: Image) -> str:
        return axes_of(image, self.session.axes_of(image))[0]

    def _confirm_axes(self, image: Image) -> None:
        """Take the axes she sees for what she means: pressing the button confirms them."""
        if not self.axes.isHidden() and not self.axes.problem():
            self.session.set_axes(image, self.axes.value())

    def _show_axes(self) -> None:
        image = self.image.value()
        asked = image is not None and image.ndim > 2 and not axes_of(image)[1]
        self._form.setRowVisible(self.axes, asked)
        if asked:
            data = image.data[0] if image.multiscale else image.data
            self.axes.set_shape(data.shape, self._axes(image))
            self.axes.setEnabled(self.current() is None)

    def _show_item(self) -> None:
        item, classes = self.current(), self.session.has_classes
        self.annotate.setEnabled(self.image.value() is not None)
        self.annotate.setText("Annotate this image" if item is None else "Go on painting")
        self.existing.setVisible(item is None)
        self.classes.setVisible(classes)
        self.classes.set_value(self.session.config.task_options.get("classes", {}))
        self.fresh.setVisible(item is not None and not classes)
        self._lower.setRowVisible(self.unpainted, item is not None)
        self.region.setVisible(item is not None)
        self.hint.say("" if item is None else _hint(classes))
        if item is not None:
            self.unpainted.set_value(item.unpainted_is_background)
            self.region.setText("Mark annotated region" if item.region is None else "Mark more of the region")
        self._show_fresh()

    def _show_fresh(self, _: bool = False) -> None:
        for fresh in self._fresh.values():
            fresh.enabled = self.fresh.isChecked() and not self.session.has_classes

    def _show_readiness(self, readiness: Readiness) -> None:
        self.count.say(shortened(readiness.text), "ok" if readiness.ready else "info")
        self.missing.say(readiness.missing or "Ready: go to Train.", "" if readiness.ready else "warning")

    def _on_task(self, name: str) -> None:
        if name is None or name == self.session.config.task:
            return
        classes = "classes" in get_task(name).Options.model_fields
        for item in self.session.annotated:
            item.unpainted_is_background = not classes
        self.session.set_task(name, **({"classes": dict(_FIRST_CLASSES)} if classes else {}))

    def _on_classes(self, names: dict[int, str]) -> None:
        self.session.set_config(task_options=self.session.config.task_options | {"classes": names})

    def _pick(self, value: int) -> None:
        item = self.current()
        if item is None:
            self._go()
            item = self.current()
        if item is not None:
            self._select(item.labels)
            item.labels.selected_label = value

    def _on_unpainted(self, is_background: bool) -> None:
        item = self.current()
        if item is not None and is_background is not None and item.unpainted_is_background != is_background:
            self.session.change(item, unpainted_is_background=is_background)

    def _colour_of(self, value: int) -> Any:
        item = self.current()
        return None if item is None else item.labels.get_color(value)


def _hint(classes: bool) -> str:
    new = "" if classes else f"{KEY.upper()} new label · "
    return f"{new}[ and ] brush size · right-drag fills an outline · Ctrl+Z undo"
