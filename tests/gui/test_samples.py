import npe2
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Layer

from microforge.gui import samples
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.points import points_on
from microforge.gui.show import add_found
from microforge.types import Image, Prediction


@pytest.mark.parametrize(
    ("make", "axes"), [(samples.nuclei, "YX"), (samples.nuclei_two_channels, "CYX"), (samples.nuclei_stack, "ZYX")]
)
def test_a_sample_is_an_image_of_known_axes_and_its_truth(make: object, axes: str) -> None:
    image, truth = (Layer.create(*data) for data in make())  # type: ignore[operator]
    read = image_of(image)
    assert (read.axes, read.axes_known) == (axes, True)
    assert read.pixel_size is not None
    assert truth.data.max() > 20
    assert truth.data.shape == image.data.shape[-truth.ndim :]
    np.testing.assert_allclose(truth.scale, image.scale[-truth.ndim :])


def test_the_same_field_comes_noisy_and_clean() -> None:
    noisy, clean = (Layer.create(*data) for data in samples.noisy_and_clean())
    read = [image_of(layer) for layer in (noisy, clean)]
    assert [(one.name, one.axes, one.axes_known) for one in read] == [("noisy", "YX", True), ("clean", "YX", True)]
    assert read[0].pixel_size == read[1].pixel_size is not None
    assert np.corrcoef(noisy.data.ravel(), clean.data.ravel())[0, 1] > 0.5
    assert (noisy.visible, clean.visible) == (True, False)


def test_cells_to_count_have_a_point_each() -> None:
    crowd, truth = (Layer.create(*data) for data in samples.cells_to_count())
    assert (image_of(crowd).axes, truth.visible) == ("YX", False)
    assert len(truth.data) > 40
    inside = points_on([truth], crowd, "YX")
    np.testing.assert_allclose(inside.coordinates, truth.data, atol=1e-3)
    # There is light where the points are.
    at_points = crowd.data[tuple(np.round(inside.coordinates).astype(int).T)]
    assert at_points.mean() > 2 * np.median(crowd.data)


def test_the_manifest_is_valid_and_found() -> None:
    manifest = npe2.PluginManifest.from_distribution("napari-microforge")
    manifest.validate_imports()
    assert [widget.display_name for widget in manifest.contributions.widgets] == ["Microforge"]
    assert len(manifest.contributions.sample_data) == 5


def test_results_are_shown_on_their_images() -> None:
    viewer = ViewerModel()
    image = Image("a", np.zeros((6, 8, 9)), "ZYX", (2.0, 0.5, 0.5))
    add_found(viewer, [image], [Prediction(labels=np.ones((6, 8, 9), np.int32))])
    assert [layer.name for layer in viewer.layers] == ["a", "a result"]
    np.testing.assert_allclose(viewer.layers[1].scale, (2, 0.5, 0.5))
    rgb = Image("b", np.zeros((8, 9, 3), np.uint8), "YXS")
    add_found(viewer, [rgb], [Prediction(labels=np.ones((8, 9), np.int32))])
    assert viewer.layers["b"].rgb
