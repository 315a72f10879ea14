"""How much memory this process may still take; come here when an image is refused, or taken, against the odds.

Containers and batch systems allow less than the computer has: their limits (Linux control groups) count too.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

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
