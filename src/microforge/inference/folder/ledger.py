"""The ledger (SQLite) of an output folder: what was made from what, with which model and settings.

One SQLite file. "Done" means an entry here with the same input, model and settings, never merely "a file exists".
The measurements of each image are kept in it too, so that the tables of the folder can be written again at any time.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Self

from microforge.answers.base import CLASSES_TABLE, COUNTS_TABLE, OBJECTS_TABLE, Statistics
from microforge.errors import WriteError
from microforge.io.tables import PackedLines, TableRows

FILE_NAME = "microforge.sqlite"
State = Literal["waiting", "done", "failed"]

#: Raised when the meaning of a column changes; a newer ledger is refused, never guessed at.
_VERSION = 1
_COMMIT_EVERY = 0.5


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
    output_hash
        Of label images; images are large, and nothing is decided by it.
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
    input_hash: str = ""
    model_hash: str = ""
    settings_hash: str = ""
    output_hash: str = ""
    finished: str = ""


_COLUMNS = tuple(field.name for field in fields(Entry))
_PLACES = ", ".join("?" for _ in _COLUMNS)


class Ledger:
    """An open ledger; entries are committed together about twice a second, at `commit` and at `close`.

    An image recorded but not committed when the program is killed is simply done again.

    Raises
    ------
    WriteError
        From every method, if the file is damaged, cannot be written or was made by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._committed = time.monotonic()
        try:
            # The folder run may be closed by another thread than the one that iterated; never by two at once.
            self._database = sqlite3.connect(self.path, timeout=20, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._problem(error) from error
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def entry(self, path: Path) -> Entry | None:
        """Give what is known of an input."""
        rows = self._ask("SELECT * FROM images WHERE path = ?", (str(path),))
        return next((Entry(*row) for row in rows), None)

    def entries(self, state: State | None = None) -> Iterator[Entry]:
        """Give all entries by name."""
        where = "" if state is None else "WHERE state = ?"
        query = f"SELECT * FROM images {where} ORDER BY name"
        return (Entry(*row) for row in self._ask(query, () if state is None else (state,)))

    def names(self) -> list[tuple[str, str]]:
        """Give name and path of every entry."""
        return list(self._ask("SELECT name, path FROM images", ()))

    def plan(self, entries: Sequence[Entry]) -> None:
        """Note what is going to be made, before any of it exists: a result without an entry is somebody else's."""
        self._change(f"INSERT OR REPLACE INTO images VALUES ({_PLACES})", [astuple(entry) for entry in entries])
        self.commit()

    def record(
        self, entry: Entry, tables: Mapping[str, TableRows] | None = None, statistics: Statistics | None = None
    ) -> None:
        """Note how an image went, with its rows of the tables and the statistics of the whole image.

        Where tables are given they replace all rows that the image had: in a table left out it has none any more.
        """
        self._change(f"INSERT OR REPLACE INTO images VALUES ({_PLACES})", [astuple(entry)])
        if tables is not None:
            self.add_tables(tables)
            for name in self.tables:
                self._replace(name, entry.path, tables.get(name))
        if statistics is not None:
            self._change("INSERT OR REPLACE INTO figures VALUES (?, ?)", [(entry.path, json.dumps(dict(statistics)))])
        if time.monotonic() - self._committed > _COMMIT_EVERY:
            self.commit()

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that images give rows to, or have given."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%(path PRIMARY KEY, columns, lines)'"
        return tuple(name for (name,) in self._ask(query, ()))

    def add_tables(self, names: Iterable[str]) -> None:
        """Make room for rows of tables that are not there yet."""
        for name in names:
            if not name.isidentifier() or name in ("images", "figures"):
                raise WriteError(f"No table of results can be called '{name}'.", where=str(self.path))
            self._run(f"CREATE TABLE IF NOT EXISTS {name} (path PRIMARY KEY, columns, lines)")

    def _replace(self, table: str, path: str, rows: TableRows | None) -> None:
        if rows is None:
            # Not deleted: that the folder has had such a table must not be forgotten, for it has to be written again.
            self._change(f"UPDATE {table} SET columns = '', lines = ? WHERE path = ?", [(zlib.compress(b""), path)])
            return
        packed = _packed(rows.lines)
        self._change(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", [(path, "\t".join(rows.columns), packed)])

    def measurements(self, table: str = OBJECTS_TABLE) -> Iterator[tuple[str, TableRows]]:
        """Give the name and the rows of every image that is done and has some, by name."""
        query = f"SELECT name, columns, lines FROM images JOIN {table} USING (path) WHERE state = 'done' ORDER BY name"
        for name, columns, packed in self._ask(query, ()):
            yield name, TableRows(tuple(columns.split("\t")), PackedLines(packed))

    def measured_columns(self, table: str = OBJECTS_TABLE) -> list[str]:
        """Give all columns that any image has, in the order of their first use."""
        query = f"SELECT DISTINCT columns FROM {table} JOIN images USING (path) WHERE state = 'done' ORDER BY name"
        return list(dict.fromkeys(name for (columns,) in self._ask(query, ()) for name in columns.split("\t") if name))

    def has_had(self, table: str) -> bool:
        """Tell whether any image has, or had, rows of a table."""
        return any(True for _ in self._ask(f"SELECT 1 FROM {table} LIMIT 1", ()))

    def statistics(self) -> dict[str, dict[str, float | str]]:
        """Give what was measured on whole images, by path and name; nothing for images without any."""
        found = {path: json.loads(text) for path, text in self._ask("SELECT path, figures FROM figures", ())}
        return {path: values for path, values in found.items() if values}

    def commit(self) -> None:
        """Put everything recorded on disk."""
        try:
            self._database.commit()
        except sqlite3.Error as error:
            raise self._problem(error) from error
        self._committed = time.monotonic()

    def close(self) -> None:
        """Commit and close; no other file stays beside the ledger."""
        try:
            self.commit()
        finally:
            self._database.close()

    def _prepare(self) -> None:
        # A log beside the file makes commits cheap; network drives refuse it and go on without. Damage shows below.
        with suppress(sqlite3.DatabaseError):
            self._database.execute("PRAGMA journal_mode = WAL")
        self._run("PRAGMA synchronous = NORMAL")
        [(version,)] = self._ask("PRAGMA user_version", ())
        if version > _VERSION:
            raise WriteError(
                "The ledger of this folder was made by a newer version of Microforge.",
                where=str(self.path),
                kept="Nothing was changed.",
                remedy="Update Microforge, or choose another output folder.",
            )
        self._run(f"CREATE TABLE IF NOT EXISTS images ({', '.join(_COLUMNS)}, PRIMARY KEY (path))")
        self.add_tables((OBJECTS_TABLE, COUNTS_TABLE, CLASSES_TABLE))
        self._run("CREATE TABLE IF NOT EXISTS figures (path PRIMARY KEY, figures)")
        self._run(f"PRAGMA user_version = {_VERSION}")
        self.commit()

    def _run(self, query: str) -> None:
        try:
            self._database.execute(query)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _ask(self, query: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._database.execute(query, values)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _change(self, query: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            self._database.executemany(query, rows)
        except sqlite3.Error as error:
            raise self._problem(error) from error

    def _problem(self, error: sqlite3.Error) -> WriteError:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        return WriteError(
            f"The ledger of the folder cannot be {'read: the file is damaged' if damaged else 'used'} ({error}).",
            where=str(self.path),
            kept="The results made before are unchanged.",
            remedy="Move this file away, or choose another output folder, and run again."
            if damaged
            else "Check that the disk has space, that you may write there and that no other run uses this folder.",
        )


def _packed(lines: Collection[str]) -> bytes:
    return lines.packed() if isinstance(lines, PackedLines) else zlib.compress("\n".join(lines).encode(), 1)


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
            content.update(f"{part.relative_to(path)} {status.st_size} {status.st_mtime_ns}\n".encode())
        return content.hexdigest()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            content.update(block)
    return content.hexdigest()
