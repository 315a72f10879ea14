"""Parts of a folder run, as several machines make them, and their merge."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.answers.base import OBJECTS_TABLE
from microforge.errors import FolderInUseError, SettingsError, WriteError
from microforge.events import FolderStarted, ImageFailed, ImageFinished, ImageSkipped
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.parts.merging import merge_parts
from microforge.inference.folder.parts.part import FolderPart
from microforge.inference.folder.run import of_part, run_folder
from microforge.io.locking import folder_lock
from support.runs import csv_rows, of_type
from support.thresholding import Thresholding

OF = 3


def write_image(path: Path, objects: int) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    image = np.full((32, 32), 10, np.uint8)
    for k in range(objects):
        image[4 * k : 4 * k + 3, 2:6] = 200
    tifffile.imwrite(path, image)
    return path


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Ten images, two of one name, and a file that is none."""
    paths = [write_image(tmp_path / "in" / f"i{k:02d}.tif", objects=k % 4) for k in range(9)]
    paths.append(write_image(tmp_path / "other" / "i03.tif", objects=5))
    paths.append(tmp_path / "in" / "bad.tif")
    paths[-1].write_bytes(b"no image")
    return sorted(paths)


def origin(output: Path, **changes: Any) -> Origin:
    return replace(Origin(output, "m", "1", "2"), **changes)


def run_part(images: list[Path], output: Path, number: int, of: int = OF, **changes: Any) -> list[Any]:
    where = of_part(origin(output, **changes), FolderPart(number, of), images)
    return list(run_folder(Thresholding(), images, where))


def run_all(images: list[Path], output: Path) -> None:
    for number in range(1, OF + 1):
        run_part(images, output, number)


def content(output: Path) -> dict[str, Any]:
    """Give all results, and the tables without times."""
    files: dict[str, Any] = {path.name: path.read_bytes() for path in output.glob("*.tif")}
    files |= {path.name: path.read_bytes() for path in output.glob("objects.csv")}
    rows = [
        {k: v for k, v in row.items() if k not in ("seconds", "finished")} for row in csv_rows(output / "images.csv")
    ]
    return files | {"images": rows}


@pytest.fixture
def alone(tmp_path: Path, images: list[Path]) -> dict[str, Any]:
    """What one machine makes of all images."""
    list(run_folder(Thresholding(), images, origin(tmp_path / "alone")))
    return content(tmp_path / "alone")


def test_parts_together_are_what_one_machine_makes(tmp_path: Path, images: list[Path], alone: dict[str, Any]) -> None:
    output = tmp_path / "out"
    run_all(images, output)
    merged = merge_parts(output)
    assert (merged.parts, merged.done, merged.failed, merged.left) == (OF, 10, 1, ())
    assert content(output) == alone
    assert sorted(path.name for path in output.iterdir() if path.is_dir()) == []
    again = list(run_folder(Thresholding(), images, origin(output)))
    assert len(of_type(again, ImageSkipped)) == 10
    assert content(output) == alone


def test_every_file_is_in_one_part_whatever_their_number(images: list[Path]) -> None:
    for of in (1, 2, 7, 40):
        owners = [[n for n in range(1, of + 1) if FolderPart(n, of).has(k)] for k in range(len(images))]
        assert all(len(owner) == 1 for owner in owners)
    sizes = [sum(FolderPart(n, 4).has(k) for k in range(10)) for n in range(1, 5)]
    assert sorted(sizes) == [2, 2, 3, 3]


def test_a_part_without_files_ends_well(tmp_path: Path, images: list[Path]) -> None:
    started, *others = run_part(images[:2], tmp_path / "out", 3)
    assert isinstance(started, FolderStarted)
    assert started.paths == ()
    assert not of_type(others, ImageFinished)
    assert not of_type(others, ImageFailed)


def test_a_part_run_twice_goes_on_where_it_was(tmp_path: Path, images: list[Path]) -> None:
    first = of_type(run_part(images, tmp_path / "out", 2), ImageFinished)
    again = run_part(images, tmp_path / "out", 2)
    assert len(of_type(again, ImageSkipped)) == len(first) > 0


