"""Load training data from paired files; a bad file is reported and never stops the others."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from microforge.annotations import AnnotationKind
from microforge.axes.letters import size_text
from microforge.axes.samples import likely_axes
from microforge.errors import AxesError, MicroforgeError, NotEnoughDataError, readable
from microforge.io.images import read_image
from microforge.io.pairing import Pair, Pairing
from microforge.tasks.base import Task
from microforge.types import Image, Sample

_READINGS = {
    3: "TYX for a time series, ZYX for a stack, CYX for channels",
    4: "TZYX for a time series of stacks, TCYX for one with channels, CZYX or ZCYX for a stack with channels",
}


#: So many of the last remarks may be on the same file.
_FEW = 8


class Problem(NamedTuple):
    """A file that cannot be used, and why; or what is to be said of one."""

    path: Path
    reason: str


class Loaded(NamedTuple):
    """Samples ready for training, the files that were left out with the reasons, and what was changed in others."""

    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()
    remarks: tuple[Problem, ...] = ()


def load_samples(
    pairs: Pairing | Sequence[Pair],
    task: Task,
    *,
    axes: str | None = None,
    target_axes: str | None = None,
    kind: AnnotationKind | None = None,
) -> Loaded:
    """Read images and annotations and let the task check them.

    Samples that differ from most others in their number of channels, and planes among stacks, are left out too.

    Parameters
    ----------
    axes, target_axes
        What the dimensions of the images and of targets mean, where the files do not know. Targets that could have
        the axes of the images are read with these.
    kind
        What the annotations are; by default what the task learns from. For measuring give `task.answer.truth`.

    Raises
    ------
    NotEnoughDataError
        If nothing is left; names the first reasons.
    """
    reader = _Reader(task, kind or task.annotation, axes, target_axes)
    samples: list[tuple[Path, Sample]] = []
    problems: list[Problem] = []
    for pair, name in _named(reader.wanted(pairs)):
        for item in reader.read(pair, name):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                samples.append((pair.image, item))
    samples, unlike = _agreeing(samples)
    problems += unlike
    if not samples:
        raise _nothing_left(problems)
    return Loaded(tuple(sample for _, sample in samples), tuple(problems), tuple(reader.remarks))


def iter_samples(
    pairs: Pairing | Sequence[Pair],
    task: Task,
    *,
    axes: str | None = None,
    target_axes: str | None = None,
    kind: AnnotationKind | None = None,
) -> Iterator[Sample | Problem]:
    """Yield each sample, or the problem of its file, as they are read; for showing progress.

    Whether the samples agree in their channels is only known at the end: `load_samples` looks at that.
    """
    reader = _Reader(task, kind or task.annotation, axes, target_axes)
    for pair, name in _named(reader.wanted(pairs)):
        yield from reader.read(pair, name)


def _named(pairs: Sequence[Pair]) -> Iterator[tuple[Pair, str]]:
    """Give each image its name; images of the same name in several folders get the folder's before it."""
    count = Counter(pair.name for pair in pairs)
    for pair in pairs:
        yield pair, pair.name if count[pair.name] == 1 else f"{readable(pair.image.parent.name)}/{pair.name}"


@dataclass(frozen=True)
class _Reader:
    """Reads pairs of files, all in the same way."""

    task: Task
    kind: AnnotationKind
    axes: str | None
    target_axes: str | None
    remarks: list[Problem] = field(default_factory=list)

    def wanted(self, pairs: Pairing | Sequence[Pair]) -> Sequence[Pair]:
        """Give the pairs that can be learnt from."""
        return self.kind.usable(pairs) if isinstance(pairs, Pairing) else pairs

    def read(self, pair: Pair, name: str) -> list[Sample | Problem]:
        """Give the samples of a pair, or its problem; a time series is taken whole or not at all."""
        try:
            image = read_image(pair.image, self.axes)
            self.remarks.extend(Problem(pair.image, note) for note in image.notes)
            if self.kind.axes_matter and not image.axes_known and image.data.ndim > 2:
                raise _unknown_axes(image)
            image = replace(image, name=name)
            samples = (
                replace(sample, class_name=pair.class_name, group=pair.group)
                for sample in self.kind.samples(image, pair, self.axes, self.target_axes)
            )
            return [self._checked(sample, pair) for sample in samples]
        except MicroforgeError as error:
            return [Problem(pair.image, _reason(error, pair))]

    def _checked(self, sample: Sample, pair: Pair) -> Sample:
        checked = self.task.check(sample)
        changed = self.task.changes(sample, checked)
        for text in (*sample.notes, *((f"{changed}.",) if changed else ())):
            # Every frame of a series has the notes of its file.
            if (remark := Problem(pair.image, text)) not in self.remarks[-_FEW:]:
                self.remarks.append(remark)
        return checked


