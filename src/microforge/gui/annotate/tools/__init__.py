"""Annotation tools, one module per kind of annotation (labels, points, image pairs, image classes, plain images).

Come here to let people draw in a new way: `register_tools` gives a kind of annotation its tools.
"""

from microforge.annotations import IMAGE_CLASSES, IMAGE_PAIRS, LABELS, NOTHING, POINTS, AnnotationKind
from microforge.gui.annotate.tools.base import AnnotationTools, MakeTools
from microforge.gui.annotate.tools.image_classes import ClassTools
from microforge.gui.annotate.tools.image_pairs import PairTools
from microforge.gui.annotate.tools.labels import PaintTools
from microforge.gui.annotate.tools.plain_images import PlainTools
from microforge.gui.annotate.tools.points import PointTools

__all__ = ["AnnotationTools", "known_tools", "register_tools"]

_TOOLS: dict[AnnotationKind, MakeTools] = {
    LABELS: PaintTools,
    NOTHING: PlainTools,
    IMAGE_PAIRS: PairTools,
    POINTS: PointTools,
    IMAGE_CLASSES: ClassTools,
}


def register_tools(kind: AnnotationKind, make: MakeTools) -> None:
    """Give a kind of annotation its tools; panels made from now on have them."""
    _TOOLS[kind] = make


def known_tools() -> dict[AnnotationKind, MakeTools]:
    """Give what makes the tools of each kind."""
    return dict(_TOOLS)
