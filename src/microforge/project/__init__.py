"""Projects: images, all that is drawn on them, goal and models, in a folder that survives crashes.

Come here for how nothing drawn is lost: every change is appended to a journal at once, and later brought into plain
files that Fiji opens. `microforge.project.project` is where to begin.
"""

from microforge.errors import ProjectError
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
    "is_project",
    "path_from",
    "path_text",
]
