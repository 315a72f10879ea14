"""Atomic writing: the old content or the new, never half."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from microforge.errors import WriteError
from microforge.io.atomic import atomic_path, atomic_write_bytes, atomic_write_text


def write_and_fail(target: Path, failure: BaseException) -> None:
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"half of the n")
        raise failure


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_content_is_replaced_and_nothing_else_is_left(tmp_path: Path, durable: bool) -> None:
    target = tmp_path / "a.txt"
    atomic_write_text(target, "old", durable=durable)
    atomic_write_text(target, "new µ\n", durable=durable)
    assert target.read_bytes() == "new µ\n".encode()
    assert names(tmp_path) == ["a.txt"]


def test_temporary_path_is_hidden_beside_the_target_with_its_suffixes(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "cells.ome.tif") as temporary:
        assert temporary.parent == tmp_path.resolve()
        assert temporary.name.startswith(".")
        assert temporary.suffixes[-2:] == [".ome", ".tif"]
        temporary.write_bytes(b"x")
    assert names(tmp_path) == ["cells.ome.tif"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_failure_in_the_middle_keeps_the_old_content(tmp_path: Path, failure: type[BaseException]) -> None:
    target = tmp_path / "a.bin"
    atomic_write_bytes(target, b"old")
    with pytest.raises(failure):
        write_and_fail(target, failure())
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_failure_of_a_first_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        write_and_fail(tmp_path / "a.bin", ValueError("no"))
    assert names(tmp_path) == []


def test_full_disk_says_what_to_do_and_what_was_kept(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with pytest.raises(WriteError, match=r"a\.bin.*unchanged.*disk is full") as caught:
        write_and_fail(target, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert caught.value.remedy.startswith("The disk is full")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_file_that_cannot_be_read_meanwhile_is_not_blamed_on_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.bin") as temporary:
        temporary.write_bytes((tmp_path / "image.tif").read_bytes())
    assert names(tmp_path) == []


def test_missing_folder_is_a_write_error(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="folder does not exist"):
        atomic_write_text(tmp_path / "nowhere" / "a.txt", "x")


def test_a_folder_in_the_way_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(WriteError, match="folder of that name"):
        atomic_write_text(tmp_path / "a.txt", "x")
    assert names(tmp_path) == ["a.txt"]


def test_writer_that_writes_nothing_is_a_write_error(tmp_path: Path) -> None:
    with pytest.raises(WriteError), atomic_path(tmp_path / "a.txt"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX permissions")
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_forbidden_folder_is_a_write_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="may write there"):
            atomic_write_text(tmp_path / "a.txt", "x")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_mode_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        atomic_write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_keeps_pointing_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    atomic_write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
