"""Points as ImageJ ROIs: read as Fiji keeps them, and written so that nothing changes on the way."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi, roiread, roiwrite

from microforge.errors import AnnotationError, WriteError
from microforge.io.points import read_points, write_points_rois
from microforge.io.rois import Stack
from microforge.types import Points


def roi(kind: ROI_TYPE, xy: list[list[float]], name: str = "0001-0002", **fields: Any) -> ImagejRoi:
    """Make a ROI as ImageJ saves it: in whole pixels if the coordinates are."""
    whole = all(isinstance(value, int) for point in xy for value in point)
    made = ImagejRoi.frompoints(np.array(xy, np.int32 if whole else np.float32), name=name)
    made.roitype = kind
    made.options = ROI_OPTIONS.NONE if whole else ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def points_roi(xy: list[list[float]], name: str = "0001-0002", **fields: Any) -> ImagejRoi:
    return roi(ROI_TYPE.POINT, xy, name, **fields)


def box(kind: ROI_TYPE, name: str = "0001-0002", **fields: Any) -> ImagejRoi:
    return ImagejRoi(roitype=kind, name=name, **fields)


def save(tmp_path: Path, *rois: ImagejRoi, name: str = "set.zip") -> Path:
    path = tmp_path / name
    if name.endswith(".roi"):
        rois[0].tofile(path)
    else:
        roiwrite(path, rois, name=[f"{number:04}-0001" for number in range(len(rois))], mode="w")
    return path


def same(one: Points, other: Points) -> None:
    """Compare points that may be in another order."""
    assert (one.axes, one.kinds) == (other.axes, other.kinds)
    orders = [np.lexsort((*points.coordinates.T, points.kind)) for points in (one, other)]
    np.testing.assert_array_equal(one.coordinates[orders[0]], other.coordinates[orders[1]])
    np.testing.assert_array_equal(one.kind[orders[0]], other.kind[orders[1]])


# Round trips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX"])
@pytest.mark.parametrize("kinds", [("",), ("mitosis",), ("CD4", "CD8", "a z1"), ("", "named")])
def test_points_come_back_exactly(tmp_path: Path, axes: str, kinds: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    count, sizes = 60, {"T": 3, "Z": 4, "Y": 300, "X": 400}
    columns = [rng.integers(sizes[a], size=count) if a in "TZ" else rng.random(count) * sizes[a] - 0.5 for a in axes]
    kind = np.arange(count, dtype=np.int32) % len(kinds)
    written = Points(np.stack(columns, axis=1).astype(np.float32), kind, kinds, axes)
    assert write_points_rois(tmp_path / "a.zip", written)
    stack = Stack(2, 4 if "Z" in axes else 1, 3 if "T" in axes else 1)
    same(read_points(tmp_path / "a.zip", stack), written)


def test_each_kind_and_plane_is_one_roi_with_a_name_of_its_own(tmp_path: Path) -> None:
    places = np.array([[0, 1, 2], [0, 3, 4], [2, 5, 6], [2, 7, 8]], np.float32)
    points = Points(places, np.array([0, 0, 0, 1], np.int32), ("red", "a/b"), "ZYX")
    write_points_rois(tmp_path / "a.zip", points)
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        assert file.namelist() == ["red z1.roi", "red z3.roi", "a_b z3.roi"]
    first, second, third = roiread(tmp_path / "a.zip")
    assert [one.name for one in (first, second, third)] == ["red z1", "red z3", "a/b z3"]
    assert [one.z_position for one in (first, second, third)] == [1, 3, 3]
    assert [one.group for one in (first, second, third)] == [1, 1, 2]
    assert {one.roitype for one in (first, second, third)} == {ROI_TYPE.POINT}
    np.testing.assert_array_equal(first.coordinates(), [[2, 1], [4, 3]])


def test_points_without_kinds_are_called_cells(tmp_path: Path) -> None:
    write_points_rois(tmp_path / "a.zip", Points(np.ones((2, 2), np.float32), np.zeros(2, np.int32)))
    (one,) = roiread(tmp_path / "a.zip")
    assert (one.name, one.group, one.z_position, one.t_position) == ("cells", 0, 0, 0)


def test_no_points_leave_no_zip_file_that_fiji_could_not_open(tmp_path: Path) -> None:
    none = Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int32))
    (tmp_path / "a.zip").write_text("of a run before")
    assert not write_points_rois(tmp_path / "a.zip", none)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        write_points_rois(tmp_path / "none" / "a.zip", Points(np.ones((1, 2), np.float32), np.zeros(1, np.int32)))


def test_points_on_a_slide_of_many_pixels_come_back(tmp_path: Path) -> None:
    places = np.array([[0, 0], [60000.25, 2.5], [33000, 45000.75]], np.float32)
    written = Points(places, np.zeros(3, np.int32))
    write_points_rois(tmp_path / "a.zip", written)
    same(read_points(tmp_path / "a.zip"), written)


# Coordinates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["set.zip", "set.roi", "SET.ZIP"])
def test_points_are_where_fiji_shows_them(tmp_path: Path, name: str) -> None:
    whole = read_points(save(tmp_path, points_roi([[3, 2], [7, 5]]), name=name))
    np.testing.assert_array_equal(whole.coordinates, [[2, 3], [5, 7]])
    fine = read_points(save(tmp_path, points_roi([[3.5, 2.25]]), name=name))
    np.testing.assert_array_equal(fine.coordinates, [[2.25, 3.5]])
    assert (fine.axes, fine.kinds) == ("YX", ("",))


def test_outlined_cells_are_points_at_their_centres(tmp_path: Path) -> None:
    square = [[2, 4], [8, 4], [8, 6], [2, 6]]
    path = save(
        tmp_path,
        roi(ROI_TYPE.POLYGON, square, "one cell"),
        roi(ROI_TYPE.FREEHAND, [[0.5, 0.5], [2.5, 0.5], [0.5, 3.5]]),
        box(ROI_TYPE.RECT, left=10, top=20, right=13, bottom=21),
        box(ROI_TYPE.OVAL, left=10, top=20, right=14, bottom=28),
        points_roi([[30, 31]]),
    )
    points = read_points(path)
    # Pixels have their centres at whole numbers: a rectangle over one pixel has its centre there.
    expected = [[4.5, 4.5], [1.0, 2 / 3], [20, 11], [23.5, 11.5], [31, 30]]
    np.testing.assert_allclose(points.coordinates, expected, atol=1e-5)
    assert points.kinds == ("",), "names of outlines tell cells apart, not kinds"


def test_outlines_without_area_are_points_too(tmp_path: Path) -> None:
    points = read_points(save(tmp_path, roi(ROI_TYPE.POLYGON, [[2, 4], [4, 4]])))
    np.testing.assert_allclose(points.coordinates, [[3.5, 2.5]])


def test_lines_are_no_cells(tmp_path: Path) -> None:
    line = ImagejRoi(roitype=ROI_TYPE.LINE, x1=1, y1=2, x2=3, y2=4, name="scale")
    assert len(read_points(save(tmp_path, line, points_roi([[3, 2]])))) == 1
    with pytest.raises(AnnotationError, match="neither points nor outlines"):
        read_points(save(tmp_path, line))


# Planes and frames ----------------------------------------------------------------------------------------------


def test_places_in_a_stack(tmp_path: Path) -> None:
    plain = save(tmp_path, points_roi([[3, 2]], position=1), points_roi([[5, 4]], position=6))
    np.testing.assert_array_equal(read_points(plain).coordinates, [[0, 2, 3], [5, 4, 5]])
    assert read_points(plain, Stack(1, 1, 9)).axes == "TYX"
    np.testing.assert_array_equal(read_points(plain, Stack(2, 3, 1)).coordinates, [[0, 2, 3], [2, 4, 5]])
    hyper = save(tmp_path, points_roi([[3, 2]], c_position=1, z_position=2, t_position=4))
    assert read_points(hyper, Stack(1, 3, 5)).axes == "TZYX"
    np.testing.assert_array_equal(read_points(hyper, Stack(1, 3, 5)).coordinates, [[3, 1, 2, 3]])
    assert read_points(hyper, Stack(1, 1, 1)).axes == "YX"


def test_points_of_one_roi_have_slices_of_their_own(tmp_path: Path) -> None:
    several = points_roi([[3, 2], [5, 4], [7, 6]])
    several.counters = np.zeros(3, np.uint8)
    several.counter_positions = np.array([1, 4, 2], np.uint32)
    points = read_points(save(tmp_path, several))
    assert (points.axes, points.kinds) == ("ZYX", ("",))
    np.testing.assert_array_equal(points.coordinates, [[0, 2, 3], [3, 4, 5], [1, 6, 7]])


def test_some_points_without_a_plane_are_said(tmp_path: Path) -> None:
    path = save(tmp_path, points_roi([[3, 2]], position=3), points_roi([[5, 4]]))
    with pytest.raises(AnnotationError, match="1 of 2 points have a plane, the others have none"):
        read_points(path, Stack(1, 4, 1))


def test_a_slice_that_the_image_lacks_is_said(tmp_path: Path) -> None:
    path = save(tmp_path, points_roi([[3, 2]], position=9))
    with pytest.raises(AnnotationError, match=r"set\.zip: A point lies on slice 9, but the image has 1 slice"):
        read_points(path, Stack(1, 1, 1))


# Kinds ----------------------------------------------------------------------------------------------------------


def kinds_of(tmp_path: Path, *rois: ImagejRoi, name: str = "set.zip") -> list[str]:
    points = read_points(save(tmp_path, *rois, name=name))
    return [points.kinds[number] for number in points.kind]


def test_several_counters_are_kinds(tmp_path: Path) -> None:
    several = points_roi([[3, 2], [5, 4], [7, 6]], counters=np.array([0, 2, 0], np.uint8))
    several.counter_positions = np.zeros(3, np.uint32)
    assert kinds_of(tmp_path, several) == ["counter 0", "counter 2", "counter 0"]
    one = points_roi([[3, 2], [5, 4]], counters=np.array([3, 3], np.uint8))
    one.counter_positions = np.zeros(2, np.uint32)
    assert kinds_of(tmp_path, one) == ["", ""]


def test_groups_are_kinds_called_by_their_names(tmp_path: Path) -> None:
    rois = [points_roi([[n, n]], name, group=g) for n, (name, g) in enumerate([("a", 1), ("a-1", 1), ("0003", 2)])]
    assert kinds_of(tmp_path, *rois) == ["a", "a", "group 2"]
    size = {"left": 0, "top": 0, "right": 4, "bottom": 4}
    cells = [box(ROI_TYPE.OVAL, f"cell {n}", group=g, **size) for n, g in enumerate([1, 2, 2])]
    assert kinds_of(tmp_path, *cells) == ["group 1", "group 2", "group 2"]


def test_names_that_a_person_gave_all_points_are_kinds(tmp_path: Path) -> None:
    one, two, three = (points_roi([[n, n]], name) for n, name in enumerate(["CD4", "CD8", "CD8-1"]))
    assert kinds_of(tmp_path, one, two, three) == ["CD4", "CD8", "CD8"]
    assert kinds_of(tmp_path, one, two, points_roi([[9, 9]])) == ["", "", ""]
    assert kinds_of(tmp_path, one, points_roi([[9, 9]], "points")) == ["CD4", ""]


def test_the_name_of_a_file_is_no_kind(tmp_path: Path) -> None:
    assert kinds_of(tmp_path, points_roi([[1, 1]], "field 3"), name="field 3.roi") == [""]


# Files that cannot be read --------------------------------------------------------------------------------------


def test_hidden_copies_and_other_files_in_a_zip_are_overlooked(tmp_path: Path) -> None:
    path = save(tmp_path, points_roi([[3, 2]]))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("__MACOSX/._0000-0001.roi", b"hidden")
        file.writestr("notes.txt", b"hello")
    assert len(read_points(path)) == 1


@pytest.mark.parametrize("name", ["a.zip", "a.roi"])
@pytest.mark.parametrize("content", [b"", b"Iout", b"no such thing" * 20, b"Iout" + bytes(200)])
def test_broken_files_say_so(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AnnotationError) as caught:
        read_points(tmp_path / name)
    assert caught.value.where == str(tmp_path / name)
    assert caught.value.remedy


@pytest.mark.parametrize("keep", [30, 70, 90, 140])
def test_files_cut_short_say_so(tmp_path: Path, keep: int) -> None:
    data = points_roi([[n, n + 0.5] for n in range(20)]).tobytes()
    (tmp_path / "a.roi").write_bytes(data[:keep])
    with pytest.raises(AnnotationError, match="ImageJ ROIs cannot be read"):
        read_points(tmp_path / "a.roi")


def test_a_zip_without_rois_says_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("image.tif", b"II")
    with pytest.raises(AnnotationError, match="holds no ImageJ ROI"):
        read_points(tmp_path / "a.zip")


def test_a_zip_with_a_damaged_entry_says_so(tmp_path: Path) -> None:
    path = save(tmp_path, points_roi([[3, 2]]), points_roi([[5, 4]]))
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_points(path)
