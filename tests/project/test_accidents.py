"""Disks that are full or gone, two openers, sleeping computers, odd names, very large layers."""

import json
import os
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from microforge.errors import ProjectError, WriteError
from microforge.io.locking.lock import LOCK_NAME
from microforge.project import ImageSource, Project
from microforge.types import Image
from support.full_disk import set_largest_file
from support.projects import SIZE, image_file, layout_of, painted, project_with_images, some_points, stroke

HOLD = """
import sys
from pathlib import Path
from microforge.project import Project
project = Project.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def largest_file() -> Iterator["type[LargestFile]"]:
    yield LargestFile
    LargestFile.set(None)


class LargestFile:
    """How large files may become in this process, as on a disk that is nearly full."""

    @staticmethod
    def set(size: int | None) -> None:
        set_largest_file(size)


no_limits = pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")


@no_limits
def test_a_full_disk_is_said_and_work_goes_on_when_there_is_room(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    for room in (0, 20):
        largest_file.set(sum(path.stat().st_size for path in (project.folder / "journal").iterdir()) + room)
        with pytest.raises(WriteError, match=r"could not be written.*then try again"):
            stroke(project, entry.id, 2, (32, 32))
        with pytest.raises(WriteError):
            project.update(lambda document: document.model_copy(update={"current": entry.id}))
        assert project.document.current == ""
        largest_file.set(None)
    assert painted(project, entry.id) == {1: 256}
    stroke(project, entry.id, 3, (16, 16))
    project.close()
    there = Project.open(project.folder)
    assert (painted(there, entry.id), there.recovered) == ({1: 256, 3: 256}, ())
    there.close()


@no_limits
def test_a_disk_without_room_for_plain_files_keeps_everything_in_the_journal(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.compact()
    stroke(project, entry.id, 2, (32, 32))
    largest_file.set(250)
    with pytest.raises(WriteError):
        project.compact()
    with pytest.raises(WriteError):
        project.close()
    largest_file.set(None)
    assert project.closed
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {1: 256, 2: 256}
    assert there.compact()
    there.close()


@no_limits
def test_a_folder_that_takes_nothing_is_opened_read_only_and_said(
    tmp_path: Path, largest_file: type[LargestFile]
) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.close()
    largest_file.set(0)
    there = Project.open(project.folder)
    assert (there.read_only, there.holder) == (True, "")
    assert any("can only be read" in text for text in there.recovered)
    assert painted(there, entry.id) == {1: 256}
    with pytest.raises(ProjectError, match="can only be read"):
        stroke(there, entry.id, 2)
    there.close()
    # What reports about this test writes files too.
    largest_file.set(None)


def test_a_folder_that_vanishes_is_said_and_taken_up_again_when_it_is_back(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    away = project.folder.rename(tmp_path / "away")
    with pytest.raises((WriteError, ProjectError)):
        stroke(project, entry.id, 2, (32, 32))
    away.rename(project.folder)
    stroke(project, entry.id, 3, (32, 32))
    project.close()
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {1: 256, 3: 256}
    there.close()


def test_who_opens_it_second_reads_only_and_is_told_who_has_it(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.close()
    command = [sys.executable, "-c", HOLD, str(project.folder)]
    first = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "open\n"
    second = Project.open(project.folder)
    assert second.read_only
    assert f"process {first.pid}" in second.holder
    assert second.recovered == ()
    assert painted(second, entry.id) == {1: 256}
    with pytest.raises(ProjectError, match=f"can only be read: .*process {first.pid}"):
        second.update(lambda document: document.model_copy(update={"name": "mine"}))
    second.close()
    first.kill()
    first.communicate()
    third = Project.open(project.folder)
    assert not third.read_only
    assert third.recovered == ()
    third.close()


def test_a_computer_that_slept_writes_nothing_beside_who_came_meanwhile(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    lock = project.folder / LOCK_NAME
    values = json.loads(lock.read_text())
    lock.write_text(json.dumps({**values, "machine": "lab3 1", "token": "theirs"}))
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    for write in (lambda: stroke(project, entry.id, 2), project.compact, project.close):
        with pytest.raises(ProjectError, match="Somebody else has opened the project meanwhile"):
            write()
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_the_lease_of_another_machine_is_respected_until_it_is_silent(tmp_path: Path) -> None:
    project, _ = project_with_images(tmp_path)
    lock = project.folder / LOCK_NAME
    theirs = json.dumps({**json.loads(lock.read_text()), "machine": "lab3 1", "user": "ana", "token": "theirs"})
    project.close()
    lock.write_text(theirs)
    second = Project.open(project.folder)
    assert second.read_only
    assert "ana on lab3" in second.holder
    os.utime(lock, (0, 0))
    third = Project.open(project.folder)
    assert not third.read_only
    third.close()


def test_a_reader_whose_journal_was_brought_into_files_meanwhile_is_told_to_open_again(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.write_points(entry.id, some_points())
    reader = Project.open(project.folder, read_only=True)
    for value in (2, 3):
        stroke(project, entry.id, value, (16 * value, 0))
        project.compact()
    for read in (lambda: reader.labels(entry.id), lambda: reader.points(entry.id)):
        with pytest.raises(ProjectError, match="Open the project again"):
            read()
    project.close()


def test_what_counts_does_not_depend_on_clocks(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    for value, year in ((1, 2100), (2, 1990)):
        stroke(project, entry.id, value, (16 * value, 0))
        project.compact()
        for path in project.folder.rglob("*"):
            if path.is_file() and path.name != LOCK_NAME:
                os.utime(path, ((year - 1970) * 31_556_952,) * 2)
    project.close()
    there = Project.open(project.folder)
    assert (painted(there, entry.id), there.recovered) == ({1: 256, 2: 256}, ())
    there.close()


ODD_NAMES = {
    "cjk": "細胞の写真",
    "slashes": "a/b\\c:d*?.tif",
    "long": "n" * 300,
    "long cjk": "核" * 200,
    "dots": "..",
    "device": "CON",
    "not text": "plate\udcff 3",
    "turned round": "a\u202eb\nc",
    "blank": "  ",
}


@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES.keys())
def test_an_image_of_any_name_is_kept_in_a_folder_that_any_system_takes(tmp_path: Path, name: str) -> None:
    project = Project.create(tmp_path / "cells")
    entry = project.add_image(ImageSource(image=Image(name, np.zeros((SIZE, SIZE), np.uint8), "YX")))
    stroke(project, entry.id, 1)
    project.close()
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {1: 256}
    [folder] = (project.folder / "annotations").iterdir()
    assert len(os.fsencode(folder.name)) <= 100
    assert not set(folder.name) & set('\\/:*?"<>|\n\u202e')
    assert folder.name.rsplit("-")[0].strip(" .")
    assert there.locate(there.entry(entry.id)).problem == ""
    there.close()


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text")
def test_a_file_and_a_project_whose_names_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"plate\xff.tif")
    path = image_file(tmp_path / name)
    project = Project.create(tmp_path / os.fsdecode(b"proj\xff.microforge"))
    entry = project.add_image(ImageSource(path))
    stroke(project, entry.id, 1)
    assert entry.name == "plate\\xff"
    project.close()
    there = Project.open(project.folder)
    assert there.locate(there.entry(entry.id)) == (path, "")
    assert there.document.name == "proj\\xff"
    assert painted(there, entry.id) == {1: 256}
    there.close()


def test_a_layer_of_a_whole_slide_needs_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from microforge.project.annotations import store

    project, [entry] = project_with_images(tmp_path)
    side, layout = 20_000, layout_of((2_000, 20_000))
    tracemalloc.start()
    try:
        for x in (0, side - 512):
            project.write_tiles(entry.id, "labels", layout, [((1000, x), np.full((512, 512), 7, np.uint32))])
        assert project.compact()
        project.write_tiles(entry.id, "labels", layout, [((0, 0), np.full((512, 512), 9, np.uint32))])
        monkeypatch.setattr(store, "available_memory", lambda: 1 << 20)
        labels = project.labels(entry.id)
        assert labels is not None
        corner, middle = labels[0:2, 0:2], labels[1000:1512, side - 600 : side - 500]
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 80e6 < 4 * 2_000 * side
    assert corner.tolist() == [[9, 9], [9, 9]]
    assert (int((middle == 7).sum()), int((middle == 0).sum())) == (512 * 12, 512 * 88)
    project.close()


@pytest.mark.slow
def test_a_layer_of_20_000_by_20_000_comes_back(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    layout = layout_of((20_000, 20_000))
    project.write_tiles(entry.id, "labels", layout, [((12_345, 19_000), np.full((512, 512), 7, np.uint32))])
    project.close(float("inf"))
    there = Project.open(project.folder)
    stored = there.entry(entry.id).parts["labels"]
    assert (stored.shape, stored.generations[0].count) == ((20_000, 20_000), 1)
    assert (project.folder / "annotations" / entry.folder / "labels.tif").stat().st_size < 5e6
    labels = there.labels(entry.id)
    assert labels is not None
    assert int((labels[12_000:13_000, 18_900:19_600] == 7).sum()) == 512 * 512
    there.close()


def test_one_stroke_on_a_large_layer_writes_less_than_a_megabyte(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    layout, rng = layout_of((4_096, 4_096)), np.random.default_rng(0)
    project.write_tiles(entry.id, "labels", layout, [((0, 0), np.zeros((4_096, 4_096), np.uint32))])
    first = bytes_of(project)
    # A stroke over four tiles, in each a few dozen objects.
    tiles = [np.kron(rng.integers(0, 40, (32, 32)), np.ones((8, 8), int)) for _ in range(4)]
    project.write_tiles(entry.id, "labels", layout, [((256 * n, 0), tile) for n, tile in enumerate(tiles)])
    project.sync()
    assert first < 400_000
    assert bytes_of(project) - first < 100_000
    project.close()


def bytes_of(project: Project) -> int:
    return sum(path.stat().st_size for path in project.folder.rglob("*") if path.is_file())


def test_strokes_from_several_threads_while_plain_files_are_made(tmp_path: Path) -> None:
    project, entries = project_with_images(tmp_path, ["a", "b", "c"])
    problems: list[BaseException] = []

    def draw(image_id: str) -> None:
        try:
            for value in range(1, 13):
                stroke(project, image_id, value, (16 * ((value - 1) // 4), 16 * ((value - 1) % 4)))
                assert value in painted(project, image_id)
        except BaseException as error:  # noqa: BLE001 - told below
            problems.append(error)

    threads = [threading.Thread(target=draw, args=(entry.id,)) for entry in entries]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        project.compact()
    project.close()
    assert problems == []
    there = Project.open(project.folder)
    assert [painted(there, entry.id) for entry in entries] == [dict.fromkeys(range(1, 13), 256)] * 3
    assert there.verify() == ()
    there.close()
