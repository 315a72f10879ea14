"""Put places in the order in which to annotate them; come here to add another order.

All orders are greedy: each place is chosen with those before it in mind, so that any beginning of the list is good.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from microforge.types import Doubles, Floats

_Order = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """What is known of the places to choose among.

    Attributes
    ----------
    disagreement
        float64 ``(N,)``, at least 0: how far the network's answers in several poses differ.
    features
        float32 ``(N, F)``: what each looks like.
    annotated
        float32 ``(M, F)``: what is annotated already looks like.
    """

    disagreement: Doubles
    features: Floats
    annotated: Floats

    @property
    def distances(self) -> tuple[Doubles, Doubles]:
        """Give distances between places ``(N, N)``, and to what is annotated ``(N, M)``, features weighing alike."""
        both = np.concatenate([self.features, self.annotated]).astype(np.float64)
        spread = both.std(axis=0)
        kept = spread > 1e-6 * max(float(np.abs(both).max(initial=0)), 1e-12)
        scaled = both[:, kept] / spread[kept] / np.sqrt(max(int(kept.sum()), 1))
        places, annotated = scaled[: len(self.features)], scaled[len(self.features) :]
        return _distances(places, places), _distances(places, annotated)


def random_order(places: Places, most: int, rng: np.random.Generator) -> _Order:
    """Draw places; hard to beat, as it gives each kind of place its share."""
    return rng.permutation(len(places.features))[:most]


def spread_order(places: Places, most: int, _: np.random.Generator) -> _Order:
    """Choose so that all others look like one that is chosen or annotated (greedy facility location).

    Each time that is what brings the sum of distances to the nearest one down most.
    """
    between, near = places.distances
    nearest = np.minimum(_nearest(near), between.max(initial=0.0))
    order: list[int] = []
    for _number in range(min(most, len(nearest))):
        gain = np.maximum(nearest[:, None] - between, 0).sum(axis=0)
        gain[order] = -1.0
        order.append(int(gain.argmax()))
        nearest = np.minimum(nearest, between[order[-1]])
    return np.array(order, np.int64)


def doubt_order(places: Places, most: int, _: np.random.Generator) -> _Order:
    """Choose places where the answers differ most, times how far they are from all chosen and annotated before."""
    between, near = places.distances
    doubt, nearest, furthest = _relative(places.disagreement), _nearest(near), float(between.max(initial=0.0))
    order: list[int] = []
    for _number in range(min(most, len(doubt))):
        # Where nothing is annotated or nothing tells places apart, doubt alone decides.
        value = doubt * (nearest if furthest > 0 and np.isfinite(nearest).all() else 1.0)
        value[order] = -1.0
        order.append(int(value.argmax()))
        nearest = np.minimum(nearest, between[order[-1]])
    return np.array(order, np.int64)


#: Ways to choose, by name.
ORDERS: Mapping[str, Callable[[Places, int, np.random.Generator], _Order]] = {
    "spread": spread_order,
    "doubt": doubt_order,
    "random": random_order,
}


def _relative(values: Doubles) -> Doubles:
    """Give values in units of their mean; 1 where they are all 0."""
    mean = float(values.mean()) if len(values) else 0.0
    return values / mean if mean > 0 else np.ones_like(values)


def _nearest(distances: Doubles) -> Doubles:
    nearest: Doubles = distances.min(axis=1, initial=np.inf)
    return nearest


def _distances(first: Doubles, second: Doubles) -> Doubles:
    squared = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    distances: Doubles = np.sqrt(np.maximum(squared, 0))
    return distances
