"""What is kept aside is fair: most of every class is learnt from, and nothing is measured by too little."""

from collections import Counter

import numpy as np
import pytest

from microforge.data.split import Split, make_split
from microforge.tasks import get_task
from microforge.types import Points, Sample
from support.discs import disc_sample

OBJECTS = get_task("instances").from_options({})
CELLS = get_task("counting").from_options({})
CLASSES = get_task("segmentation").from_options({"classes": {1: "ground", 2: "membrane"}, "unpainted": "unknown"})


def objects(name: str, count: int, shape: tuple[int, int] = (128, 256)) -> Sample:
    """Give an image with so many square objects, all over it."""
    labels, rng = np.zeros(shape, np.int32), np.random.default_rng(count)
    cells = [(y, x) for y in range(2, shape[0] - 6, 10) for x in range(2, shape[1] - 6, 10)]
    for label, k in enumerate(rng.permutation(len(cells))[:count], start=1):
        y, x = cells[k]
        labels[y : y + 6, x : x + 6] = label
    return Sample(name, np.zeros((1, *shape), np.uint8), labels)


def strokes(name: str, *places: tuple[int, int, int], shape: tuple[int, int] = (256, 256)) -> Sample:
    """Give an image with strokes of classes: ``(class, y, x)`` of each, 6 by 20 pixels."""
    labels = np.zeros(shape, np.int32)
    for value, y, x in places:
        labels[y : y + 20, x : x + 6] = value
    return CLASSES.check(Sample(name, np.zeros((1, *shape), np.uint8), labels))


def split_of(task: object, samples: list[Sample], seed: int = 0, fraction: float = 0.1) -> Split:
    return make_split(samples, fraction, seed, pieces=task.pieces, enough=task.enough)  # type: ignore[attr-defined]


