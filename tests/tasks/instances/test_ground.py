from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from microforge.tasks.instances.ground import known_ground, unpainted_objects
from microforge.tasks.instances.task import Instances
from microforge.types import Sample
from support.discs import draw_discs


def field(shape: tuple[int, ...], count: int, painted: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give an image ``C(Z)YX``, the labels of all its discs, and those of the first few."""
    image, truth = draw_discs(shape, count)
    return image[None].astype(np.float32), truth, np.where(truth <= painted, truth, 0)


def shares(known: np.ndarray, truth: np.ndarray, painted: np.ndarray) -> tuple[float, float]:
    """Give which part of the true ground is known, and which part of unpainted objects is taken for ground."""
    return float(known[truth == 0].mean()), float(known[(truth > 0) & (painted == 0)].mean())


@pytest.mark.parametrize("look", ["bright", "dark", "colour", "two channels"])
def test_ground_is_found_and_unpainted_objects_are_not_taken_for_it(look: str) -> None:
    image, truth, painted = field((256, 256), 40, 8)
    if look == "dark":
        image = 1200 - image
    elif look == "colour":
        image = np.concatenate([255 - 0.08 * image, 255 - 0.16 * image, 255 - 0.04 * image])
    elif look == "two channels":
        image = np.concatenate([np.random.default_rng(1).normal(size=image.shape), image])
    ground, wrong = shares(known_ground(image, painted), truth, painted)
    assert ground > 0.7
    assert wrong < 0.05


def test_painted_and_complete_ground_is_always_known() -> None:
    image, _, painted = field((128, 128), 20, 4)
    complete = np.zeros(painted.shape, bool)
    complete[:20] = True
    known = known_ground(image, painted, complete)
    assert known[complete].all()
    assert known[painted > 0].all()


def test_a_stroke_of_background_on_what_looks_like_an_object_stays_background() -> None:
    image, truth, painted = field((256, 256), 40, 8)
    said = truth == 20
    assert known_ground(image, painted, said)[said].all()


def test_where_objects_look_like_their_ground_only_the_ring_is_known() -> None:
    labels = np.zeros((200, 200), np.int32)
    for k in range(8):
        labels[20 * k + 10 : 20 * k + 26, 20 + 20 * (k % 4) : 36 + 20 * (k % 4)] = k + 1
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(1, 200, 200)), (0, 2, 2))
    known = known_ground(noise, labels)
    distance = ndimage.distance_transform_edt(labels == 0)
    radius = np.sqrt(256 / np.pi)
    np.testing.assert_array_equal(known, distance <= 2 * radius)


def test_nothing_painted_says_nothing() -> None:
    image, truth, _ = field((64, 64), 5, 0)
    assert not known_ground(image, np.zeros_like(truth)).any()


def test_planes_on_which_nothing_is_painted_are_never_background() -> None:
    image, truth, painted = field((24, 64, 64), 12, 12)
    painted[:10] = 0
    known = known_ground(image, painted)
    assert not known[~painted.any(axis=(1, 2))].any()
    assert known[painted.any(axis=(1, 2))].mean() > 0.5
    assert known[painted.any(axis=(1, 2))][truth[painted.any(axis=(1, 2))] > 0].any()


def test_a_large_image_is_looked_at_near_what_is_painted_only() -> None:
    image = np.zeros((1, 200, 3000), np.float32)
    labels = np.zeros((200, 3000), np.int32)
    labels[90:100, 90:100] = 1
    image[0, 90:100, 90:100] = 1
    known = known_ground(image, labels)
    assert known[:, :340].mean() > 0.9
    assert not known[:, 400:].any()


def test_one_painted_pixel_is_no_error() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[10, 10] = 1
    known = known_ground(np.ones((1, 20, 20), np.uint8), labels)
    assert known[10, 10]
    assert 0 < known.mean() < 0.2


def test_the_task_asks_for_the_ground_where_a_sample_or_its_option_says_so() -> None:
    image, _, painted = field((128, 128), 20, 4)
    whole = Sample("a", image, painted)
    partly = replace(whole, mask=painted > 0, partly_painted=True)
    around = known_ground(image, painted)
    checked = Instances().check(partly)
    np.testing.assert_array_equal(checked.mask, around)
    assert not checked.partly_painted
    by_option = Instances.from_options({"unpainted": "around"}).check(whole)
    np.testing.assert_array_equal(by_option.mask, around)
    assert Instances().check(whole).mask is None
    unknown = Instances.from_options({"unpainted": "unknown"}).check(whole)
    np.testing.assert_array_equal(unknown.mask, painted > 0)


@pytest.mark.parametrize("dims", [2, 3])
def test_it_is_told_where_an_image_looks_painted_in_part(dims: int) -> None:
    image, truth, painted = field((256, 256) if dims == 2 else (16, 96, 96), 40, 8)
    others = unpainted_objects(image, painted)
    assert others >= 12 if dims == 2 else others >= 3
    assert unpainted_objects(image, truth) == 0
    (advice,) = Instances().advise([Sample("a", image, painted)])
    assert f"8 objects are painted, and about {others} places look like them" in advice.text
    complete = np.ones(painted.shape, bool)
    for said in (Sample("a", image, truth), Sample("a", image, painted, complete)):
        assert list(Instances().advise([said])) == []


def test_of_many_images_some_are_looked_at() -> None:
    image, _, painted = field((128, 128), 20, 4)
    told = list(Instances().advise([Sample(str(k), image, painted) for k in range(100)]))
    assert 8 <= len(told) <= 12


def test_what_is_found_on_ground_that_nobody_looked_at_is_neither_right_nor_wrong() -> None:
    image, truth, painted = field((256, 256), 40, 8)
    task = Instances()
    sample = task.check(Sample("a", image, painted, mask=painted > 0, partly_painted=True))
    scores = task.score(task.decode(np.stack([truth > 0, truth > 0]).astype(np.float32)), sample)
    assert scores["precision@0.5"] > 0.8
    nothing = task.score(task.decode(np.zeros((2, 256, 256), np.float32)), sample)
    assert nothing["recall@0.5"] == 0
