"""Who trains and who measures: a role for each image, or a cut through the only one; never overlapping patches.

Come here for how images are kept aside. A split is made once for a run and kept with it: everything that trains or
measures, also changes while training and a run that goes on, asks the same `Split`.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from microforge.config import Settings
from microforge.errors import readable
from microforge.types import Sample

MOST_VALIDATION_IMAGES = 16
BLOCK_FRACTION = 0.25
SMALLEST_BLOCK = 48
ENOUGH_OF_CLASS = 3
#: What is kept aside has no more than this part of all that is annotated.
MOST_ASIDE = 0.5
#: Names of files that are time points of one series: ``fieldA_t001``, ``fieldA-time-2``, ``t000``.
_TIME_POINT = re.compile(r"(?:[ _.\-]t(?:ime)?[ _\-]?\d+|^t\d{3,})(?=\.[a-z]\w*$|$)", re.IGNORECASE)

#: What follows the name of an image where a block of it measures.
BLOCK_SUFFIX = " (block)"

Role = Literal["training", "validation", "test"]
Amount = Callable[[Sample], int]


class BlockCut(Settings):
    """A cut through an image along an axis of ``(Z)YX``: pixels before `stop` train, those from `start` on measure."""

    axis: int
    stop: int
    start: int


class Split(Settings):
    """Who trains and who measures; a group is a series of time points, or what `group_by` finds alike in the names.

    Attributes
    ----------
    roles
        Of each group.
    by_hand
        Roles of single images (series) that a person gave, whatever group they belong to.
    cuts
        Of groups that train in part and measure in part.
    fraction
        Part of the groups kept aside, also of those that come later.
    seed
        Decides, with its name only, about a group.
    group_by
        Regular expression; images in whose names it finds the same (its first bracket, if it has one) stay together.
    """

    roles: dict[str, Role]
    by_hand: dict[str, Role] = Field(default_factory=dict)
    cuts: dict[str, BlockCut] = Field(default_factory=dict)
    fraction: float = 0.0
    seed: int = 0
    group_by: str | None = None

    def group(self, sample: Sample) -> str:
        """Give the name of the group of an image."""
        return group_of(sample, self.group_by)

    def role(self, sample: Sample) -> Role | None:
        """Give the role of an image; None where it is not known yet."""
        return self.by_hand.get(readable(sample.series), self.roles.get(self.group(sample)))

    def training_part(self, sample: Sample) -> Sample | None:
        """Give an image as it is learnt from: whole, with a mask that ends at the cut, or None where it is not."""
        if self.role(sample) != "training":
            return None
        cut = self.cuts.get(self.group(sample))
        return sample if cut is None else _masked(sample, cut)

    def fitted_part(self, sample: Sample) -> Sample | None:
        """Give the part of an image from which options may be taken: nothing of what is kept aside."""
        cut = self.cuts.get(self.group(sample))
        return self.training_part(sample) if cut is None else _cropped(sample, cut.axis, 0, cut.stop)

    def validation_part(self, sample: Sample) -> Sample | None:
        """Give what an image is measured on; None where that is nothing."""
        cut = self.cuts.get(self.group(sample))
        part = sample if self.role(sample) == "validation" else None
        if cut is not None and sample.image.shape[1 + cut.axis] > cut.start:
            part = replace(
                _cropped(sample, cut.axis, cut.start, None), name=f"{sample.name}{BLOCK_SUFFIX}", whole=sample.image
            )
        return part if part is not None and part.known_size else None

    def divide(self, samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
        """Give what is learnt from and what is measured on."""
        return tuple(_given(map(self.training_part, samples))), tuple(_given(map(self.validation_part, samples)))

    def with_aside(self, samples: Sequence[Sample]) -> "Split":
        """Give the split with images that a person keeps aside."""
        by_hand: dict[str, Role] = {readable(sample.series): "validation" for sample in samples}
        return self.model_copy(update={"by_hand": self.by_hand | by_hand})

    def grown(self, samples: Sequence[Sample], *, measure: bool = False) -> "Split":
        """Give the split with the roles of images that it did not know; those of others stay.

        Parameters
        ----------
        measure
            Keep one of the new images aside where nothing is yet.
        """
        roles = dict(self.roles)
        new = {self.group(sample) for sample in samples if self.role(sample) is None}
        for name in sorted(new, key=lambda name: _rank(name, self.seed)):
            aside = sum(role == "validation" for role in (*roles.values(), *self.by_hand.values()))
            first = measure and self.fraction > 0 and not self.cuts and not aside
            kept = (first or _rank(name, self.seed) < self.fraction) and aside < MOST_VALIDATION_IMAGES
            roles[name] = "validation" if kept and "training" in roles.values() else "training"
        return self.model_copy(update={"roles": roles})


def group_of(sample: Sample, pattern: str | None = None) -> str:
    """Give the name of the group of an image: what the pattern finds in its name, or the series it is of."""
    name = readable(sample.series)
    found = re.search(pattern, name) if pattern else None
    if found is not None:
        return (found.group(1) if found.re.groups else found.group()) or name
    return _TIME_POINT.sub("", name) or "t"


def make_split(
    samples: Sequence[Sample],
    fraction: float,
    seed: int,
    *,
    group_by: str | None = None,
    amount: Amount = lambda sample: sample.known_size,
    never: Collection[str] = (),
) -> Split:
    """Choose who measures.

    Several groups are split by group, in the order of a hash of their names, so that which others there are hardly
    matters. A group with more than half of all that is annotated is never kept aside, nor one with nothing; of such a
    large one, or of a single image, a block at one side is. A margin between the two is not learnt from, so that
    nothing measured was seen in training. With `fraction` 0, or an image too small for a block, nothing is kept aside.
    Where images have classes, every class with at least three images is among those kept aside, and the last image of
    a class never is.

    Parameters
    ----------
    amount
        How much is annotated of an image: objects, points or pixels.
    never
        Groups of which nothing may be kept aside.
    """
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(group_of(sample, group_by), []).append(sample)
    split = Split(roles=dict.fromkeys(groups, "training"), fraction=fraction, seed=seed, group_by=group_by)
    if fraction <= 0:
        return split
    amounts = {name: sum(amount(sample) for sample in members) for name, members in groups.items()}
    classes = {name: members[0].class_name for name, members in groups.items()}
    if chosen := _aside(amounts, classes, split, never):
        return split.model_copy(update={"roles": split.roles | dict.fromkeys(chosen, "validation")})
    largest = max(amounts, key=lambda name: amounts[name], default="")
    alone = len(groups) == 1 or amounts.get(largest, 0) > MOST_ASIDE * sum(amounts.values())
    cut = _cut_of(groups[largest]) if alone and largest not in never else None
    return split if cut is None else split.model_copy(update={"cuts": {largest: cut}})


def _aside(amounts: Mapping[str, int], classes: Mapping[str, str], split: Split, never: Collection[str]) -> set[str]:
    """Choose groups to keep aside; none where there is one only, or none that can be spared."""
    most = MOST_ASIDE * sum(amounts.values())
    spare = [name for name in amounts if 0 < amounts[name] <= most and name not in never]
    names = sorted(spare, key=lambda name: _rank(name, split.seed))
    count = min(max(1, round(split.fraction * len(amounts))), MOST_VALIDATION_IMAGES, len(amounts) - 1)
    chosen: set[str] = set()
    for name in _chosen(names, classes, count):
        if sum(amounts[one] for one in chosen) + amounts[name] <= most:
            chosen.add(name)
    return chosen


def _chosen(names: Sequence[str], classes: Mapping[str, str], count: int) -> list[str]:
    """Choose images to keep aside, in the order of `names`, so that each class can be both learnt and measured."""
    left = Counter(classes.values())
    if set(left) == {""}:
        return list(names[:count])
    # The first image of each class that can spare one, then whatever follows.
    first = {classes[name]: name for name in reversed(names) if left[classes[name]] >= ENOUGH_OF_CLASS}
    chosen: list[str] = []
    for name in (*(name for name in names if name in first.values()), *names):
        wanted = name in first.values() or len(chosen) < count
        if wanted and name not in chosen and left[classes[name]] > 1:
            chosen.append(name)
            left[classes[name]] -= 1
    return chosen


def _rank(name: str, seed: int) -> float:
    """Give a number in 0..1 that depends on name and seed alone."""
    return float(int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()) / 2**64)


def _given(samples: Iterable[Sample | None]) -> Iterable[Sample]:
    return (sample for sample in samples if sample is not None)


def _cut_of(samples: Sequence[Sample]) -> BlockCut | None:
    """Cut every sample of one series (its time points) at the same place; None where they differ in size."""
    if len({tuple(sample.image.shape[1:]) for sample in samples}) != 1:
        return None
    return _place_of_cut(np.any([sample.known for sample in samples], axis=0))


def _place_of_cut(known: npt.NDArray[np.bool_]) -> BlockCut | None:
    """Give the place of the cut; None where the annotated part is too small."""
    axis = known.ndim - 2 + int(known.shape[-1] >= known.shape[-2])
    others = tuple(a for a in range(known.ndim) if a != axis)
    profile = np.cumsum(known.sum(axis=others))
    total = int(profile[-1])
    start = int(np.searchsorted(profile, (1 - BLOCK_FRACTION) * total)) if total else 0
    annotated = np.flatnonzero(np.diff(profile, prepend=0))
    if not total or annotated[-1] + 1 - start < SMALLEST_BLOCK:
        return None
    stop = start - max(8, int(annotated[-1] - annotated[0]) // 32)
    return BlockCut(axis=axis, stop=stop, start=start) if stop > SMALLEST_BLOCK else None


def _masked(sample: Sample, cut: BlockCut) -> Sample:
    """Keep the whole image but learn from a slab of it only."""
    mask = np.zeros(tuple(sample.image.shape[1:]), bool)
    inside = (slice(None),) * cut.axis + (slice(0, cut.stop),)
    mask[inside] = sample.known[inside]
    return replace(sample, mask=mask)


def _cropped(sample: Sample, axis: int, start: int, stop: int | None) -> Sample:
    shape = tuple(sample.image.shape[1:])
    window = tuple(slice(start, n if stop is None else stop) if a == axis else slice(0, n) for a, n in enumerate(shape))
    return sample.part(window)
