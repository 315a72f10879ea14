"""Images with counted cells: when their layers or regions change they are counted again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.answers.region_counts import CountQuestion, CountRow, count_image
from microforge.axes.areas import drawn_region
from microforge.gui.layers.point_results import is_corrected, points_of_result
from microforge.gui.session.drawn_regions import DrawnRegion, region_layers, regions_on
from microforge.gui.session.state import Session
from microforge.types import Image, Prediction


@dataclass(eq=False)
class CountedLayers:
    """A predicted image, its layers, and what was counted last.

    `letters` are one per dimension of the image layer; `add_density` makes the layers of `density`, when asked for.
    """

    source: Layer
    image: Image
    task: Any
    prediction: Prediction
    points: PointsLayer
    letters: str
    add_density: Callable[[], Sequence[Layer]] = tuple
    density: Sequence[Layer] = ()
    regions: tuple[DrawnRegion, ...] = ()
    rows: list[CountRow] = field(default_factory=list)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that stand for this image."""
        return (self.source, self.points, *self.density)


@dataclass(frozen=True)
class CountsReady:
    """What was counted, image by image."""

    rows: tuple[tuple[CountRow, ...], ...]


def question_of(session: Session, one: CountedLayers) -> CountQuestion:
    """Take what is drawn and corrected on an image now; quick, the counting is done elsewhere."""
    one.regions = regions_on(region_layers(session), one.source, one.letters)
    shape = [one.image.data.shape[one.image.axes.index(letter)] for letter in "ZYX" if letter in one.image.axes]
    regions = tuple(drawn_region(region.name, region.outline.corners[:, -2:], shape) for region in one.regions)
    points = points_of_result(one.points) if is_corrected(one.points) else None
    return CountQuestion(one.image, one.task.count, one.prediction, regions, points)


def signature_of(one: CountedLayers, question: CountQuestion) -> Any:
    """Give what a count depends on, to compare."""
    regions = [(region.name, region.outline.corners.tobytes()) for region in one.regions]
    points = (
        None
        if question.corrected is None
        else (question.corrected.coordinates.tobytes(), question.corrected.kind.tobytes())
    )
    return id(question.prediction), regions, points


def count_all(questions: Sequence[CountQuestion]) -> Iterator[CountsReady]:
    """Count; for a background thread."""
    yield CountsReady(tuple(tuple(count_image(question)) for question in questions))


def rows_in_view(viewer: ViewerModel, one: CountedLayers) -> list[CountRow]:
    """Give what was counted at the time point that is looked at."""
    if "T" not in one.letters:
        return one.rows
    place = viewer.dims.point[viewer.dims.ndim - one.source.ndim :]
    frame = round(float(one.source.world_to_data(place)[one.letters.index("T")]))
    return [row for row in one.rows if row.frame == frame]
