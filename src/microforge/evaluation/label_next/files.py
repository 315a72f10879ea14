"""Rank the images of a folder, and write the list as a table: the command `next`."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from microforge.axes.samples import to_samples
from microforge.config import PredictionConfig
from microforge.errors import NotEnoughDataError
from microforge.evaluation.label_next.suggesting import Candidate, Looked, Part, Seen, Suggestion, look_around, ranked
from microforge.io.files import find_images, image_stem
from microforge.io.images import read_image
from microforge.io.model_file import ModelCard
from microforge.io.tables import write_table
from microforge.types import series_of


@dataclass(frozen=True)
class NextImages:
    """What to annotate next of some files.

    Attributes
    ----------
    suggestions
        Best first; each `number` is a place in `paths`.
    annotated
        How many of the files the model was trained or measured on, by their names.
    failed
        Names of files that could not be looked at, and why in words.
    """

    paths: tuple[Path, ...]
    suggestions: tuple[Suggestion, ...]
    annotated: int
    failed: tuple[tuple[str, str], ...]

    def rows(self) -> list[dict[str, object]]:
        """Give a row for each suggestion: file, region in pixels, and why."""
        return [_row(rank, self.paths[one.number], one) for rank, one in enumerate(self.suggestions, start=1)]

    def write(self, path: Path) -> None:
        """Write the rows as a CSV table.

        Raises
        ------
        WriteError
            If it cannot be written; one that was there is unchanged.
        """
        rows = self.rows() or [_row(0, Path(), Suggestion(0, "", 0, (slice(0, 0),) * 2, 0.0, ""))]
        columns = {name: np.array([row[name] for row in rows], object) for name in rows[0]}
        write_table(path, columns if self.suggestions else {name: column[:0] for name, column in columns.items()})


def next_images(
    model: Path | str,
    inputs: Sequence[str | Path],
    *,
    order: str = "spread",
    most: int = 10,
    whole: bool = True,
    seed: int = 0,
    axes: str | None = None,
    config: PredictionConfig | None = None,
    progress: Callable[[Looked], None] | None = None,
) -> NextImages:
    """Say which images, or regions of them, to annotate next.

    Files that have the name of an image which the model was trained or measured on count as annotated.

    Parameters
    ----------
    inputs
        Files, folders and patterns.
    order, most, whole, seed
        As of `microforge.evaluation.label_next.look_around` and `ranked`.
    axes
        What the dimensions mean, where the files do not tell.

    Raises
    ------
    ModelFileError
        If the model cannot be read.
    ImageReadError
        If one of the inputs stands for no image.
    NotEnoughDataError
        If none of the images can be looked at.
    """
    from microforge.inference.predictor import Predictor

    paths = find_images(inputs)
    predictor = Predictor(Path(model), config)
    learnt = _annotated_names(predictor.card)
    candidates = [Candidate(path.name, partial(_parts, path, axes, learnt)) for path in paths]
    failed, seen = [], None
    for event in look_around(predictor, candidates, whole=whole, seed=seed):
        if isinstance(event, Seen):
            seen = event
            continue
        if event.problem:
            failed.append((event.name, event.problem))
        if progress is not None:
            progress(event)
    if seen is None or not seen.looks:
        first = f" The first, {failed[0][0]}: {failed[0][1]}" if failed else ""
        raise NotEnoughDataError(f"None of the {len(paths)} images could be looked at.{first}")
    annotated = sum(image_stem(path) in learnt for path in paths)
    return NextImages(tuple(paths), ranked(seen, order, most, seed), annotated, tuple(failed))


def _annotated_names(card: ModelCard) -> frozenset[str]:
    names: Iterable[str] = (*card.training.names, *card.training.validation_names)
    return frozenset(series_of(name) for name in names)


def _parts(path: Path, axes: str | None, annotated: Collection[str]) -> list[Part]:
    known = image_stem(path) in annotated
    return [Part(sample, known) for sample in to_samples(read_image(path, axes))]


def _row(rank: int, path: Path, one: Suggestion) -> dict[str, object]:
    depth = one.window[:-2]
    row, column = one.window[-2:]
    return {
        "rank": rank,
        "image": path.name,
        "path": str(path),
        "frame": one.time,
        "plane": depth[0].start if depth else 0,
        "y": row.start,
        "x": column.start,
        "height": row.stop - row.start,
        "width": column.stop - column.start,
        "disagreement": round(one.disagreement, 3),
        "reason": one.reason,
    }
