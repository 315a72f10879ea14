"""Files that hold more than anybody drew or clicked are refused before they fill the memory."""

import zipfile
from pathlib import Path

import pytest

from microforge.errors import AnnotationError
from microforge.io.points import read_points


def test_a_zip_file_whose_rois_unpack_to_too_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for number in range(2):
            file.writestr(f"{number}.roi", b"Iout" + bytes(140_000_000))
    with pytest.raises(AnnotationError, match="more than 256 MB"):
        read_points(tmp_path / "a.zip")


def test_a_zip_file_of_too_many_rois_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.io.rois.reading._MOST", 10)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for number in range(11):
            file.writestr(f"{number}.roi", b"Iout")
    with pytest.raises(AnnotationError, match="11 ROIs"):
        read_points(tmp_path / "a.zip")


def test_a_million_markers_are_refused(tmp_path: Path) -> None:
    marker = "<Marker><MarkerX>7</MarkerX><MarkerY>9</MarkerY><MarkerZ>1</MarkerZ></Marker>"
    with (tmp_path / "a.xml").open("w") as file:
        file.write("<CellCounter_Marker_File><Marker_Data><Marker_Type><Type>1</Type>")
        file.write(marker * 1_000_000 + "</Marker_Type></Marker_Data></CellCounter_Marker_File>")
    with pytest.raises(AnnotationError, match="too large to be of markers"):
        read_points(tmp_path / "a.xml")


def test_a_column_that_names_each_point_is_no_column_of_kinds(tmp_path: Path) -> None:
    rows = "".join(f"1,{number},k{number}\n" for number in range(20_000))
    (tmp_path / "a.csv").write_text(f"y,x,kind\n{rows}")
    with pytest.raises(AnnotationError, match="20,000 different kinds") as raised:
        read_points(tmp_path / "a.csv")
    assert "rename or remove" in raised.value.remedy
