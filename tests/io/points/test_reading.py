"""Points in tables and Cell Counter files: what people have is read exactly, and what cannot be read is never empty."""

from pathlib import Path

import numpy as np
import pytest

from microforge.errors import AnnotationError, WriteError
from microforge.io.points import read_points, write_points_csv
from microforge.io.rois import Stack, StackPosition
from microforge.types import Array, Points
from support.harmful_xml import laughs


def table(tmp_path: Path, text: str | bytes, suffix: str = ".csv") -> Path:
    path = tmp_path / f"points{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path: Path, text: str | bytes, suffix: str = ".csv") -> Points:
    return read_points(table(tmp_path, text, suffix))


def assert_points(points: Points, expected: list[list[float]], axes: str = "YX") -> None:
    assert points.axes == axes
    assert points.coordinates.dtype == np.float32
    np.testing.assert_array_equal(points.coordinates, np.array(expected, np.float32).reshape(-1, len(axes)))


@pytest.mark.parametrize(
    "text",
    [
        "y,x\n1.5,2\n3,4\n",
        "x,y\n2,1.5\n4,3\n",
        "X,Y\r\n2,1.5\r\n4,3\r\n",
        "Y, X \n 1.5 , 2 \n 3, 4\n",
        "y;x\n1,5;2\n3;4\n",
        "y\tx\n1,5\t2\n3\t4\n",
        "y\tx\n1.5\t2\n3\t4\n",
        "y x\n1.5 2\n3 4\n",
        'y,x\n"1,5",2\n3,4\n',
        "\ufeffy,x\n1.5,2\n3,4\n",
        "\n\ny,x\n\n1.5,2\n,\n3,4\n\n",
        "sep=;\ny;x\n1,5;2\n3;4\n",
        "# y,x\n1.5,2\n3,4\n",
        "row,col\n1.5,2\n3,4\n",
        "Row;Column\n1,5;2\n3;4\n",
        "y (px),x (px)\n1.5,2\n3,4\n",
        "index,axis-0,axis-1\n0,1.5,2\n1,3,4\n",
        "label,centroid-0,centroid-1\n1,1.5,2\n2,3,4\n",
        "label,area,centroid_y,centroid_x\n1,9,1.5,2\n2,9,3,4\n",
        " ,Area,Mean,X,Y\n1,0,17,2,1.5\n2,0,18,4,3\n",
        "y_um,x_um,y,x\n15,20,1.5,2\n30,40,3,4\n",
        "y,x\n1.5e0,2\n+3,4.\n",
        "y,x,note\n1.5,2,mitosis\n3,4\n",
        "y,x\n1.5,2\n3,4",
        'y,x,note\n1.5,2,"two\nlines"\n3,4,\n',
        "y,x\r1.5,2\r3,4\r",
    ],
)
def test_the_tables_people_have_are_read_alike(tmp_path: Path, text: str) -> None:
    points = read(tmp_path, text)
    assert_points(points, [[1.5, 2], [3, 4]])
    assert points.kinds == ("",)
    assert points.kind.tolist() == [0, 0]


@pytest.mark.parametrize("suffix", [".txt", ".tsv", ".CSV"])
def test_the_suffix_does_not_decide_on_the_delimiter(tmp_path: Path, suffix: str) -> None:
    assert_points(read(tmp_path, "y;x\n1,5;2\n", suffix), [[1.5, 2]])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_excel_are_understood(tmp_path: Path, encoding: str) -> None:
    points = read(tmp_path, "y;x;Größe (µm);kind\r\n1,5;2;7;Körnerzelle\r\n".encode(encoding))
    assert_points(points, [[1.5, 2]])
    assert points.kinds == ("Körnerzelle",)


def test_planes_and_frames_count_from_zero(tmp_path: Path) -> None:
    assert_points(read(tmp_path, "x,y,z\n3,2,1\n6,5,0\n"), [[1, 2, 3], [0, 5, 6]], "ZYX")
    assert_points(read(tmp_path, "frame,z,y,x\n4,1,2,3\n"), [[4, 1, 2, 3]], "TZYX")
    assert_points(read(tmp_path, "t,y,x\n4,2,3\n"), [[4, 2, 3]], "TYX")
    assert_points(read(tmp_path, "index,axis-0,axis-1,axis-2\n0,1,2,3\n"), [[1, 2, 3]], "ZYX")


def test_tables_of_fiji_count_slices_and_frames_from_one(tmp_path: Path) -> None:
    text = " ,Label,X,Y,Slice,Frame\n1,a.tif:0001,3,2,1,5\n2,a.tif:0002,6,5,2,5\n"
    points = read(tmp_path, text)
    assert_points(points, [[4, 0, 2, 3], [4, 1, 5, 6]], "TZYX")
    assert points.kinds == ("",), "the label names the image, not a kind"


@pytest.mark.parametrize("column", ["kind", "Kind", "type", "class", "Label", "cell_type", "Counter"])
def test_kinds_have_names_in_order(tmp_path: Path, column: str) -> None:
    points = read(tmp_path, f"y,x,{column}\n1,1,red\n2,2,green\n3,3,red\n")
    assert points.kinds == ("green", "red")
    assert points.kind.tolist() == [1, 0, 1]
    np.testing.assert_array_equal(points.of_kind("red"), [[1, 1], [3, 3]])


