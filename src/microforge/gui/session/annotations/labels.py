"""Painted labels in the window: snapshot, readiness, words."""

from typing import Any, ClassVar

import numpy as np

from microforge.annotations import LABELS, AnnotationKind
from microforge.gui.layers.convert import labels_on
from microforge.gui.layers.layer_axes import axes_of as layer_axes
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import AmountDrawn, AxesOf, Holds, ListWords, WindowAnnotation
from microforge.label_editing import TinyObject, tiny_objects
from microforge.tasks import Readiness, Task
from microforge.types import Image


class LabelsInWindow(WindowAnnotation):
    """A Labels layer on an image."""

    kind: ClassVar[AnnotationKind] = LABELS
    nothing: ClassVar[Readiness] = Readiness(
        "Nothing is annotated yet.", "Choose an image and press Annotate this image."
    )
    is_drawn: ClassVar[bool] = True
    is_live: ClassVar[bool] = True
    words: ClassVar[ListWords] = ListWords(
        "No image is annotated yet: start in Annotate.",
        "Labels",
        "Folder of annotations",
        "Label images of the same names.",
        "Images on disk with a label image of the same name each.",
    )

    def is_given(self, item: Annotated) -> bool:
        """Tell whether there is a layer."""
        return item.labels is not None

    def take_away(self, item: Annotated) -> None:
        """Nothing: labels are left out by their tick in Train, as what is painted may serve other goals."""

    def progress(self, item: Annotated, holds: Holds) -> AmountDrawn:
        """Say "all" where unpainted ground is background everywhere, "part" where it is not, or only in a region."""
        if not any(layer is not None and holds(layer) for layer in (item.labels, item.ground, item.region)):
            return "none"
        return "all" if item.unpainted == "background" and item.region is None else "part"

    def slips(self, task: Task, item: Annotated) -> tuple[TinyObject, ...]:
        """Find tiny objects; strokes of classes may have any size."""
        labels = None if task.class_option or item.labels is None else item.labels.data
        return tiny_objects(labels) if isinstance(labels, np.ndarray) else ()

    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Give the labels and their axes."""
        if item.labels is None:
            return {}
        letters, _ = layer_axes(item.image, axes_of(item.image))
        labels, axes = labels_on(item.labels, item.image, letters)
        return {"labels": labels.copy() if copy else labels, "axes": axes}
