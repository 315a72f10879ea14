"""Point annotations in the window: snapshot, readiness, words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from microforge.annotations import POINTS, AnnotationKind
from microforge.errors import MicroforgeError
from microforge.gui.layers.layer_axes import axes_of as layer_axes
from microforge.gui.layers.points import agreed, points_on
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import AmountDrawn, AxesOf, Holds, ListWords, WindowAnnotation, layer_names
from microforge.tasks import Readiness, Task
from microforge.types import Image, Points, Sample


class PointsInWindow(WindowAnnotation):
    """Points layers on an image, one per kind of cells."""

    kind: ClassVar[AnnotationKind] = POINTS
    column: ClassVar[str] = "Points"
    nothing: ClassVar[Readiness] = Readiness("No cells are clicked yet.", "Choose an image and press Click the cells.")
    nothing_drawn: ClassVar[Readiness] = Readiness(
        "No point is set yet.", "Click a point on each cell of at least one image or region."
    )
    is_drawn: ClassVar[bool] = True
    is_live: ClassVar[bool] = True
    words: ClassVar[ListWords] = ListWords(
        "No cells are clicked yet: start in Annotate.",
        "Points",
        "Folder of points",
        "A file of points for each image, with the same name: a table (CSV) with the columns y and x, ImageJ points "
        "(.roi or .zip), or a Cell Counter file (.xml). A column called kind tells kinds of cells apart.",
        "Images on disk with a file of points of the same name each.",
    )

    def is_given(self, item: Annotated) -> bool:
        """Tell whether there are layers."""
        return bool(item.points)

    def take_away(self, item: Annotated) -> None:
        """Let go of the layers."""
        item.points = ()

    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Give the points; always copied, as they are few, and napari moves them in place."""
        return {"points": points_on(item.points, item.image, layer_axes(item.image, axes_of(item.image))[0])}

    def progress(self, item: Annotated, holds: Holds) -> AmountDrawn:
        """Say "part" where cells are clicked in a region only."""
        if not (item.no_cells or any(holds(layer) for layer in item.points)):
            return "none"
        return "all" if item.region is None else "part"

    def agree(self, points: Sequence[Points]) -> Sequence[Points]:
        """Give all images the same kinds."""
        return agreed(points)

    def name_of(self, item: Annotated) -> str:
        """Name the layers."""
        return layer_names(item.points)

    def readiness(self, task: Task, samples: Sequence[Sample], any_layer: bool) -> Readiness:
        """Say also what is odd about the points: outside the image, clicked twice."""
        remarks, used = [], []
        for sample in samples:
            try:
                used.append(task.check(sample))
            except MicroforgeError as error:
                return Readiness("", str(error))
            changed = task.changes(sample, used[-1])
            remarks += [f"{sample.name}: {changed}."] if changed else []
        remarks += [advice.text for advice in task.advise(used)]
        ready = super().readiness(task, used, any_layer)
        return replace(ready, text="\n".join((ready.text, *remarks)))
