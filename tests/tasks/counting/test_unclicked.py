from dataclasses import replace

import numpy as np
from scipy import ndimage

from microforge.tasks.counting.task import Counting
from microforge.tasks.counting.unclicked import unclicked_cells
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