def test_labels_that_number_the_points_are_no_kinds(tmp_path: Path) -> None:
    assert read(tmp_path, "label,y,x\n1,1,1\n2,2,2\n").kinds == ("",)


def test_a_header_alone_says_that_there_are_no_points(tmp_path: Path) -> None:
    points = read(tmp_path, "y,x\n")
    assert len(points) == 0
    assert_points(points, [])
    assert points.kinds == ("",)
    assert_points(read(tmp_path, "z;y;x;kind\r\n"), [], "ZYX")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"The file is empty\. Its first line must name the columns"),
        ("\n\n", "The file is empty"),
        ("12.5,33.1\n7,8\n", r"The first line holds numbers, so it is not known which column is y.*y,x or plane,y,x"),
        ("12,5;33,1;2\n", "The first line holds numbers"),
        ("y,x\n1,2\n\n3,four\n", r"Line 4 has 'four' in the column 'x', where a number belongs"),
        ("y,x\n1,\n", "Line 2 has nothing in the column 'x'"),
        ("y,x\n1\n", "Line 2 has nothing in the column 'x'"),
        ("y,x\n1,nan\n", "Line 2 has 'nan'"),
        ("y,x\ninf,1\n", "Line 2 has 'inf'"),
        ("y;x\n1.23,5;2\n", "Line 2 has '1.23,5' in the column 'y'"),
        ("y,x\n12,5,33,1\n", "Line 2 has 4 values, but the first line names 2 columns.*separated by semicolons"),
        ('y,x,kind\n1,2,"red\n3,4,green\n', "The table cannot be read"),
        ("y,z,area\n1,2,3\n", r"The column x is missing\. Its columns are y, z, area"),
        ("name,area\nb,2\n", r"The columns y and x are missing\. Its columns are name, area"),
        ("y_um,x_um\n1,2\n", "The places are in micrometres, but the image does not say how large"),
        ("X [µm];Y [µm]\n1,5;2\n", "The places are in micrometres"),
        ("index,axis-1,axis-2\n0,1,2\n", "The columns y and x are missing"),
        (b"y,x\n1,2\n\0\0\0", "The file holds no text"),
    ],
)
def test_what_cannot_be_read_says_so_and_is_never_empty(tmp_path: Path, text: str | bytes, match: str) -> None:
    with pytest.raises(AnnotationError, match=match) as caught:
        read(tmp_path, text)
    assert caught.value.where == str(tmp_path / "points.csv")
    assert caught.value.remedy


def test_missing_and_unknown_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_points(tmp_path / "none.csv")
    with pytest.raises(AnnotationError, match=r"'\.xlsx' hold no points.*\.csv"):
        read(tmp_path, "", ".xlsx")


# Writing --------------------------------------------------------------------------------------------------------


def points_3d() -> Points:
    places = np.array([[0, 1, 2.25, 3], [2, 0, 0.1, 1e-7], [2, 1, 12345.678, 8]], np.float32)
    return Points(places, np.array([0, 1, 0], np.int32), ("a", "b, or c"), "TZYX")


def test_written_tables_give_the_same_points_back(tmp_path: Path) -> None:
    written = points_3d()
    columns: dict[str, Array] = {
        "frame": np.array([0, 2, 2]),
        "kind": np.array(["a", "b, or c", "a"], object),
        "confidence": np.array([0.25, 0.5, 1], np.float32),
    }
    write_points_csv(tmp_path / "d.csv", written, columns, (2.0, 0.5, 0.25))
    lines = (tmp_path / "d.csv").read_text().splitlines()
    assert lines[0] == "kind,frame,plane,y,x,z_um,y_um,x_um,confidence"
    assert lines[1] == "a,0,1,2.25,3,2,1.125,0.75,0.25"
    read = read_points(tmp_path / "d.csv")
    np.testing.assert_array_equal(read.coordinates, written.coordinates)
    assert (read.kinds, read.axes, read.kind.tolist()) == (written.kinds, written.axes, written.kind.tolist())


def test_tables_of_older_versions_give_the_same_points(tmp_path: Path) -> None:
    write_points_csv(tmp_path / "new.csv", points_3d(), pixel_size=(2.0, 0.5, 0.25))
    text = (tmp_path / "new.csv").read_text()
    (tmp_path / "old.csv").write_text(text.replace("kind,frame,plane,", "kind,t,z,"))
    new, old = (read_points(tmp_path / name) for name in ("new.csv", "old.csv"))
    np.testing.assert_array_equal(old.coordinates, new.coordinates)
    assert (old.axes, old.kinds) == (new.axes, new.kinds) == ("TZYX", ("a", "b, or c"))


