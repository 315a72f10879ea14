"""From files to samples a task can learn from; a bad file is reported and never stops the others."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from microforge.data.axes import to_samples
from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.io.images import read_image, read_labels
from microforge.io.pairs import Pair, Pairing
from microforge.tasks.base import Task
from microforge.types import Annotation, Image, Sample

AnnotationReader = Callable[[Path], Image]
#: How a drawing is read, by its kind; kinds that are missing cannot be loaded from files yet.
READERS: Mapping[Annotation, AnnotationReader] = {Annotation.LABELS: read_labels}


class Problem(NamedTuple):
    """A file that cannot be used, and why."""

    path: Path
    reason: str


class Loaded(NamedTuple):
    """Samples ready for training, and the files that were left out with the reasons."""

    samples: tuple[Sample, ...]
    problems: tuple[Problem, ...] = ()


def load_samples(pairs: Pairing | Sequence[Pair], task: Task, *, axes: str | None = None) -> Loaded:
    """Read images and annotations and let the task check them.

    Samples that differ from most others in their number of channels, and planes among stacks, are left out too.

    Parameters
    ----------
    axes
        What the dimensions of the images mean, where the files do not know.

    Raises
    ------
    NotEnoughDataError
        If nothing is left; names the first reasons.
    """
    pairs = _wanted(pairs, task)
    samples: list[tuple[Path, Sample]] = []
    problems: list[Problem] = []
    for pair in pairs:
        for item in _read(pair, task, axes):
            if isinstance(item, Problem):
                problems.append(item)
            else:
                samples.append((pair.image, item))
    samples, unlike = _agreeing(samples)
    problems += unlike
    if not samples:
        raise _nothing_left(problems)
    return Loaded(tuple(sample for _, sample in samples), tuple(problems))


def iter_samples(pairs: Pairing | Sequence[Pair], task: Task, *, axes: str | None = None) -> Iterator[Sample | Problem]:
    """Yield each sample, or the problem of its file, as they are read; for showing progress.

    Whether the samples agree in their channels is only known at the end: `load_samples` looks at that.
    """
    for pair in _wanted(pairs, task):
        yield from _read(pair, task, axes)


def _wanted(pairs: Pairing | Sequence[Pair], task: Task) -> Sequence[Pair]:
    """Give the pairs; where the task needs no drawing, also the images without one."""
    if not isinstance(pairs, Pairing):
        return pairs
    if task.annotation is not Annotation.NONE:
        return pairs.pairs
    return (*pairs.pairs, *(Pair(path) for path in pairs.images_alone))


def _read(pair: Pair, task: Task, axes: str | None) -> list[Sample | Problem]:
    """Give the samples of a pair, or its problem; a time series is taken whole or not at all."""
    try:
        image = read_image(pair.image, axes)
        annotation = _annotation(pair, task)
        return [task.check(sample) for sample in to_samples(image, annotation)]
    except MicroforgeError as error:
        return [Problem(pair.image, _reason(error, pair))]


def _annotation(pair: Pair, task: Task) -> Image | None:
    if task.annotation is Annotation.NONE or pair.annotation is None:
        return None
    reader = READERS.get(task.annotation)
    if reader is None:
        raise NotEnoughDataError(f"Annotations of the kind '{task.annotation.value}' cannot be read from files yet.")
    return reader(pair.annotation)


def _reason(error: MicroforgeError, pair: Pair) -> str:
    """Give the text of an error without the image's own name, which stands beside it."""
    text = str(error)
    for path in (pair.image, pair.annotation):
        text = text.replace(str(path), path.name) if path is not None else text
    return text.removeprefix(f"{pair.image.name}: ").removeprefix(f"{pair.name}: ")


def _agreeing(samples: Sequence[tuple[Path, Sample]]) -> tuple[list[tuple[Path, Sample]], list[Problem]]:
    """Keep the samples that are alike in dimensions and channels; of each file that is not, say so once."""
    kinds = Counter((sample.image.ndim, sample.image.shape[0]) for _, sample in samples)
    if len(kinds) < 2:
        return list(samples), []
    usual = kinds.most_common(1)[0][0]
    kept = [(path, sample) for path, sample in samples if (sample.image.ndim, sample.image.shape[0]) == usual]
    unlike = {path: sample for path, sample in samples if (sample.image.ndim, sample.image.shape[0]) != usual}
    return kept, [Problem(path, _difference(sample, usual)) for path, sample in unlike.items()]


def _difference(sample: Sample, usual: tuple[int, int]) -> str:
    words = {3: "plane", 4: "stack"}
    if sample.image.ndim != usual[0]:
        return (
            f"The image is a {words[sample.image.ndim]}, most others are {words[usual[0]]}s. "
            "Train on one kind, or correct the axes."
        )
    channels = sample.image.shape[0]
    return (
        f"The image has {channels} channel{'s' * (channels != 1)}, most others have {usual[1]}. "
        "Train on images with the same channels."
    )


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
