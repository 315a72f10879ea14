"""Pictures whose numbers are not red, green, blue, or stand for something else: read as what they show."""

import zlib
from pathlib import Path
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from PIL import ImageCms, ImageOps

from microforge.errors import ImageReadError
from microforge.io.images import read_image, read_labels
from microforge.types import Array
from support.noise import noise


@pytest.fixture(scope="module")
def tissue() -> Array:
    """Give a picture like stained tissue, YXS uint8: pale, with violet spots."""
    y, x = np.mgrid[:48, :64]
    spots = np.maximum(0, np.sin(x / 5) * np.sin(y / 5))[..., None]
    pale, violet = np.array([243, 224, 240]), np.array([88, 40, 140])
    return np.asarray(np.rint(pale + spots * (violet - pale)), dtype=np.uint8)


def inks(tissue: Array) -> Array:
    return np.asarray(Picture.fromarray(tissue).convert("CMYK"))


def in_inks(samples: Array) -> Picture.Image:
    return Picture.frombytes("CMYK", (samples.shape[1], samples.shape[0]), samples.tobytes())


def seen(path: Path) -> Array:
    image = read_image(path)
    assert (image.axes, image.axes_known) == ("YXS", True)
    return np.asarray(image.data)


# Inks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_inks_in_a_tiff_become_the_colours_they_leave(tmp_path: Path, tissue: Array, compression: str | None) -> None:
    Picture.fromarray(tissue).convert("CMYK").save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(seen(tmp_path / "a.tif"), tissue)


def test_inks_of_16_bits_in_planes_and_with_transparency(tmp_path: Path, tissue: Array) -> None:
    cmyk = inks(tissue)
    tifffile.imwrite(tmp_path / "deep.tif", cmyk.astype(np.uint16) * 257, photometric="separated")
    np.testing.assert_array_equal(seen(tmp_path / "deep.tif"), tissue.astype(np.uint16) * 257)
    tifffile.imwrite(
        tmp_path / "planar.tif", np.moveaxis(cmyk, -1, 0), photometric="separated", planarconfig="separate"
    )
    np.testing.assert_array_equal(seen(tmp_path / "planar.tif"), tissue)
    five = np.concatenate([cmyk, np.full((48, 64, 1), 255, np.uint8)], axis=-1)
    tifffile.imwrite(tmp_path / "alpha.tif", five, photometric="separated", extrasamples=["unassalpha"])
    np.testing.assert_array_equal(seen(tmp_path / "alpha.tif"), tissue)


def test_inks_in_a_jpeg_as_adobe_stores_them_and_as_others_do(tmp_path: Path, tissue: Array) -> None:
    in_inks(inks(tissue)).save(tmp_path / "adobe.jpg", quality=95)
    assert np.abs(seen(tmp_path / "adobe.jpg").astype(int) - tissue).mean() < 3
    in_inks(255 - inks(tissue)).save(tmp_path / "plain.jpg", quality=95)
    content = (tmp_path / "plain.jpg").read_bytes()
    at = content.index(b"\xff\xee")
    length = int.from_bytes(content[at + 2 : at + 4], "big")
    (tmp_path / "plain.jpg").write_bytes(content[:at] + content[at + 2 + length :])
    assert np.abs(seen(tmp_path / "plain.jpg").astype(int) - tissue).mean() < 3


def test_inks_that_are_not_the_four_are_refused_in_words(tmp_path: Path, tissue: Array) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", inks(tissue), photometric="separated", extratags=[(332, 3, 1, 2, True)], metadata=None
    )
    with pytest.raises(ImageReadError, match=r"a\.tif.*inks that are not cyan.*save it as a plain TIFF"):
        read_image(tmp_path / "a.tif")


