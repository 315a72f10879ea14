"""Measurements against scikit-image's, on shapes that are hard for convex hulls."""

import warnings

import numpy as np
import pytest
from skimage.measure import label, regionprops

from microforge.errors import AnnotationError
from microforge.measurements.objects import join_frames, measure_objects


def blobs(shape: tuple[int, ...], seed: int = 0, level: float = 0.55) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).random(shape), 2)
    return label(noise > np.quantile(noise, level)).astype(np.int32)


def expected(labels: np.ndarray, image: np.ndarray | None, name: str) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.array([getattr(region, name) for region in regionprops(labels, image)])


@pytest.mark.parametrize("seed", range(5))
def test_plane_agrees_with_scikit_image(seed: int) -> None:
    labels = blobs((120, 97), seed) * 3
    image = np.random.default_rng(seed).normal(100, 20, labels.shape).astype(np.float32)
    found = measure_objects(labels, image[None])
    assert found["label"].tolist() == expected(labels, image, "label").tolist()
    assert found["area"].tolist() == expected(labels, image, "area").tolist()
    centroid = expected(labels, image, "centroid")
    np.testing.assert_allclose(np.stack([found["centroid_y"], found["centroid_x"]], 1), centroid, atol=1e-9)
    for ours, theirs in [("mean", "intensity_mean"), ("min", "intensity_min"), ("max", "intensity_max")]:
        np.testing.assert_allclose(found[f"{ours}_intensity"], expected(labels, image, theirs), rtol=1e-5)
    np.testing.assert_allclose(found["eccentricity"], expected(labels, image, "eccentricity"), atol=1e-6)
    np.testing.assert_allclose(found["solidity"], expected(labels, image, "solidity"), rtol=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_stack_agrees_with_scikit_image(seed: int) -> None:
    labels = blobs((14, 30, 33), seed, 0.8)
    image = np.random.default_rng(seed).integers(0, 60000, labels.shape).astype(np.uint16)
    found = measure_objects(labels, image[None], (2.0, 0.5, 0.5))
    assert found["volume"].tolist() == expected(labels, image, "area").tolist()
    np.testing.assert_allclose(found["centroid_z"], expected(labels, image, "centroid")[:, 0], atol=1e-9)
    np.testing.assert_allclose(found["mean_intensity"], expected(labels, image, "intensity_mean"))
    solidity = expected(labels, image, "solidity")
    thick = np.isfinite(solidity)  # scikit-image gives up on objects of one plane
    np.testing.assert_allclose(found["solidity"][thick], solidity[thick], rtol=0.02)
    assert "eccentricity" not in found
    np.testing.assert_allclose(found["volume_um3"], found["volume"] * 0.5)


def test_small_and_concave_shapes() -> None:
    labels = np.zeros((40, 60), np.uint32)
    labels[0, 0] = 7  # a pixel in the corner
    labels[39, 50:60] = 8  # a line that ends where the image ends
    labels[5:20, 5] = labels[19, 5:20] = 9  # an L
    labels[25:35, 5:15] = 10
    labels[27:33, 7:13] = 0  # a ring
    labels[2, 40] = labels[20, 45] = 4_000_000_000  # two parts, a large label
    found = measure_objects(labels)
    assert found["label"].tolist() == [7, 8, 9, 10, 4_000_000_000]
    compact = np.searchsorted([0, *found["label"]], labels)
    np.testing.assert_allclose(found["solidity"], expected(compact, None, "solidity"), rtol=0.02)
    np.testing.assert_allclose(found["eccentricity"], expected(compact, None, "eccentricity"), atol=1e-6)


def test_micrometres_only_where_the_pixel_size_is_known() -> None:
    labels = blobs((50, 50))
    assert not [name for name in measure_objects(labels) if "_um" in name]
    found = measure_objects(labels, None, (0.5, 0.25))
    np.testing.assert_allclose(found["area_um2"], found["area"] * 0.125)
    np.testing.assert_allclose(found["centroid_y_um"], found["centroid_y"] * 0.5)
    assert not [name for name in measure_objects(labels[None], None, (0.5, 0.5)) if "_um" in name]


def test_channels_are_named() -> None:
    labels = blobs((30, 30))
    image = np.stack([labels * 2, labels * 3, labels * 4]).astype(np.uint16)
    found = measure_objects(labels, image, channel_names=("DAPI", "GFP"))
    np.testing.assert_allclose(found["mean_intensity_DAPI"], found["label"] * 2)
    np.testing.assert_allclose(found["max_intensity_GFP"], found["label"] * 3)
    np.testing.assert_allclose(found["min_intensity_C3"], found["label"] * 4)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int16, np.uint32, np.float16, np.float64])
def test_any_dtype_of_image(dtype: type) -> None:
    labels = blobs((30, 30))
    image = (np.arange(900).reshape(1, 30, 30) % 120).astype(dtype)
    found = measure_objects(labels, image)
    np.testing.assert_allclose(
        found["mean_intensity"], [image[0][labels == n].mean(dtype=float) for n in found["label"]]
    )


@pytest.mark.parametrize("shape", [(20, 20), (5, 20, 20), (0, 8)])
def test_nothing_found_gives_empty_columns(shape: tuple[int, ...]) -> None:
    found = measure_objects(np.zeros(shape, np.int32), np.zeros((1, *shape)), (1.0,) * len(shape))
    assert {"label", "mean_intensity", "solidity"} <= set(found)
    assert all(len(column) == 0 for column in found.values())


def test_frames_are_joined() -> None:
    tables = [measure_objects(blobs((40, 40), seed)) for seed in range(3)]
    found = join_frames(tables)
    assert list(found)[:2] == ["label", "frame"]
    assert all(np.array_equal(found[name][found["frame"] == 1], tables[1][name]) for name in tables[1])
    assert join_frames([]) == {}


def test_grids_that_differ_are_refused() -> None:
    with pytest.raises(AnnotationError, match="labels are"):
        measure_objects(np.zeros((4, 4), int), np.zeros((1, 5, 4)))
    with pytest.raises(AnnotationError, match="4 dimensions"):
        measure_objects(np.zeros((2, 2, 4, 4), int))
