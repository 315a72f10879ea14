"""A ledger that is damaged, lost, old or taken away: said in words, and nothing of anybody's is lost."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.errors import WriteError
from microforge.events import FolderStarted, ImageFailed, ImageFinished, ImageSkipped
from microforge.inference.folder.entries import Entry
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.ledger import FILE_NAME, Ledger
from microforge.inference.folder.run import run_folder
from support.runs import csv_rows, of_type
from support.thresholding import Thresholding


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "in" / f"i{k}.tif" for k in range(6)]
    paths[0].parent.mkdir()
    for k, path in enumerate(paths):
        image = np.full((32, 32), 10, np.uint8)
        image[2, 2 : 2 + 2 * k : 2] = 200
        tifffile.imwrite(path, image)
    return paths


def run(paths: Sequence[Path], folder: Path) -> list[Any]:
    return list(run_folder(Thresholding(), list(paths), origin(folder)))


def origin(folder: Path) -> Origin:
    return Origin(folder / "out", "m", "1", "2")


def results(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "out").glob("i*.tif")}


def without_pages(content: bytes) -> bytes:
    return content[:4096] + bytes(8192) + content[12288:]


DAMAGE = {
    "text": lambda content: b"hello\n" * 100,
    "half": lambda content: content[: len(content) // 2],
    "hole": without_pages,
    "garbage": lambda content: np.random.default_rng(1).bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_ledger_is_put_aside_and_the_run_goes_on(tmp_path: Path, images: list[Path], damage: str) -> None:
    run(images, tmp_path)
    before, ledger = results(tmp_path), tmp_path / "out" / FILE_NAME
    damaged = DAMAGE[damage](ledger.read_bytes())
    ledger.write_bytes(damaged)
    events = run(images, tmp_path)
    note = of_type(events, FolderStarted)[0].note
    assert "damaged" in note
    assert "microforge-damaged.sqlite" in note
    assert "6 results" in note
    assert len((tmp_path / "out" / "microforge-damaged.sqlite").read_bytes()) == len(damaged)
    assert len(of_type(events, ImageFinished)) == 6
    assert results(tmp_path) == before
    assert len(of_type(run(images, tmp_path), ImageSkipped)) == 6


def test_files_saved_after_the_ledger_was_lost_are_not_taken_for_results(tmp_path: Path, images: list[Path]) -> None:
    run(images[:5], tmp_path)
    out = tmp_path / "out"
    (out / FILE_NAME).unlink()
    (out / "i1.tif").write_text("my own")
    os.utime(out / "i1.tif", (4e9, 4e9))
    events = run(images[:5], tmp_path)
    assert "The ledger was missing" in of_type(events, FolderStarted)[0].note
    assert [event.path for event in of_type(events, ImageFailed)] == [images[1]]
    assert (out / "i1.tif").read_text() == "my own"
    (out / FILE_NAME).unlink()
    (out / "i5.tif").write_text("my own")
    with pytest.raises(WriteError, match="not made by a run here"):
        run(images, tmp_path)


def test_a_table_that_is_not_ours_gives_no_claim_to_files(tmp_path: Path, images: list[Path]) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "images.csv").write_bytes(b"name;path\n\xff\xfe;\0")
    (out / "i1.tif").write_text("my own")
    with pytest.raises(WriteError, match="not made by a run here"):
        run(images, tmp_path)
    assert (out / "i1.tif").read_text() == "my own"


@pytest.mark.parametrize("replaced", [False, True])
@pytest.mark.skipif(os.name != "posix", reason="files that are open are not deleted on Windows")
def test_a_ledger_taken_away_while_the_run_works_is_noticed(tmp_path: Path, images: list[Path], replaced: bool) -> None:
    events = run_folder(Thresholding(), images, origin(tmp_path))
    next(events)
    ledger = tmp_path / "out" / FILE_NAME
    ledger.unlink()
    if replaced:
        ledger.write_bytes(b"hello\n" * 100)
    with pytest.raises(WriteError, match=r"deleted or replaced while the run was working.*run again"):
        list(events)
    assert {row["state"] for row in csv_rows(tmp_path / "out" / "images.csv")} == {"done"}
    before = results(tmp_path)
    again = run(images, tmp_path)
    assert len(of_type(again, ImageFinished if replaced else ImageSkipped)) == 6
    assert results(tmp_path) == before


def test_a_ledger_overwritten_in_place_is_noticed(tmp_path: Path, images: list[Path]) -> None:
    events = run_folder(Thresholding(), images, origin(tmp_path))
    next(events)
    with (tmp_path / "out" / FILE_NAME).open("r+b") as file:
        file.write(b"hello\n" * 100)
    with pytest.raises(WriteError, match="ledger"):
        list(events)
    assert len(of_type(run(images, tmp_path), ImageFinished)) == 6


def as_of_version_1(ledger: Path) -> None:
    """Give a ledger the columns that those of the first version had."""
    old = [f.name for f in fields(Entry) if f.name not in ("input_stamp", "files", "results_version")]
    old[old.index("model_hash") : old.index("model_hash")] = ["input_hash"]
    with sqlite3.connect(ledger) as database:
        columns = ", ".join("'x' AS input_hash" if name == "input_hash" else name for name in old)
        database.execute(f"CREATE TABLE old AS SELECT {columns} FROM images")
        database.execute("DROP TABLE images")
        database.execute(f"CREATE TABLE images ({', '.join(old)}, PRIMARY KEY (path))")
        database.execute("INSERT INTO images SELECT * FROM old")
        database.execute("DROP TABLE old")
        database.execute("PRAGMA user_version = 1")
    database.execute("PRAGMA journal_mode = WAL")
    database.close()


def test_a_ledger_of_the_first_version_is_taken_on_and_its_files_are_done_again(
    tmp_path: Path, images: list[Path]
) -> None:
    run(images, tmp_path)
    before = results(tmp_path)
    as_of_version_1(tmp_path / "out" / FILE_NAME)
    (tmp_path / "out" / "i2.tif").write_text("my own")
    os.utime(tmp_path / "out" / "i2.tif", (4e9, 4e9))
    events = run(images, tmp_path)
    finished = of_type(events, ImageFinished)
    # Files that are read at the same time go through together, in whichever order they come.
    assert {event.path for event in finished} == {path for path in images if path.stem != "i2"}
    assert {event.notes for event in finished} == {("Done again: another version of Microforge had made it.",)}
    assert [event.path for event in of_type(events, ImageFailed)] == [images[2]]
    assert results(tmp_path) == before | {"i2.tif": b"my own"}
    assert len(of_type(run(images, tmp_path), ImageSkipped)) == 5


def test_the_ledger_needs_no_memory_shared_between_machines(tmp_path: Path) -> None:
    with Ledger(tmp_path), sqlite3.connect(tmp_path / FILE_NAME) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()
