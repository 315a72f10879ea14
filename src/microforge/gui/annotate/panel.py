"""The panel *Annotate*: image, goal, tools of the goal, region, what is still missing."""

from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from microforge.annotations import AnnotationKind
from microforge.config import is_fitted
from microforge.gui.annotate.empty_state import EmptyState
from microforge.gui.annotate.goal_picker import GoalPicker
from microforge.gui.annotate.image_choice import ImageChoice
from microforge.gui.annotate.key_list import KeyList
from microforge.gui.annotate.label_next import LabelNext
from microforge.gui.annotate.tiny_note import TinyNote
from microforge.gui.annotate.tools import AnnotationTools, known_tools
from microforge.gui.layers.convert import add_region
from microforge.gui.layers.gestures import EVERYWHERE, KeyUse
from microforge.gui.layers.marks import ROLE_KEYS
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.annotations import serves, window_annotation
from microforge.gui.session.plugin_settings import last_goal, remember_goal
from microforge.gui.session.state import Session, Step
from microforge.gui.session.training_run import RunState
from microforge.gui.session.watching.front_image import FrontImage
from microforge.gui.widgets.basics import Note, add_row, beside, button, collapsible, rows, shortened, stacked
from microforge.gui.widgets.look.buttons import stand_out
from microforge.gui.widgets.meter import Meter
from microforge.gui.widgets.settings_form import Form
from microforge.tasks import Readiness, Task, available_tasks, get_task

_OF_THE_LIST = {"inserted", "removed", "reordered", "name", "scale", "units"}
_FIRST_CLASSES = {1: "background", 2: "foreground"}


