"""`Annotated`: an image layer with what can be learnt from it."""

from dataclasses import dataclass

from napari.layers import Layer

from microforge.events import AsidePart
from microforge.gui.session.image_list.listed_image import WantedRole
from microforge.types import Unpainted


@dataclass(eq=False)
class Annotated:
    """An image layer and what can be learnt from it; what one task does not need may serve another.

    Attributes
    ----------
    labels
        What is drawn on it.
    ground
        Strokes that say what is background; a painted object wins over them.
    unpainted
        What ground is outside the region on which nothing is drawn.
    targets
        The images it should become.
    alone
        Whether the image itself is learnt from, without anything drawn.
    points
        The points clicked on it, one layer per kind of cell unless their features tell kinds apart.
    no_cells
        Whether layers without a single point say that there are no cells.
    class_name
        The class of the whole image; empty where it has none.
    validation, always_learnt
        Whether a person keeps it aside, or wants it learnt from; with neither it is drawn.
    tests
        Whether it is left for a test of the finished model: neither learnt from nor measured on before.
    drawn_aside
        What of it was drawn to be kept aside by the training under way, or the last one.
    """

    image: Layer
    labels: Layer | None = None
    ground: Layer | None = None
    region: Layer | None = None
    unpainted: Unpainted = "background"
    use: bool = True
    validation: bool = False
    targets: tuple[Layer, ...] = ()
    alone: bool = False
    points: tuple[Layer, ...] = ()
    no_cells: bool = False
    class_name: str = ""
    always_learnt: bool = False
    tests: bool = False
    drawn_aside: AsidePart | None = None

    @property
    def role(self) -> WantedRole:
        """What it is for, as a person wants it; empty where that is drawn."""
        if self.tests:
            return "test"
        return "validation" if self.validation else "training" if self.always_learnt else ""

    def take_role(self, role: WantedRole) -> None:
        """Let it be for what a person wants."""
        self.tests, self.validation, self.always_learnt = (role == one for one in ("test", "validation", "training"))

    @property
    def kept_aside(self) -> AsidePart | None:
        """What of it is kept aside, as a person wants it or as it was drawn; None = nothing."""
        return AsidePart(self.image.name, by_hand=True) if self.validation else self.drawn_aside

    @property
    def is_aside(self) -> bool:
        """Whether all of it is kept aside."""
        return self.kept_aside is not None and self.kept_aside.axis is None

    @property
    def drawn(self) -> tuple[Layer, ...]:
        """The layers on which a person draws or clicks."""
        return tuple(layer for layer in (self.labels, self.ground, self.region, *self.points) if layer is not None)

    def forget(self, layer: Layer) -> bool:
        """Let go of a layer that is gone; give whether the image itself is still there."""
        self.labels = None if layer is self.labels else self.labels
        self.ground = None if layer is self.ground else self.ground
        self.region = None if layer is self.region else self.region
        # Without one of its targets a pair does not fit the others.
        self.targets = () if layer in self.targets else self.targets
        self.points = tuple(points for points in self.points if points is not layer)
        return layer is not self.image
