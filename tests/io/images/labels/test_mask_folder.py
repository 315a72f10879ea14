"""Folders with a mask for each object are one label image; overlaps are counted and masks of other sizes refused."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from microforge.data.loading import load_samples
from microforge.errors import AnnotationError
from microforge.io.images import read_labels
from microforge.io.pairing import pair_folders
from microforge.tasks.instances.task import Instances


def save_masks(folder: Path, *corners: int, shape: tuple[int, int] = (40, 50)) -> Path:
    folder.mkdir(parents=True)
    for number, corner in enumerate(corners):
        mask = np.zeros(shape, np.uint8)
        mask[corner : corner + 8, corner : corner + 8] = 255
        imageio.imwrite(folder / f"{number}.png", mask)
    return folder


def test_masks_are_numbered_in_order_and_overlaps_counted(tmp_path: Path) -> None:
    image = read_labels(save_masks(tmp_path / "masks", 0, 20, 24))
    assert [int(np.count_nonzero(image.data == number)) for number in (1, 2, 3)] == [64, 48, 64]
    assert image.notes == ("16 pixels belong to two masks: the later one lies on top.",)


def test_a_set_of_such_folders_is_learnt_from(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_masks(tmp_path / name / "masks", 2, 12, 30)
        (tmp_path / name / "images").mkdir()
        imageio.imwrite(tmp_path / name / "images" / f"{name}.png", np.zeros((40, 50), np.uint8))
    loaded = load_samples(pair_folders(tmp_path, tmp_path), Instances())
    assert [int(np.max(sample.annotation)) for sample in loaded.samples if sample.annotation is not None] == [3, 3]


def test_masks_of_other_sizes_are_refused(tmp_path: Path) -> None:
    folder = save_masks(tmp_path / "masks", 0)
    imageio.imwrite(folder / "9.png", np.zeros((40, 51), np.uint8))
    with pytest.raises(AnnotationError, match=r"The mask 9.png is 40x51, 0.png is 40x50"):
        read_labels(folder)
