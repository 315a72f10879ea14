"""Numbers cut off at 255 and inverted masks: pieces are told apart or refused, and labels in pieces on purpose stay."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.support.discs import draw_discs

from microforge.annotations.object_labels import check_not_inverted, separated
from microforge.data.loading import load_samples
from microforge.errors import AnnotationError, NotEnoughDataError
from microforge.io.pairing import pair_folders
from microforge.tasks.instances.task import Instances
from microforge.tasks.label_images import object_count
from microforge.types import Array


def squares(count: int, side: int = 6, gap: int = 6) -> Array:
    """Give squares numbered row by row."""
    columns = 20
    step = side + gap
    labels = np.zeros((-(-count // columns) * step + gap, columns * step + gap), np.int32)
    for number in range(count):
        y, x = (gap + step * place for place in divmod(number, columns))
        labels[y : y + side, x : x + side] = number + 1
    return labels


@pytest.mark.parametrize(("count", "dtype"), [(300, np.uint8), (257, np.uint8), (600, np.uint8)])
def test_numbers_that_were_cut_off_become_objects_of_their_own(count: int, dtype: type) -> None:
    truth = squares(count)
    wrapped = truth.astype(dtype).astype(np.int32)
    labels, torn, top = separated(wrapped)
    assert top == 255
    assert torn == min(255, count - 256)
    # Number 256 became background, and nothing can bring it back.
    assert len(np.unique(labels)) - 1 == count - count // 256
    np.testing.assert_array_equal(labels > 0, wrapped > 0)
    np.testing.assert_array_equal(np.unique(labels[truth == count]).size, 1)


def test_training_says_which_labels_were_cut_off_and_counts_pieces(tmp_path: Path) -> None:
    for folder, pixels in {"images": squares(300) * 10, "labels": squares(300).astype(np.uint8)}.items():
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "a.tif", pixels)
    loaded = load_samples(pair_folders(tmp_path / "images", tmp_path / "labels"), Instances())
    assert (
        "44 labels are in several pieces far apart, as if numbers above 255 had been cut off"
        in loaded.remarks[0].reason
    )
    assert object_count(loaded.samples[0]) == 299


def test_labels_in_pieces_on_purpose_stay_whole() -> None:
    # Cut in two by something that lies over them, in a file that has room for more numbers, and in one that is full.
    behind = squares(60, side=9)
    behind[:, 50:53] = 0
    assert separated(behind).torn == 0
    full = squares(255, side=9)
    full[10:13] = 0
    assert separated(full).torn == 0


def test_crumbs_of_an_object_stay_with_it() -> None:
    labels = squares(255)
    labels[0, 0], labels[-1, -1] = 255, 1
    assert separated(labels).torn == 0


def test_few_numbers_for_many_pieces_are_classes_of_which_each_piece_is_an_object() -> None:
    classes = np.where(squares(120) > 0, squares(120) % 3 + 1, 0)
    labels, torn, top = separated(classes)
    assert (torn, top, len(np.unique(labels)) - 1) == (3, 0, 120)


def test_planes_of_one_object_are_one_piece() -> None:
    stack = np.repeat(squares(255)[None], 4, 0)
    assert separated(stack).torn == 0
    wrapped = np.repeat(squares(300).astype(np.uint8)[None], 4, 0).astype(np.int32)
    assert separated(wrapped).torn == 44


@pytest.mark.parametrize("value", [1, 255])
def test_a_mask_with_background_painted_is_refused(tmp_path: Path, value: int) -> None:
    image, labels = draw_discs((96, 96), 12)
    for folder, pixels in {"images": image, "labels": np.where(labels > 0, 0, value).astype(np.uint8)}.items():
        (tmp_path / folder).mkdir()
        tifffile.imwrite(tmp_path / folder / "a.tif", pixels)
    with pytest.raises(NotEnoughDataError, match=f"looks inverted: the number {value} lies along the border"):
        load_samples(pair_folders(tmp_path / "images", tmp_path / "labels"), Instances())


def test_objects_numbered_from_2_on_a_background_of_1_are_refused() -> None:
    with pytest.raises(AnnotationError, match="number 1 lies along the border"):
        check_not_inverted(squares(40) + 1, "a")


def test_objects_that_fill_an_image_are_no_background() -> None:
    filled = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((30, 30), int))
    check_not_inverted(filled, "a")
    check_not_inverted(np.ones((64, 64), int), "a")
    # One large object at three sides, with others beside it.
    large = np.ones((64, 64), int)
    large[:, 40:] = 0
    large[20:30, 50:60] = 2
    check_not_inverted(large, "a")
