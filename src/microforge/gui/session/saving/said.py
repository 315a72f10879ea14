"""What was chosen in a window, between session and document of a project: goal, model, classes, folders."""

import os
from pathlib import Path

from microforge.errors import SettingsError
from microforge.gui.session.saving.due import Said
from microforge.gui.session.state import Session
from microforge.project import Goal, ModelEntry, Project, ProjectDocument, path_from, path_text
from microforge.tasks import available_tasks

_CLASSES, _FOLDERS = "class_names", "folders"
#: The files in the list of images: the way from the project, what each is for, whether it was reviewed.
LISTED = "images"


def with_said(document: ProjectDocument, said: Said, folder: Path, current: str) -> ProjectDocument:
    """Give the document with what is chosen now.

    Parameters
    ----------
    folder
        Of the project: models below it are noted as seen from it.
    current
        Id of the image in front; empty = as before.
    """
    model = "" if said.model is None else _seen_from(said.model, folder)
    models = document.models
    if model and all(known.path != model for known in models):
        models = (*models, ModelEntry(path=model, name=said.model_name, task=said.task))
    window = document.window | {
        _CLASSES: list(said.class_names),
        _FOLDERS: [path_text(folder) for folder in said.folders],
        LISTED: [[_way_to(path, folder), role, reviewed] for path, role, reviewed in said.images],
    }
    return document.model_copy(
        update={
            "goal": Goal(task=said.task, options=dict(said.options)),
            "model": model,
            "models": models,
            "window": window,
            "current": current or document.current,
        }
    )


def take_up(session: Session, project: Project) -> None:
    """Choose in a session what was chosen in a project."""
    document = project.document
    if document.goal.task in available_tasks():
        session.set_task(document.goal.task)
        try:
            session.set_config(task_options=document.goal.options)
        except (SettingsError, ValueError):
            # Another version had other options: the usual ones are used.
            session.set_config(task_options={})
    if names := document.window.get(_CLASSES):
        session.class_names = list(names)
    if folders := [path_from(folder) for folder in document.window.get(_FOLDERS, ())]:
        session.set_pairs(*folders)
    if document.model:
        model = project.folder / path_from(document.model)
        session.set_model(model if model.is_file() else None)


def _seen_from(path: Path, folder: Path) -> str:
    return path_text(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _way_to(path: str, folder: Path) -> str:
    """Give the way from a project to an image near it, as both may move; else the whole path."""
    near = Path(path).is_relative_to(folder.parent)
    return path_text(os.path.relpath(path, folder) if near else path)
