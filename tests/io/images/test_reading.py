"""Reading images: every axis, dtype and pixel size comes back."""

from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from microforge.errors import AxesError, ImageReadError
from microforge.io.files import find_images
from microforge.io.images import read_image, tiff
from support.noise import noise

DTYPES = ["bool", "u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]


# What files hold ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back(tmp_path: Path, dtype: str) -> None:
    data = noise(20, 30, dtype=dtype)
    tifffile.imwrite(tmp_path / "a.tif", data)
    image = read_image(tmp_path / "a.tif")
    assert (image.name, image.axes, image.axes_known) == ("a", "YX", True)
    assert image.data.dtype == data.dtype
    np.testing.assert_array_equal(image.data, data)


def test_nan_and_infinity_are_left_as_they_are(tmp_path: Path) -> None:
    data = noise(9, 9, dtype="f4")
    data[0, :2] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "a.tif", data)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif").data, data)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd", "packbits"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_compressed_and_big_endian_files_come_back_native(
    tmp_path: Path, compression: str | None, byteorder: str
) -> None:
    data = noise(3, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, compression=compression, metadata={"axes": "ZYX"})
    tifffile.imwrite(
        tmp_path / "b.tif", data, byteorder=byteorder, compression=compression, photometric="minisblack",
        metadata={"axes": "ZYX"},
    )  # fmt: skip
    for name in ("a.tif", "b.tif"):
        image = read_image(tmp_path / name)
        assert image.axes == "ZYX"
        assert image.data.dtype.isnative
        np.testing.assert_array_equal(image.data, data)


def test_imagej_hyperstack_has_axes_calibration_and_channels(tmp_path: Path) -> None:
    data = noise(3, 4, 2, 16, 17)
    metadata = {"axes": "TZCYX", "unit": "um", "spacing": 1.5, "Labels": ["DAPI", "GFP"] * 12}
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, resolution=(2, 4), metadata=metadata)
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.channel_names, image.axes_known) == ("TZCYX", ("DAPI", "GFP"), True)
    assert image.pixel_size == pytest.approx((1.5, 0.25, 0.5))
    np.testing.assert_array_equal(image.data, data)


@pytest.mark.parametrize("unit", ["micron", "um", "\\u00B5m", "µm"])
def test_imagej_names_of_the_micrometre(tmp_path: Path, unit: str) -> None:
    text = f"ImageJ=1.54f\nunit={unit}\n"
    description = text.encode("latin-1")
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9), description=description, resolution=(5, 5), metadata=None)
    assert read_image(tmp_path / "a.tif").pixel_size == pytest.approx((0.2, 0.2))


def test_imagej_stack_without_spacing_has_planes_one_unit_apart(tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "unit": "micron"}
    tifffile.imwrite(tmp_path / "a.tif", noise(5, 9, 9), imagej=True, resolution=(2, 2), metadata=metadata)
    assert read_image(tmp_path / "a.tif").pixel_size == pytest.approx((1, 0.5, 0.5))


def test_imagej_pixels_without_unit_have_no_size(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9), imagej=True, resolution=(2, 2))
    assert read_image(tmp_path / "a.tif").pixel_size is None


def test_ome_tiff_has_axes_sizes_in_any_unit_and_channel_names(tmp_path: Path) -> None:
    data = noise(2, 3, 4, 16, 17)
    metadata: dict[str, Any] = {
        "axes": "TCZYX", "PhysicalSizeX": 200, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 0.001, "PhysicalSizeZUnit": "mm",
        "Channel": {"Name": ["DAPI", "GFP", "RFP"]},
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "cells.ome.tif", data, metadata=metadata)
    image = read_image(tmp_path / "cells.ome.tif")
    assert (image.name, image.axes, image.channel_names) == ("cells", "TCZYX", ("DAPI", "GFP", "RFP"))
    assert image.pixel_size == pytest.approx((1, 0.25, 0.2))
    np.testing.assert_array_equal(image.data, data)


def test_ome_stack_with_unknown_depth_has_no_pixel_size(tmp_path: Path) -> None:
    metadata = {"axes": "ZYX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2}
    tifffile.imwrite(tmp_path / "a.ome.tif", noise(5, 9, 9), metadata=metadata)
    assert read_image(tmp_path / "a.ome.tif").pixel_size is None


@pytest.mark.parametrize(
    ("resolution", "unit", "size"),
    [(20000, "CENTIMETER", 0.5), (254000, "INCH", 0.1), (72, "INCH", None), (300, "INCH", None), (1, "NONE", None)],
)
def test_resolution_tags_count_only_where_they_are_a_microscopes(
    tmp_path: Path, resolution: float, unit: str, size: float | None
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9), resolution=(resolution, resolution), resolutionunit=unit)
    found = read_image(tmp_path / "a.tif").pixel_size
    assert found == (None if size is None else pytest.approx((size, size)))


