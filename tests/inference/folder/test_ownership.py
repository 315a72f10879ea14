"""Whose files are in an output folder, and whether they are what a run has written."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.answers import CELLS
from microforge.errors import FolderInUseError
from microforge.events import FolderStarted, ImageFailed, ImageFinished, ImageSkipped
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.ledger import FILE_NAME
from microforge.inference.folder.run import run_folder
from microforge.types import Count, Points, Prediction
from support.runs import csv_rows, of_type
from support.thresholding import Thresholding


class Pointing(Thresholding):
    """Stands for a model that counts: each bright pixel is a cell."""

    def finish(self, output: Any, sample: Any) -> Prediction:
        places = np.argwhere(output[0] > 100).astype(np.float32)
        return Prediction(points=Points(places, np.zeros(len(places), np.int32)))


def count(prediction: Prediction, region: Any) -> tuple[Count, ...]:
    return (Count("", float(len(prediction.points or ()))),)


def write_image(path: Path, bright: int = 1) -> Path:
    path.parent.mkdir(exist_ok=True)
    image = np.full((32, 32), 10, np.uint8)
    image[2, 2 : 2 + 2 * bright : 2] = 200
    tifffile.imwrite(path, image)
    return path


def segmenting(folder: Path, **changes: Any) -> Origin:
    return Origin(**({"output": folder / "out", "model": "m", "model_hash": "1", "settings_hash": "2"} | changes))


def counting(folder: Path, **changes: Any) -> Origin:
    return segmenting(folder, **({"model_hash": "counts", "answer": CELLS, "count": count} | changes))


def run(paths: Sequence[Path], origin: Origin) -> list[Any]:
    network = Pointing() if origin.answer is CELLS else Thresholding()
    return list(run_folder(network, list(paths), origin))


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Note the files that are opened for reading or writing in the block."""
    names: list[str] = []
    listening = True

    def note(event: str, args: tuple[Any, ...]) -> None:
        if listening and event == "open":
            names.append(str(args[0]))

    sys.addaudithook(note)
    yield names
    listening = False


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return [write_image(tmp_path / "in" / f"{name}.tif", n) for n, name in enumerate("abc", start=1)]


@pytest.mark.parametrize("own", ["a.csv", "a.zip"])
def test_a_file_saved_beside_a_result_is_not_replaced_by_a_result_of_another_kind(
    tmp_path: Path, images: list[Path], own: str
) -> None:
    run(images, segmenting(tmp_path))
    (tmp_path / "out" / own).write_text("my own")
    events = run(images, counting(tmp_path))
    again = run(images, counting(tmp_path))
    assert (tmp_path / "out" / own).read_text() == "my own"
    for tried in (events, again):
        (failed,) = of_type(tried, ImageFailed)
        assert failed.path == images[0]
        assert own in failed.reason
        assert "--overwrite" in failed.remedy
    assert len(of_type(events, ImageFinished)) == 2
    run(images, counting(tmp_path, overwrite=True))
    assert "my own" not in (tmp_path / "out" / own).read_text(errors="replace")


def test_an_archive_of_somebody_else_is_not_deleted_where_there_are_no_points(tmp_path: Path) -> None:
    paths = [write_image(tmp_path / "in" / "empty.tif", 0)]
    run(paths, counting(tmp_path))
    run(paths, counting(tmp_path))
    own = tmp_path / "out" / "empty.zip"
    own.write_text("my own")
    events = run(paths, counting(tmp_path, settings_hash="other"))
    assert own.read_text() == "my own"
    assert len(of_type(events, ImageFailed)) == 1


def test_a_file_that_comes_while_the_run_works_is_not_replaced(tmp_path: Path, images: list[Path]) -> None:
    events = run_folder(Thresholding(), images, segmenting(tmp_path))
    own = tmp_path / "out" / "b.tif"
    own.write_text("my own")
    failed = of_type(list(events), ImageFailed)
    assert [event.path for event in failed] == [images[1]]
    assert own.read_text() == "my own"
    assert [event.path for event in of_type(run(images, segmenting(tmp_path)), ImageFailed)] == [images[1]]


def test_what_a_killed_run_has_written_but_not_noted_is_its_own(tmp_path: Path, images: list[Path]) -> None:
    run_folder(Thresholding(), images, segmenting(tmp_path))
    (tmp_path / "out" / "a.tif").write_bytes(b"written, but not noted")
    assert len(of_type(run(images, segmenting(tmp_path)), ImageFinished)) == 3


