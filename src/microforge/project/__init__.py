"""Projects: images, all that is drawn on them, goal and models, in a folder that survives crashes.

Come here for how nothing drawn is lost: every change is appended to a journal at once, and later brought into plain
files that Fiji opens. `microforge.project.project` is where to begin.
"""

from microforge.errors import ProjectError
from microforge.project.copying import copy_or_new, copy_project
from microforge.project.document import (
    AnnotationPart,
    FileReference,
    Goal,
    ImageEntry,
    ImageRole,
    ModelEntry,
    ProjectDocument,
)
from microforge.project.document_file import is_project
from microforge.project.image_files import ImageSource
from microforge.project.project import Project
from microforge.project.references import Located, path_from, path_text
from microforge.project.replaced import begin_anew, is_replaced

__all__ = [
    "AnnotationPart",
    "FileReference",
    "Goal",
    "ImageEntry",
    "ImageRole",
    "ImageSource",
    "Located",
    "ModelEntry",
    "Project",
    "ProjectDocument",
    "ProjectError",
    "begin_anew",
    "copy_or_new",
    "copy_project",
    "is_project",
    "is_replaced",
    "path_from",
    "path_text",
]