def counted(task: object, samples: list[Sample], split: Split) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Give the sizes of what is learnt from, of what is measured on, and of all, by kind."""
    learnt, aside = split.divide(samples)

    def sizes(part: object) -> Counter[str]:
        total: Counter[str] = Counter()
        for sample in part:  # type: ignore[attr-defined]
            total.update(task.pieces(sample).sizes())  # type: ignore[attr-defined]
        return total

    return sizes(learnt), sizes(aside), sizes(samples)


@pytest.mark.parametrize("counts", [(3, 62), (39,), (1,), (8,), (13, 13, 13), (62, 3, 2)])
@pytest.mark.parametrize("seed", range(5))
def test_the_image_with_most_objects_is_learnt_from_and_few_objects_all(counts: tuple[int, ...], seed: int) -> None:
    samples = [objects(f"well {k}", count) for k, count in enumerate(counts)]
    split = split_of(OBJECTS, samples, seed)
    learnt, aside, _ = counted(OBJECTS, samples, split)
    most = samples[int(np.argmax(counts))]
    assert split.role(most) == "training"
    assert bool(aside) == (sum(counts) >= 40)
    assert learnt[""] >= sum(counts) / 2


@pytest.mark.parametrize("counts", [(40,), (67,), (20, 20), (62, 3), (10, 10, 10, 10), (300,), (1,) * 40, (90, 30, 12)])
@pytest.mark.parametrize("seed", range(5))
def test_at_least_eight_objects_measure_and_at_least_half_teach(counts: tuple[int, ...], seed: int) -> None:
    samples = [objects(f"well {k}", count) for k, count in enumerate(counts)]
    learnt, aside, every = counted(OBJECTS, samples, split_of(OBJECTS, samples, seed))
    assert aside[""] >= 8
    assert learnt[""] >= every[""] / 2


def test_one_image_beside_a_nearly_empty_one_is_measured_in_a_block_of_it() -> None:
    samples = [objects("A2", 62), objects("A3", 3)]
    split = split_of(OBJECTS, samples)
    assert split.roles == {"A2": "training", "A3": "training"}
    assert list(split.cuts) == ["A2"]


def test_strokes_that_lie_apart_by_class_are_all_learnt_from() -> None:
    sample = strokes("em", *((2, y, 20) for y in range(0, 230, 40)), *((1, y, 220) for y in range(0, 230, 40)))
    assert split_of(CLASSES, [sample]).cuts == {} or split_of(CLASSES, [sample]).cuts["em"].axis == 0
    few = strokes("em", (2, 20, 20), (2, 90, 220), (2, 60, 230), (1, 30, 30), (1, 90, 200), (1, 150, 220))
    assert split_of(CLASSES, [few]).cuts == {}


@pytest.mark.parametrize("seed", range(10))
def test_of_every_class_of_one_image_at_least_half_is_learnt_and_two_strokes_are_measured(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [(y, x) for y in range(0, 230, 30) for x in range(0, 240, 30)]
    places = [(int(rng.integers(1, 3)), *cells[k]) for k in rng.permutation(len(cells))[: int(rng.integers(14, 40))]]
    sample = strokes("em", *places)
    split = split_of(CLASSES, [sample])
    learnt, _, every = counted(CLASSES, [sample], split)
    assert all(learnt[kind] >= every[kind] / 2 for kind in every)
    if split.cuts:
        measured = CLASSES.pieces(split.divide([sample])[1][0]).counts()
        assert all(measured[kind] >= 2 for kind in every)
    assert split.cuts or len(places) < 24, "with so many strokes all over an image there is a place for a cut"


def test_an_image_with_a_stroke_of_each_class_is_too_little_to_measure() -> None:
    most = strokes("A", *((1 + k % 2, 30 * k, 30 * k) for k in range(6)))
    assert split_of(CLASSES, [most, strokes("B", (1, 10, 10), (2, 60, 60))]).divide([most])[1] == ()


def test_a_class_that_only_some_files_show_does_not_stop_the_others_from_measuring() -> None:
    given = [strokes(f"f{k}", *((1, y, x) for y in (0, 60, 120) for x in (0, 90))) for k in range(19)]
    given.append(strokes("rare", *((2, y, 10) for y in range(0, 200, 40)), (1, 10, 100)))
    for seed in range(5):
        split = split_of(CLASSES, given, seed)
        assert list(split.roles.values()).count("validation") >= 1
        assert split.roles["rare"] == "training"


@pytest.mark.parametrize("seed", range(5))
def test_half_of_each_kind_of_cells_is_learnt_from(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def image(name: str, round_cells: int, long_cells: int) -> Sample:
        kind = np.repeat([0, 1], [round_cells, long_cells]).astype(np.int32)
        where = rng.uniform(0, 127, (len(kind), 2)).astype(np.float32)
        return Sample(name, np.zeros((1, 128, 128), np.uint8), points=Points(where, kind, ("round", "long")))

    samples = [image("a", 30, 1), image("b", 25, 2), image("c", 20, 6), image("d", 24, 0)]
    split = split_of(CELLS, samples, seed)
    learnt, aside, every = counted(CELLS, samples, split)
    assert split.roles["a"] == "training"
    assert sum(aside.values()) >= 8
    assert all(learnt[kind] >= every[kind] / 2 for kind in every)


def test_later_images_get_roles_by_the_same_rules() -> None:
    begun = [objects("first", 12)]
    split = split_of(OBJECTS, begun)
    few = [*begun, objects("second", 12)]
    assert split.grown(few, OBJECTS.pieces, OBJECTS.enough).roles == {"first": "training", "second": "training"}
    many = [*begun, objects("large", 40), objects("small", 10)]
    grown = split.grown(many, OBJECTS.pieces, OBJECTS.enough)
    assert grown.roles == {"first": "training", "large": "training", "small": "validation"}
    assert grown.grown([*many, *few], OBJECTS.pieces, OBJECTS.enough).roles["second"] == "training"


def test_the_same_images_are_kept_aside_every_time() -> None:
    given = [disc_sample(f"field {k}", seed=k) for k in range(8)]
    chosen = [split_of(OBJECTS, order, 3) for order in (given, given[::-1], given)]
    assert chosen[0].divide(given)[1] == chosen[1].divide(given)[1] == chosen[2].divide(given)[1] != ()
