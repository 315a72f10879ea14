"""Edit label images as a hand would: strokes, outlines, and what is done with one object.

Come here when a stroke becomes another object than the one that was meant, or for a new way to repair labels.
Everything works on arrays without a window, looks at a small window around what is touched, and gives an `Edit`: the
pixels that change. A pixel of another object is never taken.
"""

from microforge.label_editing.cutting import crossed, split
from microforge.label_editing.edits import Edit
from microforge.label_editing.objects import close_holes, delete, grow, merge, shrink, smooth
from microforge.label_editing.outlines import fill_outline, outline_pixels
from microforge.label_editing.planes import fill_between, planes_filled
from microforge.label_editing.strokes import (
    Stroke,
    continued,
    draw_line,
    footprint,
    over_next_plane,
    relabel,
    stroke_of,
)
from microforge.label_editing.taking import confident, take, take_as_background, take_classes, unknown, worth_asking
from microforge.label_editing.tiny import TinyObject, tiny_objects, without

__all__ = [
    "Edit",
    "Stroke",
    "TinyObject",
    "close_holes",
    "confident",
    "continued",
    "crossed",
    "delete",
    "draw_line",
    "fill_between",
    "fill_outline",
    "footprint",
    "grow",
    "merge",
    "outline_pixels",
    "over_next_plane",
    "planes_filled",
    "relabel",
    "shrink",
    "smooth",
    "split",
    "stroke_of",
    "take",
    "take_as_background",
    "take_classes",
    "tiny_objects",
    "unknown",
    "without",
    "worth_asking",
]
