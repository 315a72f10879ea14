"""Count how many annotations are refused or changed by the checks of labels; on sound ones every one is a false alarm.

    python benchmarks/annotation_checks.py FOLDER... [--classes FOLDER...]

Every image file in the folders is read as labels of objects, those after ``--classes`` as classes of pixels. Prints one
JSON line: files and frames looked at, and the alarms by kind with the files' names.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from microforge.annotations.blurred_labels import check_not_blurred
from microforge.annotations.object_labels import check_not_inverted, separated
from microforge.errors import MicroforgeError
from microforge.io.files import find_images
from microforge.io.images import read_labels


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


def main() -> None:
    """Look at all files and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--classes", nargs="*", type=Path, default=[])
    given = parser.parse_args()
    alarms: dict[str, list[str]] = defaultdict(list)
    files = frames = 0
    for folder, objects in [*((one, True) for one in given.folders), *((one, False) for one in given.classes)]:
        for path in find_images([folder]):
            count, kinds = alarms_of(path, objects=objects)
            files, frames = files + 1, frames + count
            for kind in kinds:
                alarms[kind].append(f"{folder.name}/{path.name}")
    print(json.dumps({"files": files, "frames": frames, "alarms": alarms}))


if __name__ == "__main__":
    main()
