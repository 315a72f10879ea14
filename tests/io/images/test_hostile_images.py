"""Files that declare what they do not hold: refused in words before room is made for it."""

import os
import tracemalloc
import zlib
from pathlib import Path
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
import PIL.Image
import pytest
import tifffile

from microforge.errors import ImageReadError
from microforge.io.images import limits, read_image, tiff
from support.noise import noise

OME = '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{}</OME>'
PIXELS = (
    '<Image ID="Image:0"><Pixels ID="Pixels:0" Type="uint8" DimensionOrder="XYZCT" SizeX="{x}" SizeY="{y}" SizeZ="1" '
    'SizeC="1" SizeT="{t}">{data}</Pixels></Image>'
)


def described(path: Path, text: str) -> Path:
    tifffile.imwrite(path, noise(64, 64, dtype="u1"), description=text, metadata=None, photometric="minisblack")
    return path


def refused(path: Path, words: str, megabytes: float = 8) -> None:
    """Read a file that must be refused with these words, and with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(ImageReadError, match=words):
            read_image(path)
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


def ome(x: int = 64, y: int = 64, t: int = 1, data: str = "<TiffData/>", more: str = "") -> str:
    return OME.format(PIXELS.format(x=x, y=y, t=t, data=data) + more)


@pytest.mark.parametrize(
    "text",
    [
        ome(t=10**9),
        ome(x=10**6, y=10**6),
        ome(data='<TiffData IFD="0" PlaneCount="1000000000"/>'),
        ome(t=10**9, data='<TiffData IFD="0" FirstT="999999998" PlaneCount="1"/>'),
        ome(t=10**9, data='<TiffData IFD="0"><UUID FileName="b.ome.tif">urn:uuid:1</UUID></TiffData>'),
    ],
    ids=["time points", "pixels", "planes of a part", "place of a part", "planes in other files"],
)
def test_descriptions_that_announce_millions_of_planes_are_refused(tmp_path: Path, text: str) -> None:
    refused(described(tmp_path / "a.ome.tif", text), r"a\.ome\.tif: The file's description announces [\d,]+ planes")


def test_axes_divided_into_millions_of_parts_are_refused(tmp_path: Path) -> None:
    parts = '<ModuloAlongT Type="lifetime" Start="0" Step="0.000000001" End="10"/>'
    note = (
        '<XMLAnnotation ID="A" Namespace="openmicroscopy.org/omero/dimension/modulo"><Value><Modulo>{}</Modulo></Value>'
    )
    annotation = f"<StructuredAnnotations>{note.format(parts)}</XMLAnnotation></StructuredAnnotations>"
    refused(described(tmp_path / "a.ome.tif", ome(more=annotation)), "divides an axis into millions of parts")


@pytest.mark.skipif(os.name != "posix", reason="pipes are made as POSIX does")
def test_descriptions_that_point_to_a_pipe_are_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "b.ome.tif")
    parts = "".join(
        f'<TiffData IFD="0" FirstT="{t}"><UUID FileName="{name}">urn:uuid:{t}</UUID></TiffData>'
        for t, name in enumerate(("a.ome.tif", "b.ome.tif"))
    )
    refused(described(tmp_path / "a.ome.tif", ome(t=2, data=parts)), r"points to b\.ome\.tif, which is no file")


def test_a_long_film_in_one_file_is_no_attack(tmp_path: Path) -> None:
    data = noise(300, 4, 4, dtype="u1")
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata={"axes": "TYX"}, photometric="minisblack")
    np.testing.assert_array_equal(read_image(tmp_path / "a.ome.tif").data, data)


def one_strip(path: Path, side: int, packed: bytes, compression: int = 8) -> Path:
    """Write a TIFF whose only strip is said to unpack to side x side bytes."""
    entries = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, compression), (262, 3, 1), (273, 4, 122)]
    entries += [(277, 3, 1), (278, 4, side), (279, 4, len(packed))]
    fields = b"".join(pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    path.write_bytes(b"II*\0" + pack("<IH", 8, len(entries)) + fields + bytes(4) + packed)
    return path


def test_a_strip_that_cannot_unpack_to_what_it_says_is_damaged(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(1 << 20), 9)
    refused(one_strip(tmp_path / "a.tif", 20000, packed), "damaged.*more pixels than its compressed bytes can give")


def test_a_strip_that_unpacks_to_very_much_nothing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_GIANT_PIECE", 1 << 26)
    packed = zlib.compress(bytes(9000**2), 9)
    refused(one_strip(tmp_path / "a.tif", 9000, packed), "packs 81 MB of pixels into 0 MB, as one block")


def test_a_nearly_empty_image_in_strips_is_no_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "LARGE", 1)
    monkeypatch.setattr(limits, "_SMALL", 1)
    data = np.zeros((4000, 4000), np.uint8)
    data[7, 9] = 5
    tifffile.imwrite(tmp_path / "a.tif", data, compression="zlib", tile=(256, 256))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").data, data)


@pytest.mark.parametrize("options", [{"compression": "zlib", "rowsperstrip": 300}, {"photometric": "separated"}])
def test_what_does_not_fit_into_the_free_memory_is_refused_with_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(300, 400, *([4] if "photometric" in options else [])), **options)
    monkeypatch.setattr(tiff, "LARGE", 1)
    monkeypatch.setattr(limits, "_SMALL", 1)
    assert read_image(tmp_path / "a.tif").data.shape[:2] == (300, 400)
    monkeypatch.setattr(limits, "available_memory", lambda: 1 << 16)
    with pytest.raises(ImageReadError, match=r"does not fit into the memory.*MB are needed, 0 MB are free"):
        read_image(tmp_path / "a.tif")


def test_many_pages_that_are_not_alike_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.io.images.tiff_series._MOST_UNLIKE", 20)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for index in range(30):
            file.write(noise(4, 4 + index % 2), contiguous=False, metadata=None, photometric="minisblack")
    refused(tmp_path / "a.tif", "30 pages that differ in size or kind")


# Pictures -------------------------------------------------------------------------------------------------------


def test_a_picture_above_the_librarys_own_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = noise(30, 40, dtype="u1")
    PIL.Image.fromarray(data).save(tmp_path / "a.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").data, data)


def png(width: int, height: int, depth: int, colour: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


HUGE = {
    "grey.png": png(30000, 30000, 8, 0),
    "deep.png": png(20000, 20000, 16, 2),
    "largest.png": png(2**31 - 1, 2**31 - 1, 8, 0),
    "a.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xc0\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0\xff\xd9",
    "a.bmp": b"BM" + pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 2**30, 2**30, 1, 24, 0, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("name", HUGE)
def test_pictures_that_declare_more_pixels_than_their_bytes_can_give_are_damaged(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HUGE[name])
    # Older versions of the decoder stumble over the header of a JPEG before its size can be compared.
    refused(tmp_path / name, r"damaged.*(says that it has [\d,]+ pixels|not copied completely)")


# Kinds nobody here can decode -----------------------------------------------------------------------------------


def test_an_unknown_compression_is_no_damage(tmp_path: Path) -> None:
    path = one_strip(tmp_path / "a.tif", 16, bytes(256), compression=32908)
    with pytest.raises(ImageReadError, match=r"stored in a way that cannot be read.*Bio-Formats"):
        read_image(path)


def test_chroma_in_fewer_pixels_without_jpeg_is_no_damage(tmp_path: Path) -> None:
    data = noise(16, 16, 3, dtype="u1")
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="ycbcr", compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+b") as file:
        file.pages.first.tags["YCbCrSubSampling"].overwrite((2, 2))
    with pytest.raises(ImageReadError, match=r"stored in a way that cannot be read.*subsampling"):
        read_image(tmp_path / "a.tif")


def test_a_jpeg_of_12_bits_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(imagecodecs.jpeg_encode(noise(16, 16) >> 4, bitspersample=12))
    with pytest.raises(ImageReadError, match=r"stored in a way that cannot be read.*12-bit"):
        read_image(tmp_path / "a.jpg")
