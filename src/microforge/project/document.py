"""What a project says of itself: goal, images, roles, models; come here for a new field of `project.json`.

Everything is frozen: a change makes a new document, and `Project.update` keeps it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field

from microforge.config import Settings
from microforge.types import Unpainted

#: Raised with each change that older versions would misread; `microforge.project.document_file` migrates.
SCHEMA_VERSION = 1

ImageRole = Literal["", "training", "validation", "test"]


class Goal(Settings):
    """What is to be learnt: the name of a task, and what was chosen of its options; no task: nothing chosen yet."""

    task: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


class FileReference(Settings):
    """Where a file is, and what it was like, so that it is found again when the project or the file moves.

    Attributes
    ----------
    relative, absolute
        Place seen from the project's folder (empty where there is no way, as between drives), and as a whole. Names
        are kept as `microforge.project.references.path_text` writes them.
    size, modified
        Bytes, and time of the last writing in nanoseconds since 1970.
    content
        Hash of the content, see `microforge.project.references.content_hash`.
    index
        Which image of a file that holds several; None where it holds one.
    """

    relative: str
    absolute: str
    size: int
    modified: int
    content: str
    index: int | None = None


class StoredFile(Settings):
    """A file of an annotation as it was written: its name in the annotation's folder, bytes, time (ns) and hash."""

    name: str
    size: int
    modified: int
    content: str


class Generation(Settings):
    """An annotation as plain files: the first file is what counts, others show the same to other programs.

    Attributes
    ----------
    sequence
        Number of the last commit that it holds; later ones are in the journal.
    count
        How many objects, points or regions it holds.
    """

    sequence: int
    files: tuple[StoredFile, ...]
    count: int = 0


class AnnotationPart(Settings):
    """One thing a person draws on an image.

    Attributes
    ----------
    axes, shape
        Of labels, ``(T)(Z)YX``; of points the letters of their columns.
    kinds
        Of points, also those of which there is none.
    generations
        The newest first; the one before is kept.
    """

    axes: str = ""
    shape: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    generations: tuple[Generation, ...] = ()


class ImageEntry(Settings):
    """An image of a project, and what is known of it.

    Attributes
    ----------
    folder
        Name of its folder in ``annotations/``; it stays when the image gets another name.
    file
        Where its pixels are.
    axes, pixel_size, shape
        As a person said, or as the file does: one letter of ``TCZYXS`` per dimension; ``(Z)YX`` in micrometres; pixels.
    role
        Who trains and who measures; empty: it is drawn. An image for the test is never learnt from.
    use
        Whether it is to be learnt from or measured on at all.
    unpainted
        What ground is outside the region on which nothing is drawn.
    no_cells
        Whether a person has looked and there is nothing.
    reviewed
        Whether a person has looked at all of it.
    targets
        Images (their ids) that it should become.
    alone
        Whether the image itself is learnt from, without anything drawn.
    parts
        What is drawn, by name: ``labels``, ``background``, ``points``, ``region``.
    window
        What the window remembers of it (camera, contrast); nothing else reads it.
    """

    id: str
    name: str
    folder: str
    file: FileReference | None = None
    axes: str = ""
    pixel_size: tuple[float, ...] | None = None
    shape: tuple[int, ...] = ()
    role: ImageRole = ""
    use: bool = True
    unpainted: Unpainted = "background"
    class_name: str = ""
    no_cells: bool = False
    reviewed: bool = False
    targets: tuple[str, ...] = ()
    alone: bool = False
    parts: dict[str, AnnotationPart] = Field(default_factory=dict)
    window: dict[str, Any] = Field(default_factory=dict)


class ModelEntry(Settings):
    """A model that was trained in a project, or chosen in it.

    Attributes
    ----------
    path
        Seen from the project's folder, or a whole one, as `path_text` writes them.
    content, size, modified
        Hash of the file, its bytes and its time of writing (ns) when the hash was taken; empty where it was not. A
        training that goes on writes another file there.
    """

    path: str
    name: str = ""
    task: str = ""
    created: str = ""
    images: int = 0
    content: str = ""
    size: int = 0
    modified: int = 0


class ProjectDocument(Settings):
    """All that a project knows but the annotations themselves.

    Attributes
    ----------
    sequence
        Number of the last commit that it holds.
    current
        Id of the image worked on last.
    model
        Path of the model chosen, one of `models`.
    window
        What the window remembers; nothing else reads it.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    name: str
    created: str
    sequence: int = 0
    goal: Goal = Goal()
    current: str = ""
    model: str = ""
    models: tuple[ModelEntry, ...] = ()
    window: dict[str, Any] = Field(default_factory=dict)
    images: tuple[ImageEntry, ...] = ()

    def image(self, image_id: str) -> ImageEntry | None:
        """Give the entry of an image; None where there is none."""
        return next((entry for entry in self.images if entry.id == image_id), None)

    def with_image(self, entry: ImageEntry) -> "ProjectDocument":
        """Give the document with an image changed, or added at the end."""
        if self.image(entry.id) is None:
            return self.model_copy(update={"images": (*self.images, entry)})
        images = tuple(entry if known.id == entry.id else known for known in self.images)
        return self.model_copy(update={"images": images})

    def with_images(self, entries: Iterable[ImageEntry]) -> "ProjectDocument":
        """Give the document with many images changed or added at once."""
        changed = {entry.id: entry for entry in entries}
        images = [changed.pop(known.id, known) for known in self.images]
        return self.model_copy(update={"images": (*images, *changed.values())})


def changes_between(old: ProjectDocument, new: ProjectDocument) -> dict[str, Any]:
    """Give what makes `new` out of `old`, as values for JSON: small where little was changed."""
    plain = set(ProjectDocument.model_fields) - {"images", "sequence"}
    fields = new.model_dump(mode="json", include={name for name in plain if getattr(old, name) != getattr(new, name)})
    if new.images is old.images:
        return {"fields": fields}
    before = {entry.id: entry for entry in old.images}
    changed = [entry for entry in new.images if (was := before.get(entry.id)) is not entry and was != entry]
    order, there = [entry.id for entry in new.images], {entry.id for entry in new.images}
    expected = [one for one in before if one in there] + [entry.id for entry in changed if entry.id not in before]
    return {
        "fields": fields,
        "images": [entry.model_dump(mode="json", exclude_defaults=True) for entry in changed],
        "removed": [one for one in before if one not in there],
        **({} if order == expected else {"order": order}),
    }


def changed_document(old: ProjectDocument, changes: Mapping[str, Any], sequence: int) -> ProjectDocument:
    """Give the document after changes that `changes_between` gave.

    Raises
    ------
    ValidationError
        If they are no such changes.
    """
    plain = set(ProjectDocument.model_fields) - {"images"}
    values = old.model_dump(include=plain) | changes.get("fields", {}) | {"sequence": sequence}
    images = {entry.id: entry for entry in old.images}
    images |= {entry.id: entry for entry in map(ImageEntry.model_validate, changes.get("images", ()))}
    for image_id in changes.get("removed", ()):
        images.pop(image_id, None)
    order = [image_id for image_id in changes.get("order", images) if image_id in images]
    new = ProjectDocument.model_validate(values)
    return new.model_copy(update={"images": tuple(images[image_id] for image_id in order)})
