from dataclasses import replace

import numpy as np
from scipy import ndimage

from microforge.tasks.counting.task import Counting
from microforge.tasks.counting.unclicked import cell_width, clicked_ground, unclicked_cells
from microforge.types import Points, Sample


def blobs(count: int, clicked: int) -> Sample:
    rng = np.random.default_rng(0)
    cells = np.zeros((200, 200))
    places = np.stack(np.meshgrid(np.arange(12, 190, 24), np.arange(12, 190, 24)), -1).reshape(-1, 2)[:count]
    cells[tuple(places.T)] = 1
    image = 100 + 9000 * ndimage.gaussian_filter(cells, 3) + rng.normal(0, 2, cells.shape)
    chosen = rng.permutation(places)[:clicked].astype(np.float32)
    return Sample("a", image[None].astype(np.float32), points=Points(chosen, np.zeros(clicked, np.int32)))


def test_cells_without_a_point_are_found_and_a_region_asked_for() -> None:
    sample = blobs(60, 8)
    others = unclicked_cells(sample)
    assert 35 <= others <= 52
    (advice,) = Counting().advise([sample])
    assert f"about {others} places look like them but count as no cell. A region is needed" in advice.text
    assert advice.severity == "warning"


def test_where_all_are_clicked_or_a_region_is_drawn_nothing_is_said() -> None:
    assert unclicked_cells(blobs(60, 60)) == 0
    assert list(Counting().advise([blobs(60, 60)])) == []
    assert list(Counting().advise([replace(blobs(60, 8), mask=np.ones((200, 200), bool))])) == []


def test_one_point_and_stacks_are_not_judged() -> None:
    assert unclicked_cells(blobs(60, 1)) == 0
    stack = Points(np.ones((4, 3), np.float32), np.zeros(4, np.int32), axes="ZYX")
    assert unclicked_cells(Sample("stack", np.ones((1, 5, 20, 20)), points=stack)) == 0


def all_places() -> np.ndarray:
    """Give the pixels of all 60 cells."""
    points = blobs(60, 60).points
    assert points is not None
    return points.coordinates.astype(int)


def test_nothing_is_known_at_cells_without_a_point_where_many_have_none() -> None:
    sample = blobs(60, 8)
    ground = clicked_ground(sample)
    assert ground is not None
    assert sample.points is not None
    assert ground[tuple(sample.points.coordinates.astype(int).T)].all()
    assert ground[tuple(all_places().T)].sum() == 8, "those with a point"
    assert ground.mean() > 0.5
    assert clicked_ground(blobs(60, 60)) is None


def test_an_image_clicked_in_part_is_learnt_from_in_part() -> None:
    partly = replace(blobs(60, 8), partly_painted=True)
    checked = Counting().check(partly)
    assert checked.inferred
    assert checked.mask is not None
    assert not checked.mask.all()
    assert Counting().from_options({"unclicked": "around"}).check(blobs(60, 8)).inferred
    assert Counting().check(blobs(60, 8)).mask is None, "files are taken as complete"
    assert Counting().check(replace(blobs(60, 60), partly_painted=True)).mask is None
    region = np.ones((200, 200), bool)
    assert Counting().check(replace(partly, mask=region)).mask is region
    (advice,) = Counting().advise([checked])
    assert "have none: nothing is learnt there" in advice.text


def test_cells_clicked_here_and_there_lie_as_near_as_they_are_wide() -> None:
    sample = Counting().check(replace(blobs(60, 8), partly_painted=True))
    width = cell_width(sample)
    assert width is not None
    assert 6 < width < 12, "a blob of three pixels' deviation"
    assert Counting().fit([sample]).options.spacing == width
    assert Counting().fit([sample, blobs(60, 60)]).options.spacing == 24
