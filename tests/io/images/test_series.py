"""Files that hold more than one image: slides, pyramids, thumbnails; and what must not be left out in silence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.errors import ImageReadError
from microforge.io.files import find_images
from microforge.io.images import read_image
from microforge.types import Array
from support.noise import noise


def write_pages(path: Path, *pages: tuple[Array, dict[str, Any]]) -> Path:
    with tifffile.TiffWriter(path) as file:
        for data, options in pages:
            file.write(data, **({"photometric": "minisblack", "metadata": None, "contiguous": False} | options))
    return path


def aperio(path: Path, mpp: str = "|MPP = 0.4990") -> Array:
    """Write a slide as Aperio's scanners do: levels in tiles, and a thumbnail, a label and a photograph beside."""
    slide = noise(128, 192, 3, dtype="u1")
    tiles: dict[str, Any] = {"photometric": "rgb", "tile": (64, 64)}
    text = f"Aperio Image Library v12\n192x128 [0,0 192x128] (64x64) JPEG/RGB Q=70|AppMag = 20{mpp}|Left = 1"
    picture: dict[str, Any] = {"photometric": "rgb"}
    write_pages(
        path,
        (slide, tiles | {"description": text}),
        (slide[::4, ::4], picture | {"description": "Aperio Image Library v12\n48x32"}),
        (slide[::2, ::2], tiles | {"description": "Aperio Image Library v12\n96x64"}),
        (noise(70, 50, 3, dtype="u1"), picture | {"subfiletype": 1, "description": "Aperio label 50x70"}),
        (noise(40, 100, 3, dtype="u1"), picture | {"subfiletype": 9, "description": "Aperio macro 100x40"}),
    )
    return slide


def test_a_slide_of_aperio_is_its_full_level_with_its_pixel_size(tmp_path: Path) -> None:
    slide = aperio(tmp_path / "a.svs")
    image = read_image(tmp_path / "a.svs")
    assert (image.axes, image.axes_known, image.notes) == ("YXS", True, ())
    assert image.pixel_size == pytest.approx((0.499, 0.499))
    np.testing.assert_array_equal(image.data, slide)


@pytest.mark.parametrize("mpp", ["", "|MPP = ", "|MPP = 0", "|MPP = nan"])
def test_a_slide_that_does_not_say_its_pixel_size_has_none(tmp_path: Path, mpp: str) -> None:
    aperio(tmp_path / "a.svs", mpp)
    assert read_image(tmp_path / "a.svs").pixel_size is None


def test_a_slide_of_hamamatsu_leaves_out_photograph_and_map(tmp_path: Path) -> None:
    slide = noise(128, 192, 3, dtype="u1")
    marks = [(65420, 4, 1, 1, True), (271, 2, None, "Hamamatsu", True)]

    def page(lens: float) -> dict[str, Any]:
        size = {"resolution": (22000, 22000), "resolutionunit": "CENTIMETER"}
        return {"photometric": "rgb", "extratags": [*marks, (65421, 11, 1, lens, True)]} | size

    pages = [(slide, 20.0), (slide[::2, ::2], 10.0), (noise(50, 150, 3, dtype="u1"), -1.0)]
    pages.append((noise(30, 150, 3, dtype="u1"), -2.0))
    path = write_pages(tmp_path / "a.ndpi", *((data, page(lens)) for data, lens in pages))
    image = read_image(path)
    assert (image.axes, image.notes) == ("YXS", ())
    assert image.pixel_size == pytest.approx((1e4 / 22000, 1e4 / 22000))
    np.testing.assert_array_equal(image.data, slide)


def test_folders_of_slides_hold_images(tmp_path: Path) -> None:
    for name in ("b.svs", "a.NDPI", "c.tif"):
        (tmp_path / name).touch()
    assert [path.name for path in find_images([tmp_path])] == ["a.NDPI", "b.svs", "c.tif"]


@pytest.mark.parametrize("how", ["pages", "marked pages", "inner"])
def test_levels_of_a_pyramid_are_left_out_without_a_word(tmp_path: Path, how: str) -> None:
    data, path = noise(101, 150), tmp_path / "a.tif"
    levels = [data[::2, ::2], data[::4, ::4], data[::8, ::8]]
    if how == "inner":
        with tifffile.TiffWriter(path) as file:
            file.write(data, subifds=3, photometric="minisblack")
            for level in levels:
                file.write(level, subfiletype=1, photometric="minisblack")
    else:
        mark = {"subfiletype": 1} if how == "marked pages" else {}
        write_pages(path, (data, {}), *((level, mark) for level in levels))
    image = read_image(path)
    assert image.notes == ()
    np.testing.assert_array_equal(image.data, data)


def test_a_small_image_beside_a_large_one_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    data = noise(100, 150)
    path = write_pages(tmp_path / "a.tif", (data, {}), (noise(20, 20), {}))
    image = read_image(path)
    np.testing.assert_array_equal(image.data, data)
    assert image.notes == ("A smaller image in the file (20x20) was taken for a thumbnail and left out.",)


def test_pages_of_other_sizes_are_refused_and_named(tmp_path: Path) -> None:
    path = write_pages(tmp_path / "a.tif", *((noise(*shape), {}) for shape in ((64, 64), (32, 48), (100, 128))))
    with pytest.raises(
        ImageReadError, match=r"a\.tif: The file holds images that differ in size or kind: 100x128 and 64x64, 32"
    ):
        read_image(path)


def test_positions_of_different_sizes_are_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        for shape in ((60, 80), (50, 70)):
            file.write(noise(*shape), metadata={"axes": "YX"})
    with pytest.raises(ImageReadError, match="images that differ in size or kind"):
        read_image(tmp_path / "a.ome.tif")


def test_a_label_and_a_photograph_in_an_ome_file_are_left_out(tmp_path: Path) -> None:
    slide = noise(100, 150)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(slide, metadata={"axes": "YX", "Name": "slide"})
        file.write(noise(60, 60), metadata={"axes": "YX", "Name": "label"})
        file.write(noise(70, 140), metadata={"axes": "YX", "Name": "macro"})
    np.testing.assert_array_equal(read_image(tmp_path / "a.ome.tif").data, slide)
