"""`ThumbnailStore`: small pictures kept in one file among the user's data, by path, size and time of their image."""

import os
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from microforge.io.thumbnails.making import Picture

STORE_NAME = "thumbnails.sqlite"
#: Most bytes of pictures that are kept: the longest unused ones go.
MOST_BYTES = 64 << 20
#: So many pictures are added before it is looked whether there are too many.
_TIDY_AFTER = 200
#: Seconds that another program's writing is waited for.
_PATIENCE = 2
_TABLE = (
    "CREATE TABLE IF NOT EXISTS pictures (image TEXT PRIMARY KEY, used INTEGER NOT NULL, "
    "height INTEGER NOT NULL, width INTEGER NOT NULL, pixels BLOB NOT NULL)"
)


class ThumbnailStore:
    """Pictures on disk; for one thread. What cannot be kept or read is made again: no error leaves it.

    Parameters
    ----------
    folder
        Where the file is kept; made if missing.
    most_bytes
        Of all pictures together.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most_bytes
        self._database: sqlite3.Connection | None = None
        self._given_up = False
        self._added = 0

    def get(self, path: Path, side: int) -> Picture | None:
        """Give the picture of a file as it is now; None where none is kept, or the file was written since."""
        key = _key(path, side)
        found = self._ask("SELECT height, width, pixels FROM pictures WHERE image = ?", key) if key else []
        if not found:
            return None
        self._ask("UPDATE pictures SET used = (SELECT MAX(used) + 1 FROM pictures) WHERE image = ?", key)
        height, width, packed = found[0]
        with suppress(zlib.error, ValueError, TypeError):
            return np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width, 3)
        return None

    def put(self, path: Path, side: int, picture: Picture) -> None:
        """Keep the picture of a file."""
        key = _key(path, side)
        if key is None:
            return
        height, width = picture.shape[:2]
        packed = zlib.compress(picture.tobytes(), 1)
        self._ask(
            "INSERT OR REPLACE INTO pictures VALUES (?, (SELECT IFNULL(MAX(used), 0) + 1 FROM pictures), ?, ?, ?)",
            key,
            height,
            width,
            packed,
        )
        self._added += 1
        if self._added % _TIDY_AFTER == 0:
            self.tidy()

    def tidy(self) -> None:
        """Let go of the pictures that were not used for the longest time, as far as there are too many."""
        self._ask(
            "DELETE FROM pictures WHERE image IN (SELECT image FROM (SELECT image, SUM(LENGTH(pixels)) OVER "
            "(ORDER BY used DESC) AS sum FROM pictures) WHERE sum > ?)",
            self._most,
        )

    def close(self) -> None:
        """Let go of the file."""
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()

    def _ask(self, query: str, *values: object) -> list[tuple[int, int, bytes]]:
        database = self._opened()
        if database is None:
            return []
        try:
            with database:
                return list(database.execute(query, values))
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _opened(self) -> sqlite3.Connection | None:
        if self._database is None and not self._given_up:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._database = sqlite3.connect(self._folder / STORE_NAME, timeout=_PATIENCE, check_same_thread=False)
                # What is lost in a power cut is made again.
                self._database.execute("PRAGMA synchronous = OFF")
                self._database.execute(_TABLE)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._database

    def _give_up(self, error: Exception) -> None:
        """Go on without the file; one that is damaged is removed, so that the next start begins a new one."""
        self.close()
        self._given_up = True
        if not isinstance(error, OSError | sqlite3.OperationalError):
            with suppress(OSError):
                (self._folder / STORE_NAME).unlink()


def _key(path: Path, side: int) -> str | None:
    """Name a file as it is now; None where it cannot be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    place = os.fsencode(os.path.abspath(path)).hex()
    return f"{place} {found.st_size} {found.st_mtime_ns} {side}"
