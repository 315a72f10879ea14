"""The interface of a kind of annotation in the window, and readiness in words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from napari.layers import Layer

from microforge.annotations import AnnotationKind
from microforge.errors import MicroforgeError
from microforge.gui.session.annotated_image import Annotated
from microforge.label_editing import TinyObject
from microforge.tasks import Readiness, Task
from microforge.tasks.abilities import arranged
from microforge.types import Image, Points, Sample

#: The axes a person confirmed for a layer, or None.
AxesOf = Callable[[Layer], str | None]
#: Whether anything is drawn on a layer.
Holds = Callable[[Layer], bool]
#: How much of an image is annotated.
AmountDrawn = Literal["none", "part", "all"]


class ListWords(NamedTuple):
    """What the list of training data is called for a kind; an empty `partner`: there is no second folder."""

    nothing: str
    partner: str
    folder: str
    partner_tip: str
    tip: str
    kinds: tuple[Literal["folder", "files"], ...] = ("folder",)


class WindowAnnotation(ABC):
    """A kind of annotation as the window sees it.

    Attributes
    ----------
    column
        Title of the last column in the list of training data; empty where there is none.
    words
        Of that list.
    nothing, nothing_drawn
        What is said before there is anything, and where a layer to draw on is still empty.
    is_drawn
        Whether it grows stroke by stroke: then it is counted as a whole after each, rather than image by image once.
    is_live
        Whether a training under way is told of changes.
    """

    kind: ClassVar[AnnotationKind]
    column: ClassVar[str] = ""
    words: ClassVar[ListWords]
    nothing: ClassVar[Readiness]
    nothing_drawn: ClassVar[Readiness] = Readiness("Nothing is painted yet.", "Paint in the Labels layer.")
    is_drawn: ClassVar[bool] = False
    is_live: ClassVar[bool] = False

    @abstractmethod
    def is_given(self, item: Annotated) -> bool:
        """Tell whether an image has it."""

    @abstractmethod
    def take_away(self, item: Annotated) -> None:
        """Let an image have it no more; layers stay."""

    @abstractmethod
    def take(self, item: Annotated, image: Image, axes_of: AxesOf, *, copy: bool) -> dict[str, Any]:
        """Give the fields of a snapshot that later painting must not change.

        Parameters
        ----------
        copy
            False may share the memory of layers: for counting, where a stroke more or less does not matter.

        Raises
        ------
        MicroforgeError
            If what is drawn does not fit the image.
        """

    def agree(self, points: Sequence[Points]) -> Sequence[Points]:
        """Give what several images have in common the same form; as it is where nothing is in common."""
        return points

    def progress(self, item: Annotated, holds: Holds) -> AmountDrawn:
        """Say how much of an image is annotated; quick, as it is asked again and again.

        Parameters
        ----------
        holds
            Tells whether anything is drawn on a layer.
        """
        return "all" if self.is_given(item) else "none"

    def name_of(self, item: Annotated) -> str:
        """Name what is learnt from on an image, for the last column."""
        return ""

    def slips(self, task: Task, item: Annotated) -> tuple[TinyObject, ...]:
        """Find what was drawn on an image by accident; slow, as it looks at all of it."""
        return ()

    def readiness(self, task: Task, samples: Sequence[Sample], any_layer: bool) -> Readiness:
        """Say what there is to learn from and what is missing."""
        if not samples:
            return self.nothing_drawn if any_layer else self.nothing
        try:
            usable, _ = arranged(task, samples)
        except MicroforgeError as error:
            return Readiness(task.describe(samples).text, str(error))
        return task.describe(usable)


def layer_names(layers: Sequence[Layer]) -> str:
    """Give the names of layers."""
    return ", ".join(layer.name for layer in layers)
