"""What a training under way was given of the open images; come here when it learns what is no longer painted."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.watching.layer_content import checksum
from microforge.types import Sample

if TYPE_CHECKING:
    from microforge.gui.session.snapshot import Snapshot


@dataclass(frozen=True, eq=False)
class Edited:
    """An annotated image that may have changed.

    Attributes
    ----------
    image_version, version
        Another whenever the pixels of the image were found changed, or anything about it or the layers on it.
    """

    item: Annotated
    snapshot: "Snapshot"
    image_version: int = 0
    version: Hashable = None


@dataclass(eq=False)
class HandedOver:
    """The samples that a training has, by checksums; tells which to hand over again.

    Methods may be called in any thread, one at a time.

    Attributes
    ----------
    names
        The name under which the training knows each annotated image: one that is renamed stays the same image.
    """

    names: dict[Annotated, str] = field(default_factory=dict)
    _sums: dict[str, Hashable] = field(default_factory=dict)
    _nothing: dict[str, Sample] = field(default_factory=dict)
    _of: dict[Annotated, tuple[str, ...]] = field(default_factory=dict)
    _versions: dict[Annotated, Hashable] = field(default_factory=dict)

    def take(self, begun: Edited) -> list[Sample]:
        """Note what a training begins with; give it as copies, which later painting does not change."""
        own = [_copied(sample) for sample in begun.snapshot.loaded().samples()]
        self._note(begun, own)
        self._of[begun.item] = tuple(sample.name for sample in own)
        return own

    def changes(self, edited: Sequence[Edited]) -> Iterator[Sample]:
        """Give, as copies, the samples of which the training knows an older state, and new ones.

        What was painted on images that are not among these any more, the training is told to know nothing of.
        """
        for one in edited:
            if self._versions.get(one.item) != one.version:
                yield from self._changed(one)
                self._versions[one.item] = one.version
        if edited:
            # With nothing left to learn from, what was learnt from stays: layers are closed to tidy up, too.
            yield from self._gone({one.item for one in edited})

    def _changed(self, edited: Edited) -> Iterator[Sample]:
        samples = edited.snapshot.loaded().samples(self._sums)
        own = [_copied(one) for one in samples if self._sums.get(one.name) != _sum_of(one, edited.image_version)]
        names = [sample.name for sample in samples]
        lost = [name for name in self._of.get(edited.item, ()) if name not in names]
        self._note(edited, own)
        self._of[edited.item] = tuple(names)
        yield from own
        yield from (self._forget(name) for name in lost)

    def _gone(self, there: Collection[Annotated]) -> Iterator[Sample]:
        for item in [item for item in self._of if item not in there]:
            self._versions.pop(item, None)
            yield from (self._forget(name) for name in self._of.pop(item))

    def _note(self, edited: Edited, own: Sequence[Sample]) -> None:
        for sample in own:
            self._sums[sample.name] = _sum_of(sample, edited.image_version)
            self._nothing[sample.name] = _nothing_known(sample)

    def _forget(self, name: str) -> Sample:
        self._sums[name] = None
        return self._nothing[name]


def _copied(sample: Sample) -> Sample:
    """Give a sample that shares no memory with what a person draws on; the image is nobody's to draw on."""
    annotation, mask = (None if one is None else np.array(one) for one in (sample.annotation, sample.mask))
    return replace(sample, annotation=annotation, mask=mask)


def _sum_of(sample: Sample, image_version: int) -> Hashable:
    """Give what differs when a sample does."""
    arrays = (sample.annotation, sample.mask)
    points = sample.points
    return (
        image_version,
        *(None if one is None else (one.shape, checksum(np.asarray(one))) for one in arrays),
        None if points is None else (points.kinds, checksum(points.coordinates), checksum(points.kind)),
        sample.class_name,
        sample.pixel_size,
        sample.partly_painted,
    )


def _nothing_known(sample: Sample) -> Sample:
    """Give a sample of the same image of which nothing is known; its arrays take no memory."""
    shape = tuple(sample.image.shape[1:])
    annotation = sample.annotation
    return replace(
        sample,
        annotation=None if annotation is None else np.broadcast_to(np.zeros((), annotation.dtype), annotation.shape),
        mask=np.broadcast_to(np.zeros((), bool), shape),
        points=None if sample.points is None else sample.points.only(slice(0)),  # type: ignore[arg-type]
    )
