"""Labels that went through something made for pictures are refused; sound ones of every size are not."""

import imagecodecs
import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import resize
from tests.support.discs import draw_discs

from microforge.annotations.blurred_labels import check_not_blurred
from microforge.errors import AnnotationError
from microforge.tasks.instances.task import Instances
from microforge.tasks.segmentation import Segmentation
from microforge.types import Array, Sample

LABELS = draw_discs((160, 160), 25)[1] * 10
MASK = np.where(LABELS > 0, 255, 0)


def jpeg(labels: Array, level: int) -> Array:
    return np.asarray(imagecodecs.jpeg8_decode(imagecodecs.jpeg8_encode(labels.astype(np.uint8), level=level)))


def jpeg_2000(labels: Array) -> Array:
    lossy = imagecodecs.jpeg2k_encode(labels.astype(np.uint8), level=40, reversible=False)
    return np.asarray(imagecodecs.jpeg2k_decode(lossy))


def resized(labels: Array, factor: float) -> Array:
    size = [round(length * factor) for length in labels.shape]
    return np.asarray(np.rint(resize(labels.astype(float), size, order=1, anti_aliasing=factor < 1)))


def halved(labels: Array) -> Array:
    return np.asarray(np.rint(labels.reshape(80, 2, 80, 2).mean((1, 3))))


BLURS = {
    "jpeg 50": lambda labels: jpeg(labels, 50),
    "jpeg 95": lambda labels: jpeg(labels, 95),
    "jpeg 100": lambda labels: jpeg(labels, 100),
    "jpeg 2000": jpeg_2000,
    "halved": halved,
    "reduced": lambda labels: resized(labels, 0.7),
    "enlarged": lambda labels: resized(labels, 1.7),
    "smoothed": lambda labels: np.rint(ndimage.gaussian_filter(labels.astype(float), 1)),
}


@pytest.mark.parametrize("blur", BLURS)
@pytest.mark.parametrize("kind", ["labels", "mask"])
@pytest.mark.parametrize("task", [Instances(), Segmentation()], ids=["objects", "classes"])
def test_values_between_those_painted_are_refused(kind: str, blur: str, task: Instances | Segmentation) -> None:
    blurred = BLURS[blur](LABELS if kind == "labels" else MASK).astype(np.int32)
    sample = Sample("a", np.zeros((1, *blurred.shape), np.uint8), blurred)
    with pytest.raises(AnnotationError, match="compressed with loss, resized with interpolation or blurred") as raised:
        task.check(sample)
    assert "nearest neighbour" in raised.value.remedy


def test_a_blurred_plane_of_a_large_stack_is_seen() -> None:
    stack = np.zeros((3, 1000, 1000), np.int32)
    stack[1, 700:860, 40:200] = jpeg(LABELS, 80)
    with pytest.raises(AnnotationError):
        check_not_blurred(stack, "a")


def rods(length: int, width: int) -> Array:
    """Give rods that touch at their sides, each with its own number."""
    labels = np.zeros((120, 120), np.int32)
    for number in range(120 // width):
        labels[10 : 10 + length, number * width : (number + 1) * width] = number + 1
    return labels


def crossing_strokes() -> Array:
    labels = np.zeros((160, 160), np.int32)
    for number in range(1, 13):
        labels[12 * number, 5:150] = number
        labels[5:150, 12 * number] = number
    return labels


def with_rims() -> Array:
    """Give objects of class 3 with a rim of class 2 and gaps of class 1, as nuclei are often painted."""
    inside = LABELS > 0
    return np.where(ndimage.binary_erosion(inside), 3, np.where(inside, 2, ndimage.binary_dilation(inside)))


SOUND = {
    "objects": LABELS,
    "mask": MASK,
    "mask of white and grey": np.where(LABELS > 120, 255, MASK // 2),
    "many small touching objects": draw_discs((160, 160), 300)[1],
    "rods of two pixels": rods(30, 2),
    "lines of one pixel": rods(100, 1),
    "strokes that cross": crossing_strokes(),
    "classes with rims": with_rims(),
    "objects resized without interpolation": np.kron(LABELS, np.ones((2, 2), int))[::3, ::3],
    "nothing": np.zeros((50, 50), int),
    "one row": np.arange(50)[None],
}


@pytest.mark.parametrize("kind", SOUND)
def test_sound_labels_are_taken(kind: str) -> None:
    check_not_blurred(SOUND[kind].astype(np.int32), kind)
