"""A plane that a reader gave dimensions of length one is annotated, learnt from and answered as a plane."""

from typing import Any

import numpy as np
import pytest

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.layers.layer_axes import axes_of
from microforge.gui.layers.points import points_on
from microforge.gui.layers.results import add_results, layer_place
from microforge.gui.session.snapshot import snapshot_of
from microforge.types import Prediction
from support.planes import PLANE, SINGLE, TCZYX


@pytest.mark.parametrize(("shape", "options"), SINGLE)
def test_sample_and_result_of_a_plane_with_dimensions_of_length_one(
    panel: AnnotatePanel, shape: Any, options: Any
) -> None:
    viewer, session = panel.session.viewer, panel.session
    layer = viewer.add_image(PLANE.reshape(shape), **options)
    panel.image.set_value(layer)
    assert panel.axes.isHidden()
    panel.tools[LABELS].annotate.click()
    labels = viewer.layers.selection.active
    assert labels.data.shape == (shape if shape[-1] > 1 else (40, 48, 1))
    labels.data = np.broadcast_to((PLANE > 200).reshape(shape), shape).astype(np.int32)
    (sample,) = snapshot_of(session, session.items[0]).samples()
    assert sample.image.shape == (1, 40, 48)
    assert np.array_equal(sample.annotation, PLANE > 200)  # type: ignore[arg-type]
    place = layer_place(layer, axes_of(layer)[0])
    (result,) = add_results(viewer, place, Prediction(labels=(PLANE > 200).astype(np.int32)), {})
    assert result.data.shape == shape
    assert np.array_equal(result.data.reshape(PLANE.shape), PLANE > 200)


def test_region_and_points_on_a_plane_with_dimensions_of_length_one(panel: AnnotatePanel) -> None:
    viewer, session = panel.session.viewer, panel.session
    layer = viewer.add_image(PLANE[None, None, None], **TCZYX)
    panel.image.set_value(layer)
    panel.tools[LABELS].annotate.click()
    viewer.layers.selection.active.data[..., 5, 5] = 1
    panel.region.click()
    corners = np.array([[1, 2], [1, 9], [12, 9], [12, 2]])
    viewer.layers.selection.active.add_rectangles(np.hstack([np.zeros((4, 3)), corners]))
    (sample,) = snapshot_of(session, session.items[0]).samples()
    assert sample.mask is not None
    assert sample.mask.shape == (40, 48)
    assert sample.mask[1:13, 2:10].all()
    assert sample.mask.sum() == 12 * 8
    layer_of_points = viewer.add_points([[0, 0, 0, 3, 4], [0, 0, 0, 30, 20]])
    points = points_on([layer_of_points], layer, axes_of(layer)[0])
    assert (points.axes, points.coordinates.tolist()) == ("YX", [[3, 4], [30, 20]])
