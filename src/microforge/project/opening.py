"""Projects made and opened: who has one, and what is recovered; come here for what is said after a crash."""

import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from microforge.errors import FolderInUseError, ProjectError, WriteError, readable
from microforge.io.atomic import write_error
from microforge.io.locking import folder_lock, holder_of
from microforge.project.annotations.changes import Changes
from microforge.project.document import ProjectDocument, changed_document
from microforge.project.document_file import is_project, read_document, write_document
from microforge.project.journal.files import Journal
from microforge.project.journal.record import JournalContent

JOURNAL = "journal"
_TASK = "annotation"


class Held:
    """The lock of a project's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._is_held: Callable[[], bool] = self._stack.enter_context(folder_lock(folder, _TASK))

    def check(self) -> None:
        """Refuse to write into a folder that is gone, or that somebody else has taken over.

        Raises
        ------
        ProjectError
            If that is so.
        """
        if not self._folder.is_dir():
            raise ProjectError(
                "The folder of the project is gone: it was moved or deleted, or its drive is not connected.",
                where=str(self._folder),
                kept="What is in the window is not lost.",
                remedy="Bring the folder back, or save everything elsewhere.",
            )
        if not self._is_held():
            raise ProjectError(
                "Somebody else has opened the project meanwhile, as this computer did not answer for minutes.",
                where=str(self._folder),
                kept="What is in the window is not lost; what was kept before is in the project.",
                remedy="Save it elsewhere, or close the project there and open it here again.",
            )

    def close(self) -> None:
        """Let go of the folder."""
        self._stack.close()


@dataclass
class OpenedProject:
    """A project as it was found.

    Attributes
    ----------
    held
        The lock of its folder; None where it can only be read.
    holder
        Who has it open, in words.
    unsettled
        Ids of images of which the journal says more than `project.json`: their files may not have their names yet.
    written
        Number of the last commit that `project.json` holds; -1 where it is damaged.
    """

    folder: Path
    document: ProjectDocument
    journal: Journal
    changes: Changes
    held: Held | None = None
    holder: str = ""
    recovered: list[str] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)
    written: int = -1


def create_project(folder: Path, name: str) -> OpenedProject:
    """Make a project in a folder.

    Raises
    ------
    ProjectError
        If there is one.
    WriteError
        If the folder cannot be written.
    """
    folder = Path(os.path.abspath(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder) from error
    _check_free(folder)
    held = _hold_new(folder)
    try:
        _check_free(folder)
        created = datetime.now().astimezone().isoformat(timespec="seconds")
        document = ProjectDocument(id=secrets.token_hex(8), name=readable(name or folder.stem), created=created)
        journal = Journal(folder / JOURNAL)
        # One that is killed in between finds a project without a journal, which is begun when it is opened.
        write_document(folder, document)
        journal.begin()
    except BaseException:
        held.close()
        raise
    return OpenedProject(folder, document, journal, Changes(), held, written=document.sequence)


def _check_free(folder: Path) -> None:
    if is_project(folder):
        raise ProjectError(
            "There is a project in this folder.",
            where=str(folder),
            kept="Nothing was changed.",
            remedy="Open it, or choose another folder.",
        )
    if Journal(folder / JOURNAL).paths():
        raise ProjectError(
            "There is the journal of a project in this folder, but its project.json is gone.",
            where=str(folder),
            kept="Nothing was changed.",
            remedy="Take project.json from a backup, or choose another folder.",
        )


def open_project(folder: Path, *, read_only: bool) -> OpenedProject:
    """Open a project.

    Raises
    ------
    ProjectError
        If there is none, or it cannot be read.
    """
    folder = Path(os.path.abspath(folder))
    if not is_project(folder):
        # Says what is wrong.
        read_document(folder)
    held, holder, note = (None, str(holder_of(folder) or ""), "") if read_only else _hold(folder)
    try:
        found = read_document(folder)
        opened = OpenedProject(folder, found.document, Journal(folder / JOURNAL), Changes(), held, holder)
        opened.recovered += [note] if note else []
        opened.written = -1 if found.damaged else found.document.sequence
        if found.damaged:
            names = " and ".join(path.name for path in found.damaged)
            opened.recovered.append(f"{names} was damaged. The one before it was used, and the journal.")
        _replay(opened)
        if held is not None:
            opened.journal.go_on(opened.document.sequence)
    except BaseException:
        if held is not None:
            held.close()
        raise
    return opened


def _replay(opened: OpenedProject) -> None:
    contents = opened.journal.read()
    written, last = opened.document.sequence, ""
    brought_back: set[str] = set()
    for _, content in contents:
        for commit in content.commits:
            for record in commit:
                last = str(record.values.get("kind"))
                opened.changes.take(record)
                if record.sequence > written:
                    _take_document(opened, record.values, record.sequence)
                    brought_back |= {str(record.values["image"])} if "image" in record.values else set()
    if opened.holder:
        # What is being written there is not done yet.
        return
    if contents and last not in ("closed", "begin"):
        opened.recovered += _after_a_crash(len(brought_back))
    opened.recovered += [text for path, content in contents for text in _damage(path, content)]


def _take_document(opened: OpenedProject, values: Mapping[str, Any], sequence: int) -> None:
    if values.get("kind") != "document":
        return
    try:
        opened.document = changed_document(opened.document, values, sequence)
        opened.unsettled |= {str(image["id"]) for image in values.get("images", ()) if image.get("parts")}
    except ValidationError as error:
        raise ProjectError(
            "The journal says something of the project that this version does not understand.",
            where=str(opened.journal.folder),
            kept="Nothing was changed.",
            remedy="Open it with the version that made it.",
        ) from error


def _after_a_crash(images: int) -> list[str]:
    what = f" What was drawn last on {images} image{'s' * (images != 1)} was brought back." if images else ""
    return [f"Microforge was not closed properly the last time.{what}"]


def _damage(path: Path, content: JournalContent) -> list[str]:
    said = []
    if content.torn:
        said.append("The very last change was not written completely when the program ended, and is left out.")
    if content.damaged:
        count = len(content.damaged)
        said.append(
            f"The journal {path.name} is damaged in {count} place{'s' * (count != 1)}: strokes from there are missing. "
            "All others are here."
        )
    return said


def _hold(folder: Path) -> tuple[Held | None, str, str]:
    """Hold a folder if that is possible; else say who has it, or why it cannot be written."""
    try:
        return Held(folder), "", ""
    except FolderInUseError as error:
        return None, str(holder_of(folder) or error.problem), ""
    except WriteError as error:
        return None, "", f"The project can only be read. {error.problem}"


def _hold_new(folder: Path) -> Held:
    try:
        return Held(folder)
    except FolderInUseError as error:
        raise ProjectError(error.problem, where=str(folder), kept=error.kept, remedy=error.remedy) from error
