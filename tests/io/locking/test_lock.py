"""One run at a time in a folder, whoever was killed there before."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from microforge.errors import FolderInUseError, WriteError
from microforge.io.locking.lock import LOCK_NAME, LONGEST_SILENCE, folder_lock, holder_of

HOLD = """
import sys
from pathlib import Path
from microforge.io.locking.lock import folder_lock
with folder_lock(Path(sys.argv[1]), "a training"):
    print("held", flush=True)
    sys.stdin.readline()
"""
RACE = """
import sys, time
from pathlib import Path
from microforge.errors import FolderInUseError
from microforge.io.locking.lock import folder_lock
while time.time() < float(sys.argv[2]):
    pass
try:
    with folder_lock(Path(sys.argv[1]), "a training"):
        print("held", flush=True)
        sys.stdin.readline()
except FolderInUseError:
    print("refused", flush=True)
"""


def program(text: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", text, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def as_if_by(folder: Path, **changes: object) -> None:
    """Make the lock of somebody else out of one of our own."""
    with folder_lock(folder, "a training"):
        values = json.loads((folder / LOCK_NAME).read_text())
    (folder / LOCK_NAME).write_text(json.dumps({**values, **changes}))


def test_a_second_run_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    first = program(HOLD, tmp_path)
    assert said(first) == "held"
    words = rf"a training by .* \(process {first.pid}, since 20\d\d-"
    with pytest.raises(FolderInUseError, match=words) as caught, folder_lock(tmp_path, "a prediction"):
        raise AssertionError
    assert caught.value.where == str(tmp_path)
    first.communicate("\n")
    with folder_lock(tmp_path, "a prediction"):
        assert holder_of(tmp_path) is not None
    assert list(tmp_path.iterdir()) == []
    assert holder_of(tmp_path) is None


def test_the_lock_of_a_killed_run_is_taken_over_at_once(tmp_path: Path) -> None:
    first = program(HOLD, tmp_path)
    assert said(first) == "held"
    first.kill()
    first.communicate()
    assert (tmp_path / LOCK_NAME).exists()
    assert holder_of(tmp_path) is None
    with folder_lock(tmp_path, "a training"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_got_the_number_of_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    as_if_by(tmp_path, started=time.time() - 1e6)
    with folder_lock(tmp_path, "a training"):
        pass


def test_of_several_that_come_at_once_one_gets_the_folder_of_a_killed_run(tmp_path: Path) -> None:
    as_if_by(tmp_path, started=1.0)
    racers = [program(RACE, tmp_path, time.time() + 1.5) for _ in range(4)]
    assert sorted(said(racer) for racer in racers) == ["held", "refused", "refused", "refused"]
    for racer in racers:
        racer.communicate("\n")


def test_another_machine_holds_the_folder_until_it_is_silent(tmp_path: Path) -> None:
    as_if_by(tmp_path, machine="microscope-2 [7]")
    with pytest.raises(FolderInUseError, match=r"on microscope-2 \("), folder_lock(tmp_path, "a training"):
        pass
    long_ago = time.time() - LONGEST_SILENCE - 5
    os.utime(tmp_path / LOCK_NAME, (long_ago, long_ago))
    with folder_lock(tmp_path, "a training"):
        pass


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[1, 2]", b'{"user": 1}', b"[" * 9000])
def test_a_lock_that_cannot_be_read_counts_while_it_is_young(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / LOCK_NAME
    path.write_bytes(content)
    with pytest.raises(FolderInUseError, match="Another run works in this folder"), folder_lock(tmp_path, "a run"):
        pass
    assert path.read_bytes() == content
    os.utime(path, (1e9, 1e9))
    with folder_lock(tmp_path, "a run"):
        pass
    assert not path.exists()


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="does not exist"), folder_lock(tmp_path / "gone", "a run"):
        pass


def test_a_folder_removed_meanwhile_ends_quietly(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with folder_lock(folder, "a run"):
        (folder / LOCK_NAME).unlink()
        folder.rmdir()
    assert not folder.exists()


def test_a_lock_that_somebody_else_took_is_not_given_back(tmp_path: Path) -> None:
    with folder_lock(tmp_path, "a run"):
        values = json.loads((tmp_path / LOCK_NAME).read_text())
        (tmp_path / LOCK_NAME).write_text(json.dumps({**values, "token": "of another"}))
    assert (tmp_path / LOCK_NAME).exists()


def test_temporary_files_of_killed_runs_go_and_all_else_stays(tmp_path: Path) -> None:
    old, young, own = ".0123abcd-checkpoint.safetensors", ".89abcdef-a.tif", ".hidden-notes.txt"
    half_made = f"{LOCK_NAME}-0123456789abcdef"
    for name in (old, young, own, half_made):
        (tmp_path / name).write_text("x")
    for name in (old, own, half_made):
        os.utime(tmp_path / name, (time.time() - 100,) * 2)
    with folder_lock(tmp_path, "a run"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {young, own}
