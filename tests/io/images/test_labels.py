"""Reading label images: whole numbers are kept, everything else is refused with a remedy."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from microforge.errors import AnnotationError, ImageReadError
from microforge.io.images import read_labels
from microforge.types import Array


def labels(dtype: str = "u2", top: int = 5) -> Array:
    values = np.zeros((20, 30), dtype)
    values[2:8, 3:9], values[12:18, 20:29] = 1, top
    return values


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "i1", "i4", "i8", "f2", "f4", "f8"])
def test_whole_numbers_of_any_type_become_int32(tmp_path: Path, dtype: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels(dtype))
    image = read_labels(tmp_path / "a.tif")
    assert image.data.dtype == np.int32
    np.testing.assert_array_equal(image.data, labels())


def test_labels_above_65535_do_not_wrap(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels("u4", 70_000))
    assert np.max(read_labels(tmp_path / "a.tif").data) == 70_000


def test_labels_that_need_it_become_uint32(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels("u4", 2**31))
    image = read_labels(tmp_path / "a.tif")
    assert image.data.dtype == np.uint32
    assert np.max(image.data) == 2**31


def test_binary_masks_keep_their_values(tmp_path: Path) -> None:
    mask = labels() > 0
    tifffile.imwrite(tmp_path / "bool.tif", mask)
    imageio.imwrite(tmp_path / "255.png", mask.astype(np.uint8) * 255)
    as_bool, as_255 = read_labels(tmp_path / "bool.tif").data, read_labels(tmp_path / "255.png").data
    assert as_bool.dtype == as_255.dtype == np.int32
    np.testing.assert_array_equal(as_bool, mask)
    np.testing.assert_array_equal(as_255, mask * 255)


def test_grey_stored_as_colours_is_a_label_image(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.png", np.repeat(labels("u1")[..., None], 3, -1))
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").data, labels())


def test_a_palette_gives_its_numbers_not_its_colours(tmp_path: Path) -> None:
    from PIL import Image

    picture = Image.new("P", (30, 20))
    picture.putdata(labels("u1").ravel().tolist())
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0, 9, 9, 9, 1, 2, 3, 250, 0, 200])
    picture.save(tmp_path / "a.png")
    image = read_labels(tmp_path / "a.png")
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.data, labels())


def test_three_planes_of_labels_are_no_colours(tmp_path: Path) -> None:
    stack = np.stack([labels("u1", n) for n in (2, 3, 4)])
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif").data, stack)


def test_fractions_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels("f4") * 0.5)
    with pytest.raises(AnnotationError, match=r"a\.tif.*fractions.*not probabilities"):
        read_labels(tmp_path / "a.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_missing_values_are_refused(tmp_path: Path, value: float) -> None:
    data = labels("f4")
    data[0, 0] = value
    tifffile.imwrite(tmp_path / "a.tif", data)
    with pytest.raises(AnnotationError, match="missing values"):
        read_labels(tmp_path / "a.tif")


def test_negative_numbers_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", -labels("i2"))
    with pytest.raises(AnnotationError, match=r"negative numbers \(the lowest is -5\)"):
        read_labels(tmp_path / "a.tif")


def test_numbers_beyond_32_bit_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", labels("i8", 2**32))
    with pytest.raises(AnnotationError, match=r"too large \(the highest is 4294967296\)"):
        read_labels(tmp_path / "a.tif")


def test_colours_are_refused(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.png", np.random.default_rng(0).integers(0, 9, (20, 30, 3)).astype("u1"))
    with pytest.raises(AnnotationError, match="colour picture"):
        read_labels(tmp_path / "a.png")


def test_jpeg_is_refused(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.jpg", labels("u1"))
    with pytest.raises(AnnotationError, match="JPEG files cannot hold labels"):
        read_labels(tmp_path / "a.jpg")


def test_a_missing_file_is_no_empty_annotation(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match="no such file"):
        read_labels(tmp_path / "a.tif")
