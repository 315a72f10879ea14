"""Files of a project and how they are found again; come here when an image that moved is not found, or a wrong one is.

Names of files need not be text: what is kept of them is (`path_text`).
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from microforge.errors import printable, readable
from microforge.io.files import portable_name
from microforge.project.document import FileReference, ImageEntry, StoredFile

#: Of larger files so many parts of so many bytes are looked at: thousands of images are taken up in seconds.
_PARTS, _PART = 16, 1 << 16
_WHOLE, _SAMPLED = "whole:", "parts:"
_BYTES = "bytes:"
#: So much of a name is kept for a folder, in bytes: the longest name that disks take is 255.
_LONGEST_NAME = 80


class Located(NamedTuple):
    """Where the file of an image is now, and what is wrong with it in words; no path: it is not found."""

    path: Path | None
    problem: str = ""


def path_text(path: Path | str) -> str:
    """Give a path as a text that comes back as it was, also where a name is not UTF-8; parts are divided by ``/``."""
    text = Path(path).as_posix()
    if readable(text) == text and not text.startswith(_BYTES):
        return text
    return _BYTES + quote(os.fsencode(text))


def path_from(stored: str) -> Path:
    """Give the path that `path_text` wrote."""
    if stored.startswith(_BYTES):
        return Path(os.fsdecode(unquote_to_bytes(stored.removeprefix(_BYTES))))
    return Path(stored)


def folder_name(name: str, image_id: str) -> str:
    """Give the name of a folder for an image: any system takes it, and a person knows the image again."""
    plain = portable_name(printable(name)).strip(" .") or "image"
    short = plain.encode("utf-8", "replace")[:_LONGEST_NAME].decode("utf-8", "ignore").strip(" .")
    return f"{short or 'image'}-{image_id}"


def content_hash(path: Path, *, whole: bool = False) -> str:
    """Give a hash of a file: of all of it, or of evenly spaced parts where it is large.

    Parameters
    ----------
    whole
        Read all of it, however large it is.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    size = path.stat().st_size
    digest = blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        if whole or size <= _PARTS * _PART:
            while block := file.read(1 << 22):
                digest.update(block)
            return _WHOLE + digest.hexdigest()
        for number in range(_PARTS):
            file.seek(number * (size - _PART) // (_PARTS - 1))
            digest.update(file.read(_PART))
    return _SAMPLED + digest.hexdigest()


def reference_to(path: Path, folder: Path, index: int | None = None, *, whole: bool = False) -> FileReference:
    """Give the reference to a file, seen from the folder of a project.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    path = Path(os.path.abspath(path))
    status = path.stat()
    return FileReference(
        relative=_relative(path, folder),
        absolute=path_text(path),
        size=status.st_size,
        modified=status.st_mtime_ns,
        content=content_hash(path, whole=whole),
        index=index,
    )


def stored_file(path: Path) -> StoredFile:
    """Give what a file is like that was just written.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    status = path.stat()
    return StoredFile(
        name=path.name, size=status.st_size, modified=status.st_mtime_ns, content=content_hash(path, whole=True)
    )


def locate(entry: ImageEntry, folder: Path) -> Located:
    """Find the file of an image: where it was seen from the project, where it was, or under its name nearby.

    Parameters
    ----------
    folder
        Of the project, where it is now.
    """
    reference = entry.file
    if reference is None:
        return Located(None, f"The image {entry.name} has no file.")
    places = [path for path in _places(reference, folder) if path.is_file()]
    changed: Path | None = None
    for path in places:
        if is_same(path, reference):
            return Located(path)
        changed = changed or path
    nearby = next((path for path in _nearby(reference, folder) if is_same(path, reference)), None)
    if nearby is not None:
        return Located(nearby)
    if changed is not None:
        return Located(changed, f"The file {readable(changed.name)} has been changed since {entry.name} was annotated.")
    was = readable(str(path_from(reference.absolute)))
    return Located(None, f"The file of {entry.name} is not found. It was {was}.")


def is_same(path: Path, reference: FileReference) -> bool:
    """Tell whether a file is as it was; one of equal size and time is not read."""
    try:
        status = path.stat()
    except OSError:
        return False
    if (status.st_size, status.st_mtime_ns) == (reference.size, reference.modified):
        return True
    return status.st_size == reference.size and is_same_content(path, reference)


def is_same_content(path: Path, reference: FileReference) -> bool:
    """Tell whether a file has the content that it had; reads it."""
    try:
        return content_hash(path, whole=reference.content.startswith(_WHOLE)) == reference.content
    except OSError:
        return False


def _places(reference: FileReference, folder: Path) -> list[Path]:
    near = [folder / path_from(reference.relative)] if reference.relative else []
    return [Path(os.path.normpath(path)) for path in (*near, path_from(reference.absolute))]


def _nearby(reference: FileReference, folder: Path) -> list[Path]:
    """Give files of the same name in the folders around: beside the project, and where the image was."""
    was = path_from(reference.absolute)
    found: dict[Path, None] = {}
    for place in (folder, folder.parent, was.parent, was.parent.parent):
        found[place / was.name] = None
        found |= dict.fromkeys(inside / was.name for inside in _folders_in(place))
    return [path for path in found if path.is_file()]


def _folders_in(place: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _relative(path: Path, folder: Path) -> str:
    try:
        return path_text(os.path.relpath(path, os.path.abspath(folder)))
    except ValueError:
        # Another drive of Windows.
        return ""
