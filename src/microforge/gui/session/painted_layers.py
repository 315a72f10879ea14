"""The layers of an image that a person paints on, made when they are first needed."""

from napari.layers import Labels, Layer

from microforge.errors import AnnotationError
from microforge.gui.layers.convert import add_labels
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import dress_ground
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.state import Session


def annotation_of(session: Session, image: Layer) -> Annotated:
    """Give what belongs to an image, with a layer to paint on; makes it where there is none.

    Raises
    ------
    MicroforgeError
        If it does not fit into memory.
    """
    item = session.annotated_of(image)
    if item is None or item.labels is None:
        axes, _ = axes_of(image, session.axes_of(image))
        item = session.annotate(image, add_labels(session.viewer, image, axes))
    return item


def ground_of(session: Session, item: Annotated) -> Labels:
    """Give the strokes that say what is background on an image; makes their layer where there is none.

    Raises
    ------
    MicroforgeError
        If it does not fit into memory.
    """
    if isinstance(item.ground, Labels):
        return item.ground
    axes, _ = axes_of(item.image, session.axes_of(item.image))
    ground = add_labels(session.viewer, item.image, axes, "background")
    dress_ground(ground, item.image)
    ground.brush_size = max(ground.brush_size, labels_of(item).brush_size)
    session.change(item, ground=ground)
    return ground


def labels_of(item: Annotated) -> Labels:
    """Give the layer on which the objects of an image are painted.

    Raises
    ------
    AnnotationError
        If there is none.
    """
    if not isinstance(item.labels, Labels):
        raise AnnotationError("It is not annotated.", where=item.image.name, remedy="Press Annotate this image.")
    return item.labels
