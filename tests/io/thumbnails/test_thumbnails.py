"""Small pictures of images, and the file they are kept in."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.errors import ImageReadError
from microforge.io.thumbnails import ThumbnailStore, read_thumbnail, thumbnail_of
from microforge.io.thumbnails.store import STORE_NAME
from microforge.types import Image


def image(data: np.ndarray, axes: str) -> Image:
    return Image("field", data, axes)


def test_picture_is_small_grey_and_stretched_from_black_to_white() -> None:
    ramp = np.tile(np.arange(400, dtype=np.uint16) + 1000, (200, 1))
    made = thumbnail_of(image(ramp, "YX"), 80)
    assert made.dtype == np.uint8
    assert made.shape == (40, 80, 3)
    assert made[:, 0].max() < 10
    assert made[:, -1].min() > 245
    assert np.ptp(made, axis=2).max() == 0


def test_small_bright_thing_stays_visible() -> None:
    dark = np.zeros((320, 320), np.uint8)
    dark[100:116, 100:116] = 200
    made = thumbnail_of(image(dark, "YX"), 80)
    assert made[25:29, 25:29].min() > 200


def test_stack_is_shown_by_its_middle_plane_and_a_film_by_its_first_frame() -> None:
    film = np.zeros((3, 5, 40, 40), np.uint8)
    film[0, 2, :, 20:] = 255
    made = thumbnail_of(image(film, "TZYX"), 40)
    assert made[:, :20].max() == 0
    assert made[:, 20:].min() == 255


@pytest.mark.parametrize(
    ("channels", "colour"), [(1, (255, 255, 255)), (2, (0, 255, 0)), (3, (255, 0, 0)), (5, (255, 0, 0))]
)
def test_first_channel_has_its_colour(channels: int, colour: tuple[int, ...]) -> None:
    data = np.zeros((channels, 30, 30), np.float32)
    data[0, :, 15:] = 1
    assert tuple(thumbnail_of(image(data, "CYX"), 30)[5, 25]) == colour


def test_colours_stay_as_they_are() -> None:
    stained = np.full((20, 30, 3), (200, 120, 180), np.uint8)
    assert (thumbnail_of(image(stained, "YXS"), 64) == stained).all()
    assert (thumbnail_of(image(stained.astype(np.uint16) * 257, "YXS"), 64) == stained).all()


@pytest.mark.parametrize("values", [np.nan, np.inf, 0.0, 7.0])
def test_even_and_empty_images_are_dark(values: float) -> None:
    assert not thumbnail_of(image(np.full((10, 2000), values, np.float32), "YX"), 50).any()


def test_only_some_pixels_of_a_large_image_are_read() -> None:
    class Counting:
        shape, ndim, dtype, read = (8000, 8000), 2, np.dtype(np.uint8), 0

        def __getitem__(self, key: object) -> np.ndarray:
            part = np.broadcast_to(np.uint8(3), self.shape)[key]  # type: ignore[index]
            self.read += part.size
            return part

    data = Counting()
    thumbnail_of(image(data, "YX"), 80)  # type: ignore[arg-type]
    assert data.read <= (80 * 5) ** 2


def test_file_is_read_and_a_damaged_one_says_why(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.arange(3000, dtype=np.uint16).reshape(50, 60))
    assert read_thumbnail(tmp_path / "a.tif", 30).shape == (25, 30, 3)
    (tmp_path / "b.tif").write_bytes(b"no image")
    with pytest.raises(ImageReadError):
        read_thumbnail(tmp_path / "b.tif", 30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "图像 1.tif"
    made.write_bytes(b"1")
    return made


def test_kept_picture_is_found_again_until_its_file_is_written(tmp_path: Path, file: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
    store = ThumbnailStore(tmp_path / "cache")
    assert store.get(file, 40) is None
    store.put(file, 40, picture)
    store.close()
    again = ThumbnailStore(tmp_path / "cache")
    found = again.get(file, 40)
    assert found is not None
    assert (found == picture).all()
    assert again.get(file, 80) is None
    file.write_bytes(b"22")
    assert again.get(file, 40) is None
    file.unlink()
    assert again.get(file, 40) is None
    again.close()


def test_longest_unused_pictures_go_when_there_are_too_many(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (10, 10, 3), np.uint8)
    store = ThumbnailStore(tmp_path, most_bytes=1000)
    files = [tmp_path / str(number) for number in range(6)]
    for one in files:
        one.write_bytes(b"1")
        store.put(one, 10, noise)
    assert store.get(files[0], 10) is not None
    store.tidy()
    kept = [one.name for one in files if store.get(one, 10) is not None]
    store.close()
    assert kept == ["0", "4", "5"]


def test_damaged_file_is_begun_anew(tmp_path: Path, file: Path) -> None:
    (tmp_path / STORE_NAME).write_bytes(b"this is no database, " * 100)
    store = ThumbnailStore(tmp_path)
    picture = np.zeros((4, 4, 3), np.uint8)
    store.put(file, 4, picture)
    assert store.get(file, 4) is None
    store.close()
    again = ThumbnailStore(tmp_path)
    again.put(file, 4, picture)
    assert again.get(file, 4) is not None
    again.close()


def test_place_that_cannot_be_written_is_done_without(tmp_path: Path, file: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    store = ThumbnailStore(tmp_path / "taken")
    store.put(file, 4, np.zeros((4, 4, 3), np.uint8))
    assert store.get(file, 4) is None
    store.close()
