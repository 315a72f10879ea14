"""`project.json`, the one before it, and what older versions wrote; come here when a project is refused or migrated.

The file holds a checksum of the document in it, so that a damaged one is told from a whole one. It is written under
another name first; of those that are whole the newest counts.
"""

import json
import os
from collections.abc import Callable, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from microforge.errors import ProjectError
from microforge.io.atomic import atomic_write_bytes, flush_folder, write_error
from microforge.project.document import SCHEMA_VERSION, ProjectDocument
from microforge.project.journal.files import newer_project

NAME, PREVIOUS, NEXT = "project.json", "project-previous.json", "project-next.json"
_HEAD, _BETWEEN, _END = b'{"checksum": "', b'",\n"document": ', b"}\n"
_DIGEST = 16

Values = dict[str, Any]
#: What turns the values of a version into those of the next.
MIGRATIONS: Mapping[int, Callable[[Values], Values]] = {}


class FoundDocument(NamedTuple):
    """The newest document that is whole, and the files that are damaged."""

    document: ProjectDocument
    damaged: tuple[Path, ...] = ()


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds a project."""
    return any((folder / name).is_file() for name in (NAME, PREVIOUS, NEXT))


def read_document(folder: Path) -> FoundDocument:
    """Read the newest document that is whole.

    Raises
    ------
    ProjectError
        If there is none, or a newer version wrote it.
    """
    found: list[ProjectDocument] = []
    damaged: list[Path] = []
    for path in (folder / name for name in (NAME, NEXT, PREVIOUS)):
        try:
            document = document_of(path.read_bytes(), folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _unreadable(path, error) from error
        damaged += [path] if document is None else []
        found += [] if document is None else [document]
    if not found:
        raise _none_whole(folder, damaged)
    # An unfinished one may be cut short; the one in place was whole before it was begun.
    damaged = [path for path in damaged if path.name != NEXT]
    return FoundDocument(max(found, key=lambda document: document.sequence), tuple(damaged))


def document_of(raw: bytes, folder: Path) -> ProjectDocument | None:
    """Give the document in the bytes of a file; None where they are damaged.

    Raises
    ------
    ProjectError
        If a newer version wrote it.
    """
    body = _body(raw)
    if body is None:
        return None
    try:
        return ProjectDocument.model_validate(migrated(json.loads(body), folder))
    except (ValueError, ValidationError, RecursionError):
        return None


def migrated(values: Values, folder: Path, steps: Mapping[int, Callable[[Values], Values]] = MIGRATIONS) -> Values:
    """Give the values of a document as this version writes them.

    Raises
    ------
    ProjectError
        If a newer version wrote them.
    """
    newest = max([SCHEMA_VERSION, *(version + 1 for version in steps)])
    if int(values.get("schema_version", 0)) > newest:
        raise newer_project(folder)
    while (version := int(values.get("schema_version", 0))) in steps:
        values = steps[version](values) | {"schema_version": version + 1}
    return values


def write_document(folder: Path, document: ProjectDocument) -> None:
    """Write a document; the one before is kept.

    Raises
    ------
    WriteError
        If it cannot be written; the one that was there is unchanged.
    """
    atomic_write_bytes(folder / NEXT, document_bytes(document))
    try:
        if _is_whole(folder / NAME, folder):
            os.replace(folder / NAME, folder / PREVIOUS)
        os.replace(folder / NEXT, folder / NAME)
    except OSError as error:
        raise write_error(error, folder / NAME) from error
    flush_folder(folder)


def document_bytes(document: ProjectDocument) -> bytes:
    """Give the bytes of the file of a document: a line for each image."""
    fields = document.model_dump(mode="json", exclude={"images"})
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()]
    images = ",\n".join(json.dumps(entry.model_dump(mode="json", exclude_defaults=True)) for entry in document.images)
    body = ("{" + ",\n".join([*lines, f'"images": [\n{images}]']) + "}").encode()
    return b"".join((_HEAD, _checksum(body), _BETWEEN, body, _END))


def _body(raw: bytes) -> bytes | None:
    """Give the document's bytes if everything around them is as it was written."""
    start = len(_HEAD) + 2 * _DIGEST + len(_BETWEEN)
    body = raw[start : -len(_END)]
    whole = b"".join((_HEAD, _checksum(body), _BETWEEN, body, _END))
    return body if whole == raw else None


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_DIGEST).hexdigest().encode()


def _is_whole(path: Path, folder: Path) -> bool:
    try:
        return document_of(path.read_bytes(), folder) is not None
    except OSError:
        return False


def _unreadable(path: Path, error: OSError) -> ProjectError:
    return ProjectError(
        f"The project cannot be read ({error.strerror or error}).",
        where=str(path),
        kept="Nothing was changed.",
        remedy="Check that you may read it and that the drive is connected.",
    )


def _none_whole(folder: Path, damaged: list[Path]) -> ProjectError:
    if damaged:
        return ProjectError(
            f"What the project says of itself is damaged ({', '.join(path.name for path in damaged)}).",
            where=str(folder),
            kept="Nothing was changed: all annotations are in the folder annotations, as files that Fiji opens.",
            remedy="Take project.json from a backup, or make a new project and open the annotations in it.",
        )
    return ProjectError(
        "There is no project in this folder.", where=str(folder), remedy="Choose the folder that holds project.json."
    )
