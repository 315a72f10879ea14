"""The projects worked on last, in a file next to the trainings; come here for *Go on with ...*."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from microforge.errors import MicroforgeError
from microforge.gui.session.opening.reading import entry_with_file
from microforge.gui.session.saving.places import SUFFIX
from microforge.io.atomic import atomic_write_text
from microforge.project import Project

_FILE = "recent projects.json"
#: So many are remembered.
_MOST = 12


@dataclass(frozen=True)
class RecentProject:
    """A project that was worked on.

    Attributes
    ----------
    words
        What is in it: ``62 objects in 3 images``.
    used
        When, in seconds since 1970.
    """

    folder: str
    name: str
    words: str = ""
    used: float = 0.0

    def in_words(self, now: datetime) -> str:
        """Say what it is, and when it was worked on."""
        what = f"{self.name}: {self.words}" if self.words else self.name
        return f"{what}, {day_in_words(datetime.fromtimestamp(self.used), now)}"


def recent_projects(runs_folder: Path) -> list[RecentProject]:
    """Give the projects that are still there, newest first; slow where one is on a drive that is gone."""
    return [one for one in _read(runs_folder) if _is_there(Path(one.folder))]


def projects_beside(image: Path) -> list[RecentProject]:
    """Give the projects in the folder of an image that have an annotation of it, the one changed last first."""
    found = []
    for folder in sorted(image.parent.glob(f"*{SUFFIX}")):
        with suppress(MicroforgeError, OSError):
            project = Project.open(folder, read_only=True)
            if entry_with_file(project, image) is not None:
                changed = (folder / "journal").stat().st_mtime
                found.append(RecentProject(str(folder), project.document.name, used=changed))
    return sorted(found, key=lambda one: -one.used)


def remember_project(runs_folder: Path, used: RecentProject) -> None:
    """Note that a project was worked on; without it the next start offers another."""
    others = [one for one in _read(runs_folder) if one.folder != used.folder]
    if not used.words:
        words = (one.words for one in _read(runs_folder) if one.folder == used.folder)
        used = RecentProject(used.folder, used.name, next(words, ""), used.used)
    with suppress(OSError, MicroforgeError):
        runs_folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(one) for one in [used, *others][:_MOST]], indent=1)
        atomic_write_text(runs_folder / _FILE, text, durable=False)


def day_in_words(then: datetime, now: datetime) -> str:
    """Say on which day something was: today, yesterday, 3 days ago, 12 Nov, 12 Nov 2024."""
    days = (now.date() - then.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{days} days ago"
    return f"{then.day} {then:%b}" + (f" {then.year}" if then.year != now.year else "")


def _read(runs_folder: Path) -> list[RecentProject]:
    try:
        found = json.loads((runs_folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [one for entry in found if (one := _entry(entry)) is not None] if isinstance(found, Sequence) else []


def _entry(entry: Any) -> RecentProject | None:
    try:
        return RecentProject(str(entry["folder"]), str(entry["name"]), str(entry["words"]), float(entry["used"]))
    except (KeyError, TypeError, ValueError):
        return None


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False
