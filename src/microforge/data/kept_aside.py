"""What may be kept aside to measure on: groups of images, or a block of one; come here for the rules of fairness.

What is measured on is lost for learning, and a few strokes are all that many people have. So: never the group with
most, never more than half of a class, nothing of which too little is left on either side.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from microforge.annotations.pieces import Enough, Pieces
from microforge.config import Settings

MOST_VALIDATION_IMAGES = 16
#: What is kept aside has no more than this part of what is annotated of any class; what is learnt from has more, as
#: boxes around pieces tell only about how much of them lies on a side of a cut.
MOST_ASIDE, LEAST_LEARNT = 0.5, 0.55
#: A block kept aside has about this part of each class, and is no narrower than so many pixels.
BLOCK_FRACTION = 0.25
SMALLEST_BLOCK = 48
#: Places of a cut that are looked at along each axis.
_PLACES = 64


class BlockCut(Settings):
    """A cut through an image along an axis of ``(Z)YX``: pixels before `stop` train, those from `start` on measure."""

    axis: int
    stop: int
    start: int


class Draw:
    """Draw what is kept aside.

    Parameters
    ----------
    annotated
        What is annotated in each group.
    enough
        How much of it there must be.
    rank
        The order in which groups are drawn, by name.
    """

    def __init__(self, annotated: Mapping[str, Pieces], enough: Enough, rank: Callable[[str], float]) -> None:
        self.enough, self.rank = enough, rank
        self.sizes = {name: Counter(pieces.sizes()) for name, pieces in annotated.items()}
        self.counts = {name: Counter(pieces.counts()) for name, pieces in annotated.items()}
        amounts = {name: sum(sizes.values()) for name, sizes in self.sizes.items()}
        self._all = _added(self.sizes.values())
        self.largest = max(amounts, key=lambda name: (amounts[name], rank(name)), default="")
        self._some = [name for name in amounts if amounts[name] > 0]
        #: Whether one group has more than half of all.
        self.dominates = amounts.get(self.largest, 0) > MOST_ASIDE * sum(amounts.values())

    @property
    def possible(self) -> bool:
        """Whether there is enough of anything to keep some of it aside."""
        return sum(_added(self.counts.values()).values()) >= self.enough.total

    def groups(self, count: int, never: Collection[str] = (), aside: Sequence[str] = ()) -> list[str]:
        """Draw groups to keep aside, beside those that are; none where quality could not be told of any class.

        Parameters
        ----------
        count
            How many are to be kept aside altogether, if fewer are enough.
        never
            Groups that are learnt from.
        """
        chosen = list(aside)
        spare = sorted(set(self._some) - {self.largest, *never, *aside}, key=self.rank)
        kinds = self._measurable()
        for kind in kinds:
            for name in spare:
                if not self._is_reached(chosen, kind) and self.counts[name][kind]:
                    self._add(chosen, name)
        for name in spare:
            if len(chosen) < min(count, MOST_VALIDATION_IMAGES):
                self._add(chosen, name)
        told = any(self._is_reached(chosen, kind) for kind in kinds)
        return chosen[len(aside) :] if told else []

    def cut(self, pieces: Pieces) -> BlockCut | None:
        """Give the place where an image is cut, so that each class is divided best; None where there is none."""
        places = [(self._imbalance(pieces, place), place) for place in _places(pieces)]
        imbalance, best = min(places, key=lambda place: place[0], default=(np.inf, None))
        return best if np.isfinite(imbalance) else None

    def _measurable(self) -> list[str]:
        """Give the kinds of which there is enough for both."""
        counts = _added(self.counts.values())
        return sorted(kind for kind in counts if counts[kind] >= self.enough.aside + self.enough.learnt)

    def _is_reached(self, chosen: Sequence[str], kind: str) -> bool:
        return sum(self.counts[name][kind] for name in chosen if name in self.counts) >= self.enough.aside

    def _add(self, chosen: list[str], name: str) -> None:
        """Keep a group aside unless that were too much of a class."""
        sizes = _added(self.sizes[one] for one in {*chosen, name} if one in self.sizes)
        if name not in chosen and all(sizes[kind] <= MOST_ASIDE * self._all[kind] for kind in sizes):
            chosen.append(name)

    def _imbalance(self, pieces: Pieces, place: BlockCut) -> float:
        """Tell how far from the part wanted a cut divides the class that it divides worst; infinite if unfairly."""
        learnt, aside = pieces.between(place.axis, 0, place.stop), pieces.between(place.axis, place.start, np.inf)
        total, kept, measured = pieces.sizes(), Counter(learnt.sizes()), Counter(aside.sizes())
        shares = {kind: measured[kind] / total[kind] for kind in total}
        fair = all(kept[k] >= LEAST_LEARNT * total[k] and shares[k] <= MOST_ASIDE for k in total)
        wanted = total if self.enough.every else self._measurable()
        before, after = Counter(learnt.counts()), Counter(aside.counts())
        told = all(before[k] >= self.enough.learnt and after[k] >= self.enough.aside for k in wanted)
        return max(abs(share - BLOCK_FRACTION) for share in shares.values()) if fair and told else np.inf


def _places(pieces: Pieces) -> Iterator[BlockCut]:
    """Give places for a cut across the annotated part of a plane; both sides are wide enough to be of use."""
    dims = pieces.low.shape[1]
    for axis in (dims - 1, dims - 2):
        if not len(pieces.low):
            return
        low, high = int(pieces.low[:, axis].min()), int(pieces.high[:, axis].max())
        margin = max(8, (high - low) // 32)
        first, last = max(low + margin, SMALLEST_BLOCK + margin + 1), high - SMALLEST_BLOCK
        for start in np.unique(np.linspace(first, last, _PLACES).astype(int)).tolist() if first <= last else ():
            yield BlockCut(axis=axis, stop=start - margin, start=start)


def _added(amounts: "Iterator[Counter[str]] | Collection[Counter[str]]") -> "Counter[str]":
    total: Counter[str] = Counter()
    for one in amounts:
        total.update(one)
    return total