# Other spaces ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", ["cielab", "icclab"])
def test_lab_becomes_red_green_blue(tmp_path: Path, tissue: Array, photometric: str, bits: int) -> None:
    lab = ImageCms.profileToProfile(
        Picture.fromarray(tissue),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    stored = np.asarray(lab).astype(int)
    # The library gives L of 0 to 255, a and b as signed bytes.
    stored[..., 1:] = stored[..., 1:].astype(np.uint8).view(np.int8)
    unit, half = 1 << (bits - 8), 1 << (bits - 1)
    stored[..., 0] = stored[..., 0] * ((257 if photometric == "cielab" else 256) if bits == 16 else 1)
    stored[..., 1:] = (stored[..., 1:] * unit + (0 if photometric == "cielab" else half)) % (1 << bits)
    tifffile.imwrite(tmp_path / "a.tif", stored.astype(f"u{bits // 8}"), photometric=photometric)
    found = seen(tmp_path / "a.tif")
    assert found.dtype == f"u{bits // 8}"
    assert np.abs(found / (257 if bits == 16 else 1) - tissue).mean() < 2


@pytest.mark.parametrize("compression", [None, "zlib", "jpeg"])
def test_luma_and_chroma_become_red_green_blue(tmp_path: Path, tissue: Array, compression: str | None) -> None:
    if compression == "jpeg":
        Picture.fromarray(tissue).save(tmp_path / "a.tif", compression="jpeg")
    else:
        ycc = np.asarray(Picture.fromarray(tissue).convert("YCbCr"))
        tifffile.imwrite(tmp_path / "a.tif", ycc, photometric="ycbcr", compression=compression)
    assert np.abs(seen(tmp_path / "a.tif").astype(int) - tissue).mean() < 4


def test_red_green_blue_of_one_page_may_lie_one_after_the_other(tmp_path: Path, tissue: Array) -> None:
    planes = np.moveaxis(tissue, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(seen(tmp_path / "a.tif"), tissue)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif", "ZYX").data, planes)
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="minisblack")
    assert (read_image(tmp_path / "stack.tif").axes, read_image(tmp_path / "stack.tif").axes_known) == ("CYX", False)


def test_more_samples_than_colours_are_channels(tmp_path: Path) -> None:
    data = noise(20, 30, 5)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", planarconfig="contig")
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.axes_known) == ("YXC", True)
    np.testing.assert_array_equal(image.data, data)


# Palettes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
@pytest.mark.parametrize("colours", [3, 16, 256])
def test_a_palette_gives_its_colours_to_images_and_its_numbers_to_labels(
    tmp_path: Path, tissue: Array, suffix: str, colours: int
) -> None:
    picture = Picture.fromarray(tissue).quantize(colours)
    path = tmp_path / f"a{suffix}"
    picture.save(path)
    np.testing.assert_array_equal(seen(path), np.asarray(picture.convert("RGB")))
    np.testing.assert_array_equal(read_labels(path).data, np.asarray(picture))


def test_a_palette_with_transparency_gives_its_colours(tmp_path: Path, tissue: Array) -> None:
    picture = Picture.fromarray(tissue).quantize(16)
    picture.convert("PA").save(tmp_path / "a.tif")
    np.testing.assert_array_equal(seen(tmp_path / "a.tif"), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("scale", ["green", "fire", "imagej"])
def test_brightnesses_stored_with_a_scale_of_colours_stay_brightnesses(tmp_path: Path, scale: str) -> None:
    data, level = noise(20, 30, dtype="u1"), np.linspace(0, 1, 256)
    colours = {
        "green": [level * 0, level, level * 0],
        "fire": [np.minimum(1, 2 * level), level**2, np.maximum(0, np.sin(4 * level))],
        "imagej": list(np.random.default_rng(0).random((3, 256))),
    }[scale]
    options: dict[str, Any] = {"imagej": True} if scale == "imagej" else {"photometric": "palette"}
    tifffile.imwrite(tmp_path / "a.tif", data, colormap=(np.array(colours) * 65535).astype(np.uint16), **options)
    image = read_image(tmp_path / "a.tif")
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.data, data)


# Grey -----------------------------------------------------------------------------------------------------------


