"""What a person drew on an image, in pixels of it: as a project keeps it, whatever the layers are placed like."""

from dataclasses import dataclass

import numpy as np

from microforge.axes.areas import Outline
from microforge.gui.layers.convert import image_of, labels_on
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.points import points_on
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.snapshot import outlines_on
from microforge.types import Array, Image, Points


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn on one image. Pixels are views of the layers, which a person may be painting on.

    Attributes
    ----------
    image
        The image, with likely axes where nobody said them.
    axes
        Of `labels` and `background`; all that is longer than one, without channels.
    labels, background
        Integers, 0 = nothing; None where there is no layer.
    points
        None where no points are set on it.
    outlines
        Where its annotation is complete; None where no region was asked for.
    """

    image: Image
    axes: str
    labels: Array | None
    background: Array | None
    points: Points | None
    outlines: tuple[Outline, ...] | None

    @property
    def is_anything(self) -> bool:
        """Whether anything is drawn; slow for large images."""
        if self.outlines or (self.points is not None and len(self.points)):
            return True
        return any(pixels is not None and bool(np.any(pixels)) for pixels in (self.labels, self.background))


def drawn_on(item: Annotated) -> Drawn:
    """Give what is drawn on an image, whatever is learnt from it; quick, as no pixel is copied.

    Raises
    ------
    AnnotationError
        If a layer does not fit the image.
    AxesError
        If the letters said cannot describe the image.
    """
    image, letters = image_of(item.image), axes_of(item.image)[0]
    axes = "".join(letter for letter in image.axes if letter not in "CS")
    labels, background = (
        None if layer is None else labels_on(layer, item.image, letters)[0] for layer in (item.labels, item.ground)
    )
    points = points_on(item.points, item.image, letters) if item.points else None
    return Drawn(image, axes, labels, background, points, outlines_on(item, letters))