@pytest.mark.parametrize("change", ["cut", "edited", "same size", "gone", "empty"])
def test_a_result_that_is_not_what_was_written_is_made_again(tmp_path: Path, images: list[Path], change: str) -> None:
    run(images, segmenting(tmp_path))
    result, table = tmp_path / "out" / "b.tif", csv_rows(tmp_path / "out" / "images.csv")
    whole = result.read_bytes()
    if change == "gone":
        result.unlink()
    else:
        changed = {"cut": whole[:200], "edited": whole + b"x", "same size": bytes(len(whole)), "empty": b""}[change]
        status = result.stat()
        result.write_bytes(changed)
        if change == "same size":
            os.utime(result, ns=(status.st_atime_ns, status.st_mtime_ns))
    events = run(images, segmenting(tmp_path))
    assert [event.path for event in of_type(events, ImageFinished)] == [images[1]]
    assert result.read_bytes() == whole
    assert [row["notes"] for row in csv_rows(tmp_path / "out" / "images.csv")] == [row["notes"] for row in table]
    kept = tmp_path / "out" / "changed" / "b.tif"
    assert kept.exists() == (change not in ("gone", "empty"))
    if kept.exists():
        assert kept.read_bytes() == changed
        assert "changed/b.tif" in of_type(events, ImageFinished)[0].notes[0]


def test_a_result_that_was_only_copied_is_done(tmp_path: Path, images: list[Path]) -> None:
    run(images, segmenting(tmp_path))
    for result in (tmp_path / "out").glob("?.tif"):
        os.utime(result, (1e9, 1e9))
    assert len(of_type(run(images, segmenting(tmp_path)), ImageSkipped)) == 3
    assert not (tmp_path / "out" / "changed").exists()


@pytest.mark.parametrize("origin", [segmenting, counting])
def test_images_and_results_that_nobody_touched_are_not_read_again(
    tmp_path: Path, images: list[Path], origin: Any
) -> None:
    run(images, origin(tmp_path))
    with opened_files() as names:
        events = run(images, origin(tmp_path))
    assert len(of_type(events, ImageSkipped)) == 3
    made = (tmp_path / "out" / f"{image.stem}{end}" for image in images for end in (".tif", ".csv", ".zip"))
    files = {*map(str, images), *map(str, made)}
    assert files.isdisjoint(names)
    os.utime(images[0], (1e9, 1e9))
    with opened_files() as names:
        assert len(of_type(run(images, origin(tmp_path)), ImageSkipped)) == 3
    assert files.intersection(names) == {str(images[0])}
    with opened_files() as names:
        run(images, origin(tmp_path))
    assert files.isdisjoint(names)


def test_an_image_changed_with_its_time_kept_is_done_again(tmp_path: Path, images: list[Path]) -> None:
    run(images, segmenting(tmp_path))
    status = images[0].stat()
    images[0].write_bytes(images[1].read_bytes())
    assert images[0].stat().st_size == status.st_size
    os.utime(images[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert [event.path for event in of_type(run(images, segmenting(tmp_path)), ImageFinished)] == [images[0]]


def test_what_another_version_made_is_done_again_and_said_so(tmp_path: Path, images: list[Path]) -> None:
    run(images, segmenting(tmp_path, results_version="older"))
    finished = of_type(run(images, segmenting(tmp_path)), ImageFinished)
    assert [event.notes for event in finished] == [("Done again: another version of Microforge had made it.",)] * 3


def test_a_second_run_is_refused_while_one_works(tmp_path: Path, images: list[Path]) -> None:
    events = run_folder(Thresholding(), images, segmenting(tmp_path))
    assert isinstance(next(events), FolderStarted)
    before = (tmp_path / "out" / FILE_NAME).read_bytes()
    with pytest.raises(FolderInUseError, match=rf"a folder run by .* \(process {os.getpid()}.*Nothing was changed"):
        run_folder(Thresholding(), images, segmenting(tmp_path, model_hash="other"))
    assert (tmp_path / "out" / FILE_NAME).read_bytes() == before
    assert len(of_type(list(events), ImageFinished)) == 3
    assert len(of_type(run(images, segmenting(tmp_path)), ImageSkipped)) == 3


def test_a_run_that_is_never_begun_or_is_closed_holds_nothing(tmp_path: Path, images: list[Path]) -> None:
    run_folder(Thresholding(), images, segmenting(tmp_path))
    begun = run_folder(Thresholding(), images, segmenting(tmp_path))
    next(begun)
    begun.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name == "folder lock"]
    assert len(of_type(run(images, segmenting(tmp_path)), ImageFinished)) == 3
