"""The ledger (SQLite) of an output folder: what was made from what, with which model and settings.

One SQLite file. "Done" means an entry here with the same input, model and settings, never merely "a file exists".
The measurements of each image are kept in it too, so that the tables of the folder can be written again at any time.
"""

import json
import os
import secrets
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

from microforge.answers.base import CLASSES_TABLE, COUNTS_TABLE, OBJECTS_TABLE, Statistics
from microforge.errors import WriteError, readable
from microforge.inference.folder.entries import COLUMNS, Entry, State, entry_of, given_path, row_of, stored_path
from microforge.io.tables import PackedLines, TableRows

FILE_NAME = "microforge.sqlite"
#: Raised when columns change; those of before are taken on, a newer ledger is refused, never guessed at.
_VERSION = 2
_COMMIT_EVERY = 0.5


_LISTED = ", ".join(COLUMNS)
_RECORD = f"INSERT OR REPLACE INTO images ({_LISTED}) VALUES ({', '.join('?' for _ in COLUMNS)})"


class DamagedLedgerError(WriteError):
    """The ledger is there, but cannot be read."""


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
        #: Whether there was none, or an empty file.
        self.is_new = not (self.path.is_file() and self.path.stat().st_size)
        self._committed = time.monotonic()
        #: Written into the file, so that another one under its name is noticed; 0 once it was.
        self._mark = secrets.randbits(31) or 1
        self._unsaid = False
        self._uncommitted: list[tuple[str, Sequence[tuple[object, ...]]]] = []
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
        rows = self._ask(f"SELECT {_LISTED} FROM images WHERE path = ?", (stored_path(str(path)),))
        return next((entry_of(row) for row in rows), None)

    def path_called(self, name: str) -> str | None:
        """Give the input that has a name in the tables, however it is capitalised; None where none has."""
        rows = self._ask("SELECT path FROM images WHERE lower(name) = lower(?)", (readable(name),))
        return next((given_path(path) for (path,) in rows), None)

    def rows(self, path: str) -> dict[str, TableRows]:
        """Give the rows of an image in the tables that it has some in, by the name of the table."""
        found = {}
        for table in self.tables:
            query = f"SELECT columns, lines FROM {table} WHERE path = ?"
            for columns, packed in self._ask(query, (stored_path(path),)):
                if columns:
                    found[table] = TableRows(tuple(columns.split("\t")), PackedLines(packed))
        return found

    def entries(self, state: State | None = None) -> Iterator[Entry]:
        """Give all entries by name."""
        where = "" if state is None else "WHERE state = ?"
        query = f"SELECT {_LISTED} FROM images {where} ORDER BY name"
        return (entry_of(row) for row in self._ask(query, () if state is None else (state,)))

    def plan(self, entries: Sequence[Entry]) -> None:
        """Note what is going to be made, before any of it exists: a result without an entry is somebody else's."""
        self._change(_RECORD, [row_of(entry) for entry in entries])
        self.commit()

    def record(
        self, entry: Entry, tables: Mapping[str, TableRows] | None = None, statistics: Statistics | None = None
    ) -> None:
        """Note how an image went, with its rows of the tables and the statistics of the whole image.

        Where tables are given they replace all rows that the image had: in a table left out it has none any more.
        """
        self._change(_RECORD, [row_of(entry)])
        if tables is not None:
            self.add_tables(tables)
            for name in self.tables:
                self._replace(name, entry.path, tables.get(name))
        if statistics is not None:
            figures = (stored_path(entry.path), json.dumps(dict(statistics)))
            self._change("INSERT OR REPLACE INTO figures (path, figures) VALUES (?, ?)", [figures])
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
        key = stored_path(path)
        if rows is None:
            # Not deleted: that the folder has had such a table must not be forgotten, for it has to be written again.
            self._change(f"UPDATE {table} SET columns = '', lines = ? WHERE path = ?", [(zlib.compress(b""), key)])
            return
        row = (key, "\t".join(rows.columns), _packed(rows.lines))
        self._change(f"INSERT OR REPLACE INTO {table} (path, columns, lines) VALUES (?, ?, ?)", [row])

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
        found = {key: json.loads(text) for key, text in self._ask("SELECT path, figures FROM figures", ())}
        return {given_path(key): values for key, values in found.items() if values}

    def check(self) -> None:
        """Look through all of it for damage.

        Raises
        ------
        DamagedLedgerError
            If there is some.
        """
        for (found,) in self._ask("PRAGMA quick_check(1)", ()):
            if found != "ok":
                raise self._problem(sqlite3.DatabaseError(str(found).replace("\n", " ")))

    def commit(self) -> None:
        """Put everything recorded on disk, and see that it is still the file that was opened.

        Raises
        ------
        WriteError
            Once, if it was taken away or replaced; what is recorded can still be asked for.
        """
        try:
            self._database.commit()
        except sqlite3.Error as error:
            if not self._is_taken_away():
                raise self._problem(error) from error
        self._committed = time.monotonic()
        if self._is_taken_away():
            self._go_on_in_memory()
        self._uncommitted.clear()
        if self._unsaid:
            self._unsaid = False
            raise self._taken_away()

    def _is_taken_away(self) -> bool:
        return bool(self._mark) and self._mark != _mark_of(self.path)

    def _go_on_in_memory(self) -> None:
        """Keep what is known although the file is lost: the tables can still be written, and a new file at the end."""
        self._mark, self._unsaid = 0, True
        memory = sqlite3.connect(":memory:", check_same_thread=False)
        _copy(self._database, memory)
        self._database.close()
        self._database = memory
        for query, rows in self._uncommitted:
            self._database.executemany(query, rows)

    def close(self) -> None:
        """Commit and close; no other file stays beside the ledger, and one that was deleted is there again."""
        try:
            self.commit()
        finally:
            if not self._mark and not os.path.lexists(self.path):
                self._write_again()
            self._database.close()

    def _write_again(self) -> None:
        with suppress(sqlite3.Error), closing(sqlite3.connect(self.path)) as file:
            _copy(self._database, file)

    def _prepare(self) -> None:
        # A log beside the file (WAL) would be quicker, but keeps nothing safe on network drives.
        self._run("PRAGMA journal_mode = DELETE")
        self._run("PRAGMA synchronous = NORMAL")
        [(version,)] = self._ask("PRAGMA user_version", ())
        if version > _VERSION:
            raise WriteError(
                "The ledger of this folder was made by a newer version of Microforge.",
                where=str(self.path),
                kept="Nothing was changed.",
                remedy="Update Microforge, or choose another output folder.",
            )
        self._run(f"CREATE TABLE IF NOT EXISTS images ({_LISTED}, PRIMARY KEY (path))")
        there = {name for _, name, *_ in self._ask("PRAGMA table_info(images)", ())}
        for column in COLUMNS:
            if column not in there:
                self._run(f"ALTER TABLE images ADD COLUMN {column} DEFAULT ''")
        self.add_tables((OBJECTS_TABLE, COUNTS_TABLE, CLASSES_TABLE))
        self._run("CREATE TABLE IF NOT EXISTS figures (path PRIMARY KEY, figures)")
        self._run(f"PRAGMA user_version = {_VERSION}")
        self._run(f"PRAGMA application_id = {self._mark}")
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
        self._uncommitted.append((query, rows))
        try:
            self._database.executemany(query, rows)
        except sqlite3.Error as error:
            if not self._is_taken_away():
                raise self._problem(error) from error
            self._go_on_in_memory()

    def _problem(self, error: sqlite3.Error) -> WriteError:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
        if damaged:
            return DamagedLedgerError(
                f"The ledger of the folder cannot be read: the file is damaged ({error}).",
                where=str(self.path),
                kept="The results made before are unchanged.",
                remedy="Run again: the ledger is then put aside, and what it knew is done again.",
            )
        return WriteError(
            f"The ledger of the folder cannot be used ({error}).",
            where=str(self.path),
            kept="The results made before are unchanged.",
            remedy="Check that the disk has space, that you may write there and that no other run uses this folder.",
        )

    def _taken_away(self) -> WriteError:
        return WriteError(
            "The ledger of the folder was deleted or replaced while the run was working.",
            where=str(self.path),
            kept="The results made so far are there.",
            remedy="Check that the drive is connected and that no other program cleans up there, then run again.",
        )


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy what can be read; `Connection.backup` would wait for ever for a file that is locked or gone."""
    with suppress(sqlite3.Error):
        target.executescript("\n".join(source.iterdump()))


def _mark_of(path: Path) -> int | None:
    """Read the application id where SQLite's file format has it; None where there is no such file any more."""
    try:
        with path.open("rb") as file:
            return int.from_bytes(file.read(72)[68:], "big")
    except OSError:
        return None


def _packed(lines: Collection[str]) -> bytes:
    return (
        lines.packed()
        if isinstance(lines, PackedLines)
        else zlib.compress("\n".join(lines).encode(errors="backslashreplace"), 1)
    )