def test_a_merge_waits_for_all_parts(tmp_path: Path, images: list[Path]) -> None:
    output = tmp_path / "out"
    run_part(images, output, 2)
    with pytest.raises(SettingsError, match="2 of 3 parts were not run yet: 1/3, 3/3"):
        merge_parts(output)
    run_part(images, output, 1)
    run_part(images, output, 3)
    with (
        folder_lock(FolderPart(3, OF).folder(output), "a folder run"),
        pytest.raises(FolderInUseError, match="still at work"),
    ):
        merge_parts(output)
    assert merge_parts(output).done == 10


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"model_hash": "other"}, "the model"), ({"settings_hash": "other"}, "their settings")],
)
def test_parts_of_different_runs_are_not_mixed(
    tmp_path: Path, images: list[Path], changes: dict[str, str], words: str
) -> None:
    output = tmp_path / "out"
    run_all(images, output)
    run_part(images, output, 2, **changes)
    with pytest.raises(SettingsError, match=f"not of the same run: they differ in {words}"):
        merge_parts(output)
    run_part(images[:-1], output, 2)
    with pytest.raises(SettingsError, match="they differ in their files"):
        merge_parts(output)


def test_files_of_somebody_else_are_not_replaced(tmp_path: Path, images: list[Path]) -> None:
    output = tmp_path / "out"
    run_all(images, output)
    (output / "i04.tif").write_bytes(b"mine")
    merged = merge_parts(output)
    assert [(Path(path).name, why) for path, why in merged.left] == [
        ("i04.tif", "i04.tif is in the folder, but was not made by a run there.")
    ]
    assert (output / "i04.tif").read_bytes() == b"mine"
    assert (merged.done, len(list((output / "parts").glob("*/i04.tif")))) == (9, 1)
    (output / "i04.tif").unlink()
    assert merge_parts(output).done == 10


def test_results_of_before_are_kept_where_a_part_fails(tmp_path: Path, images: list[Path]) -> None:
    output = tmp_path / "out"
    list(run_folder(Thresholding(), images, origin(output)))
    broken = next(path for path in images if path.name == "i02.tif")
    broken.write_bytes(b"no image any more")
    run_all(images, output)
    merged = merge_parts(output)
    with Ledger(output) as ledger:
        entry = ledger.entry(broken)
    assert entry is not None
    assert entry.state == "done"
    assert (output / f"{broken.stem}.tif").exists()
    assert merged.failed == 1


def test_a_folder_without_parts_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There are no parts of a run in this folder"):
        merge_parts(tmp_path)


def test_a_part_that_does_not_say_what_it_is_is_refused(tmp_path: Path, images: list[Path]) -> None:
    run_all(images, tmp_path / "out")
    (FolderPart(1, OF).folder(tmp_path / "out") / "part.json").write_text("{")
    with pytest.raises(WriteError, match="does not say what it is"):
        merge_parts(tmp_path / "out")


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "-1/3", "1/1000000000"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="is no part"):
        FolderPart.from_text(text)


KILLED = """
import os, sys
from pathlib import Path
left = int(sys.argv[2])
def hook(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir"):
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(hook)
from microforge.inference.folder.parts.merging import merge_parts
merge_parts(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("after", [0, 5, 14, 24])
def test_a_merge_that_was_killed_loses_nothing(
    tmp_path: Path, images: list[Path], alone: dict[str, Any], after: int
) -> None:
    output = tmp_path / "out"
    run_all(images, output)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(output), str(after)], check=False)
    if killed.returncode == 0 or not (output / "parts").exists():
        shutil.rmtree(output / "parts-merged", ignore_errors=True)
    else:
        assert merge_parts(output).left == ()
    assert content(output) == alone
    with Ledger(output) as ledger:
        assert [entry.state for entry in ledger.entries()].count("done") == 10
        assert len(list(ledger.measurements(OBJECTS_TABLE))) > 0
