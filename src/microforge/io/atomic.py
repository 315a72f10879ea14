"""Atomic writes: a reader finds the old content of a file or the new, never half of it."""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from microforge.errors import WriteError

_REMEDIES = {
    errno.ENOSPC: "The disk is full: free some space or choose another folder, then try again.",
    errno.EDQUOT: "Your disk quota is used up: free some space or choose another folder, then try again.",
    errno.EFBIG: "This drive takes no files that large: choose another folder, then try again.",
    errno.EACCES: "Check that you may write there and that no other program has the file open.",
    errno.EPERM: "Check that you may write there and that no other program has the file open.",
    errno.EROFS: "The disk can only be read: choose another folder.",
    errno.ENOENT: "The folder does not exist (any more): create it, or reconnect the drive.",
    errno.ENOTDIR: "A part of the path is a file, not a folder: choose another folder.",
    errno.EISDIR: "There is a folder of that name: choose another name.",
    errno.ENAMETOOLONG: "The name is too long for this disk: choose a shorter one.",
}

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}-.")


@contextmanager
def atomic_path(path: str | Path, *, durable: bool = True) -> Iterator[Path]:
    """Give a temporary path in the same folder; what is written there replaces `path` when the block ends well.

    The temporary name is hidden and ends as `path` does, so that writers which infer the format from the name work.
    The writer creates the file, so its mode follows the umask.

    Parameters
    ----------
    durable
        Wait until the disk has the content and the name: survives a power cut, costs milliseconds. False still
        never leaves half a file behind when the program fails; use it for thousands of results that a ledger checks.

    Raises
    ------
    WriteError
        If the file cannot be written (disk full, no permission, no such folder); the target is untouched. What goes
        wrong in the block with another file, one that is read, is raised as it is.
    """
    # A link keeps pointing to the file: what it points to is replaced.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{secrets.token_hex(4)}-{target.name[-200:]}")
    try:
        yield temporary
        if durable:
            _flush_file(temporary)
        os.replace(temporary, target)
        if durable:
            flush_folder(target.parent)
    except OSError as error:
        if _is_of_another(error, temporary):
            raise
        raise write_error(error, target) from error
    finally:
        # After the replacement there is nothing left to remove.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_of_another(error: OSError, temporary: Path) -> bool:
    """Tell whether an error names a file that is not being written; one without a name is of the disk written to."""
    named = error.filename
    return isinstance(named, str | bytes | os.PathLike) and Path(os.fsdecode(named)) not in (
        temporary,
        temporary.parent,
    )


def is_temporary(name: str) -> bool:
    """Tell whether a file has a name that `atomic_path` gives: a killed program leaves it behind."""
    return _TEMPORARY.match(name) is not None


def atomic_write_bytes(path: str | Path, data: bytes, *, durable: bool = True) -> None:
    """Write bytes to a file, all or nothing.

    Raises
    ------
    WriteError
        If the file cannot be written; the target is untouched.
    """
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: str | Path, text: str, *, durable: bool = True) -> None:
    """Write text as UTF-8 with the line ends it has, all or nothing.

    Raises
    ------
    WriteError
        If the file cannot be written; the target is untouched.
    """
    atomic_write_bytes(path, text.encode("utf-8"), durable=durable)


def _flush_file(path: Path) -> None:
    # Windows flushes only files opened for writing.
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut; folders cannot be flushed on Windows and on some network drives."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_error(error: OSError, target: Path) -> WriteError:
    """Say in words why a file could not be written."""
    exists = target.exists()
    return WriteError(
        f"The file could not be written ({error.strerror or error}).",
        where=str(target),
        kept="The file that was there is unchanged." if exists else "",
        remedy=_REMEDIES.get(error.errno or 0, "Check the disk or choose another folder, then try again."),
    )
