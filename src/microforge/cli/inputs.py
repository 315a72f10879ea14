"""Which files `microforge train` needs; come here for its checks of folders."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingFiles:
    """What to train on, as given on the command line.

    Attributes
    ----------
    targets
        Folders of annotations or of images wanted; a table of classes; none where the task learns from the images
        alone, or the images lie in folders named by their class.
    validation_split
        ``table.csv:name`` of the images to measure on; trained on are those of the split `train`, or all others
        where the table has none of that name.
    groups
        ``table.csv:column`` that says what the images belong to: all of a group is learnt from, or measured on.
    axes, target_axes
        What the dimensions mean, where the files do not tell.
    """

    images: Path
    targets: tuple[Path, ...] = ()
    validation_split: str | None = None
    axes: str | None = None
    target_axes: str | None = None
    groups: str | None = None


def wrong_use(task: str, files: TrainingFiles) -> str:
    """Say what is wrong with the folders given for a task, in words; empty if nothing.

    Raises
    ------
    SettingsError
        If there is no such task.
    """
    from microforge.tasks import get_task

    return get_task(task).annotation.wrong_use(task, files.targets)
