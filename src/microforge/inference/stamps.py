"""Tell whether a file is still what it was; come here for when files are read for that, and when only looked at."""

import os
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

#: Larger results are not read again for a hash: the system may no longer have them in memory.
_MOST_HASHED = 1 << 28


@dataclass(frozen=True)
class Stamp:
    """What a file was like: size in bytes, times (ns) of its last writing and last change, a hash of its content.

    The second time cannot be set by programs (on Windows it is that of the making), so that a file whose time of
    writing was kept on purpose is looked into all the same.
    """

    size: int
    written: int
    changed: int
    content: str = ""

    def __str__(self) -> str:
        """Give it as text for the ledger."""
        return f"{self.size} {self.written} {self.changed} {self.content}".rstrip()

    @classmethod
    def from_text(cls, text: str) -> "Stamp | None":
        """Read what `str` gives; None for anything else."""
        size, written, changed, content, *_ = (*text.split(" "), "", "", "", "")
        try:
            return cls(int(size), int(written), int(changed), content)
        except ValueError:
            return None


def stamp_of(path: Path, *, hashed: bool = True) -> Stamp:
    """Give the stamp of a file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    status = path.stat()
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, hash_file(path) if hashed else "")


def stamp_of_result(path: Path) -> Stamp:
    """Give the stamp of a file that was just written; without a hash where it is very large.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    return stamp_of(path, hashed=path.stat().st_size <= _MOST_HASHED)


def input_stamp(path: Path, known: Stamp | None) -> Stamp:
    """Give the stamp of an image; its content is read only where size or times are not those known.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    seen = stamp_of(path, hashed=False)
    if known is not None and known.content and seen == replace(known, content=""):
        return known
    return replace(seen, content=hash_file(path))


def still_as(path: Path, known: Stamp) -> Stamp | None:
    """Give the stamp of a result that has the content it had, with the times it has now; None where it has another.

    One of equal size and times is taken to be the same without reading it. Where a time differs, the hash decides; of
    results too large to have one, the time of writing.
    """
    try:
        seen = stamp_of(path, hashed=False)
        if seen.size != known.size:
            return None
        if (seen.written, seen.changed) != (known.written, known.changed) and known.content:
            return replace(seen, content=known.content) if hash_file(path) == known.content else None
    except OSError:
        return None
    return known if seen.written == known.written else None


def hash_file(path: Path) -> str:
    """Give a hash of a file's content; of a folder (a chunked image), of the names, sizes and times of its files.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    content = blake2b(digest_size=16)
    if path.is_dir():
        for part in sorted(path.rglob("*")):
            status = part.stat()
            name = os.fsencode(part.relative_to(path))
            content.update(b"%b %d %d\n" % (name, status.st_size, status.st_mtime_ns))
        return content.hexdigest()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            content.update(block)
    return content.hexdigest()