class AnnotatePanel(QWidget):  # type: ignore[misc]  # qtpy has no types
    """What a person sees in the tab *Annotate*; the tools in the middle are those the task chosen needs."""

    def __init__(self, session: Session, watch: Watch) -> None:
        super().__init__()
        self.session, self.watch = session, watch
        self.choice = ImageChoice(session, "The image to learn from.", "Open an image first", self)
        self.image, self.about_image = self.choice.picker, self.choice.about
        self.axes = self.about_image.axes
        self.task = GoalPicker("What the model is to learn.")
        self.about = Note()
        self.tools: dict[AnnotationKind, AnnotationTools] = {
            kind: make(session, self.choice, watch) for kind, make in known_tools().items()
        }
        self.options = TaskOptionsForm(session)
        self.region = button(
            "Mark annotated region",
            "Draw rectangles or polygons around what is completely annotated. Inside, everything unpainted is "
            "background and what is not clicked is no cell; outside, nothing counts. Where nothing is drawn: around "
            "what is learnt from. On a stack or time series a region counts for its plane only.",
            self._mark_region,
        )
        self.count = Note(tip="What there is to learn from in all images that are ticked in Train.")
        self.meter = Meter("How much is annotated of what a good model needs. The mark: enough for a first one.")
        self.missing, self.tiny = Note(), TinyNote(session)
        tip = "Train a network on what is annotated. You can go on painting meanwhile, and stop whenever you like."
        self.next = button("Train", tip, lambda: session.go_to(Step.TRAIN, begin=True), icon="train")
        self.label_next = LabelNext(session)
        self.empty = EmptyState(session)
        self.keys = KeyList(self)
        self.front = FrontImage(session)
        tip = "Other images were hidden, so that you see what you annotate. Show them again."
        self.all_images = button("Show all images", tip, self.front.show_all)
        tip = "All your images as a strip of small pictures: go from one to another, and add files and folders."
        self.list = button("Images …", tip, session.strip_wanted.emit)
        self._training = False
        self._lay_out()
        self._connect()
        if (last := last_goal(session.runs_folder)) in self._offered():
            self._on_task(last)
        self.refresh()

    def current(self) -> Annotated | None:
        """Give what belongs to the image chosen, where the task chosen can learn from it."""
        item = self.session.annotated_of(self.image.value())
        return item if item is not None and serves(item, self.session.kind) else None

    def refresh(self) -> None:
        """Show the session as it is."""
        session = self.session
        self.choice.refresh()
        self.empty.setVisible(self.image.value() is None)
        self._work.setVisible(self.image.value() is not None)
        self.task.set_value(session.config.task)
        self.about.say(session.task_class.description)
        self.all_images.setVisible(self.front.hides)
        for kind, tools in self.tools.items():
            tools.setVisible(kind is session.kind)
            if kind is session.kind or tools.holds_keys:
                tools.refresh()
        item = self.current()
        self.region.setVisible(item is not None)
        if item is not None:
            first = "Mark annotated region" if session.kind.of_places else "Learn from a part only"
            self.region.setText(first if item.region is None else "Mark more of the region")
        self.options.refresh()
        self._show_tiny()
        self._show_next()

    def show_keys(self) -> None:
        """List the keys that are of use for the goal chosen, or close the list."""
        tools = self.tools.get(self.session.kind)
        own = [] if tools is None else tools.key_uses()
        layers = [KeyUse(key.key.replace("-", "+"), key.words) for key in ROLE_KEYS]
        now = self.session.keys_now
        others = [use for use in (*own, *layers, *EVERYWHERE) if use[0] not in {one.key for one in now}]
        self.keys.show_keys(self.session.task_class.title, [*now, *others])

    def close_down(self) -> None:
        """Leave viewer and layers as they were found."""
        # The session still hears of the viewer: nothing must be bound again.
        self.session.changed.disconnect(self.refresh)
        self.session.keys_wanted.disconnect(self.show_keys)
        self.session.viewer.layers.events.disconnect(self._on_layers)
        self.session.viewer.layers.selection.events.changed.disconnect(self._on_selection)
        self.front.close()
        self.label_next.close_down()
        for tools in self.tools.values():
            tools.close_down()

    def _lay_out(self) -> None:
        form = rows()
        form.addRow("Image", beside(self.image, self.list))
        form.addRow(self.about_image)
        add_row(form, "Goal", self.task)
        form.addRow(self.about)
        # All that needs an image: it gives room to what says how to get one.
        self._work = QWidget()
        work = stacked(self._work, form)
        told = (self.tiny, self.count, self.meter, self.missing)
        for widget in (
            self.all_images,
            *self.tools.values(),
            self.region,
            *told,
            self.next,
            self.label_next,
            self.options,
        ):
            work.addWidget(widget)
        page = QVBoxLayout(self)
        page.addWidget(self.empty)
        page.addWidget(self._work)
        page.addStretch()

    def _connect(self) -> None:
        self.task.offer(self._offered())
        self.choice.changed.connect(self.refresh)
        self.task.value_changed.connect(self._on_task)
        self.session.changed.connect(self.refresh)
        self.session.keys_wanted.connect(self.show_keys)
        self.session.viewer.layers.events.connect(self._on_layers)
        self.session.viewer.layers.selection.events.changed.connect(self._on_selection)
        self.watch.readiness_changed.connect(self._show_readiness)
        self.watch.slips_changed.connect(self._show_tiny)
        self.label_next.wanted.connect(self._show_image)
        self.front.changed.connect(self.image.set_value)
        self.front.hiding_changed.connect(lambda: self.all_images.setVisible(self.front.hides))
        for tools in self.tools.values():
            if tools.first is not None:
                tools.first.clicked.connect(self._bring)

    def _offered(self) -> dict[str, type[Task]]:
        """Give the goals for which there are tools, by name."""
        return {name: task for name, task in available_tasks().items() if task.annotation in self.tools}

    def _on_layers(self, event: Any) -> None:
        # The list passes on all that happens to its layers, every stroke too.
        if event.type in _OF_THE_LIST:
            self.refresh()

    def _on_selection(self, _event: Any) -> None:
        if self.session.kind in self.tools:
            self.tools[self.session.kind].follow_selection()

    def _bring(self) -> None:
        """Show the image that is annotated now alone; the brush may have been in hand already."""
        item = self.current()
        if item is not None and item.drawn:
            self.front.bring(item.image)

    def _show_image(self, image: Any) -> None:
        """Choose an image, and show it with its own layers."""
        self.image.set_value(image)
        if window_annotation(self.session.kind).is_drawn:
            self.front.bring(image)

    def _mark_region(self) -> None:
        item = self.current()
        if item is None:
            return
        region = item.region
        if region is None:
            region = add_region(self.session.viewer, item.image, self.choice.letters())
            self.session.change(item, region=region)
        self.session.viewer.layers.selection.active = region
        region.mode = "add_rectangle"

    def _show_readiness(self, readiness: Readiness) -> None:
        self.count.say(shortened(readiness.in_words), "ok" if readiness.enough else "info")
        self.meter.tell_of(readiness.headway)
        self.missing.say(readiness.missing, "warning")
        self._show_next()

    def _show_tiny(self, _: object = None) -> None:
        item = self.current()
        found = () if item is None else self.watch.slips.get(item, ())
        self.tiny.tell(None if item is None else item.labels, found)

    def follow_run(self, state: RunState) -> None:
        """Offer no training while one is under way."""
        self._training = state not in (RunState.IDLE, RunState.ENDED)
        self._show_next()

    def _show_next(self) -> None:
        readiness = self.watch.readiness
        self.next.setVisible(readiness.ready and not self._training)
        stand_out(self.next, "accent" if readiness.enough else "")
        for tools in self.tools.values():
            if tools.first is not None:
                stand_out(tools.first, "" if readiness.enough or tools.current() is not None else "accent")

    def _on_task(self, name: str) -> None:
        if name is None or name == self.session.config.task:
            return
        task = get_task(name)
        for item in self.session.annotated:
            item.unpainted = task.unpainted_choices[0]
        self.session.set_task(name)
        remember_goal(self.session.runs_folder, name)
        if task.class_option and task.class_option not in self.session.config.task_options:
            self.session.set_config(task_options={task.class_option: dict(_FIRST_CLASSES)})


