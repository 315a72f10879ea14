"""Validation of images and pairs before training: problems and advice of the task, cached. Without Qt and napari."""

from collections.abc import Iterable
from dataclasses import dataclass

from microforge.errors import MicroforgeError
from microforge.gui.session.snapshot import Snapshot
from microforge.tasks import Task

#: Of a long time series so many frames are looked at; a training looks at all.
FRAMES = 4


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
