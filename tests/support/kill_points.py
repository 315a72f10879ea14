"""Kill a program that works on a project, and look what is left.

    python kill_points.py FOLDER calls EVERY
    python kill_points.py FOLDER power EVERY
    python kill_points.py FOLDER random TIMES

Runs the same work again and again and kills it (SIGKILL): at each EVERY-th of its calls to the operating system, in the
middle of one that writes; or TIMES times at random moments. With `power` all that the disk was not asked to have is
lost as well, as in a power cut. Prints how often it was killed, and what was found wrong. Nothing waits for the disk.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from microforge.axes.areas import Outline
from microforge.project import Project
from support.projects import painted, project_with_images, some_points, stroke

CALLS = ("open", "write", "fsync", "replace", "rename", "unlink", "ftruncate", "mkdir", "link")

State = dict[str, Any]


def state_of(project: Project) -> State:
    """Give all that was drawn and said."""
    first, second = (entry.id for entry in project.document.images)
    points = project.points(second)
    return {
        "first": painted(project, first),
        "second": painted(project, second),
        "points": None if points is None else points.coordinates.tolist(),
        "outlines": None if (found := project.outlines(first)) is None else [one.corners.tolist() for one in found],
        "class": project.entry(first).class_name,
    }


def work(folder: Path, done: Callable[[State], None]) -> None:
    """Draw, keep and bring into plain files; tell after each step what there must be from now on."""
    project = Project.open(folder)
    first, second = (entry.id for entry in project.document.images)
    drawings: list[Callable[[], object]] = [
        lambda: stroke(project, first, 1),
        lambda: stroke(project, second, 2, (16, 16)),
        lambda: project.write_points(second, some_points()),
        lambda: project.compact(),
        lambda: stroke(project, first, 3, (8, 8)),
        lambda: project.write_outlines(first, [Outline(np.array([[0, 0], [0, 9], [9, 9.5]]))]),
        lambda: project.update(
            lambda document: document.with_image(document.images[0].model_copy(update={"class_name": "sick"}))
        ),
        lambda: project.compact(),
        lambda: stroke(project, first, 4, (40, 40)),
        lambda: project.close(),
    ]
    for draw in drawings:
        draw()
        if not project.closed:
            project.sync()
        done(state_of(project))


class Killer:
    """Counts calls to the operating system, and kills the process at one of them."""

    def __init__(self, at: int) -> None:
        self.at, self.count = at, 0
        for name in CALLS:
            setattr(os, name, self._counted(name, getattr(os, name)))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                if name == "write":
                    call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted


def killed(
    folder: Path, number: int = 0, seconds: float | None = None, *, power: bool = False
) -> tuple[list[State], bool]:
    """Work, and kill it at a call or after some time; give the states that were there for sure, and whether it was."""
    read, write = os.pipe()
    before = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    child = os.fork()
    if not child:
        tell = os.write

        def say(value: Any) -> None:
            tell(write, json.dumps(value).encode() + b"\n")

        os.fsync = lambda handle: say([os.fstat(handle).st_ino, os.fstat(handle).st_size])
        Killer(number)
        work(folder, say)
        os._exit(0)
    os.close(write)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(read, "rb") as pipe:
        told = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    if power:
        lose_unsynced(folder, before | dict(one for one in told if isinstance(one, list)))
    return [one for one in told if isinstance(one, dict)], os.WIFSIGNALED(status)


def lose_unsynced(folder: Path, sizes: dict[int, int]) -> None:
    """Cut files to what the disk was asked to have of them, by their inode."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.truncate(path, min(path.stat().st_size, sizes.get(path.stat().st_ino, 0)))


def wrong_after(folder: Path, states: list[State], every: list[State]) -> list[str]:
    """Give what is wrong with a project that was killed."""
    allowed = every[max(0, len(states) - 1) : len(states) + 1] if states else [every[0], START]
    wrong = []
    for _ in range(2):
        project = Project.open(folder)
        if project.read_only:
            wrong.append(f"cannot be changed: {project.holder}")
        found = json.loads(json.dumps(state_of(project)))
        if found not in allowed:
            wrong.append(f"lost: {found} instead of {allowed[0]}")
        project.close()
        damage = project.verify()
        if damage:
            wrong.append(f"damage: {damage}; said: {project.recovered}")
    return wrong


START: State = {"first": {}, "second": {}, "points": None, "outlines": None, "class": ""}


def ways(how: str, amount: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Give how to kill, one time after the other, without end."""
    rng = np.random.default_rng()
    for number in count(1):
        if how == "random":
            yield {"seconds": float(rng.uniform(0, seconds))}
        else:
            yield {"number": number * amount, "power": how == "power"}


def main() -> None:
    """Kill again and again."""
    folder, how, amount = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    os.fsync = lambda handle: None
    project, _ = project_with_images(folder / "start", ["a", "b"])
    project.close()
    begun = time.monotonic()
    every, _ = killed(shutil.copytree(folder / "start", folder / "whole") / "cells.microforge")
    wrong: dict[str, list[str]] = {}
    kills = 0
    for way in ways(how, amount, time.monotonic() - begun):
        place = shutil.copytree(folder / "start", folder / "run") / "cells.microforge"
        states, was_killed = killed(place, **way)
        if found := wrong_after(place, states, every):
            wrong[str(way)] = found
        shutil.rmtree(folder / "run")
        kills += was_killed
        if kills == amount if how == "random" else not was_killed:
            break
    sys.stdout.write(json.dumps({"kills": kills, "wrong": wrong}))


if __name__ == "__main__":
    main()