def _unknown_axes(image: Image) -> AxesError:
    """Ask what the dimensions mean: a series taken for a stack would be learnt from without any sign of it."""
    shape = image.data.shape
    likely = likely_axes(shape)
    readings = _READINGS.get(len(shape), likely)
    if likely not in readings:
        readings = f"{likely}, {readings}"
    return AxesError(
        f"The image has the shape {size_text(shape)}, and the file does not say what these dimensions are.",
        where=image.source,
        remedy=f"Say it with --axes: {readings}.",
    )


def _reason(error: MicroforgeError, pair: Pair) -> str:
    """Give the text of an error without the image's own name, which stands beside it."""
    text = str(error)
    for path in (pair.image, pair.annotation, *pair.others):
        text = text.replace(str(path), path.name) if path is not None else text
    return text.removeprefix(f"{pair.image.name}: ").removeprefix(f"{pair.name}: ")


class _Kind(NamedTuple):
    """What all samples must have in common; 0 channels of a target where there is no image to become."""

    dims: int
    channels: int
    target_channels: int
    finer: int


def _kind(sample: Sample) -> _Kind:
    image, target = sample.image.shape, () if sample.annotation is None else sample.annotation.shape
    if len(target) < len(image):
        return _Kind(len(image), image[0], 0, 1)
    return _Kind(len(image), image[0], target[0], target[-1] // image[-1])


def _agreeing(samples: Sequence[tuple[Path, Sample]]) -> tuple[list[tuple[Path, Sample]], list[Problem]]:
    """Keep the samples that are alike in dimensions and channels; of each file that is not, say so once."""
    kinds = Counter(_kind(sample) for _, sample in samples)
    if len(kinds) < 2:
        return list(samples), []
    usual = kinds.most_common(1)[0][0]
    kept = [(path, sample) for path, sample in samples if _kind(sample) == usual]
    unlike = {path: _kind(sample) for path, sample in samples if _kind(sample) != usual}
    return kept, [Problem(path, _difference(kind, usual)) for path, kind in unlike.items()]


def _difference(kind: _Kind, usual: _Kind) -> str:
    words = {3: "plane", 4: "stack"}
    if kind.dims != usual.dims:
        return (
            f"The image is a {words[kind.dims]}, most others are {words[usual.dims]}s. "
            "Train on one kind, or correct the axes."
        )
    if kind.channels != usual.channels:
        return (
            f"The image has {_channels(kind.channels)}, most others have {usual.channels}. "
            "Train on images with the same channels."
        )
    if kind.target_channels != usual.target_channels:
        return (
            f"The target has {_channels(kind.target_channels)}, most others have {usual.target_channels}. "
            "Train on targets with the same channels."
        )
    return (
        f"The target is {kind.finer} times as fine as the image, most others {usual.finer} times. "
        "Train on pairs of one kind."
    )


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count != 1)}"


def _nothing_left(problems: Sequence[Problem]) -> NotEnoughDataError:
    if not problems:
        return NotEnoughDataError("There are no images to learn from.", remedy="Choose a folder with images.")
    reasons = " ".join(f"{one.path.name}: {one.reason}" for one in problems[:3])
    more = f" And {len(problems) - 3} more." if len(problems) > 3 else ""
    return NotEnoughDataError(
        f"None of the {len(problems)} files can be used. {reasons}{more}",
        where=str(problems[0].path.parent),
        remedy="Correct the first of them and try again.",
    )
