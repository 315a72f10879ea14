"""Annotations that others have replaced: come here when something that was taken away is wanted back."""

import secrets
from datetime import datetime

from microforge.project.document import ImageEntry, ProjectDocument
from microforge.project.project import Project
from microforge.project.references import folder_name

#: Marks an entry whose annotation another one of the same image has replaced, with when.
_REPLACED = "replaced"


def begin_anew(project: Project, image_id: str) -> str:
    """Begin another annotation of an image; give its id. The one before stays in the project under its own.

    Raises
    ------
    MicroforgeError
        If the project cannot be written.
    """
    now, new_id = datetime.now().astimezone().isoformat(timespec="minutes"), secrets.token_hex(4)

    def changed(document: ProjectDocument) -> ProjectDocument:
        before = project.entry(image_id)
        folder = folder_name(before.name, new_id)
        new = before.model_copy(update={"id": new_id, "folder": folder, "parts": {}})
        window = before.window | {_REPLACED: now}
        return document.with_images([before.model_copy(update={"use": False, "window": window}), new])

    project.update(changed)
    return new_id


def is_replaced(entry: ImageEntry) -> bool:
    """Whether another annotation of its image has replaced that of an entry."""
    return bool(entry.window.get(_REPLACED))
