"""Files that are no images, or not all of one: each has its own words, and none is read in part."""

from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from microforge.errors import ImageReadError
from microforge.io.images import lazy_tiff, read_image, tiff
from support.harmful_xml import laughs
from support.noise import noise


def cut_file(path: Path, part: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"none\.tif: There is no such file"):
        read_image(tmp_path / "none.tif")


def test_folder_instead_of_file(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="This is a folder"):
        read_image(tmp_path)


def test_file_of_zero_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.tif").touch()
    with pytest.raises(ImageReadError, match=r"empty \(0 bytes\)"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("name", ["a.tif", "a.png"])
def test_text_with_the_name_of_an_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>404</html>")
    with pytest.raises(ImageReadError, match="no image, though its name ends like one"):
        read_image(tmp_path / name)


def test_kind_that_is_not_supported(tmp_path: Path) -> None:
    (tmp_path / "a.czi").write_bytes(b"ZISRAWFILE")
    with pytest.raises(ImageReadError, match=r"kind '\.czi' cannot be read.*Bio-Formats"):
        read_image(tmp_path / "a.czi")


def test_complex_numbers(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9).astype(np.complex64))
    with pytest.raises(ImageReadError, match="complex64"):
        read_image(tmp_path / "a.tif")


def test_header_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0\x08\0\0\0")
    with pytest.raises(ImageReadError, match="damaged"):
        read_image(tmp_path / "a.tif")


def test_positions_in_one_file(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        for _ in range(3):
            file.write(noise(9, 9), metadata={"axes": "YX"})
    with pytest.raises(ImageReadError, match=r"3 images \(positions\)"):
        read_image(tmp_path / "a.ome.tif")


def test_missing_file_of_a_multi_file_ome_tiff(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(2, 9, 9), metadata={"axes": "ZYX"})
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif")
    assert xml is not None
    elsewhere = '<TiffData IFD="1" FirstZ="1"><UUID FileName="b.ome.tif">urn:uuid:1</UUID></TiffData>'
    xml = xml.replace('PlaneCount="2"/>', f'PlaneCount="1"/>{elsewhere}')
    assert elsewhere in xml
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(9, 9), description=xml, metadata=None)
    with pytest.raises(ImageReadError, match="Planes that the file's description announces are missing"):
        read_image(tmp_path / "a.ome.tif")


@pytest.mark.parametrize("name", ["a.ome.tif", "a.tif"])
def test_descriptions_that_define_entities_are_refused(tmp_path: Path, name: str) -> None:
    tifffile.imwrite(tmp_path / name, noise(2, 9, 9), ome=True, metadata={"axes": "ZYX"})
    xml = laughs((tifffile.tiffcomment(tmp_path / name) or "").replace("<Image ", "<Image Name='&h;' ", 1))
    tifffile.imwrite(tmp_path / name, noise(2, 9, 9), description=xml.encode(), metadata=None)
    with pytest.raises(ImageReadError, match=r"a.*\.tif: The file's description cannot be read: it defines entities"):
        read_image(tmp_path / name)


def test_descriptions_that_are_broken_xml_are_overlooked(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9), description="<a><b></a>", metadata=None)
    assert read_image(tmp_path / "a.tif").data.shape == (9, 9)


WRITERS: dict[str, dict[str, Any]] = {
    "plain": {"metadata": None},
    "described": {},
    "imagej": {"imagej": True},
    "ome": {"ome": True, "metadata": {"axes": "ZYX"}},
    "packed": {"compression": "zlib", "metadata": None},
    "packed and described": {"compression": "zlib"},
    "lzw strips": {"compression": "lzw", "rowsperstrip": 8},
    "packbits strips": {"compression": "packbits", "rowsperstrip": 8},
    "strips": {"rowsperstrip": 8, "metadata": None},
    "tiles": {"tile": (16, 16)},
    "packed tiles": {"tile": (16, 16), "compression": "zlib"},
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("cut", [0.02, 0.1, 0.33, 0.5, 0.75, 0.9, 0.97, 0.999])
@pytest.mark.parametrize(("large", "planes"), [(2**26, 5), (1, 5), (1, 1)], ids=["read", "pages", "one page"])
def test_a_cut_tiff_is_an_error_or_complete_but_never_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, cut: float, large: int, planes: int
) -> None:
    monkeypatch.setattr(tiff, "LARGE", large)
    monkeypatch.setattr(lazy_tiff, "_SMALL_PAGE", 0)
    data = np.squeeze(noise(planes, 48, 32))
    path = tmp_path / "a.tif"
    options = WRITERS[writer] if "imagej" in WRITERS[writer] else {"photometric": "minisblack"} | WRITERS[writer]
    if planes == 1 and writer == "ome":
        options |= {"metadata": {"axes": "YX"}}
    tifffile.imwrite(path, data, **options)
    cut_file(path, cut)
    problem = ""
    try:
        image = read_image(path)
    except ImageReadError as error:
        problem = str(error)
    else:
        np.testing.assert_array_equal(image.data, data)
    assert "copied completely" in problem or (not problem and cut > 0.9)


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_a_cut_large_tiff_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: float) -> None:
    monkeypatch.setattr(tiff, "LARGE", 1)
    tifffile.imwrite(tmp_path / "a.tif", noise(48, 32))
    cut_file(tmp_path / "a.tif", cut)
    with pytest.raises(ImageReadError, match="copied completely"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_a_cut_picture_is_an_error(tmp_path: Path, suffix: str, cut: float) -> None:
    path = tmp_path / f"a{suffix}"
    imageio.imwrite(path, noise(64, 64, dtype="u1"))
    cut_file(path, cut)
    with pytest.raises(ImageReadError, match="copied completely"):
        read_image(path)
