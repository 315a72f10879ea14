"""All that the panels remember: the viewer, the task, which layers belong together, the model, what runs.

No widgets here: a session works with `napari.components.ViewerModel`, so tests need no window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer, Shapes
from psygnal import Signal
from qtpy.QtCore import QStandardPaths

from microforge.config import TrainingConfig
from microforge.gui.worker import Relay
from microforge.tasks import Task, get_task

#: Like `microforge.training.loop.train`.
Train = Callable[..., Iterator[Any]]
#: Seconds a closing window waits for the model to be saved.
PATIENCE = 30


@dataclass(eq=False)
class Annotated:
    """An image layer and the layers that say what is in it."""

    image: Layer
    labels: Layer
    region: Layer | None = None
    unpainted_is_background: bool = True
    use: bool = True
    validation: bool = False


class Session:
    """The state of one dock in one viewer.

    Parameters
    ----------
    viewer
        A napari viewer, or its model without a window.
    train
        What trains; the engine's own by default, imported when first used because it brings torch.
    runs_folder
        Where runs go; a folder of the user's data by default.

    Attributes
    ----------
    training, applying
        The relays of the two things that may run.
    warming, watching
        The relays that load torch, and that count what is painted.
    live
        The mailbox of the training under way; None when none is.
    live_names
        The name under which the training under way knows each annotated image.
    """

    changed = Signal()
    model_changed = Signal(object)
    message = Signal(str, str)
    closing = Signal()

    def __init__(self, viewer: ViewerModel, train: Train | None = None, runs_folder: Path | None = None) -> None:
        self.viewer = viewer
        self.train: Train = train or _engine
        self.make_live: Callable[[], Any] = _mailbox
        self.runs_folder = runs_folder or default_runs_folder()
        self.config = TrainingConfig()
        self.annotated: list[Annotated] = []
        self.pairs_images: Path | None = None
        self.pairs_annotations: Path | None = None
        self.model_path: Path | None = None
        self.live: Any = None
        self.live_names: dict[Annotated, str] = {}
        self.training = Relay("a training")
        self.applying = Relay("a prediction")
        self.warming = Relay("a warm-up")
        self.watching = Relay("a count")
        self._axes: dict[Layer, str] = {}
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
        return "classes" in self.task_class.Options.model_fields

    def set_task(self, name: str, **options: Any) -> None:
        """Choose what to learn."""
        self.set_config(task=name, task_options=options)

    def set_config(self, **values: Any) -> None:
        """Change settings of the next training; they are checked as a whole."""
        config = TrainingConfig.model_validate(self.config.model_dump() | values)
        if config != self.config:
            self.config = config
            self.changed.emit()

    def set_pairs(self, images: Path | None, annotations: Path | None) -> None:
        """Choose two folders whose pairs are trained on as well; None = none."""
        if (images, annotations) != (self.pairs_images, self.pairs_annotations):
            self.pairs_images, self.pairs_annotations = images, annotations
            self.changed.emit()

    def set_model(self, path: Path | None) -> None:
        """Choose the model that *Apply* and *Review* use."""
        self.model_path = path
        self.model_changed.emit(path)

    def say(self, text: str, severity: str = "info") -> None:
        """Show a line to the person; severity is info, warning or error."""
        self.message.emit(text, severity)

    def images(self) -> list[Image]:
        """Give the image layers that can be trained on or predicted, top one last."""
        return [layer for layer in self.viewer.layers if isinstance(layer, Image) and not is_result(layer)]

    def annotated_of(self, layer: Layer | None) -> Annotated | None:
        """Give what belongs to an image, annotation or region layer."""
        for item in self.annotated:
            if layer is not None and layer in (item.image, item.labels, item.region):
                return item
        return None

    def annotate(self, image: Layer, labels: Labels) -> Annotated:
        """Say that a Labels layer annotates an image."""
        item = self.annotated_of(image)
        if item is None:
            # Classes are usually scribbled: what is not painted is not background then.
            item = Annotated(image, labels, unpainted_is_background=not self.has_classes)
            self.annotated.append(item)
        item.labels = labels
        self.changed.emit()
        return item

    def change(self, item: Annotated, **values: Any) -> None:
        """Set fields of an annotated image and tell the panels."""
        for name, value in values.items():
            setattr(item, name, value)
        self.changed.emit()

    def set_region(self, item: Annotated, region: Shapes | None) -> None:
        """Say where the annotation of an image is complete."""
        self.change(item, region=region)

    def axes_of(self, layer: Layer) -> str | None:
        """Give the axes a person confirmed for a layer, or None."""
        return self._axes.get(layer)

    def set_axes(self, layer: Layer, axes: str) -> None:
        """Remember the axes of a layer, one letter of TCZYXS per dimension."""
        if self._axes.get(layer) != axes:
            self._axes[layer] = axes
            self.changed.emit()

    def new_run_folder(self) -> Path:
        """Give a folder that does not exist yet for the next run; it is not made."""
        stamp = datetime.now().strftime("%Y-%m-%d %H-%M-%S")
        folder = self.runs_folder / f"{stamp} {self.config.task}"
        count = 1
        while folder.exists():
            count += 1
            folder = self.runs_folder / f"{stamp} {self.config.task} {count}"
        return folder

    def close(self, seconds: float = PATIENCE) -> bool:
        """Stop all that runs and wait for it; give whether no thread is left. The panels hear no more of it."""
        self.closing.emit()
        relays: Sequence[Relay] = (self.training, self.applying, self.warming, self.watching)
        for relay in relays:
            relay.stop()
            relay.blockSignals(True)
        ended = [relay.wait(seconds) for relay in relays]
        return all(ended)

    def _on_layer_removed(self, event: Any) -> None:
        layer = event.value
        self._axes.pop(layer, None)
        self.annotated = [item for item in self.annotated if layer not in (item.image, item.labels)]
        for item in self.annotated:
            if item.region is layer:
                item.region = None
        self.changed.emit()


def is_result(layer: Layer) -> bool:
    """Whether a layer was made by a model: a preview or a result, never something to train on."""
    return "microforge_result" in layer.metadata


def mark_result(layer: Layer, origin: str) -> None:
    """Say that a layer was made by a model, so that it is never offered as an input; `origin` names it."""
    layer.metadata["microforge_result"] = origin


def default_runs_folder() -> Path:
    """Give the folder of this user's data for runs."""
    root = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    return Path(root or Path.home()) / "microforge" / "runs"


def _engine(*args: Any, **kwargs: Any) -> Iterator[Any]:
    from microforge.training.loop import train

    return train(*args, **kwargs)


def _mailbox() -> Any:
    from microforge.training.live import Live

    return Live()