@pytest.mark.parametrize(
    ("unit", "resolution", "size"),
    [
        ("inch", 72, None),
        ("inch", 254000, 0.1),
        ("cm", 118.1, None),
        ("cm", 20000, 0.5),
        ("pixel", 1, None),
        ("sec", 1, None),
        ("mm", 10, 100),
        ("\\u00B5m", 4, 0.25),
    ],
)
def test_the_resolution_of_a_print_in_imagej_is_no_pixel_size(
    tmp_path: Path, unit: str, resolution: float, size: float | None
) -> None:
    metadata = {"unit": unit}
    tifffile.imwrite(tmp_path / "a.tif", noise(9, 9), imagej=True, resolution=(resolution,) * 2, metadata=metadata)
    found = read_image(tmp_path / "a.tif").pixel_size
    assert found == (None if size is None else pytest.approx((size, size), rel=1e-4))


def test_the_time_between_images_of_a_film_is_no_pixel_size(tmp_path: Path) -> None:
    times = {"axes": "TYX", "finterval": 60.0, "spacing": 60.0, "tunit": "s"}
    tifffile.imwrite(tmp_path / "a.tif", noise(3, 9, 9), imagej=True, metadata=times)
    tifffile.imwrite(
        tmp_path / "b.tif", noise(3, 9, 9), imagej=True, resolution=(4, 4), metadata=times | {"unit": "um"}
    )
    film, sized = read_image(tmp_path / "a.tif"), read_image(tmp_path / "b.tif")
    assert (film.pixel_size, film.time_interval) == (None, 60)
    assert (sized.pixel_size, sized.time_interval) == (pytest.approx((0.25, 0.25)), 60)


# Axes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((7, 20, 30), "ZYX"),
        ((2, 20, 30), "CYX"),
        ((3, 20, 30), "CYX"),
        ((4, 20, 30), "CYX"),
        ((3, 9, 2, 20, 30), "TZCYX"),
    ],
)
def test_unnamed_stacks_get_the_likely_axes_and_say_so(tmp_path: Path, shape: tuple[int, ...], axes: str) -> None:
    data = noise(*shape)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="minisblack")
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.axes_known) == (axes, False)
    np.testing.assert_array_equal(image.data, data)


def test_four_planes_stored_as_colours_lose_none(tmp_path: Path) -> None:
    data = noise(4, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, photometric="rgb", planarconfig="separate")
    image = read_image(tmp_path / "a.tif")
    assert (image.axes, image.axes_known, image.data.shape) == ("CYX", False, (4, 20, 30))


def test_dimensions_of_length_one_are_left_out(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(1, 5, 1, 1, 30), imagej=True, metadata={"axes": "TZCYX"})
    assert (read_image(tmp_path / "a.tif").axes, read_image(tmp_path / "a.tif").data.shape) == ("ZYX", (5, 1, 30))


def test_axes_given_by_a_person_win(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(5, 20, 30), imagej=True, metadata={"axes": "ZYX"})
    image = read_image(tmp_path / "a.tif", "tyx")
    assert (image.axes, image.axes_known) == ("TYX", True)


def test_axes_given_may_name_dimensions_of_length_one(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30))
    tifffile.imwrite(tmp_path / "b.ome.tif", noise(1, 5, 1, 20, 30), metadata={"axes": "TZCYX"})
    assert read_image(tmp_path / "a.tif", "ZYX").data.shape == (1, 20, 30)
    assert read_image(tmp_path / "b.ome.tif", "TZCYX").data.shape == (1, 5, 1, 20, 30)
    assert read_image(tmp_path / "b.ome.tif", "ZCYX").data.shape == (5, 1, 20, 30)


