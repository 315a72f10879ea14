"""Copies of projects: on another drive, or with their images in them, to be moved to another machine."""

import os
import shutil
from pathlib import Path

from microforge.errors import MicroforgeError, ProjectError, WriteError
from microforge.io.atomic import write_error
from microforge.project.document import ImageEntry
from microforge.project.image_files import IMAGES_FOLDER
from microforge.project.project import Project
from microforge.project.references import reference_to

_LOCKS = (".microforge-lock*",)


def copy_project(project: Project, folder: Path, *, with_images: bool = False) -> list[str]:
    """Copy a project into a new folder; give in words which images are missing in it.

    Parameters
    ----------
    with_images
        Copy the files of its images, too, so that the folder can be moved anywhere.

    Raises
    ------
    ProjectError
        If there is something in the folder.
    WriteError
        If it cannot be written.
    """
    if os.path.lexists(folder):
        raise ProjectError("There is something of that name.", where=str(folder), remedy="Choose another name.")
    try:
        shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns(*_LOCKS))
    except shutil.Error as error:
        raise WriteError(
            "Not everything could be copied.", where=str(folder), remedy="Choose another folder."
        ) from error
    except OSError as error:
        raise write_error(error, folder) from error
    return _with_images(project, folder) if with_images else []


def _with_images(project: Project, folder: Path) -> list[str]:
    missing: list[str] = []
    copy = Project.open(folder)
    try:
        for entry in copy.document.images:
            located = project.locate(entry)
            if located.path is None:
                missing.append(located.problem)
            elif not located.path.is_relative_to(project.folder):
                _take_in(copy, entry, located.path)
    finally:
        copy.close()
    return missing


def _take_in(copy: Project, entry: ImageEntry, path: Path) -> None:
    place = copy.folder / IMAGES_FOLDER / f"{entry.id}{path.suffix}"
    try:
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(path, place)
        file = reference_to(place, copy.folder, None if entry.file is None else entry.file.index)
    except OSError as error:
        raise write_error(error, place) from error
    copy.update(lambda document: document.with_image(entry.model_copy(update={"file": file})))


def copy_or_new(project: Project | None, folder: Path) -> Project:
    """Give a project in a new folder: a copy, or an empty one where the old one cannot be read any more."""
    if project is not None:
        try:
            copy_project(project, folder)
            return Project.open(folder)
        except MicroforgeError:
            shutil.rmtree(folder, ignore_errors=True)
    return Project.create(folder, name=folder.stem)
