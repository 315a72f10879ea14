"""The state of the dock: viewer, task, annotated images, model, what runs. No widgets.

No widgets here: a session works with `napari.components.ViewerModel`, so tests need no window.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Points, Shapes
from psygnal import Signal

from microforge.annotations import AnnotationKind
from microforge.config import TrainingConfig
from microforge.gui.layers.gestures import KeyUse
from microforge.gui.layers.layer_axes import axes_of, draws_alike, said_axes, say_axes
from microforge.gui.layers.marks import dress_mine, is_ground, is_result
from microforge.gui.layers.results import say_sizes_with_results
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations import is_learnt_from, serves, window_annotation
from microforge.gui.session.background import Relay
from microforge.gui.session.image_list.image_list import ImageList
from microforge.gui.session.image_list.listed_image import ListedImage, WantedRole
from microforge.gui.session.plugin_settings import default_runs_folder, read_settings, run_name
from microforge.gui.session.watching.content_watch import ContentWatch
from microforge.gui.session.watching.handed_over import HandedOver
from microforge.project import Project
from microforge.tasks import Task, get_task

#: Like `microforge.training.loop.train`.
Train = Callable[..., Iterator[Any]]
#: Seconds a closing window waits for the model to be saved.
PATIENCE = 30
#: Names of the classes of images that are offered until the user gives others.
_FIRST_CLASSES = ("good", "bad")


class Step(Enum):
    """A step on the way from an image to a result, with the title of its tab."""

    ANNOTATE = "Annotate"
    TRAIN = "Train"
    APPLY = "Apply"
    REVIEW = "Review"


class Session:
    """The state of one dock in one viewer.

    Parameters
    ----------
    viewer
        A napari viewer, or its model without a window.
    train
        What trains; the engine's own by default, imported when first used because it brings torch.
    runs_folder
        Where runs go; by default the folder of napari's preferences, or else one of the user's data.

    Attributes
    ----------
    settings
        What the person chose in napari's preferences, as it was when this session began.
    training, applying
        The relays of the two things that may run.
    warming, watching
        The relays that load torch, and that count what is painted.
    project
        Where what is drawn is kept; None before anything is.
    live
        The mailbox of the training under way; None when none is.
    keys_now
        What keys do for now, while something is checked one by one; it goes before what they do otherwise.
    class_names
        The classes that images may be given.
    given
        What the training under way has of the open images.
    image_list
        All images at hand, those open in the viewer and files that are not loaded.
    contents
        Looks at the layers on which images are annotated, and tells when one was changed in whatever way.
    """

    changed = Signal()
    model_changed = Signal(object)
    project_changed = Signal(object)
    message = Signal(str, str)
    step_wanted = Signal(Step, bool)
    closing = Signal()
    keys_wanted = Signal()
    proposals_wanted = Signal()
    #: An image at hand is to be shown, whether it is open or not: a `ListedImage`.
    image_wanted = Signal(object)
    #: Files and folders are to be put into the list of images: paths.
    files_wanted = Signal(object)
    strip_wanted = Signal()

    def __init__(self, viewer: ViewerModel, train: Train | None = None, runs_folder: Path | None = None) -> None:
        self.viewer = viewer
        self.train: Train = train or _engine
        self.make_live: Callable[[], Any] = _mailbox
        self.settings = read_settings()
        self.runs_folder = runs_folder or self.settings.runs_folder or default_runs_folder()
        self.config = TrainingConfig(device=self.settings.device)
        self.annotated: list[Annotated] = []
        self.pairs_images: Path | None = None
        self.pairs_targets: tuple[Path, ...] = ()
        self.class_names = list(_FIRST_CLASSES)
        self.model_path: Path | None = None
        self.project: Project | None = None
        self.live: Any = None
        self.keys_now: tuple[KeyUse, ...] = ()
        self.given = HandedOver()
        self.contents = ContentWatch()
        self.training = Relay("a training")
        self.applying = Relay("a prediction")
        self.warming = Relay("a warm-up")
        self.watching = Relay("a count")
        self._options: dict[str, dict[str, Any]] = {}
        self.image_list = ImageList(viewer)
        viewer.layers.events.removed.connect(self._on_layer_removed)

    @property
    def task_class(self) -> type[Task]:
        """The class of the task chosen."""
        return get_task(self.config.task)

    @property
    def task(self) -> Task:
        """The task chosen, with its options.

        Raises
        ------
        SettingsError
            If the options do not fit the task.
        """
        return self.task_class.from_options(self.config.task_options)

    @property
    def has_classes(self) -> bool:
        """Whether label values mean classes for this task, rather than objects."""
        return bool(self.task_class.class_option)

    @property
    def blank_is_none(self) -> bool:
        """Whether an image whose layer has no points always means that it has no cells."""
        return self.task.blank_means_none

    @property
    def kind(self) -> AnnotationKind:
        """What the task chosen learns from."""
        return self.task_class.annotation

    @property
    def items(self) -> list[Annotated]:
        """The images that the task chosen can learn from."""
        return [item for item in self.annotated if serves(item, self.kind)]

    @property
    def has_folder(self) -> bool:
        """Whether all folders are chosen that the task needs to learn from files."""
        # Folders may be called as the class of the images in them.
        return self.pairs_images is not None and (self.kind.optional or bool(self.pairs_targets))

    def set_task(self, name: str, **options: Any) -> None:
        """Choose what to learn; options not given are as they were when this task was chosen last."""
        self._options[self.config.task] = self.config.task_options
        self.set_config(task=name, task_options=self._options.get(name, {}) | options)
        for item in self.annotated:
            if isinstance(item.labels, Labels):
                dress_mine(item.labels, classes=self.has_classes)

    def set_config(self, **values: Any) -> None:
        """Change settings of the next training; they are checked as a whole."""
        config = TrainingConfig.model_validate(self.config.model_dump() | values)
        if config != self.config:
            self.config = config
            self.changed.emit()

    def set_pairs(self, images: Path | None, *targets: Path) -> None:
        """Choose folders that are trained on as well: images (None = none), and annotations or targets of them."""
        if (images, targets) != (self.pairs_images, self.pairs_targets):
            self.pairs_images, self.pairs_targets = images, targets
            self.changed.emit()

    def set_model(self, path: Path | None) -> None:
        """Choose the model that *Apply* and *Review* use."""
        self.model_path = path
        self.model_changed.emit(path)

    def set_project(self, project: Project | None) -> None:
        """Say where what is drawn is kept; runs go there too."""
        self.project = project
        self.project_changed.emit(project)

    def say(self, text: str, severity: str = "info") -> None:
        """Show a line to the person; severity is info, warning or error, or aside: only where nothing else is said."""
        self.message.emit(text, severity)

    def go_to(self, step: Step, *, begin: bool = False) -> None:
        """Show a step; with `begin` also do what it is for: train, or apply the model."""
        self.step_wanted.emit(step, begin)

    def images(self) -> list[Image]:
        """Give the image layers that can be trained on or predicted, top one last."""
        return [layer for layer in self.viewer.layers if isinstance(layer, Image) and not is_result(layer)]

    def annotated_of(self, layer: Layer | None) -> Annotated | None:
        """Give what belongs to an image, annotation or region layer."""
        for item in self.annotated:
            if layer is not None and layer in (item.image, *item.drawn):
                return item
        return None

    def annotate(self, image: Layer, labels: Labels) -> Annotated:
        """Say that a Labels layer annotates an image."""
        dress_mine(labels, classes=self.has_classes)
        return self._give(image, labels=labels)

    def annotate_points(self, image: Layer, points: Sequence[Points]) -> Annotated:
        """Say that the points of Points layers are the cells on an image."""
        return self._give(image, points=tuple(points))

    def set_class(self, images: Sequence[Layer], name: str) -> None:
        """Give images a class; an empty name takes it away."""
        for image in images:
            item = self._item_of(image)
            item.class_name, item.use = name, True
        self._forget_empty()
        self.changed.emit()

    def take_points(self, layers: Sequence[Layer]) -> None:
        """Learn from the points of these layers no more; the layers stay."""
        for item in self.annotated:
            item.points = tuple(layer for layer in item.points if layer not in layers)
        self._forget_empty()
        self.changed.emit()

    def learn_from(self, images: Sequence[Layer]) -> None:
        """Say that images are learnt from as they are."""
        for image in images:
            self._give(image, alone=True)

    def pair(self, image: Layer, targets: Sequence[Layer]) -> Annotated:
        """Say what an image should become."""
        return self._give(image, targets=tuple(targets))

    def leave_out(self, item: Annotated) -> None:
        """Learn from an image no more as the task chosen does; what is drawn on it stays."""
        window_annotation(self.kind).take_away(item)
        self._forget_empty()
        self.changed.emit()

    def _forget_empty(self) -> None:
        """Forget images of which nothing is left to learn from."""
        self.annotated = [item for item in self.annotated if is_learnt_from(item)]

    def _item_of(self, image: Layer) -> Annotated:
        item = self.annotated_of(image)
        if item is None:
            item = Annotated(image, unpainted=self.task_class.unpainted_choices[0], ground=self._ground_of(image))
            listed = self.image_list.of_layer(image)
            item.take_role("" if listed is None else listed.role)
            self.annotated.append(item)
        return item

    def _ground_of(self, image: Layer) -> Labels | None:
        """Give the strokes on its background that an image has kept from an annotation before."""
        strokes = (layer for layer in self.viewer.layers if isinstance(layer, Labels) and is_ground(layer, image))
        return next(strokes, None)

    def _give(self, image: Layer, **values: Any) -> Annotated:
        item = self._item_of(image)
        # Whoever gives something anew wants it used.
        self.change(item, **values, use=True)
        return item

    def change(self, item: Annotated, **values: Any) -> None:
        """Set fields of an annotated image and tell the panels."""
        for name, value in values.items():
            setattr(item, name, value)
        self.changed.emit()

    def set_region(self, item: Annotated, region: Shapes | None) -> None:
        """Say where the annotation of an image is complete."""
        self.change(item, region=region)

    def set_role(self, listed: Sequence[ListedImage], role: WantedRole) -> None:
        """Say what images are for, whether anything is annotated on them yet or not."""
        for one in listed:
            one.role = role
            item = self.annotated_of(one.layer)
            if item is not None:
                item.take_role(role)
        self.changed.emit()

    def axes_of(self, layer: Layer) -> str | None:
        """Give the axes a person said for a layer, or None."""
        return said_axes(layer)

    def set_axes(self, layer: Layer, axes: str, *alike: Layer) -> None:
        """Keep with layers what their axes are, one letter of TCZYXS each; refused where work would be lost."""
        others = [one for one in (layer, *alike) if said_axes(one) != axes]
        for one in others:
            refused = self._why_fixed(one, axes)
            if refused:
                self.say(f"{one.name}: {refused}", "warning")
            else:
                say_axes(one, axes)
        if others:
            self.changed.emit()

    def set_sizes(self, layer: Layer, sizes: Mapping[str, float]) -> None:
        """Keep with a layer, and with results of it, how many micrometres its pixels are along Z, Y and X."""
        if say_sizes_with_results(self.viewer, layer, sizes):
            self.say(f"{layer.name}: its tables are as they were. Press Apply again to measure with this pixel size.")
        self.changed.emit()

    def _why_fixed(self, layer: Layer, axes: str) -> str:
        """Give why the meaning of a layer's dimensions cannot be changed; nothing where it can."""
        before, item = axes_of(layer)[0], self.annotated_of(layer)
        if item is None or axes_of(layer, axes)[0] == before:
            return ""
        if self.training.running:
            return "A training learns from it. Stop the training, then change what its dimensions are."
        if item.drawn and not draws_alike(before, axes_of(layer, axes)[0]):
            return "What is drawn on it would not fit. Remove its annotation first, then change its channels."
        return ""

    def new_run_folder(self) -> Path:
        """Give a folder that does not exist yet for the next run; it is not made."""
        images = [item.image.name for item in self.items if item.use]
        name = run_name(datetime.now(), images[0] if images else "", self.task_class.result)
        within = self.runs_folder if self.project is None or self.project.read_only else self.project.folder / "runs"
        folder = within / name
        count = 1
        while folder.exists():
            count += 1
            folder = within / f"{name} {count}"
        return folder

    def has_run(self, folder: Path) -> bool:
        """Whether a folder is one of those that runs of this session may have made."""
        project = () if self.project is None else (self.project.folder / "runs",)
        return any(within in folder.parents for within in (self.runs_folder, *project))

    def close(self, seconds: float = PATIENCE) -> bool:
        """Stop all that runs and wait for it; give whether no thread is left. The panels hear no more of it."""
        self.closing.emit()
        self.contents.close()
        self.image_list.close()
        self.viewer.layers.events.removed.disconnect(self._on_layer_removed)
        relays: Sequence[Relay] = (self.training, self.applying, self.warming, self.watching)
        for relay in relays:
            relay.stop()
            relay.blockSignals(True)
        ended = [relay.wait(seconds) for relay in relays]
        return all(ended)

    def _on_layer_removed(self, event: Any) -> None:
        layer = event.value
        if self.image_list.is_at_rest(layer):
            return
        self.annotated = [item for item in self.annotated if item.forget(layer) and is_learnt_from(item)]
        self.changed.emit()


def _engine(*args: Any, **kwargs: Any) -> Iterator[Any]:
    from microforge.training.loop import train

    return train(*args, **kwargs)


def _mailbox() -> Any:
    from microforge.training.mailbox import Live

    return Live()