def test_grey_with_transparency_keeps_its_16_bits(tmp_path: Path) -> None:
    data = noise(20, 30, 2)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(data))
    image = read_image(tmp_path / "a.png")
    assert (image.axes, image.data.dtype) == ("YX", np.uint16)
    np.testing.assert_array_equal(image.data, data[..., 0])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_grey_with_transparency_of_8_bits_is_grey(tmp_path: Path, suffix: str) -> None:
    data = noise(20, 30, 2, dtype="u1")
    Picture.frombytes("LA", (30, 20), data.tobytes()).save(tmp_path / f"a{suffix}")
    image = read_image(tmp_path / f"a{suffix}")
    assert (image.axes, image.axes_known) == ("YX", True)
    np.testing.assert_array_equal(image.data, data[..., 0])


@pytest.mark.parametrize("samples", [1, 3, 4])
def test_pngs_of_16_bits_keep_them(tmp_path: Path, samples: int) -> None:
    data = np.squeeze(noise(20, 30, samples))
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(data))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").data, data if samples == 1 else data[..., :3])


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_pictures_of_one_bit_are_true_and_false(tmp_path: Path, suffix: str) -> None:
    data = noise(20, 30) > 30000
    Picture.fromarray(data).save(tmp_path / f"a{suffix}")
    image = read_image(tmp_path / f"a{suffix}")
    assert image.data.dtype == bool
    np.testing.assert_array_equal(image.data, data)


@pytest.mark.parametrize("bits", [2, 4])
def test_pngs_of_few_bits_are_grey_values_or_labels(tmp_path: Path, bits: int) -> None:
    numbers = noise(8, 16, dtype="u1") >> (8 - bits)
    shifts = np.arange(8 - bits, -1, -bits)
    rows = (numbers.reshape(8, -1, 8 // bits) << shifts).sum(axis=2).astype(np.uint8)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    head = chunk(b"IHDR", pack(">IIBBBBB", 16, 8, bits, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").data, numbers * (255 // (2**bits - 1)))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").data, numbers)


def test_where_0_is_white_numbers_stay_as_stored_and_it_is_said(tmp_path: Path) -> None:
    data = noise(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="miniswhite")
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.data, data)
    assert "0 is white" in image.notes[0]


# Turned ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_stored_turned_is_read_upright_and_it_is_said(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Picture.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    Picture.fromarray(noise(20, 30, dtype="u1")).save(path, exif=exif)
    image = read_image(path)
    with Picture.open(path) as stored:
        np.testing.assert_array_equal(image.data, np.asarray(ImageOps.exif_transpose(stored)))
    assert f"(orientation {orientation}): it is read upright" in image.notes[0]
    assert image.data.flags.c_contiguous  # type: ignore[attr-defined]


def test_a_tiff_stored_turned_is_read_as_stored_and_it_is_said(tmp_path: Path) -> None:
    data = noise(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, extratags=[(274, 3, 1, 6, True)])
    image = read_image(tmp_path / "a.tif")
    np.testing.assert_array_equal(image.data, data)
    assert "(orientation 6): it is read as it is stored" in image.notes[0]


def test_a_picture_that_stands_upright_has_nothing_to_say(tmp_path: Path, tissue: Array) -> None:
    Picture.fromarray(tissue).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").notes == ()


@pytest.mark.parametrize("value", [(3, 1, 99), (3, 2, (6, 6)), (2, None, "six")])
def test_nonsense_in_the_tag_of_orientation_is_overlooked(tmp_path: Path, value: tuple[Any, ...]) -> None:
    data = noise(20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, extratags=[(274, *value, True)])
    image = read_image(tmp_path / "a.tif")
    assert image.notes == ()
    np.testing.assert_array_equal(image.data, data)


@pytest.mark.parametrize("place", range(6, 24, 3))
def test_what_is_broken_beside_a_picture_does_not_keep_it_from_being_read(tmp_path: Path, place: int) -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6
    Picture.fromarray(noise(20, 30, dtype="u1")).save(tmp_path / "a.jpg", exif=exif)
    content = bytearray((tmp_path / "a.jpg").read_bytes())
    content[content.index(b"Exif") + place] ^= 0xFF
    (tmp_path / "a.jpg").write_bytes(content)
    assert sorted(read_image(tmp_path / "a.jpg").data.shape) == [20, 30]