@pytest.mark.parametrize(
    ("axes", "words"),
    [("YX", "2 letters for 3"), ("QYX", "'Q' is not an axis"), ("YYX", "used twice"), ("TZC", "Y and X")],
)
def test_axes_that_do_not_fit_are_refused_with_shape_and_file(tmp_path: Path, axes: str, words: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(5, 20, 30), imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(AxesError, match=rf"a\.tif.*'{axes}'.*5x20x30.*{words}.*perhaps ZYX"):
        read_image(tmp_path / "a.tif", axes)


def test_a_six_dimensional_file_needs_a_person(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(2, 2, 2, 2, 9, 9), photometric="minisblack")
    with pytest.raises(AxesError, match="2x2x2x2x9x9"):
        read_image(tmp_path / "a.tif")


# Pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_colour_pictures_have_samples(tmp_path: Path, suffix: str) -> None:
    data = noise(20, 30, 3, dtype="u1")
    imageio.imwrite(tmp_path / f"a{suffix}", data)
    image = read_image(tmp_path / f"a{suffix}")
    assert (image.axes, image.axes_known) == ("YXS", True)
    np.testing.assert_array_equal(image.data, data)


def test_jpeg_is_read(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.jpg", np.full((20, 30, 3), (10, 100, 200), np.uint8))
    assert read_image(tmp_path / "a.jpg").axes == "YXS"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("samples", [3, 4])
def test_grey_stored_as_colours_becomes_grey(tmp_path: Path, suffix: str, samples: int) -> None:
    grey = noise(20, 30, dtype="u1")
    data = np.repeat(grey[..., None], samples, -1)
    if samples == 4:
        data[..., 3] = 255
    write = tifffile.imwrite if suffix == ".tif" else imageio.imwrite
    write(tmp_path / f"a{suffix}", data)
    image = read_image(tmp_path / f"a{suffix}")
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.data, grey)


def test_transparency_is_dropped(tmp_path: Path) -> None:
    data = noise(20, 30, 4, dtype="u1")
    imageio.imwrite(tmp_path / "a.png", data)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png").data, data[..., :3])


def test_sixteen_bit_png_keeps_its_depth(tmp_path: Path) -> None:
    import imagecodecs

    grey, colour = noise(9, 9) + 1000, noise(9, 9, 3) + 1000
    (tmp_path / "grey.png").write_bytes(imagecodecs.png_encode(grey))
    (tmp_path / "colour.png").write_bytes(imagecodecs.png_encode(colour))
    np.testing.assert_array_equal(read_image(tmp_path / "grey.png").data, grey)
    np.testing.assert_array_equal(read_image(tmp_path / "colour.png").data, colour)


def test_the_content_tells_the_kind_not_the_name(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.png", noise(9, 9, dtype="u1"))
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    assert read_image(tmp_path / "a.tif").data.shape == (9, 9)


# Large files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_large_plain_files_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, byteorder: str) -> None:
    data = noise(4, 2, 20, 30)
    tifffile.imwrite(tmp_path / "a.tif", data, byteorder=byteorder, photometric="minisblack", metadata={"axes": "ZCYX"})
    tifffile.imwrite(tmp_path / "packed.tif", data, compression="zlib", photometric="minisblack")
    assert not isinstance(read_image(tmp_path / "a.tif").data, np.memmap)
    monkeypatch.setattr(tiff, "LARGE", data.nbytes)
    image = read_image(tmp_path / "a.tif")
    assert isinstance(image.data, np.memmap)
    np.testing.assert_array_equal(image.data, data)
    assert not isinstance(read_image(tmp_path / "packed.tif").data, np.memmap)


def test_large_colour_files_stay_on_disk_without_their_transparency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(40, 30, 4, dtype="u1")
    tifffile.imwrite(tmp_path / "a.tif", data)
    monkeypatch.setattr(tiff, "LARGE", 1)
    image = read_image(tmp_path / "a.tif")
    assert image.data.shape == (40, 30, 3)
    assert isinstance(image.data, np.memmap)


# Finding --------------------------------------------------------------------------------------------------------


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_folders_give_their_images_in_natural_order(tmp_path: Path) -> None:
    touch(tmp_path, "t10.tif", "t2.TIF", "t1.png", ".hidden.tif", "notes.txt", "split.csv", "deeper/a.tif")
    assert [path.name for path in find_images([tmp_path])] == ["t1.png", "t2.TIF", "t10.tif"]


def test_files_patterns_and_folders_together_give_each_file_once(tmp_path: Path) -> None:
    touch(tmp_path, "b.tif", "a.tif", "odd.czi", "in/c.tif")
    found = find_images([tmp_path / "b.tif", str(tmp_path / "*.tif"), tmp_path, str(tmp_path / "**" / "c.tif")])
    assert [path.name for path in found] == ["b.tif", "a.tif", "c.tif"]
    assert [path.name for path in find_images([tmp_path / "odd.czi"])] == ["odd.czi"]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "a[1].tif")
    assert [path.name for path in find_images([tmp_path / "a[1].tif"])] == ["a[1].tif"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.tif", "no such file or folder"), ("*.tif", "No image matches"), ("empty", "holds no images")],
)
def test_an_input_without_images_is_named(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    touch(tmp_path, "there.png")
    with pytest.raises(ImageReadError, match=words) as caught:
        find_images([tmp_path / "there.png", str(tmp_path / name)])
    assert caught.value.where == str(tmp_path / name)
