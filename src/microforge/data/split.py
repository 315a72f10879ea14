"""Who trains and who measures: a role for each image, or a cut through the only one; never overlapping patches.

Come here for how images are kept aside. A split is made once for a run and kept with it: everything that trains or
measures, also changes while training and a run that goes on, asks the same `Split`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Literal

import numpy as np
from pydantic import Field

from microforge.annotations.pieces import WHOLE_IMAGES, Enough, Pieces, of_image, pieces_of_all
from microforge.config import Settings
from microforge.data.duplicates import united
from microforge.data.kept_aside import BlockCut, Draw
from microforge.errors import readable
from microforge.events import AsidePart, KeptAside
from microforge.types import Sample

#: Names of files that are time points of one series: ``fieldA_t001``, ``fieldA-time-2``, ``t000``.
_TIME_POINT = re.compile(r"(?:[ _.\-]t(?:ime)?[ _\-]?\d+|^t\d{3,})(?=\.[a-z]\w*$|$)", re.IGNORECASE)

#: What follows the name of an image where a block of it measures.
BLOCK_SUFFIX = " (block)"

Role = Literal["training", "validation", "test"]
PiecesOf = Callable[[Sample], Pieces]


class Split(Settings):
    """Who trains and who measures, by groups: what a person called one (`Sample.group`), or a series of time points.

    With `group_by` also what that finds alike in the names.

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
    alike
        For groups that show the same as another, that one: they are one group.
    """

    roles: dict[str, Role]
    by_hand: dict[str, Role] = Field(default_factory=dict)
    cuts: dict[str, BlockCut] = Field(default_factory=dict)
    fraction: float = 0.0
    seed: int = 0
    group_by: str | None = None
    alike: dict[str, str] = Field(default_factory=dict)

    def group(self, sample: Sample) -> str:
        """Give the name of the group of an image."""
        name = group_of(sample, self.group_by)
        return self.alike.get(name, name)

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

    def kept_aside(self, samples: Sequence[Sample]) -> KeptAside:
        """Tell what of these images, each as it was given or a part of that, is kept aside."""
        parts: dict[str, AsidePart] = {}
        for sample in samples:
            name, cut = sample.series.removesuffix(BLOCK_SUFFIX), self.cuts.get(self.group(sample))
            if self.role(sample) == "validation":
                parts[name] = AsidePart(name, by_hand=readable(sample.series) in self.by_hand)
            elif cut is not None:
                parts[name] = AsidePart(name, cut.axis, cut.start)
        return KeptAside(tuple(parts.values()))

    def with_alike(self, pairs: Iterable[tuple[str, str]]) -> "Split":
        """Give the split where groups that show the same are one; those that have a role already keep it."""
        found = united(pairs, self.roles)
        return self.model_copy(update={"alike": {**found, **self.alike}})

    def with_aside(self, samples: Sequence[Sample]) -> "Split":
        """Give the split with images that a person keeps aside."""
        by_hand: dict[str, Role] = {readable(sample.series): "validation" for sample in samples}
        return self.model_copy(update={"by_hand": self.by_hand | by_hand})

    def with_tests(self, names: Collection[str]) -> "Split":
        """Give the split with these images (series), and no others, left for a test: they have no part in a run."""
        others = {name: role for name, role in self.by_hand.items() if role != "test"}
        tests: dict[str, Role] = {readable(name): "test" for name in names}
        return self.model_copy(update={"by_hand": others | tests})

    def with_learnt(self, samples: Sequence[Sample]) -> "Split":
        """Give the split with images that it did not know, which are learnt from; roles that are known stay."""
        new: dict[str, Role] = {self.group(sample): "training" for sample in samples if self.role(sample) is None}
        return self.model_copy(update={"roles": self.roles | new})

    def grown(self, samples: Sequence[Sample], pieces: PiecesOf = of_image, enough: Enough = WHOLE_IMAGES) -> "Split":
        """Give the split with the roles of images that it did not know; those of others stay.

        Of the new ones about `fraction` are kept aside, and some where nothing is yet, by the rules of `make_split`.
        """
        new = {self.group(sample) for sample in samples if self.role(sample) is None}
        groups = _grouped(samples, self.group)
        draw = Draw({name: pieces_of_all(map(pieces, groups[name])) for name in groups}, enough, self.rank)
        aside = [name for name in self.roles if self.roles[name] == "validation"]
        nothing_yet = not aside and not self.cuts and "validation" not in self.by_hand.values()
        wanted = max(sum(self.rank(name) < self.fraction for name in new), int(nothing_yet))
        if not new or self.fraction <= 0 or not wanted or not draw.possible:
            return self.with_learnt(samples)
        chosen = draw.groups(len(aside) + wanted, groups.keys() - new - set(aside), aside)
        roles: dict[str, Role] = {name: "validation" if name in chosen else "training" for name in new}
        return self.model_copy(update={"roles": self.roles | roles})

    def rank(self, name: str) -> float:
        """Give the place of a group in the order of drawing, 0..1; it depends on name and seed alone."""
        return float(int.from_bytes(blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()) / 2**64)


def learnt_part(sample: Sample, aside: AsidePart | None) -> Sample | None:
    """Give what of an image is learnt from where a part of it, or all (then None), is kept aside."""
    if aside is None:
        return sample
    return None if aside.axis is None else _cropped(sample, aside.axis, 0, aside.start)


def group_of(sample: Sample, pattern: str | None = None) -> str:
    """Give the group of an image: as a person said, what the pattern finds in its name, or the series it is of."""
    if sample.group:
        return readable(sample.group)
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
    pieces: PiecesOf = of_image,
    enough: Enough = WHOLE_IMAGES,
    always_learnt: Collection[str] = (),
    alike: Mapping[str, str] | None = None,
) -> Split:
    """Choose who measures, so that what is learnt from stays most of what is annotated, of every class.

    Several groups are split by group, in the order of a hash of their names, so that which others there are hardly
    matters: as many as `fraction` says, and more until there are `enough` pieces to tell quality by. The group with
    most is never among them, nor one with nothing, nor more than half of a class. Where that leaves nothing and one
    group has more than half of all, as a single image has, a block of it is kept aside under the same rules, with a
    margin that is not learnt from. With `fraction` 0, too few pieces, or no place for a block, nothing is kept aside.

    Parameters
    ----------
    pieces
        Gives what is annotated on an image: objects, points, strokes.
    enough
        How much there must be of them.
    always_learnt
        Groups of which nothing may be kept aside.
    alike
        As of `Split`.
    """
    split = Split(roles={}, fraction=fraction, seed=seed, group_by=group_by, alike=dict(alike or {}))
    groups = _grouped(samples, split.group)
    split = split.model_copy(update={"roles": dict.fromkeys(groups, "training")})
    if fraction <= 0:
        return split
    annotated = {name: pieces_of_all(map(pieces, members)) for name, members in groups.items()}
    draw = Draw(annotated, enough, split.rank)
    if not draw.possible:
        return split
    if chosen := draw.groups(round(fraction * len(groups)), always_learnt):
        return split.model_copy(update={"roles": split.roles | dict.fromkeys(chosen, "validation")})
    largest = draw.largest
    one_shape = len({tuple(sample.image.shape[1:]) for sample in groups[largest]}) == 1
    cut = draw.cut(annotated[largest]) if draw.dominates and one_shape and largest not in always_learnt else None
    return split if cut is None else split.model_copy(update={"cuts": {largest: cut}})


def _grouped(samples: Iterable[Sample], group: Callable[[Sample], str]) -> dict[str, list[Sample]]:
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(group(sample), []).append(sample)
    return groups


def _given(samples: Iterable[Sample | None]) -> Iterable[Sample]:
    return (sample for sample in samples if sample is not None)


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
