"""The bytes of a journal: records with checksums; come here for what is read of a journal that was torn or damaged.

A record is a head of fixed length (mark, number of its commit, lengths, CRC), its values as JSON, a payload, and a CRC
of both. The records of a commit have one number, and the last says how many there are: without it nothing of the
commit counts.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from microforge.errors import ProjectError

MARK = b"MFJ\x01"
_HEAD = struct.Struct("<4sQIQ")
_CRC = struct.Struct("<I")
_HEAD_SIZE = _HEAD.size + _CRC.size
_BLOCK = 1 << 20
#: No values are longer; what says so is damaged.
_LONGEST_VALUES = 1 << 28

END_OF_COMMIT = "commit"


class Place(NamedTuple):
    """Where a payload is in a journal: bytes from the start of the file."""

    path: Path
    offset: int
    length: int

    def read(self) -> bytes:
        """Read it.

        Raises
        ------
        ProjectError
            If the file is gone, or was cut short.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self.offset)
                raw = file.read(self.length)
        except OSError as error:
            raise self.unreadable(error.strerror or str(error)) from error
        if len(raw) != self.length:
            raise self.unreadable("it was cut short")
        return raw

    def unreadable(self, reason: str) -> ProjectError:
        """Give the error for what cannot be read any more."""
        return ProjectError(
            f"What was drawn last cannot be read from the journal ({reason}).",
            where=str(self.path),
            kept="Nothing was changed.",
            remedy="Open the project again.",
        )


class JournalRecord(NamedTuple):
    """One record: the number of its commit, what it says, and where its payload is."""

    sequence: int
    values: Mapping[str, Any]
    payload: Place


Commit = tuple[JournalRecord, ...]


@dataclass(frozen=True)
class JournalContent:
    """What is read of a journal.

    Attributes
    ----------
    commits
        Those that are whole, in the order in which they were made.
    end
        Where the last whole commit ends, in bytes.
    torn
        Bytes behind it: of a commit that was being written when the program was killed.
    damaged
        Places (in bytes) at which something does not fit its checksum.
    """

    commits: tuple[Commit, ...] = ()
    end: int = 0
    torn: int = 0
    damaged: tuple[int, ...] = field(default=())


def packed(sequence: int, values: Mapping[str, Any], payload: bytes) -> tuple[bytes, int]:
    """Give the bytes of a record, and where in them the payload begins."""
    told = json.dumps(values, separators=(",", ":")).encode()
    head = _HEAD.pack(MARK, sequence, len(told), len(payload))
    body = _CRC.pack(zlib.crc32(payload, zlib.crc32(told)))
    return b"".join((head, _CRC.pack(zlib.crc32(head)), told, payload, body)), _HEAD_SIZE + len(told)


def read_journal(path: Path) -> JournalContent:
    """Read a journal as far as it is whole: a torn end is left out, and so is a damaged commit within it.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    commits: list[Commit] = []
    damaged: list[int] = []
    open_records: list[JournalRecord] = []
    end = 0
    with path.open("rb") as file:
        size = file.seek(0, 2)
        for record, start, stop in _records(file, path, size, damaged):
            if open_records and open_records[0].sequence != record.sequence:
                damaged.append(start)
                open_records = []
            open_records.append(record)
            if record.values.get("kind") == END_OF_COMMIT:
                if record.values.get("records") == len(open_records) - 1:
                    commits.append(tuple(open_records[:-1]))
                    end = stop
                else:
                    damaged.append(start)
                open_records = []
    # What does not fit at the very end was being written.
    return JournalContent(tuple(commits), end, size - end, tuple(place for place in damaged if place < end))


def _records(file: BinaryIO, path: Path, size: int, damaged: list[int]) -> Iterator[tuple[JournalRecord, int, int]]:
    """Yield records with where they begin and end; what cannot be read is passed over and noted."""
    at = 0
    while at < size:
        found = _record_at(file, path, at, size)
        if found is None:
            damaged.append(at)
            following = _next_mark(file, at + 1, size)
            if following is None:
                return
            at = following
            continue
        yield found[0], at, found[1]
        at = found[1]


def _record_at(file: BinaryIO, path: Path, at: int, size: int) -> tuple[JournalRecord, int] | None:
    file.seek(at)
    raw = file.read(_HEAD_SIZE)
    lengths = _lengths(raw)
    if lengths is None:
        return None
    sequence, told_length, length = lengths
    offset = at + _HEAD_SIZE + told_length
    end = offset + length + _CRC.size
    if end > size or told_length > _LONGEST_VALUES:
        return None
    told = file.read(told_length)
    crc = zlib.crc32(told)
    for block in _blocks(file, length):
        crc = zlib.crc32(block, crc)
    if _CRC.unpack(file.read(_CRC.size))[0] != crc:
        return None
    return JournalRecord(sequence, json.loads(told), Place(path, offset, length)), end


def _lengths(raw: bytes) -> tuple[int, int, int] | None:
    """Give number, length of the values and of the payload; None where this is no head of a record."""
    if len(raw) < _HEAD_SIZE or raw[:4] != MARK:
        return None
    if zlib.crc32(raw[: _HEAD.size]) != _CRC.unpack(raw[_HEAD.size :])[0]:
        return None
    _, sequence, told, payload = _HEAD.unpack(raw[: _HEAD.size])
    return sequence, told, payload


def _blocks(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0:
        block = file.read(min(length, _BLOCK))
        if not block:
            return
        length -= len(block)
        yield block


def _next_mark(file: BinaryIO, start: int, size: int) -> int | None:
    """Find the next head of a record whose checksum fits."""
    overlap = _HEAD_SIZE - 1
    while start < size:
        file.seek(start)
        block = file.read(_BLOCK + overlap)
        at = block.find(MARK)
        while at >= 0:
            if _lengths(block[at : at + _HEAD_SIZE]) is not None:
                return start + at
            at = block.find(MARK, at + 1)
        start += _BLOCK
    return None
