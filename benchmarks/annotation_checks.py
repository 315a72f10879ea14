"""Count how many annotations are refused or changed by the checks of labels; on sound ones every one is a false alarm.

    python benchmarks/annotation_checks.py FOLDER... [--classes FOLDER...] [--hint DATA...] [--images 100]

Every image file in the folders is read as labels of objects, those after ``--classes`` as classes of pixels. Folders
after ``--hint`` hold ``images/`` and ``labels/`` or ``points/`` of some of them, in which everything is annotated: the
hint that an image looks annotated in part is a false alarm on them as they are, and should come where all but 8 objects
or points are taken away. So many images of each are looked at, drawn at random.

Prints one JSON line: files and frames looked at, and the alarms by kind with the files' names; by folder, images
looked at, which of them gave a false hint, how many with more than 8 things had some taken away, and how many told it.
"""

import argparse
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from microforge.annotations.blurred_labels import check_not_blurred
from microforge.annotations.object_labels import check_not_inverted, separated
from microforge.data.loading import load_samples
from microforge.errors import MicroforgeError
from microforge.io.files import find_images
from microforge.io.images import read_labels
from microforge.tasks import Task, get_task
from microforge.types import Sample

#: So many objects or points are left where the rest is taken away.
LEFT = 8


def alarms_of(path: Path, *, objects: bool) -> tuple[int, list[str]]:
    """Give how many frames a file holds, and the kinds of alarms."""
    try:
        image = read_labels(path)
    except MicroforgeError as error:
        return 0, [f"unreadable: {error.problem}"]
    frames = list(image.data) if "T" in image.axes else [image.data]
    return len(frames), sorted({kind for labels in frames for kind in _alarms(np.asarray(labels), objects=objects)})


def _alarms(labels: np.ndarray, *, objects: bool) -> list[str]:
    checks = {"blurred": check_not_blurred} | ({"inverted": check_not_inverted} if objects else {})
    parts = separated(labels) if objects else None
    kinds = [] if parts is None or not parts.torn else ["wrapped" if parts.top else "reused"]
    for kind, check in checks.items():
        try:
            check(labels, "")
        except MicroforgeError:
            kinds.append(kind)
    return kinds


def hints_of(data: Path, most: int) -> dict[str, Any]:
    """Count the hints on complete images of a folder, and on the same with few things left."""
    kind = "points" if (data / "points").is_dir() else "labels"
    task = get_task("counting" if kind == "points" else "instances").from_options({})
    rng = np.random.default_rng(0)
    samples = load_samples(task.annotation.pair(data / "images", [data / kind]), task).samples
    looked_at = [samples[k] for k in rng.permutation(len(samples))[:most]]
    fewer = [part for sample in looked_at if (part := few_left(sample, rng)) is not None]
    told = sum(is_hinted(task, sample) for sample in fewer)
    false = [sample.name for sample in looked_at if is_hinted(task, sample)]
    return {"images": len(looked_at), "false": false, f"only {LEFT} left": len(fewer), "told": told}


def is_hinted(task: Task, sample: Sample) -> bool:
    return any(advice.code.startswith("partly ") for advice in task.advise([sample]))


def few_left(sample: Sample, rng: np.random.Generator) -> Sample | None:
    """Take away all but some objects or points, drawn at random; None where there are no more than these."""
    if sample.points is not None:
        kept = np.isin(np.arange(len(sample.points)), rng.permutation(len(sample.points))[:LEFT])
        return None if kept.all() else replace(sample, points=sample.points.only(kept))
    labels = np.asarray(sample.annotation)
    chosen = rng.permutation(np.unique(labels[labels > 0]))[:LEFT]
    left = np.where(np.isin(labels, chosen), labels, 0)
    return None if np.array_equal(left, labels) else replace(sample, annotation=left)


def main() -> None:
    """Look at all files and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--classes", nargs="*", type=Path, default=[])
    parser.add_argument("--hint", nargs="*", type=Path, default=[])
    parser.add_argument("--images", type=int, default=100, help="so many of each folder after --hint")
    given = parser.parse_args()
    alarms: dict[str, list[str]] = defaultdict(list)
    files = frames = 0
    for folder, objects in [*((one, True) for one in given.folders), *((one, False) for one in given.classes)]:
        for path in find_images([folder]):
            count, kinds = alarms_of(path, objects=objects)
            files, frames = files + 1, frames + count
            for kind in kinds:
                alarms[kind].append(f"{folder.name}/{path.name}")
    hints = {data.name: hints_of(data, given.images) for data in given.hint}
    print(json.dumps({"files": files, "frames": frames, "alarms": alarms, "hints": hints}))


if __name__ == "__main__":
    main()
