"""Hatching over what is kept aside of an image: lines that nobody can paint on."""

import numpy as np
from napari.layers import Layer, Vectors

from microforge.events import AsidePart
from microforge.gui.layers.convert import geometry_of
from microforge.gui.layers.layer_axes import shape_of_layer
from microforge.gui.layers.marks import KEPT_ASIDE, mark_result
from microforge.types import Doubles

#: Where such a layer comes from, see `mark_result`.
ASIDE = "kept aside"
#: Distance of the lines and their width, as parts of the longer side of the image; see-through enough to paint below.
_DISTANCE, _WIDTH, _OPACITY = 1 / 32, 1 / 500, 0.6
#: Beside each line a dark one, so that they are seen on bright ground as on dark one.
_SHADE = "#3a4048"


def hatching(image: Layer, axes: str, part: AsidePart) -> Vectors:
    """Make the layer of lines over what is kept aside of an image, on all its planes.

    Parameters
    ----------
    axes
        One letter per dimension of the image layer.
    """
    lengths = dict(zip(axes, shape_of_layer(image), strict=True))
    rows, columns = lengths["Y"], lengths["X"]
    low, high = [0, 0], [rows, columns]
    if part.axis is not None:
        low[part.axis - int(lengths.get("Z", 1) > 1)] = part.start
    longer = max(rows, columns)
    # Without planes and time the lines show on all of them; that needs Y and X to be the last dimensions.
    flat = axes.replace("S", "").endswith("YX")
    keep = list(range(image.ndim - 2 if flat else 0, image.ndim))
    lines, width = hatch_lines(low, high, longer * _DISTANCE), max(longer * _WIDTH, 0.5)
    shades = lines + np.array([[0, width], [0, 0]])
    made = Vectors(
        _in_dimensions(np.concatenate([shades, lines]), [axes[axis] for axis in keep]),
        name=f"{ASIDE}: {image.name}",
        vector_style="line",
        edge_color=[_SHADE] * len(lines) + [KEPT_ASIDE] * len(lines),
        edge_width=width,
        opacity=_OPACITY,
        **geometry_of(image, keep),
    )
    mark_result(made, ASIDE)
    return made


def hatch_lines(low: list[int], high: list[int], distance: float) -> Doubles:
    """Give slanted lines and the frame of a rectangle, as starts and ways ``(N, 2, 2)`` in YX.

    Parameters
    ----------
    low, high
        Corners of the rectangle in pixels: its first pixel and the one behind its last.
    """
    (y0, x0), (y1, x1) = np.array(low) - 0.5, np.array(high) - 0.5
    corners = np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
    frame = np.stack([corners, np.roll(corners, -1, axis=0) - corners], axis=1)
    # A line goes down to the right through (y0, x0 + c), cut off at the sides.
    c = np.arange(y0 - y1 + distance, x1 - x0, distance)
    left, right = np.maximum(c, 0), np.minimum(c + y1 - y0, x1 - x0)
    starts = np.stack([y0 + left - c, x0 + left], axis=1)
    slanted = np.stack([starts, np.repeat((right - left)[:, None], 2, axis=1)], axis=1)
    return np.concatenate([frame, slanted])


def _in_dimensions(lines: Doubles, letters: list[str]) -> Doubles:
    """Give lines in YX as lines in these dimensions, at the first place along the others."""
    placed = np.zeros((len(lines), 2, len(letters)))
    placed[..., [letters.index(letter) for letter in "YX"]] = lines
    return placed
