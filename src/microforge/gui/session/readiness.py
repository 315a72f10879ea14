"""Look at images and pairs before training: what the task says about each. Without Qt and napari."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from microforge.errors import MicroforgeError
from microforge.gui.session.snapshot import Snapshot
from microforge.tasks import Readiness, Task
from microforge.types import Annotation, Sample

#: Of a long time series so many frames are looked at; a training looks at all.
FRAMES = 4
_NOTHING = {
    Annotation.POINTS: Readiness("No cells are clicked yet.", "Choose an image and press Click the cells."),
    Annotation.CLASS: Readiness("No image has a class yet.", "Choose an image and press the button of its class."),
    Annotation.NONE: Readiness("No image is chosen yet.", "Choose an image and press Use this image."),
    Annotation.IMAGE: Readiness("No pair is chosen yet.", "Choose an image and its target and press Use this pair."),
}
_NOTHING_ANNOTATED = Readiness("Nothing is annotated yet.", "Choose an image and press Annotate this image.")
_NOTHING_PAINTED = Readiness("Nothing is painted yet.", "Paint in the Labels layer.")
_NOTHING_CLICKED = Readiness("No dot is set yet.", "Click a dot on each cell of at least one image or region.")


@dataclass(frozen=True)
class Verdict:
    """Why an image or pair cannot be learnt from (empty where it can), and what is odd about it."""

    problem: str = ""
    advice: tuple[str, ...] = ()


class Checker:
    """Ask a task about snapshots; what was looked at before and has not changed is not looked at again."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[Snapshot, Verdict]] = {}

    def verdicts(self, task: Task, snapshots: Iterable[Snapshot]) -> list[Verdict]:
        """Give what is to be said about each; slow for those that are new."""
        keys = [(_key(task, snapshot), snapshot) for snapshot in snapshots]
        # With the snapshot, so that no other array can get the address of one that is remembered.
        self._known = {
            key: self._known[key] if key in self._known else (snapshot, _judge(task, snapshot))
            for key, snapshot in keys
        }
        return [self._known[key][1] for key, _ in keys]


def readiness_of(task: Task, samples: Sequence[Sample], any_layer: bool) -> Readiness:
    """Say what there is to learn from and what is missing."""
    if not samples:
        empty = _NOTHING_CLICKED if task.annotation is Annotation.POINTS else _NOTHING_PAINTED
        return empty if any_layer else nothing_yet(task.annotation)
    try:
        arranged, _ = task.arrange(samples)
    except MicroforgeError as error:
        return Readiness(task.describe(samples).text, str(error))
    return task.describe(arranged)


def readiness_of_dots(task: Task, samples: Sequence[Sample], any_layer: bool) -> Readiness:
    """Say what there is to learn from, and what is odd about the dots: outside the image, clicked twice."""
    remarks, used = [], []
    for sample in samples:
        try:
            used.append(task.check(sample))
        except MicroforgeError as error:
            return Readiness("", str(error))
        changed = task.changes(sample, used[-1])
        remarks += [f"{sample.name}: {changed}."] if changed else []
    remarks += [advice.text for advice in task.advise(used)]
    ready = readiness_of(task, used, any_layer)
    return Readiness("\n".join((ready.text, *remarks)), ready.missing)


def nothing_yet(kind: Annotation) -> Readiness:
    """Say how to begin."""
    return _NOTHING.get(kind, _NOTHING_ANNOTATED)


def _key(task: Task, snapshot: Snapshot) -> tuple[object, ...]:
    images = [(id(image.data), image.name, image.axes) for image in (snapshot.image, *snapshot.targets)]
    return (task.name, task.options.model_dump_json(), snapshot.class_name, *images)


def _judge(task: Task, snapshot: Snapshot) -> Verdict:
    try:
        samples = snapshot.samples()
        samples = [task.check(sample) for sample in samples[:: max(1, len(samples) // FRAMES)]]
        return Verdict(advice=tuple(advice.text for advice in task.advise(samples)))
    except MicroforgeError as error:
        return Verdict(str(error))
