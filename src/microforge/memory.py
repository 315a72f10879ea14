"""How much memory this process may still take, and arrays that do not fit into it; come here when an image is refused.

Containers and batch systems allow less than the computer has: their limits (Linux control groups) count too.
"""

import mmap
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from microforge.errors import OutOfMemoryError
from microforge.types import Array

#: Arrays are kept in memory up to this size, or this part of what is free.
_ALWAYS_IN_MEMORY, _PART_IN_MEMORY = 1 << 28, 0.25
#: So much is left free of a disk, and these kinds of disks are memory.
_LEFT_ON_DISK, _IN_MEMORY = 1 << 30, ("tmpfs", "ramfs")
_GROUPS, _OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
#: Files of a group: limit, use, and what of the use is cached files, which are let go of when memory is needed.
_FILES = {
    2: ("memory.max", "memory.current", ("inactive_file", "active_file")),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
}


def available_memory() -> int:
    """Give the bytes that can be taken now without swapping and within the limits of this process's groups."""
    return max(0, min([int(psutil.virtual_memory().available), *_left_in_groups()]))


def bytes_text(size: float) -> str:
    """Say a number of bytes as people do: 850 MB, 9.2 GB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


class RoomyArray:
    """Room for a result that grows part by part: in memory, or in a temporary file where memory is short.

    Parameters
    ----------
    shape, dtype
        Of the whole; its first axis is that of the parts.

    Attributes
    ----------
    data
        The array, which may be written to. Its file goes when nobody uses it any more.

    Raises
    ------
    OutOfMemoryError
        If no disk has room for it either.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        size = prod(shape) * dtype.itemsize
        self._file: mmap.mmap | None = None
        if size > _ALWAYS_IN_MEMORY and size > _PART_IN_MEMORY * available_memory():
            self._file = _mapped(size)
        self.data: Array = np.empty(shape, dtype) if self._file is None else np.frombuffer(self._file, dtype)
        self.data = self.data.reshape(shape)

    def put(self, number: int, part: Array) -> None:
        """Write a part; the memory of one in a file is given back."""
        self.data[number] = part
        if self._file is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._file.madvise(mmap.MADV_DONTNEED)


def temporary_folder() -> str | None:
    """Give a folder for temporary files that is no memory itself; None, which is the usual one, where there is none."""
    return next(iter(_disks()), None)


def _mapped(size: int) -> mmap.mmap:
    for folder in _disks():
        if shutil.disk_usage(folder).free > size + _LEFT_ON_DISK:
            with tempfile.TemporaryFile(dir=folder) as file:
                if hasattr(os, "posix_fallocate"):
                    # A disk that fills up while such an array is written to would end the program.
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                return mmap.mmap(file.fileno(), size)
    raise OutOfMemoryError(
        f"The result needs {bytes_text(size)} at once. That fits neither into the memory, of which "
        f"{bytes_text(available_memory())} are free, nor on the disk for temporary files.",
        remedy="Predict the file in a folder (Apply, or the command line), which writes results as they are made, or "
        "make room on the disk.",
    )


def _disks() -> list[str]:
    """Give folders for temporary files that are not kept in memory themselves, as /tmp often is."""
    mounts = {mount.mountpoint: mount.fstype for mount in psutil.disk_partitions(all=True)}
    folders = dict.fromkeys((tempfile.gettempdir(), "/var/tmp", str(Path.home())))
    return [
        folder for folder in folders if os.access(folder, os.W_OK) and _kind_of_disk(folder, mounts) not in _IN_MEMORY
    ]


def _kind_of_disk(folder: str, mounts: Mapping[str, str]) -> str:
    path = Path(os.path.realpath(folder))
    return next((mounts[str(place)] for place in (path, *path.parents) if str(place) in mounts), "")


def _left_in_groups() -> Iterator[int]:
    """Give what is left in each group that has a limit: that of this process, and those around it."""
    for version, folder in _group_folders():
        # No such group here, or one without a limit ("max").
        with suppress(OSError, ValueError):
            yield _left(folder, version)


def _group_folders() -> Iterator[tuple[int, Path]]:
    try:
        lines = _OWN_GROUPS.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, names, path = line.split(":", 2)
        version = 2 if number == "0" and not names else 1
        if version == 2 or "memory" in names.split(","):
            root = _GROUPS if version == 2 else _GROUPS / "memory"
            own = Path(path.lstrip("/"))
            yield from ((version, root / group) for group in (own, *own.parents))


def _left(folder: Path, version: int) -> int:
    limit, use, cached = _FILES[version]
    allowed, used = (int((folder / name).read_text()) for name in (limit, use))
    counts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return allowed - used + sum(int(counts.get(name, 0)) for name in cached)
