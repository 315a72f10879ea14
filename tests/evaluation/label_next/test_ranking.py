"""The order in which places are chosen: what it covers, what it prefers, and that chance obeys the seed."""

import numpy as np
import pytest

from microforge.evaluation.label_next.ranking import ORDERS, Places


def places(features: list[list[float]], disagreement: list[float] | None = None, annotated: object = ()) -> Places:
    found = np.array(features, np.float32)
    known = np.array(annotated, np.float32).reshape(-1, found.shape[1])
    return Places(np.array(disagreement or [1.0] * len(found)), found, known)


def order_of(name: str, given: Places, most: int = 10, seed: int = 0) -> list[int]:
    chosen: list[int] = ORDERS[name](given, most, np.random.default_rng(seed)).tolist()
    return chosen


THREE_GROUPS = [[0.0, 0], [0.1, 0], [0, 0.1], [5, 0], [5.1, 0], [5, 0.1], [0, 5], [0.1, 5], [0, 5.1]]


@pytest.mark.parametrize("name", ORDERS)
def test_each_place_is_chosen_once_and_the_same_again(name: str) -> None:
    given = places(THREE_GROUPS, [float(k % 4) for k in range(9)])
    assert sorted(order_of(name, given)) == list(range(9))
    assert order_of(name, given, 4) == order_of(name, given, 4)
    assert len(order_of(name, given, 4)) == 4


@pytest.mark.parametrize("name", ["doubt", "spread"])
def test_the_first_three_are_of_three_groups(name: str) -> None:
    assert sorted(k // 3 for k in order_of(name, places(THREE_GROUPS), 3)) == [0, 1, 2]


@pytest.mark.parametrize("name", ["doubt", "spread"])
def test_what_looks_like_annotated_ones_comes_last(name: str) -> None:
    given = places(THREE_GROUPS, annotated=[[0.05, 0.05]])
    assert sorted(k // 3 for k in order_of(name, given, 2)) == [1, 2]


def test_of_places_alike_the_one_with_most_doubt_comes_first() -> None:
    given = places([[0.0], [0.0], [0.0], [0.0]], [0.1, 0.2, 0.9, 0.3])
    assert order_of("doubt", given) == [2, 3, 1, 0]


def test_doubt_is_worth_more_than_being_a_little_different() -> None:
    given = places([[1.0], [1.2], [1.1]], [0.1, 0.1, 1.0], annotated=[[0.0]])
    assert order_of("doubt", given, 1) == [2]


def test_features_count_alike_whatever_their_units() -> None:
    features = np.array(THREE_GROUPS, np.float32)
    scaled = places((features * [1.0, 1000.0]).tolist())
    assert order_of("spread", scaled, 3) == order_of("spread", places(THREE_GROUPS), 3)


def test_chance_obeys_the_seed() -> None:
    given = places(THREE_GROUPS)
    assert order_of("random", given, seed=1) != order_of("random", given, seed=2)
