"""A real window killed at random moments while a person paints and trains, then opened again; one JSON line.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/kill_window.py [--kills 200] [--seed 0]

Each life of the window is a process of its own. It opens the project that the one before left (the first makes it),
paints strokes, trains, and tells on its output what is painted and when the window says that all is
saved. It is killed (SIGKILL) after a random time. Then the project is opened by another process: every stroke that
the window called saved must be there, as must be every stroke older than five seconds; nothing may be unreadable.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

#: Pixels of the image and between strokes, each of which has a place of its own; a stroke is so wide.
SIZE, APART, BRUSH = 960, 20, 8
#: Seconds after a stroke within which it must be on the disk.
PROMISED = 5.0
#: Seconds that a window may take until it paints.
START = 120.0


def life(folder: Path) -> None:
    """One life of the window: until it is killed."""
    import napari
    import tifffile
    from qtpy.QtTest import QTest

    from microforge.annotations import LABELS
    from microforge.gui.dock import MicroforgeDock
    from microforge.gui.session.state import Session

    image = folder / "cells.tif"
    if not image.exists():
        tifffile.imwrite(image, np.random.default_rng(0).integers(0, 255, (SIZE, SIZE), np.uint8))
    viewer = napari.Viewer(show=True)
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=folder / "runs"))
    viewer.window.add_dock_widget(dock, name="Microforge")
    dock.session.set_config(width=8, depth=2, batch_size=2, patch_size=64, device="cpu")
    QTest.qWait(300)
    project = folder / "cells.microforge"
    if project.exists():
        dock.project.opening.open(project)
        wait(lambda: not dock.project.opening.running and bool(dock.session.annotated))
    else:
        dock.annotate.empty.read(image)
        wait(lambda: bool(dock.session.images()))
        dock.annotate.tools[LABELS].annotate.click()
    paint_on(viewer, dock)


def wait(until: Any) -> None:
    from qtpy.QtTest import QTest

    end = time.monotonic() + START
    while not until():
        QTest.qWait(20)
        if time.monotonic() > end:
            raise TimeoutError


def paint_on(viewer: Any, dock: Any) -> None:
    """Paint a stroke with a number of its own about every third of a second, and train once there is enough."""
    from qtpy.QtTest import QTest

    labels, pause = dock.session.annotated[0].labels, random.Random(time.time_ns())
    viewer.layers.selection.active = labels
    number, told = int(labels.data.max()), 0
    while number < (SIZE // APART) ** 2:
        number += 1
        row, column = (APART * place + APART // 2 for place in divmod(number - 1, SIZE // APART))
        labels.selected_label, labels.brush_size = number, BRUSH
        labels.paint((row, column), number)
        tell("painted", number=number, at=time.time())
        QTest.qWait(pause.randrange(100, 600))
        told = tell_saved(dock, number, told)
        if dock.train.train.isEnabled() and not dock.train.run.busy:
            dock.train.train.click()
            tell("training")


def tell_saved(dock: Any, number: int, told: int) -> int:
    """Tell the last stroke that is in the project, by what the project itself says."""
    project = dock.session.project
    if dock.project.state.text() != "All saved" or project is None or told == number:
        return told
    saved = int(np.max(project.labels(project.document.images[-1].id)))
    tell("saved", number=saved)
    return number


def tell(what: str, **values: Any) -> None:
    print(json.dumps({"what": what, **values}), flush=True)


def kill_once(folder: Path, seconds: float) -> dict[str, Any]:
    """Let a window live so long from its first stroke on, kill it; give what it had told."""
    window = subprocess.Popen(
        [sys.executable, __file__, "--life", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert window.stdout is not None
    lines = [json.loads(line) for line in until_painted(window, seconds)]
    killed = time.time()
    lines += [json.loads(line) for line in window.stdout.read().splitlines() if line.endswith("}")]
    window.wait()
    return {"lines": lines, "killed": killed}


def until_painted(window: "subprocess.Popen[str]", seconds: float) -> list[str]:
    """Read lines until the first stroke, then wait and kill."""
    assert window.stdout is not None
    lines = []
    for line in window.stdout:
        lines.append(line)
        if '"painted"' in line:
            break
    time.sleep(seconds)
    window.send_signal(signal.SIGKILL)
    return lines


def check(folder: Path, life: dict[str, Any], before: set[int]) -> dict[str, Any]:
    """Open the project, and compare it with what the window had told; `before` was in it when the window opened it."""
    from microforge.project import Project

    strokes = [line for line in life["lines"] if line["what"] == "painted"]
    saved = max((line["number"] for line in life["lines"] if line["what"] == "saved"), default=0)
    trained = any(line["what"] == "training" for line in life["lines"])
    found: dict[str, Any] = {"unreadable": 0, "damage": 0, "trained": int(trained), "recovered": (), "there": set()}
    try:
        project = Project.open(folder / "cells.microforge")
    except Exception as error:  # noqa: BLE001  # each is a failure to report
        return found | {"unreadable": 1, "error": repr(error), "committed_lost": len(before), "late": 0}
    labels = np.asarray(project.labels(project.document.images[-1].id))
    found["there"] = there = set(np.unique(labels).tolist()) - {0}
    found["recovered"] = project.recovered
    found["damage"] = len(project.verify()) if hasattr(project, "verify") else 0
    project.close()
    missing = [line for line in strokes if line["number"] not in there]
    committed = before | {line["number"] for line in strokes if line["number"] <= saved}
    ages = [life["killed"] - line["at"] for line in missing]
    return found | {
        "unreadable": int(labels.shape != (SIZE, SIZE)),
        "committed_lost": len(committed - there),
        "late": len([age for age in ages if age > PROMISED]),
        "oldest_lost_s": max(ages, default=0.0),
        "strokes": len(strokes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--life", type=Path)
    a = parser.parse_args()
    if a.life is not None:
        life(a.life)
        return
    rng, results = random.Random(a.seed), []
    with tempfile.TemporaryDirectory() as folder:
        there: set[int] = set()
        while len(results) < a.kills:
            told = kill_once(Path(folder), rng.uniform(0.0, 12))
            if there or (Path(folder) / "cells.microforge").exists():
                results.append(check(Path(folder), told, there))
                there = results[-1]["there"]
                print(results[-1] | {"there": len(there)}, file=sys.stderr)
    counted = ("strokes", "trained", "unreadable", "committed_lost", "late", "damage")
    line = {"benchmark": "kill_window", "kills": len(results)}
    line |= {name: sum(one.get(name, 0) for one in results) for name in counted}
    line["oldest_lost_s"] = round(max(one.get("oldest_lost_s", 0.0) for one in results), 2)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
