"""Models of a project: noted in it, or found among its runs; come here for which one is used."""

from datetime import datetime
from pathlib import Path

from microforge.errors import MicroforgeError, ProjectError
from microforge.io.model_file import read_card
from microforge.project.document import ModelEntry, ProjectDocument
from microforge.project.project import Project
from microforge.project.references import path_from, path_text, stored_file

RUNS_FOLDER = "runs"
_MODEL = "model.safetensors"


def run_folder_for(project: Project, result: str) -> Path:
    """Give a folder that does not exist yet for a training; it is not made."""
    name = f"{datetime.now():%Y-%m-%d %H.%M.%S} {result}".strip()
    folder, number = project.folder / RUNS_FOLDER / name, 1
    while folder.exists():
        number += 1
        folder = folder.with_name(f"{name} {number}")
    return folder


def models_of(project: Project) -> list[ModelEntry]:
    """Give the models that are there, those noted and those among the runs, the newest last."""
    noted = [model for model in project.document.models if (project.folder / path_from(model.path)).is_file()]
    known = {model.path for model in noted}
    found = [
        entry for path in sorted((project.folder / RUNS_FOLDER).glob(f"*/{_MODEL}")) for entry in _entry(project, path)
    ]
    return sorted([*noted, *(model for model in found if model.path not in known)], key=lambda model: model.created)


def newest_model(project: Project) -> Path:
    """Give the model that was chosen in a project, else the newest.

    Raises
    ------
    ProjectError
        If there is none.
    """
    chosen = project.folder / path_from(project.document.model) if project.document.model else None
    if chosen is not None and chosen.is_file():
        return chosen
    models = models_of(project)
    if not models:
        raise ProjectError(
            "The project has no model yet.",
            where=str(project.folder),
            remedy=f'Train one: microforge project train "{project.folder}".',
        )
    return project.folder / path_from(models[-1].path)


def note_model(project: Project, path: Path) -> None:
    """Note a model in a project, as the one that is chosen.

    Raises
    ------
    MicroforgeError
        If the project cannot be changed, or the file is no model.
    """
    card, stored = read_card(path), stored_file(path)
    entry = ModelEntry(
        path=_seen_from(project, path),
        name=card.name,
        task=card.task,
        created=card.created,
        images=card.training.images,
        content=stored.content,
        size=stored.size,
        modified=stored.modified,
    )

    def noted(document: ProjectDocument) -> ProjectDocument:
        others = tuple(model for model in document.models if model.path != entry.path)
        return document.model_copy(update={"models": (*others, entry), "model": entry.path})

    project.update(noted)


def _entry(project: Project, path: Path) -> list[ModelEntry]:
    try:
        card = read_card(path)
    except MicroforgeError:
        return []
    seen = _seen_from(project, path)
    return [ModelEntry(path=seen, name=card.name, task=card.task, created=card.created, images=card.training.images)]


def _seen_from(project: Project, path: Path) -> str:
    path = path.absolute()
    return path_text(path.relative_to(project.folder) if path.is_relative_to(project.folder) else path)
