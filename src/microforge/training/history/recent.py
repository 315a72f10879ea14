"""Models that earlier runs have left: come here for the list from which a person takes one up again. No torch."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from microforge.answers.quality import Severity
from microforge.errors import MicroforgeError
from microforge.io.model_file import ModelCard, read_card
from microforge.tasks import get_task
from microforge.training.history.earlier import earlier_models
from microforge.training.history.run_folder import MODEL_NAME, THUMBNAIL_NAME
from microforge.training.quality.doubt import doubt_of

#: Nobody looks further down a list.
MOST_LISTED = 40


@dataclass(frozen=True)
class KnownModel:
    """A model found in the folder of a run.

    Attributes
    ----------
    path
        Its file.
    written
        When, in seconds since 1970.
    earlier
        Whether its run has another model by now.
    """

    path: Path
    written: float
    card: ModelCard
    earlier: bool = False

    @property
    def run(self) -> Path:
        """The folder of its run."""
        return self.path.parent.parent if self.earlier else self.path.parent

    @property
    def thumbnail(self) -> Path | None:
        """A small picture of what it found; None where there is none."""
        picture = self.run / THUMBNAIL_NAME
        return picture if not self.earlier and picture.is_file() else None

    @property
    def in_words(self) -> str:
        """What it was learnt from, and how good it is."""
        trained = self.card.training
        images = f"{trained.images} image{'s' * (trained.images != 1)}" if trained.images else ""
        quality, _ = quality_of(self.card)
        return " · ".join(part for part in (trained.annotated or images, quality) if part)


def recent_models(folders: Iterable[Path], most: int = MOST_LISTED) -> Iterator[KnownModel]:
    """Find the models in the runs of these folders, the newest first; what cannot be read is passed over.

    Parameters
    ----------
    folders
        Folders of runs; one that is not there holds none.
    most
        Cards are read until so many are found.
    """
    found = sorted(_files(folders), key=lambda one: (-one[0], str(one[1])))
    listed = 0
    for written, path, earlier in found:
        try:
            card = read_card(path)
            get_task(card.task)
        except MicroforgeError:
            continue
        yield KnownModel(path, written, card, earlier)
        listed += 1
        if listed == most:
            return


def quality_of(card: ModelCard) -> tuple[str, Severity]:
    """Say in a few words how good a model is, what speaks against it included, and whether that needs a look."""
    doubt = doubt_of(card)
    if doubt is not None:
        return doubt.brief, "warning"
    quality = get_task(card.task).in_words(card.metrics)
    return ("quality unknown", "ok") if quality is None else (quality.brief, quality.severity)


def _files(folders: Iterable[Path]) -> Iterator[tuple[float, Path, bool]]:
    """Give when each model was written, its file, and whether its run has another by now."""
    for run in dict.fromkeys(run for folder in folders for run in _runs(folder)):
        for path in (run / MODEL_NAME, *earlier_models(run)):
            try:
                yield path.stat().st_mtime, path, path.name != MODEL_NAME
            except OSError:
                continue


def _runs(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return
