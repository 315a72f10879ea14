"""What the ledger knows of one input file, and how it is kept in a row; come here to add a column."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from microforge.errors import readable

State = Literal["waiting", "done", "failed"]


@dataclass(frozen=True)
class Entry:
    """What the ledger knows of one input file.

    Attributes
    ----------
    path
        The input, absolute; the key.
    name
        What the image is called in the tables; its result is ``name.tif``. No two entries share one.
    pixel_size
        ``(Z)YX`` in micrometre, as text separated by blanks; empty where unknown.
    input_stamp
        Of the input when it was read, see `Stamp`.
    files
        The files in the folder that runs have made of this input, or are going to make: JSON, the stamp of each by its
        name, empty while it may be half written. Nothing else in the folder is replaced.
    results_version
        That of the program which made them; empty for those of before there was one.
    """

    path: str
    name: str
    state: State = "waiting"
    reason: str = ""
    result: str = ""
    objects: int | None = None
    seconds: float = 0.0
    shape: str = ""
    pixel_size: str = ""
    notes: str = ""
    model: str = ""
    input_stamp: str = ""
    model_hash: str = ""
    settings_hash: str = ""
    finished: str = ""
    files: str = ""
    results_version: str = ""


COLUMNS = tuple(field.name for field in fields(Entry))


def row_of(entry: Entry) -> tuple[object, ...]:
    """Give the values of the columns; names of files that are no text have been made readable, but for the key."""
    # `astuple` copies deeply, which takes a fifth of a millisecond.
    path, *others = (getattr(entry, name) for name in COLUMNS)
    return (stored_path(path), *(readable(value) if isinstance(value, str) else value for value in others))


def entry_of(row: Sequence[Any]) -> Entry:
    """Give the entry of a row."""
    path, *others = row
    return Entry(given_path(path), *others)


def stored_path(path: str) -> str | bytes:
    """Give a path as it is kept: one whose bytes are no text stays bytes, so that it is never taken for another."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def given_path(stored: str | bytes) -> str:
    """Give the path of which `stored_path` was kept."""
    return os.fsdecode(stored)
