"""Which files a training needs on the command line; reads none of them."""

from dataclasses import dataclass
from pathlib import Path

from microforge.tasks import get_task
from microforge.types import Annotation

#: What an image's partner is called, by what a task learns from.
PARTNERS = {
    Annotation.NONE: "",
    Annotation.IMAGE: "target",
    Annotation.POINTS: "points file",
    Annotation.CLASS: "class",
}
_NEEDED = {
    Annotation.POINTS: "a folder of points (CSV, ImageJ ROIs, Cell Counter XML), with the names of the images",
    Annotation.IMAGE: "a folder of the images wanted, with the names of the images",
    Annotation.LABELS: "a folder of label images, with the names of the images",
}


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
    axes, target_axes
        What the dimensions mean, where the files do not tell.
    """

    images: Path
    targets: tuple[Path, ...] = ()
    validation_split: str | None = None
    axes: str | None = None
    target_axes: str | None = None


def partner_of(annotation: Annotation) -> str:
    """Give what an image's partner is called: annotation, target, points file; empty where none is needed."""
    return PARTNERS.get(annotation, "annotation")


def wrong_use(task: str, files: TrainingFiles) -> str:
    """Say what is wrong with the folders given for a task, in words; empty if nothing.

    Raises
    ------
    SettingsError
        If there is no such task.
    """
    kind = get_task(task)
    needed, given = kind.annotation, files.targets
    if needed is Annotation.NONE:
        return (
            f"'{task}' learns from the images alone: the folder {given[0]} is not used. Leave it out." if given else ""
        )
    if not given:
        if needed is Annotation.CLASS:
            return ""
        return (
            f"'{task}' needs {_NEEDED.get(needed, 'a folder of annotations')}: microforge train {task} IMAGES FOLDER."
        )
    if len(given) > 1 and needed is not Annotation.IMAGE:
        what = "table of classes" if needed is Annotation.CLASS else "folder of annotations"
        return f"'{task}' takes one {what}, not {len(given)}: leave out {given[1]}."
    return ""