class TaskOptionsForm(QWidget):  # type: ignore[misc]  # qtpy has no types
    """The options of the task chosen, folded away; hidden where there is nothing to choose."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.form: Form[Any] | None = None
        self._inside = QWidget()
        self._content = stacked(self._inside)
        self.fold = collapsible(
            "Options of this goal", "How it is learnt. The usual choice is already made.", self._inside
        )
        stacked(self, self.fold)

    def refresh(self) -> None:
        """Show the options as they are; a form is built anew only for another task."""
        kind = self.session.task_class.Options
        if self.form is None or type(self.form.value()) is not kind:
            self._build(kind)
        value = kind(**self.session.config.task_options)
        if self.form is not None and self.form.value() != value:
            self.form.set_value(value)

    def _build(self, kind: type[Any]) -> None:
        if self.form is not None:
            self._content.removeWidget(self.form.native)
            self.form.native.deleteLater()
        fitted = {name for name, field in kind.model_fields.items() if is_fitted(field)}
        self.form = Form(kind(), leave_out={self.session.task_class.class_option} | fitted)
        self.form.value_changed.connect(self._on_form)
        self._content.addWidget(self.form.native)
        self.setVisible(bool(self.form.fields))

    def _on_form(self, options: Any) -> None:
        assert self.form is not None
        usual, before = type(options)(), self.session.config.task_options
        elsewhere = {name: value for name, value in before.items() if name not in self.form.fields}
        shown = {name: getattr(options, name) for name in self.form.fields}
        # What stands at its usual value is not chosen: some of it is found in the data then.
        chosen = {name: value for name, value in shown.items() if value != getattr(usual, name)}
        self.session.set_config(task_options=elsewhere | chosen)
