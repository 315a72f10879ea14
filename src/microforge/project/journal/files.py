"""The journal: everything drawn is appended here at once; come here for commits, and for when they are on the disk.

Its files are numbered. A new one is begun before annotations are brought into plain files, so that work goes on
meanwhile, and the files before it go when all they hold is in plain files.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from microforge.errors import ProjectError, WriteError
from microforge.io.atomic import flush_folder, write_error
from microforge.project.journal.record import END_OF_COMMIT, JournalContent, JournalRecord, Place, packed, read_journal

FORMAT = 1
_SUFFIX = ".journal"
#: Where damaged files are put when the rest of what they hold is in plain files.
_DAMAGED = "damaged"


class Journal:
    """The files of a journal, and the end at which commits are appended; not thread-safe.

    Parameters
    ----------
    folder
        Where its files are.

    Attributes
    ----------
    sequence
        Number of the last commit.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sequence = 0
        # Number of the first commit of each file.
        self._firsts: dict[Path, int] = {}
        self._damaged: set[Path] = set()
        self._number = 0
        self._end = 0
        self._unsynced = False
        # Whether bytes behind the end are left of a commit that could not be completed.
        self._loose = False

    def paths(self) -> list[Path]:
        """Give the files there are, the oldest first."""
        with suppress(OSError):
            found = [path for path in self.folder.iterdir() if path.suffix == _SUFFIX and path.stem.isdecimal()]
            return sorted(found, key=lambda path: int(path.stem))
        return []

    @property
    def first(self) -> int:
        """Number of the first commit that is still there."""
        return min(self._firsts.values(), default=self.sequence + 1)

    @property
    def is_damaged(self) -> bool:
        """Whether commits between the first and the last cannot be read."""
        return bool(self._damaged)

    @property
    def path(self) -> Path:
        """The file that commits are appended to."""
        return self._path(self._number)

    def read(self) -> list[tuple[Path, JournalContent]]:
        """Read all files, and note where the last one ends.

        Raises
        ------
        ProjectError
            If a file cannot be read, or a newer version wrote it.
        """
        contents = [(path, _content(path)) for path in self.paths()]
        for path, content in contents:
            self._number, self._end, self._loose = int(path.stem), content.end, content.torn > 0
            self._damaged |= {path} if content.damaged else set()
            numbers = [commit[0].sequence for commit in content.commits if commit]
            self.sequence = max([self.sequence, *numbers])
            if numbers:
                self._firsts[path] = numbers[0]
        return contents

    def go_on(self, sequence: int) -> None:
        """Count on from a commit that the files need not have any more, and cut off what was left unfinished.

        Raises
        ------
        WriteError
            If the disk does not take it.
        """
        self.sequence = max(self.sequence, sequence)
        if not self._number:
            self.begin()
        elif self._loose:
            with write_in_words(self.path), self._opened() as handle:
                os.fsync(handle)
            self._loose = False

    def begin(self) -> None:
        """Begin a new file; what is appended from now on goes there.

        Raises
        ------
        WriteError
            If it cannot be made; the one before stays the one that is appended to.
        """
        before = self._number, self._end
        self.sync()
        self._number, self._end = self._number + 1, 0
        try:
            if not self.folder.is_dir():
                self.folder.mkdir()
                flush_folder(self.folder.parent)
            with write_in_words(self.path), self.path.open("xb"):
                pass
            self.commit([({"kind": "begin", "format": FORMAT}, b"")])
            self._firsts[self.path] = self.sequence
            self.sync()
            flush_folder(self.folder)
        except OSError as error:
            self._number, self._end = before
            raise write_error(error, self.folder) from error
        except WriteError:
            self._number, self._end = before
            raise

    def commit(self, records: Iterable[tuple[Mapping[str, Any], bytes]]) -> list[JournalRecord]:
        """Append records that belong together: after a crash either all of them count, or none.

        Raises
        ------
        WriteError
            If the disk takes no more, or is gone. Nothing of the commit counts.
        ProjectError
            If somebody else has changed the journal.
        """
        path, sequence, end = self.path, self.sequence + 1, self._end
        written: list[JournalRecord] = []
        with write_in_words(path), self._opened() as handle:
            self._loose = True
            try:
                for values, payload in records:
                    raw, offset = packed(sequence, values, payload)
                    _write(handle, raw)
                    written.append(JournalRecord(sequence, values, Place(path, end + offset, len(payload))))
                    end += len(raw)
                raw, _ = packed(sequence, {"kind": END_OF_COMMIT, "records": len(written)}, b"")
                _write(handle, raw)
            except BaseException:
                # What could not be completed must not stand between commits.
                with suppress(OSError):
                    os.ftruncate(handle, self._end)
                raise
        self.sequence, self._end = sequence, end + len(raw)
        self._unsynced, self._loose = True, False
        return written

    def sync(self) -> None:
        """Wait until the disk has all that was committed.

        Raises
        ------
        WriteError
            If it has not.
        """
        if not self._unsynced:
            return
        with write_in_words(self.path), self._opened() as handle:
            os.fsync(handle)
        self._unsynced = False

    def remove(self, path: Path) -> None:
        """Remove a file of which everything is in plain files; one that is damaged is put aside."""
        with suppress(OSError):
            if path in self._damaged:
                aside = self.folder.parent / _DAMAGED
                aside.mkdir(exist_ok=True)
                os.replace(path, aside / path.name)
            else:
                path.unlink()
        self._damaged.discard(path)
        self._firsts.pop(path, None)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Give a handle of the last file at its end; opened anew each time, as drives come and go."""
        handle = os.open(self.path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            size = os.fstat(handle).st_size
            if size < self._end or (size > self._end and not self._loose):
                raise _changed(self.path)
            if size > self._end:
                os.ftruncate(handle, self._end)
            os.lseek(handle, self._end, os.SEEK_SET)
            yield handle
        finally:
            os.close(handle)

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06d}{_SUFFIX}"


def _content(path: Path) -> JournalContent:
    try:
        content = read_journal(path)
    except OSError as error:
        raise ProjectError(
            f"The journal of the project cannot be read ({error.strerror or error}).",
            where=str(path),
            kept="Nothing was changed.",
            remedy="Check that you may read it and that the drive is connected, then open the project again.",
        ) from error
    formats = [record.values.get("format", 0) for commit in content.commits[:1] for record in commit]
    if any(isinstance(number, int) and number > FORMAT for number in formats):
        raise newer_project(path.parent.parent)
    return content


def newer_project(folder: Path) -> ProjectError:
    """Give the error for a project that a newer version made."""
    return ProjectError(
        "The project was made by a newer Microforge.",
        where=str(folder),
        kept="Nothing was changed.",
        remedy="Install the newest version, then open it again.",
    )


def _write(handle: int, raw: bytes) -> None:
    left = memoryview(raw)
    while left:
        left = left[os.write(handle, left) :]


@contextmanager
def write_in_words(path: Path) -> Iterator[None]:
    """Say in words what the disk does not do.

    Raises
    ------
    WriteError
        Instead of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise write_error(error, path) from error


def _changed(path: Path) -> ProjectError:
    return ProjectError(
        "The journal is not as it was left: another program has changed it, or the drive has lost some of it.",
        where=str(path),
        kept="What is open in the window is not lost.",
        remedy="Save the project elsewhere.",
    )
