"""Labels kept as colours: plain ones become numbers, which is said; photographs, overlays and shades are refused."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import tifffile
from scipy import ndimage
from tests.support.discs import draw_discs

from microforge.data.loading import load_samples
from microforge.errors import AnnotationError
from microforge.io.images import read_labels
from microforge.io.pairing import pair_folders
from microforge.tasks.instances.task import Instances
from microforge.types import Array

IMAGE, LABELS = draw_discs((128, 128), 14)


def coloured(colours: int = 14, seed: int = 3) -> Array:
    """Give the labels in colours, black outside; with fewer colours than objects they are used in turn."""
    palette = np.random.default_rng(seed).integers(1, 256, (colours, 3), np.uint8)
    return np.where((LABELS > 0)[..., None], palette[(LABELS - 1) % colours], 0).astype(np.uint8)


def test_plain_colours_become_numbers_that_are_the_same_in_every_file(tmp_path: Path) -> None:
    imageio.imwrite(tmp_path / "a.png", coloured())
    image = read_labels(tmp_path / "a.png")
    assert image.axes == "YX"
    for number in range(1, 15):
        red, green, blue = (int(part) for part in coloured()[number == LABELS][0])
        assert np.all(image.data[number == LABELS] == 65536 * red + 256 * green + blue)
    assert not np.any(image.data[LABELS == 0])
    assert "each of 14" in image.notes[0]
    assert "black as background" in image.notes[0]


def test_training_on_colours_says_so_and_tells_objects_of_one_colour_apart(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", IMAGE)
    imageio.imwrite(tmp_path / "labels" / "a.png", coloured(3))
    loaded = load_samples(pair_folders(tmp_path / "images", tmp_path / "labels"), Instances())
    assert loaded.remarks[0].reason.startswith("The labels are colours: each of 3")
    assert "colours used in turn" in loaded.remarks[1].reason
    annotation = loaded.samples[0].annotation
    assert annotation is not None
    pieces = sum(ndimage.label(number == LABELS, np.ones((3, 3)))[1] for number in range(1, 15))
    assert abs(len(np.unique(annotation)) - 1 - pieces) <= 2


def overlay() -> Array:
    grey = np.repeat((IMAGE // 8).clip(0, 255).astype(np.uint8)[..., None], 3, -1)
    grey[ndimage.minimum_filter(LABELS, 3) != LABELS] = [255, 255, 0]
    return grey


@pytest.mark.parametrize(
    "picture",
    [overlay(), ndimage.gaussian_filter(coloured(), (1, 1, 0)), np.random.default_rng(0).integers(0, 255, (64, 64, 3))],
    ids=["overlay", "smoothed", "photograph"],
)
def test_shades_are_no_labels(tmp_path: Path, picture: Array) -> None:
    imageio.imwrite(tmp_path / "a.png", picture.astype(np.uint8))
    with pytest.raises(AnnotationError, match="colour picture, not a label image") as raised:
        read_labels(tmp_path / "a.png")
    assert "one plain colour for each" in raised.value.remedy
