"""The ledger: what it keeps, and that it is never guessed at."""

import sqlite3
from pathlib import Path

import pytest

from microforge.answers.base import CLASSES_TABLE, COUNTS_TABLE, OBJECTS_TABLE
from microforge.errors import WriteError
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.ledger import FILE_NAME, Ledger
from microforge.inference.stamps import hash_file
from microforge.io.tables import TableRows

ROWS = TableRows(("label", "area"), ("1,10", "2,20"))


def test_keeps_what_was_recorded_when_opened_again(tmp_path: Path) -> None:
    entry = Entry("/in/a.tif", "a", "done", result="a.tif", objects=2, seconds=0.5, pixel_size="0.1 0.2")
    with Ledger(tmp_path) as ledger:
        ledger.record(entry, {OBJECTS_TABLE: ROWS})
    with Ledger(tmp_path) as ledger:
        assert ledger.entry(Path("/in/a.tif")) == entry
        assert ledger.entry(Path("/in/b.tif")) is None
        assert list(ledger.measurements()) == [("a", ROWS)]


def test_an_entry_replaces_the_one_of_the_same_file(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.plan([Entry("/in/a.tif", "a"), Entry("/in/b.tif", "b")])
        ledger.record(Entry("/in/a.tif", "a", "failed", reason="broken"))
        assert [(e.name, e.state) for e in ledger.entries()] == [("a", "failed"), ("b", "waiting")]
        assert [e.name for e in ledger.entries("waiting")] == ["b"]


def test_only_images_that_are_done_have_measurements(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.record(Entry("/in/a.tif", "a", "done"), {OBJECTS_TABLE: ROWS})
        ledger.record(Entry("/in/b.tif", "b", "done"), {OBJECTS_TABLE: TableRows(("label", "frame"), ())})
        ledger.record(Entry("/in/a.tif", "a", "failed"))
        assert list(ledger.measurements()) == [("b", TableRows(("label", "frame"), ()))]
        assert ledger.measured_columns() == ["label", "frame"]


def test_rows_are_replaced_table_by_table_when_an_image_is_done_again(tmp_path: Path) -> None:
    counts, entry = TableRows(("region", "count"), ("image,3.00", "left,1.00")), Entry("/in/a.tif", "a", "done")
    with Ledger(tmp_path) as ledger:
        ledger.record(entry, {OBJECTS_TABLE: ROWS})
        assert not ledger.has_had(COUNTS_TABLE)
        ledger.record(entry, {COUNTS_TABLE: counts}, {"class": "good", "count": 3.0})
        assert list(ledger.measurements(COUNTS_TABLE)) == [("a", counts)]
        assert ledger.measured_columns(OBJECTS_TABLE) == []
        assert (ledger.has_had(OBJECTS_TABLE), ledger.has_had(CLASSES_TABLE)) == (True, False)
        assert ledger.statistics() == {"/in/a.tif": {"class": "good", "count": 3.0}}
        ledger.record(Entry("/in/a.tif", "a", "failed"))
        assert list(ledger.measurements(COUNTS_TABLE)) == []


def test_a_ledger_of_before_there_were_counts_is_taken_on(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("DROP TABLE counts")
        database.execute("DROP TABLE classes")
    database.close()
    with Ledger(tmp_path) as ledger:
        assert ledger.measured_columns(COUNTS_TABLE) == []


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(Entry("/in/a.tif", "a", "done"))
    ledger.commit()
    ledger.record(Entry("/in/b.tif", "b", "done"))
    # No close: another connection sees what a process killed now would leave.
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        assert other.execute("SELECT name FROM images").fetchall() == [("a",)]
    other.close()
    ledger.close()


def test_a_damaged_ledger_is_an_error_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, but long enough to be looked at" * 100)
    with pytest.raises(WriteError, match=r"damaged.*unchanged"):
        Ledger(tmp_path)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(WriteError, match="newer version"):
        Ledger(tmp_path)


def test_hash_follows_the_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_bytes(b"x" * 1000)
    second.write_bytes(b"x" * 1000)
    assert hash_file(first) == hash_file(second)
    second.write_bytes(b"x" * 999 + b"y")
    assert hash_file(first) != hash_file(second)


def test_hash_of_a_folder_follows_its_files(tmp_path: Path) -> None:
    (tmp_path / "chunks").mkdir()
    (tmp_path / "chunks" / "0").write_bytes(b"x")
    before = hash_file(tmp_path)
    (tmp_path / "chunks" / "1").write_bytes(b"x")
    assert hash_file(tmp_path) != before