def test_a_table_of_no_points_says_so(tmp_path: Path) -> None:
    none = Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int32))
    write_points_csv(tmp_path / "d.csv", none, {"confidence": np.zeros(0)}, (0.5, 0.5))
    assert (tmp_path / "d.csv").read_text() == "y,x,y_um,x_um,confidence\n"
    assert_points(read_points(tmp_path / "d.csv"), [])


def test_points_of_a_plane_take_the_last_pixel_sizes(tmp_path: Path) -> None:
    one = Points(np.array([[2, 4]], np.float32), np.zeros(1, np.int32))
    write_points_csv(tmp_path / "d.csv", one, pixel_size=(9.0, 0.5, 0.25))
    assert (tmp_path / "d.csv").read_text() == "y,x,y_um,x_um\n2,4,1,1\n"


def test_a_column_of_another_length_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("before")
    with pytest.raises(WriteError, match="differ in length"):
        write_points_csv(tmp_path / "d.csv", points_3d(), {"confidence": np.zeros(2)})
    assert (tmp_path / "d.csv").read_text() == "before"


# Cell Counter ---------------------------------------------------------------------------------------------------


def marker(x: int, y: int, z: int = 1) -> str:
    return f"<Marker><MarkerX>{x}</MarkerX><MarkerY>{y}</MarkerY><MarkerZ>{z}</MarkerZ></Marker>"


def marker_file(*types: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<CellCounter_Marker_File>\n'
        " <Image_Properties><Image_Filename>a.tif</Image_Filename></Image_Properties>\n"
        f" <Marker_Data><Current_Type>1</Current_Type>{''.join(types)}</Marker_Data>\n</CellCounter_Marker_File>\n"
    )


def marker_type(number: int, *markers: str, name: str = "") -> str:
    named = f"<Name>{name}</Name>" if name else ""
    return f"<Marker_Type>\n <Type>{number}</Type>{named}\n {''.join(markers)}</Marker_Type>"


def test_types_with_markers_or_names_are_kinds(tmp_path: Path) -> None:
    text = marker_file(
        marker_type(1, marker(3, 2), marker(5, 4), name="Type 1"),
        marker_type(2, name="Type 2"),
        marker_type(3, marker(7, 6), name="mitosis"),
        marker_type(4, name="dead"),
        marker_type(5, marker(9, 8)),
    )
    points = read(tmp_path, text, ".xml")
    assert_points(points, [[2, 3], [4, 5], [6, 7], [8, 9]])
    assert points.kinds == ("Type 1", "Type 5", "dead", "mitosis")
    np.testing.assert_array_equal(points.of_kind("mitosis"), [[6, 7]])
    assert len(points.of_kind("dead")) == 0


def test_markers_on_several_slices_are_on_planes(tmp_path: Path) -> None:
    path = table(tmp_path, marker_file(marker_type(1, marker(3, 2, 1), marker(5, 4, 7))), ".xml")
    assert_points(read_points(path), [[0, 2, 3], [6, 4, 5]], "ZYX")
    assert_points(read_points(path, Stack(1, 9, 1)), [[0, 2, 3], [6, 4, 5]], "ZYX")
    assert_points(read_points(path, Stack(1, 1, 9)), [[0, 2, 3], [6, 4, 5]], "TYX")
    # Slice 7 of two channels and two planes is the first channel and the second plane of the second frame.
    assert_points(read_points(path, Stack(2, 2, 3)), [[0, 0, 2, 3], [1, 1, 4, 5]], "TZYX")
    assert_points(read_points(path, Stack(7, 1, 1)), [[2, 3], [4, 5]])
    with pytest.raises(AnnotationError, match=r"points\.xml: A point lies on slice 7, but the image has 6 slices"):
        read_points(path, Stack(2, 3, 1))


def test_no_markers_are_no_points(tmp_path: Path) -> None:
    points = read(tmp_path, marker_file(marker_type(1, name="Type 1"), marker_type(2)), ".xml")
    assert_points(points, [])
    assert points.kinds == ("",)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "The XML file cannot be read"),
        (marker_file(marker_type(1, marker(3, 2)))[:-40], "The XML file cannot be read"),
        ("<annotation><object/></annotation>", "not written by the Cell Counter"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><CellCounter_Marker_File/>', "cannot be read .it defines entities"),
        (marker_file(marker_type(1, "<Marker><MarkerX>3</MarkerX></Marker>", name="red")), "type 'red' has no place"),
        (marker_file(marker_type(1, marker(3, 2).replace("3", "three"))), "has no place"),
    ],
)
def test_broken_marker_files_say_so(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(AnnotationError, match=match):
        read(tmp_path, text, ".xml")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.xml").write_bytes(laughs(marker_file("&h;")).encode(encoding))
    with pytest.raises(AnnotationError, match=r"a\.xml: .*cannot be read .it defines entities"):
        read_points(tmp_path / "a.xml")


def test_slices_are_numbered_channels_first() -> None:
    stack = Stack(2, 3, 4)
    assert stack.place(1) == stack.place(2) == StackPosition(0, 0)
    assert stack.place(3) == StackPosition(1, 0)
    assert stack.place(7) == StackPosition(0, 1)
    assert stack.place(24) == StackPosition(2, 3)
