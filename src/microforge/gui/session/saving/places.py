"""Where a project goes that nobody asked for: beside the image, or among the user's data."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from microforge.errors import MicroforgeError, readable
from microforge.io.atomic import write_error
from microforge.io.files import IMAGE_SUFFIXES, portable_name
from microforge.project import Project

#: How the folder of a project ends.
SUFFIX = ".microforge"
#: So many bytes of a name: some disks take few, and a number may follow.
_LONGEST = 120


def begin_project(image: Path | None, name: str, runs_folder: Path, *, several: bool = False) -> Project:
    """Make a project in a new folder: beside the image's file where that can be written.

    Parameters
    ----------
    image
        The file of the image that is annotated first; None where it has none.
    name
        What the image is called.
    runs_folder
        Where trainings go: other projects are kept next to it.
    several
        Whether more images of the same folder are open: then the project is called after the folder.

    Raises
    ------
    MicroforgeError
        If nothing can be written in either place.
    """
    elsewhere = projects_folder(runs_folder)
    if image is not None:
        title = image.parent.name if several and image.parent.name else _stem(image.name)
        try:
            return _begin_in(image.parent, title)
        except (MicroforgeError, OSError):
            name = title
    try:
        elsewhere.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, elsewhere) from error
    return _begin_in(elsewhere, name)


def projects_folder(runs_folder: Path) -> Path:
    """Give where projects are kept that cannot lie beside their images: next to the trainings."""
    return (runs_folder.parent if runs_folder.name == "runs" else runs_folder) / "projects"


def free_folder(parent: Path, title: str) -> Path:
    """Give a folder for a project of this title that does not exist yet."""
    return next(folder for folder in _numbered(parent, title) if not os.path.lexists(folder))


def _begin_in(parent: Path, title: str) -> Project:
    folder = free_folder(parent, title)
    return Project.create(folder, name=folder.name.removesuffix(SUFFIX))


def _numbered(parent: Path, title: str) -> Iterator[Path]:
    plain = portable_name(readable(title)).encode()[:_LONGEST].decode(errors="ignore").strip(" .") or "project"
    yield parent / f"{plain}{SUFFIX}"
    yield from (parent / f"{plain} {number}{SUFFIX}" for number in count(2))


def _stem(name: str) -> str:
    endings = sorted(IMAGE_SUFFIXES, key=len, reverse=True)
    found = next((ending for ending in endings if name.lower().endswith(ending)), "")
    return name[: len(name) - len(found)] or name
