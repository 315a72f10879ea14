"""Show measured images as layers: right, missed and extra points."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from napari.layers import Points as PointsLayer

from microforge.evaluation.cases import Case
from microforge.evaluation.object_errors import FINDING_COLOURS, ObjectFinding
from microforge.gui.layers.brush_cursor import add_beside_brushes
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.open_files import placed
from microforge.gui.layers.point_results import shown_point_size
from microforge.gui.layers.results import fit_points, layer_place
from microforge.gui.session.state import Session
from microforge.types import Array, Image, Points

REVIEWED = "microforge_reviewed"
POINT_COLOURS = {"found": "#5fd26a", "missed": "#ff4f4f", "right": "#22d3ee", "extra": "#ffd34e"}
POINTS_EXPLAINED = (
    "Rings: the true cells (green: found, red: missed). Points: the model's (blue: right, yellow: extra)."
)
ERRORS_EXPLAINED = "Rings: red missed, yellow extra, violet merged, blue split, orange where outlines fit badly."
#: Width of the gap between images side by side, as a part of the first.
_GAP = 1.05
#: Pixels that a ring leaves around a tiny object.
_RING = 4.0


@dataclass(frozen=True, eq=False)
class ReadCase:
    """Images of cases, read from disk where they are not open."""

    images: tuple[tuple[Case, Image], ...]


def read_cases(cases: Sequence[tuple[Case, Image | None]]) -> Iterator[ReadCase]:
    """Read what is not open; for a background thread."""
    from microforge.io.images import read_image

    images = []
    for case, image in cases:
        if image is None:
            assert case.origin.path is not None
            image = read_image(case.origin.path)
        images.append((case, image))
    yield ReadCase(tuple(images))


def open_image_of(session: Session, case: Case) -> Image | None:
    """Give the image of a case if it is open."""
    layer = _layer_of(session, case)
    return None if layer is None else image_of(layer, session.axes_of(layer))


def show_cases(session: Session, cases: Sequence[tuple[Case, Image]]) -> None:
    """Show images with their points, side by side where there are several; what was shown before goes, others hide."""
    viewer = session.viewer
    for layer in [layer for layer in viewer.layers if layer.metadata.get(REVIEWED)]:
        # What the user has begun to annotate or use stays.
        if session.annotated_of(layer) is None:
            viewer.layers.remove(layer)
    for layer in viewer.layers:
        layer.visible = False
    shift, size, shown = 0.0, _size_of_points([case for case, _ in cases]), []
    for case, image in cases:
        layer = _layer_of(session, case) if len(cases) == 1 else None
        if layer is None:
            layer = _add_image(session, image, shift)
        layer.visible = True
        shift += float(layer.extent.world[1, -1] - layer.extent.world[0, -1]) * _GAP
        if case.origin.frame is not None:
            _go_to_frame(session, layer, image, case.origin.frame)
        _add_points(session, layer, image, case, size)
        _add_errors(session, layer, image, case)
        viewer.layers.selection.active = layer
        shown.append(layer)
    _fit_view(viewer, shown)


def _size_of_points(cases: Sequence[Case]) -> float:
    """Give one size for all, as images with more or fewer cells are compared: where they lie closest decides."""
    judged = [case.found if case.truth is None or len(case.truth) < 2 else case.truth for case in cases]
    return min((shown_point_size(points) for points in judged if points is not None), default=0.0)


def _fit_view(viewer: ViewerModel, layers: Sequence[Layer]) -> None:
    """Look at these layers; hidden ones may reach much further."""
    if "layers" in signature(viewer.reset_view).parameters:
        viewer.reset_view(layers=layers)
    else:
        # Older versions of napari look at all layers.
        viewer.reset_view()


def _add_image(session: Session, image: Image, shift: float) -> ImageLayer:
    letters = image.axes.removesuffix("S")
    layer = ImageLayer(
        image.data,
        name=image.name,
        rgb=image.axes.endswith("S"),
        metadata={REVIEWED: True, "axes": image.axes},
        translate=[shift if letter == "X" else 0.0 for letter in letters],
        **placed(image, letters),
    )
    if shift:
        # A copy beside another is no place to annotate.
        mark_result(layer, "review")
    add_beside_brushes(session.viewer, layer)
    session.set_axes(layer, image.axes)
    return layer


def _add_points(session: Session, layer: Layer, image: Image, case: Case, size: float) -> None:
    if case.truth is None or case.found is None or case.missed is None or case.extra is None:
        return
    right = [POINT_COLOURS["missed"] if missed else POINT_COLOURS["found"] for missed in case.missed]
    made = [POINT_COLOURS["extra"] if extra else POINT_COLOURS["right"] for extra in case.extra]
    rings = {"face_color": "transparent", "border_color": right, "border_width": 0.12, "size": size * 1.9}
    discs = {"face_color": made, "border_color": "#101418", "border_width": 0.12, "size": size * 0.8}
    for points, what, states, look in (
        (case.truth, "truth", np.where(case.missed, "missed", "found"), rings),
        (case.found, "result", np.where(case.extra, "extra", "right"), discs),
    ):
        data, transform = _on_layer(points, layer, image, case.origin.frame)
        if not len(points):
            look = {name: value for name, value in look.items() if "color" not in name}
        made_layer = PointsLayer(
            data, ndim=data.shape[1], name=f"{layer.name} {what}", features={"what": states}, **look, **transform
        )
        mark_result(made_layer, "review")
        made_layer.metadata[REVIEWED] = True
        add_beside_brushes(session.viewer, made_layer)


def _add_errors(session: Session, layer: Layer, image: Image, case: Case) -> None:
    """Put a ring around each object with which something went wrong, in the colour of what did."""
    if not case.errors:
        return
    centres = np.array([error.centre for error in case.errors], np.float32)
    dims = centres.shape[1]
    points = Points(centres, np.zeros(len(centres), np.int32), axes="ZYX"[-dims:])
    data, transform = _on_layer(points, layer, image, case.origin.frame)
    rings = PointsLayer(
        data,
        name=f"{layer.name} errors",
        size=[_RING + 2 * ring_radius(error, dims) for error in case.errors],
        face_color="transparent",
        border_color=[FINDING_COLOURS[error.kind] for error in case.errors],
        border_width=0.06,
        features={"what": [error.kind for error in case.errors]},
        **transform,
    )
    mark_result(rings, "review")
    rings.metadata[REVIEWED] = True
    add_beside_brushes(session.viewer, rings)


def ring_radius(error: ObjectFinding, dims: int) -> float:
    """Give the radius of a ring, in pixels, that goes around an object of this size."""
    return 1.5 * float((error.size / np.pi) ** (1 / dims))


def _on_layer(points: Points, layer: Layer, image: Image, frame: int | None) -> tuple[Array, dict[str, Any]]:
    coordinates, letters = points.coordinates, points.axes
    if frame is not None:
        coordinates = np.hstack([np.full((len(points), 1), frame, np.float32), coordinates])
        letters = f"T{letters}"
    return fit_points(layer_place(layer, axes_of(layer, image.axes)[0]), coordinates, letters)


def _go_to_frame(session: Session, layer: Layer, image: Image, frame: int) -> None:
    dims = session.viewer.dims
    axis = axes_of(layer, image.axes)[0].index("T")
    place = np.zeros(layer.ndim)
    place[axis] = frame
    dims.set_point(dims.ndim - layer.ndim + axis, float(layer.data_to_world(place)[axis]))


def _layer_of(session: Session, case: Case) -> Layer | None:
    wanted = case.origin.key
    return next((layer for layer in session.images() if wanted is not None and layer.unique_id == wanted), None)
