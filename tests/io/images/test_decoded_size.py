"""How large a file becomes in memory, before it is read."""

from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile

from microforge.io.images import decoded_bytes, read_image


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "zlib"}, {"compression": "zlib", "tile": (64, 64)}, {"compression": "zlib", "imagej": True}],
)
@pytest.mark.parametrize("shape", [(512, 640), (3, 512, 640)])
def test_tiffs_are_estimated_from_their_first_page(tmp_path: Path, shape: tuple[int, ...], options: Any) -> None:
    path = tmp_path / "a.tif"
    image = np.random.default_rng(0).integers(0, 16, shape).astype(np.uint16)
    tifffile.imwrite(path, image, photometric="minisblack", **options)
    assert decoded_bytes(path) == pytest.approx(np.asarray(read_image(path).data).nbytes, rel=0.3)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.bmp"])
def test_pictures_are_estimated_from_their_header(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    imageio.imwrite(path, np.zeros((300, 400, 3), np.uint8))
    assert path.stat().st_size < 100_000 or name == "a.bmp"
    assert decoded_bytes(path) == 300 * 400 * 3


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.xyz"])
def test_of_a_damaged_file_it_is_the_size(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"garbage " * 9)
    assert decoded_bytes(path) == 72
