"""Places in micrometres become pixels where column and image say how, and are refused where they seem to be."""

from pathlib import Path

import numpy as np
import pytest

from microforge.errors import AnnotationError
from microforge.io.points import read_points
from microforge.io.rois import Stack
from microforge.types import Array, PixelSize


def image(pixel_size: PixelSize | None = (0.25, 0.5)) -> Stack:
    return Stack(1, 1, 1, 200, 300, pixel_size)


def spread(count: int = 40) -> Array:
    """Give places all over an image of 200 x 300 pixels."""
    return np.random.default_rng(0).uniform((0, 0), (199, 299), (count, 2))


def save(path: Path, places: Array, names: tuple[str, str] = ("Y", "X")) -> Path:
    rows = "".join(f"{y:.4f},{x:.4f}\n" for y, x in places.tolist())
    path.write_text(f"{names[0]},{names[1]}\n{rows}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("y", "x", "unit"),
    [
        ("y_um", "x_um", 1),
        ("Y (micron)", "X (micron)", 1),
        ("Centroid Y µm", "Centroid X µm", 1),
        ("Y [μm]", "X [μm]", 1),
        ("y (nm)", "x (nm)", 1000),
        ("Position Y (mm)", "Position X (mm)", 0.001),
    ],
)
def test_columns_with_a_unit_are_converted_by_the_pixel_size(tmp_path: Path, y: str, x: str, unit: float) -> None:
    places = np.array([[10.0, 20], [150, 280]])
    path = save(tmp_path / "a.csv", places * (0.25, 0.5) * unit, (y, x))
    np.testing.assert_allclose(read_points(path, image()).coordinates, places, rtol=1e-3)


def test_pixels_are_preferred_where_both_are_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,x,y_um,x_um\n10,20,99,99\n")
    np.testing.assert_array_equal(read_points(tmp_path / "a.csv", image()).coordinates, [[10, 20]])


def test_lengths_without_a_pixel_size_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", spread(), ("y_um", "x_um"))
    with pytest.raises(AnnotationError, match="does not say how large its pixels are") as raised:
        read_points(path, image(None))
    assert "Image > Properties" in raised.value.remedy


def test_places_that_fill_the_corner_of_micrometres_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", spread() * (0.25, 0.5))
    with pytest.raises(AnnotationError, match=r"All 40 points lie in the upper left corner .* \(50 x 150\)") as raised:
        read_points(path, image())
    assert "'y_um' and 'x_um'" in raised.value.remedy
    named = save(tmp_path / "b.csv", spread() * (0.25, 0.5), ("y_px", "x_px"))
    assert len(read_points(named, image())) == 40


@pytest.mark.parametrize(
    ("places", "pixel_size"),
    [
        (spread(), (0.25, 0.5)),
        (spread() * (0.25, 0.5), None),
        (spread() * (0.25, 0.5) + (60, 0), (0.25, 0.5)),
        (spread(2) * (0.25, 0.5), (0.25, 0.5)),
        (spread() * 0.1, (0.25, 0.5)),
        (spread(), (1.0, 1.0)),
    ],
    ids=["all over", "no pixel size", "elsewhere", "few", "a small corner", "pixels of 1 um"],
)
def test_places_that_may_be_pixels_are_taken(tmp_path: Path, places: Array, pixel_size: PixelSize | None) -> None:
    np.testing.assert_allclose(
        read_points(save(tmp_path / "a.csv", places), image(pixel_size)).coordinates, places, atol=1e-4
    )
