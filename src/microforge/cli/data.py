"""Reading what is trained on from folders, telling what was found."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from microforge.config import TrainingConfig
from microforge.data.loading import load_samples
from microforge.errors import PairingError
from microforge.io.pairs import Pairing, pair_folders, read_split
from microforge.tasks import Task, get_task
from microforge.types import Sample

_TOLD = 10


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What to train on; `validation` None leaves the choice to the training."""

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...] | None


def load_training_data(
    config: TrainingConfig,
    images: Path,
    annotations: Path,
    validation_split: str | None,
    axes: str | None,
    say: Callable[[str], None],
) -> TrainingData:
    """Pair and read two folders; files that cannot be used are told and left out.

    Parameters
    ----------
    validation_split
        ``table.csv:name`` of the images to measure on; trained on are those of the split `train`, or all others
        where the table has none of that name.

    Raises
    ------
    MicroforgeError
        If nothing can be paired or read, or the table does not fit.
    """
    task = get_task(config.task).from_options(config.task_options)
    pairing = pair_folders(images, annotations)
    say(pairing.report())
    if validation_split is None:
        return TrainingData(_load(pairing, task, axes, say), None)
    held = pairing.select(read_split(validation_split, pairing.stems))
    training = _training_pairs(pairing, held, validation_split)
    say(f"By the table: {len(training.pairs)} to learn from, {len(held.pairs)} to measure quality.")
    return TrainingData(_load(training, task, axes, say), _load(held, task, axes, say))


def _training_pairs(pairing: Pairing, held: Pairing, split: str) -> Pairing:
    table = split.rpartition(":")[0]
    try:
        training = pairing.select(read_split(f"{table}:train", pairing.stems))
    except PairingError:
        training = pairing
    return training.without(held.stems)


def _load(pairing: Pairing, task: Task, axes: str | None, say: Callable[[str], None]) -> tuple[Sample, ...]:
    loaded = load_samples(pairing, task, axes=axes)
    for path, reason in loaded.problems[:_TOLD]:
        say(f"LEFT OUT {path}: {reason}")
    if len(loaded.problems) > _TOLD:
        say(f"... and {len(loaded.problems) - _TOLD} more files were left out.")
    return loaded.samples
