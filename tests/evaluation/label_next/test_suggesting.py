"""Looking at images, and the list that is made of it."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from microforge.config import PredictionConfig
from microforge.errors import ImageReadError, SettingsError
from microforge.evaluation.label_next import Candidate, Looked, Part, Seen, look_around, ranked
from microforge.evaluation.label_next.regions import USUAL, side_for, windows_of
from microforge.inference.predictor import Predictor
from microforge.io.model_file import ModelFile, TrainingSummary
from microforge.types import Sample
from support.discs import disc_sample
from support.random_models import random_model

CPU = PredictionConfig(device="cpu")


def segmenting(poses: dict[str, bool] | None = None, dims: int = 2) -> Predictor:
    """A model for objects that knows nothing."""
    file = random_model("instances", dims, out_channels=2, residual=False, graded=False)
    summary = TrainingSummary(settings={"augmentation": poses or {}})
    return Predictor(
        ModelFile(file.card.model_copy(update={"task_options": {}, "training": summary}), file.weights), CPU
    )


def candidate(sample: Sample, known: object = False) -> Candidate:
    return Candidate(sample.name, partial(tuple, [Part(sample, known)]))  # type: ignore[arg-type]


def seen_of(predictor: Predictor, candidates: Sequence[Candidate], **settings: object) -> Seen:
    *_, last = look_around(predictor, candidates, **settings)  # type: ignore[arg-type]
    assert isinstance(last, Seen)
    return last


def blank(name: str, shape: tuple[int, ...] = (96, 96)) -> Sample:
    return Sample(name, np.full((1, *shape), 7, np.uint8))


def test_an_image_without_anything_in_it_comes_last() -> None:
    images = [blank("blank"), *(disc_sample(f"d{seed}", seed) for seed in range(4))]
    found = ranked(seen_of(segmenting(), [candidate(image) for image in images]), "doubt")
    assert len(found) == 5
    assert found[-1].name == "blank"
    assert found[-1].disagreement == pytest.approx(0, abs=1e-6)


def test_what_is_annotated_is_not_in_the_list() -> None:
    images = [disc_sample(f"d{seed}", seed) for seed in range(4)]
    found = ranked(seen_of(segmenting(), [candidate(image, image.name == "d2") for image in images]))
    assert sorted(one.name for one in found) == ["d0", "d1", "d3"]


def test_all_annotated_gives_an_empty_list() -> None:
    assert ranked(seen_of(segmenting(), [candidate(disc_sample(), True)])) == ()


def test_regions_are_on_ground_of_which_nothing_is_known() -> None:
    sample = disc_sample(shape=(400, 400), count=60)
    known = np.zeros((400, 400), bool)
    known[:, :200] = True
    found = ranked(seen_of(segmenting(), [candidate(sample, known)], whole=False), most=50)
    assert found
    assert all(known[one.window].mean() < 0.5 for one in found)


def test_the_same_seed_gives_the_same_list() -> None:
    images = [candidate(disc_sample(f"d{seed}", seed)) for seed in range(3)]
    lists = [ranked(seen_of(segmenting(), images, seed=4), seed=4) for _ in range(2)]
    assert lists[0] == lists[1]


def test_an_image_that_cannot_be_read_is_told_of_and_left_out() -> None:
    def broken() -> Sequence[Part]:
        raise ImageReadError("The file is damaged.", where="b.tif")

    colour = replace(blank("colour"), image=np.zeros((3, 96, 96), np.uint8))
    candidates = [candidate(disc_sample("good")), Candidate("b.tif", broken), candidate(colour)]
    *told, seen = look_around(segmenting(), candidates)
    problems = {event.name: event.problem for event in told if isinstance(event, Looked)}
    assert problems["good"] == ""
    assert "The file is damaged." in problems["b.tif"]
    assert "3 channels" in problems["colour"]
    assert isinstance(seen, Seen)
    assert [one.name for one in ranked(seen)] == ["good"]


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(SettingsError, match="no order 'best'"):
        ranked(Seen((), {}, True), "best")


def test_a_model_that_must_not_mirror_or_turn_has_no_doubt() -> None:
    predictor = segmenting({"flip": False, "rotate": False})
    seen = seen_of(predictor, [candidate(disc_sample())])
    assert all(look.disagreement == 0 for _, look in seen.each())


def test_time_points_of_an_image_are_one_candidate() -> None:
    frames = [Part(disc_sample(f"series t={t:03d}", t)) for t in range(12)]
    found = ranked(seen_of(segmenting(), [Candidate("series", lambda: frames), candidate(disc_sample("other", 40))]))
    assert sorted(one.name for one in found) == ["other", "series"]
    assert 0 <= next(one for one in found if one.name == "series").time < 12


def test_a_stack_is_looked_at_in_boxes() -> None:
    stack = Sample("stack", np.random.default_rng(0).integers(0, 255, (1, 12, 64, 64)).astype(np.uint8))
    found = ranked(seen_of(segmenting(dims=3), [candidate(stack)], whole=False))
    assert found[0].window == (slice(0, 12), slice(0, 64), slice(0, 64))


def test_a_finer_answer_is_compared_on_the_grid_of_the_image() -> None:
    file = random_model("super-resolution", upscale=2)
    known = np.zeros((96, 96), bool)
    known[:20] = True
    look = next(seen_of(Predictor(file, CPU), [candidate(disc_sample(), known)]).each())[1]
    assert look.known == pytest.approx(20 / 96)
    assert look.disagreement > 0


class ReadSparingly:
    """An image too large to be read whole."""

    shape, ndim, dtype = (1, 20_000, 20_000), 3, np.dtype(np.uint8)

    def __init__(self) -> None:
        self.pixels = 0

    def __getitem__(self, key: object) -> np.ndarray:
        part = np.broadcast_to(np.uint8(7), self.shape)[key]  # type: ignore[index]
        self.pixels += part.size
        return part


def test_of_a_huge_image_some_windows_are_read() -> None:
    image = ReadSparingly()
    seen = seen_of(segmenting(), [candidate(Sample("huge", image))])
    assert len(list(seen.each())) == 4
    assert image.pixels < 20_000_000


def test_windows_cover_an_image_or_are_drawn_from_all_of_it() -> None:
    rng = np.random.default_rng(0)
    covered = np.zeros((300, 500), int)
    for window in windows_of((300, 500), 128, 100, rng):
        covered[window] += 1
        assert all(side.stop - side.start == 128 for side in window)
    assert covered.min() == 1
    drawn = windows_of((3000, 5000), 128, 10, rng)
    assert len(set(map(str, drawn))) == 10


@pytest.mark.parametrize(("diameter", "side"), [(4, 96), (20, 160), (200, 384)])
def test_regions_are_about_eight_objects_wide(diameter: int, side: int) -> None:
    y, x = np.ogrid[: 2 * diameter, : 2 * diameter]
    disc = ((y - diameter) ** 2 + (x - diameter) ** 2 <= (diameter / 2) ** 2).astype(np.int32)
    assert side_for([disc]) == pytest.approx(side, abs=16)
    assert side_for([np.zeros_like(disc)]) == USUAL
