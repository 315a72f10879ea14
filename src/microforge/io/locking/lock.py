"""One run at a time in a folder; come here for who holds a folder, and for what a killed run leaves behind in one.

A lock is a small file beside the results, so that it holds on network drives too and a person can read who works there.
It counts as left behind when its process is gone, where that can be seen, or else when it was not touched for a while.
"""

import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from microforge.errors import FolderInUseError
from microforge.io.atomic import is_temporary, write_error
from microforge.io.locking.holder import Holder, is_running, this_machine, this_process

LOCK_NAME = ".microforge-lock"
#: Seconds between two signs of life, and after how many without one a lock on another machine counts as left behind.
HEARTBEAT, LONGEST_SILENCE = 20.0, 120.0
#: Seconds after which nobody is writing a temporary file any more.
_ABANDONED = 60.0


@contextmanager
def folder_lock(folder: Path, task: str) -> Iterator[Callable[[], bool]]:
    """Hold a folder that exists for the time of the block, and remove what killed runs have left half written.

    Parameters
    ----------
    task
        What is done there ("a training"): others are told when they try the same.

    Yields
    ------
    Callable
        Tells whether the folder is still held: of a computer that slept, somebody else may have taken it over.

    Raises
    ------
    FolderInUseError
        If somebody else works there; nothing was changed. Of two that come at once, one gets the folder.
    WriteError
        If the folder cannot be written to.
    """
    path, own = folder / LOCK_NAME, this_process(task)
    _take(path, own)
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(path, own, ended), name="folder lock", daemon=True)
    heart.start()
    try:
        _sweep(folder)
        yield lambda: _read(path) == own
    finally:
        ended.set()
        heart.join()
        _give_back(path, own)


def holder_of(folder: Path) -> Holder | None:
    """Give who holds a folder now; None where nobody does, or the lock cannot be read."""
    path = folder / LOCK_NAME
    holder = _read(path)
    return None if holder is None or _left_behind(path, holder) else holder


def _take(path: Path, own: Holder) -> None:
    """Write the lock where there is none, or only one that was left behind."""
    for _ in range(3):
        if _create(path, own):
            return
        holder = _read(path)
        if not _left_behind(path, holder):
            raise _in_use(path, holder)
        _clear_away(path, holder)
    raise _in_use(path, _read(path))


def _create(path: Path, own: Holder) -> bool:
    """Make the lock with its content at once, so that a program killed in between leaves none that nobody can read."""
    written = path.with_name(f"{path.name}-{own.token}")
    try:
        with written.open("w", encoding="utf-8") as file:
            file.write(json.dumps(asdict(own)))
            file.flush()
            # After a power cut an empty one would tell nobody that its process is gone.
            os.fsync(file.fileno())
        return _linked(written, path)
    except OSError as error:
        raise write_error(error, path) from error
    finally:
        with suppress(OSError):
            written.unlink()


def _linked(written: Path, path: Path) -> bool:
    """Give the lock its name if nobody has one; False where somebody has."""
    try:
        os.link(written, path)
    except FileExistsError:
        return False
    except OSError:  # drives without links
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(written.read_text(encoding="utf-8"))
        except FileExistsError:
            return False
    return True


def _read(path: Path) -> Holder | None:
    try:
        values = json.loads(path.read_bytes()[:10_000])
        return Holder(**values)
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _left_behind(path: Path, holder: Holder | None) -> bool:
    """Tell whether nobody holds this lock any more; one that cannot be read may just be being written."""
    if holder is not None and holder.machine == this_machine():
        return not is_running(holder)
    return _silence(path) > LONGEST_SILENCE


def _silence(path: Path) -> float:
    """Give the seconds since the last sign of life, by the clock of the drive: those of two machines may differ."""
    probe = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        probe.touch()
        return probe.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
    except OSError:
        return 0.0
    finally:
        with suppress(OSError):
            probe.unlink()


def _clear_away(path: Path, holder: Holder | None) -> None:
    """Remove a lock that was left behind, but not the one that somebody has made in the meantime."""
    aside = path.with_name(f"{path.name}-{secrets.token_hex(4)}")
    try:
        os.rename(path, aside)
    except OSError:
        return
    if _read(aside) != holder:
        with suppress(OSError):
            os.rename(aside, path)
        return
    with suppress(OSError):
        aside.unlink()


def _beat(path: Path, own: Holder, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT):
        if _read(path) == own:
            with suppress(OSError):
                os.utime(path)


def _give_back(path: Path, own: Holder) -> None:
    if _read(path) == own:
        with suppress(OSError):
            path.unlink()


def _in_use(path: Path, holder: Holder | None) -> FolderInUseError:
    who = f": {holder}" if holder is not None else ""
    return FolderInUseError(
        f"Another run works in this folder{who}.",
        where=str(path.parent),
        kept="Nothing was changed.",
        remedy="Wait until it has ended, or choose another folder. If no program works there any more, delete the file "
        f"{path.name} in it.",
    )


def _sweep(folder: Path) -> None:
    """Remove temporary files of runs that were killed: nobody has been writing to them for a minute."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            with suppress(OSError):
                ours = is_temporary(entry.name) or entry.name.startswith(f"{LOCK_NAME}-")
                if ours and time.time() - entry.stat().st_mtime > _ABANDONED:
                    os.unlink(entry.path)
