"""Read the training data of the command line, and print what was found and left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from microforge.config import TrainingConfig
from microforge.data.loading import load_samples
from microforge.errors import PairingError
from microforge.io.pairing import Pairing, number_of, read_groups, read_split, some
from microforge.tasks import Task, get_task
from microforge.training.history.repeat import TrainingFiles
from microforge.types import Sample

_TOLD = 10


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What to train on; `validation` None leaves the choice to the training."""

    training: tuple[Sample, ...]
    validation: tuple[Sample, ...] | None


def load_training_data(config: TrainingConfig, files: TrainingFiles, say: Callable[[str], None]) -> TrainingData:
    """Pair and read the folders; files that cannot be used are told and left out.

    Raises
    ------
    MicroforgeError
        If nothing can be paired or read, or the table does not fit.
    """
    task = get_task(config.task).from_options(config.task_options)
    pairing = task.annotation.pair(files.images, files.targets)
    say(pairing.report())
    if files.groups is not None:
        pairing = _grouped(pairing, files.groups, say)
    if files.validation_split is None:
        return TrainingData(_load(pairing, task, files, say), None)
    held = pairing.select(read_split(files.validation_split, pairing.stems))
    training = _training_pairs(pairing, held, files.validation_split)
    say(f"By the table: {_usable(training, task)} to learn from, {_usable(held, task)} to measure quality.")
    return TrainingData(_load(training, task, files, say), _load(held, task, files, say))


def _grouped(pairing: Pairing, table: str, say: Callable[[str], None]) -> Pairing:
    groups = read_groups(table, pairing.stems)
    alone = [pair.image for pair in pairing.pairs if pair.name not in groups]
    say(f"By the table: {number_of(len(set(groups.values())), 'group')} of images that stay together.")
    if alone:
        say(f"{number_of(len(alone), 'image')} not in the table, each by itself: {some(alone)}.")
    return pairing.grouped(groups)


def _usable(pairing: Pairing, task: Task) -> int:
    return len(task.annotation.usable(pairing))


def _training_pairs(pairing: Pairing, held: Pairing, split: str) -> Pairing:
    """Give the images called 'train', or else all but those held and those called 'test'."""
    table = split.rpartition(":")[0]
    training = _called(pairing, f"{table}:train")
    tested = _called(pairing, f"{table}:test") if training is None else None
    training = (pairing if training is None else training).without(held.stems)
    return training if tested is None else training.without(tested.stems)


def _called(pairing: Pairing, split: str) -> Pairing | None:
    try:
        return pairing.select(read_split(split, pairing.stems))
    except PairingError:
        return None


def _load(pairing: Pairing, task: Task, files: TrainingFiles, say: Callable[[str], None]) -> tuple[Sample, ...]:
    loaded = load_samples(pairing, task, axes=files.axes, target_axes=files.target_axes)
    left_out = [f"LEFT OUT {path}: {reason}" for path, reason in loaded.problems]
    _tell_some(left_out, "... and {} more files were left out.", say)
    _tell_some([f"{path.name}: {remark}" for path, remark in loaded.remarks], "... and the like in {} more files.", say)
    return loaded.samples


def _tell_some(lines: Sequence[str], more: str, say: Callable[[str], None]) -> None:
    for line in lines[:_TOLD]:
        say(line)
    if len(lines) > _TOLD:
        say(more.format(len(lines) - _TOLD))
