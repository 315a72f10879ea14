"""Regions to count in: of label images and of areas drawn in Fiji."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi, roiwrite

from microforge.axes.areas import Region
from microforge.errors import AnnotationError, PairingError
from microforge.io.regions import read_regions, regions_for
from microforge.types import Array

SHAPE = (20, 30)


def polygon(xy: list[tuple[float, float]], name: str = "area", fine: bool = False, **fields: Any) -> ImagejRoi:
    made = ImagejRoi.frompoints(np.array(xy, np.float32 if fine else np.int32), name=name)
    made.roitype = ROI_TYPE.POLYGON
    made.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION if fine else ROI_OPTIONS.NONE
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def box(left: int, top: int, right: int, bottom: int, name: str = "box", kind: ROI_TYPE = ROI_TYPE.RECT) -> ImagejRoi:
    return ImagejRoi(roitype=kind, left=left, top=top, right=right, bottom=bottom, name=name)


def save(path: Path, *rois: ImagejRoi, names: list[str] | None = None) -> Path:
    roiwrite(path, rois, name=names or [one.name for one in rois], mode="w")
    return path


def one(tmp_path: Path, roi: ImagejRoi, shape: tuple[int, ...] = SHAPE) -> Array:
    (region,) = read_regions(save(tmp_path / "a.zip", roi), shape)
    return region.mask


def block(top: int, left: int, bottom: int, right: int, shape: tuple[int, ...] = SHAPE) -> Array:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


def by_name(regions: list[Region]) -> dict[str, Array]:
    return {region.name: region.mask for region in regions}


# Areas of ImageJ ------------------------------------------------------------------------------------------------


def test_rectangles_cover_the_pixels_between_their_corners(tmp_path: Path) -> None:
    np.testing.assert_array_equal(one(tmp_path, box(3, 4, 10, 9)), block(4, 3, 9, 10))
    square = [(3, 4), (10, 4), (10, 9), (3, 9)]
    np.testing.assert_array_equal(one(tmp_path, polygon(square)), block(4, 3, 9, 10))
    fine = [(3.4, 4.4), (10.4, 4.4), (10.4, 9.4), (3.4, 9.4)]
    np.testing.assert_array_equal(one(tmp_path, polygon(fine, fine=True)), block(4, 3, 9, 10))


def test_fine_rectangles_have_their_own_fields(tmp_path: Path) -> None:
    fine = box(3, 4, 10, 9)
    fine.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    fine.xd, fine.yd, fine.widthd, fine.heightd = 3.25, 4.25, 7.0, 5.0
    np.testing.assert_array_equal(one(tmp_path, fine), block(4, 3, 9, 10))


@pytest.mark.parametrize(("width", "height"), [(8, 8), (16, 10), (15, 7)])
def test_ovals_have_the_area_of_ellipses(tmp_path: Path, width: int, height: int) -> None:
    mask = one(tmp_path, box(5, 3, 5 + width, 3 + height, kind=ROI_TYPE.OVAL))
    assert mask.sum() == pytest.approx(np.pi / 4 * width * height, rel=0.06)
    rows, columns = np.nonzero(mask)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (3, 3 + height, 5, 5 + width)
    np.testing.assert_array_equal(mask[3 : 3 + height], mask[3 : 3 + height][::-1])


def test_triangles_and_freehand_areas(tmp_path: Path) -> None:
    mask = one(tmp_path, polygon([(0, 0), (20, 0), (0, 20)]))
    assert mask.sum() == pytest.approx(200, abs=11)
    assert mask[0, 0]
    assert not mask[19, 19]
    freehand = polygon([(2, 2), (12, 2), (12, 12), (2, 12)])
    freehand.roitype = ROI_TYPE.FREEHAND
    assert one(tmp_path, freehand).sum() == 100


def test_combined_areas_keep_their_holes(tmp_path: Path) -> None:
    path: list[float] = []
    for low, high in ((2, 12), (5, 8)):
        corners = [(low, low), (high, low), (high, high), (low, high)]
        path += [0, *corners[0], *(value for corner in corners[1:] for value in (1, *corner)), 4]
    made = box(2, 2, 12, 12)
    made.shape_roi_size, made.multi_coordinates = len(path), np.array(path, np.float32)
    expected = block(2, 2, 12, 12) & ~block(5, 5, 8, 8)
    np.testing.assert_array_equal(one(tmp_path, made), expected)


def test_regions_have_their_names_and_may_overlap(tmp_path: Path) -> None:
    rois = box(0, 0, 10, 10, "CA1"), box(5, 5, 15, 15, "CA3"), box(0, 0, 2, 2, "CA1")
    regions = read_regions(save(tmp_path / "a.zip", *rois, names=["CA1", "CA3", "x/CA1"]), SHAPE)
    found = by_name(regions)
    assert list(found) == ["CA1", "CA3", "CA1 (2)"]
    assert (found["CA1"] & found["CA3"]).sum() == 25
    box(0, 0, 2, 2, "inner").tofile(tmp_path / "tumour.roi")
    assert [region.name for region in read_regions(tmp_path / "tumour.roi", SHAPE)] == ["tumour"]


def test_what_lies_outside_is_cut_off(tmp_path: Path) -> None:
    np.testing.assert_array_equal(one(tmp_path, box(-5, -5, 4, 6)), block(0, 0, 6, 4))
    np.testing.assert_array_equal(one(tmp_path, box(25, 15, 90, 80)), block(15, 25, 20, 30))
    np.testing.assert_array_equal(
        one(tmp_path, polygon([(-9, -9), (90, -9), (90, 90), (-9, 90)])), np.ones(SHAPE, bool)
    )
    for away in (box(50, 50, 60, 60), box(50, 50, 60, 60, kind=ROI_TYPE.OVAL), polygon([(50, 50), (60, 50), (60, 60)])):
        mask = one(tmp_path, away)
        assert mask.shape == SHAPE
        assert not mask.any()


def test_points_and_lines_are_overlooked(tmp_path: Path) -> None:
    line = ImagejRoi(roitype=ROI_TYPE.LINE, x1=1, y1=1, x2=5, y2=5, name="line")
    point = polygon([(3, 3)], "point")
    point.roitype = ROI_TYPE.POINT
    assert list(by_name(read_regions(save(tmp_path / "a.zip", line, point, box(0, 0, 2, 2)), SHAPE))) == ["box"]
    with pytest.raises(AnnotationError, match="enclose no area"):
        read_regions(save(tmp_path / "a.zip", line, point), SHAPE)


def test_areas_on_a_stack_count_for_all_planes_unless_set_on_one(tmp_path: Path) -> None:
    everywhere, third, fourth = box(0, 0, 2, 2, "all"), box(0, 0, 3, 3, "third"), box(0, 0, 4, 4, "fourth")
    third.position, fourth.z_position, fourth.c_position = 3, 4, 2
    path = save(tmp_path / "a.zip", everywhere, third, fourth)
    found = by_name(read_regions(path, (5, *SHAPE)))
    assert found["all"].shape == SHAPE
    assert found["third"].shape == (5, *SHAPE)
    assert [int(plane.sum()) for plane in found["third"]] == [0, 0, 9, 0, 0]
    assert [int(plane.sum()) for plane in found["fourth"]] == [0, 0, 0, 16, 0]
    assert {mask.shape for mask in by_name(read_regions(path, SHAPE)).values()} == {SHAPE}
    with pytest.raises(AnnotationError, match="'fourth' lies on plane 4, but the image has 3 planes"):
        read_regions(path, (3, *SHAPE))


def test_damaged_outlines_say_so(tmp_path: Path) -> None:
    far = box(0, 0, 2, 2, "far")
    far.options, far.xd, far.widthd, far.heightd = ROI_OPTIONS.SUB_PIXEL_RESOLUTION, 1e20, 2.0, np.nan
    with pytest.raises(AnnotationError, match=r"a\.zip: The ROI 'far' has a shape that cannot be read"):
        read_regions(save(tmp_path / "a.zip", far), SHAPE)


# Label images ---------------------------------------------------------------------------------------------------


def write_labels(path: Path, labels: Array, axes: str) -> Path:
    tifffile.imwrite(path, labels, photometric="minisblack", metadata={"axes": axes})
    return path


def test_each_label_is_a_region(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint16)
    labels[:5], labels[10:, :7] = 3, 700
    path = write_labels(tmp_path / "atlas.tif", labels, "YX")
    found = by_name(read_regions(path, SHAPE))
    assert list(found) == ["3", "700"]
    np.testing.assert_array_equal(found["700"], labels == 700)
    assert by_name(read_regions(path, (4, *SHAPE)))["3"].shape == SHAPE, "for all planes"
    assert by_name(read_regions(path, (1, *SHAPE)))["3"].shape == (1, *SHAPE)


def test_labels_of_a_stack(tmp_path: Path) -> None:
    labels = np.zeros((4, *SHAPE), np.uint8)
    labels[2, :5] = 1
    found = by_name(read_regions(write_labels(tmp_path / "a.tif", labels, "ZYX"), (4, *SHAPE)))
    np.testing.assert_array_equal(found["1"], labels == 1)


def test_labels_of_another_size_say_so(tmp_path: Path) -> None:
    path = write_labels(tmp_path / "atlas.tif", np.ones((10, 15), np.uint8), "YX")
    with pytest.raises(AnnotationError, match="The regions are 10x15, the image is 20x30"):
        read_regions(path, SHAPE)
    stack = write_labels(tmp_path / "stack.tif", np.ones((3, *SHAPE), np.uint8), "ZYX")
    with pytest.raises(AnnotationError, match="The regions are 3x20x30, the image is 5x20x30"):
        read_regions(stack, (5, *SHAPE))
    with pytest.raises(AnnotationError, match="The regions are 3x20x30, the image is 20x30"):
        read_regions(stack, SHAPE)


def test_labels_without_a_region_say_so(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="holds no region"):
        read_regions(write_labels(tmp_path / "a.tif", np.zeros(SHAPE, np.uint8), "YX"), SHAPE)


# Which file -----------------------------------------------------------------------------------------------------


def test_a_file_applies_to_every_image(tmp_path: Path) -> None:
    path = save(tmp_path / "areas.zip", box(0, 0, 2, 2))
    for name in ("a.tif", "b.tif"):
        assert [region.name for region in regions_for(path, tmp_path / name, SHAPE)] == ["box"]


@pytest.mark.parametrize("name", ["img_1.zip", "img_1_RoiSet.zip", "img_1_regions.zip", "atlas_1.zip", "img_1.tif.zip"])
def test_a_folder_has_a_file_of_the_images_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "regions"
    folder.mkdir()
    save(folder / name, box(0, 0, 2, 2))
    save(folder / "img_2.zip", box(0, 0, 2, 2, "other"))
    assert [region.name for region in regions_for(folder, tmp_path / "img_1.tif", SHAPE)] == ["box"]
    assert regions_for(folder, tmp_path / "img_3.tif", SHAPE) == []


def test_regions_beside_the_images_are_not_the_images(tmp_path: Path) -> None:
    image = write_labels(tmp_path / "a.tif", np.ones(SHAPE, np.uint8), "YX")
    assert regions_for(tmp_path, image, SHAPE) == []
    write_labels(tmp_path / "a_regions.tif", np.full(SHAPE, 5, np.uint8), "YX")
    assert [region.name for region in regions_for(tmp_path, image, SHAPE)] == ["5"]


def test_missing_and_ambiguous_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match="no such file or folder of regions"):
        regions_for(tmp_path / "none", tmp_path / "a.tif", SHAPE)
    save(tmp_path / "a_rois.zip", box(0, 0, 2, 2))
    save(tmp_path / "a_regions.zip", box(0, 0, 2, 2))
    with pytest.raises(PairingError, match="Two files of regions fit"):
        regions_for(tmp_path, tmp_path / "a.tif", SHAPE)
