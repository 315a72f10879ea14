"""Areas written as ImageJ ROIs are read back as the same pixels."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from skimage.draw import polygon2mask

from microforge.errors import WriteError
from microforge.io.regions import read_regions
from microforge.io.rois import write_area_rois

CORNERS = {
    "cortex": np.array([[2, 3], [2, 20], [15, 20], [15, 3]], float),
    "hilus (left)": np.array([[5.5, 5.25], [5.5, 30], [25, 12.5]], float),
}


def test_round_trip(tmp_path: Path) -> None:
    write_area_rois(tmp_path / "regions.zip", CORNERS.items())
    regions = read_regions(tmp_path / "regions.zip", (30, 40))
    assert [region.name for region in regions] == list(CORNERS)
    for region, corners in zip(regions, CORNERS.values(), strict=True):
        assert np.array_equal(region.mask, polygon2mask((30, 40), corners))


def test_regions_of_a_stack_count_for_all_planes(tmp_path: Path) -> None:
    write_area_rois(tmp_path / "regions.zip", [("a", CORNERS["cortex"])])
    (region,) = read_regions(tmp_path / "regions.zip", (5, 30, 40))
    assert region.mask.shape in {(30, 40), (5, 30, 40)}
    assert np.broadcast_to(region.mask, (5, 30, 40))[:, 10, 10].all()


def test_names_are_unlike_and_allowed(tmp_path: Path) -> None:
    square = CORNERS["cortex"]
    write_area_rois(tmp_path / "r.zip", [("a/b", square), ("A_b", square), ("", square), ("CA1 \u03b1", square)])
    with zipfile.ZipFile(tmp_path / "r.zip") as file:
        assert file.namelist() == ["a_b.roi", "A_b (2).roi", "region.roi", "CA1 \u03b1.roi"]


def test_nothing_to_write(tmp_path: Path) -> None:
    (tmp_path / "r.zip").write_bytes(b"before")
    with pytest.raises(WriteError, match="no regions"):
        write_area_rois(tmp_path / "r.zip", [])
    assert (tmp_path / "r.zip").read_bytes() == b"before"
    with pytest.raises(WriteError):
        write_area_rois(tmp_path / "missing" / "r.zip", CORNERS.items())
