"""The memory that is left, within the limits of containers and batch systems."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from microforge import memory

STATISTICS = "anon 1\ninactive_file {0}\nactive_file 0\ntotal_inactive_file {0}\ntotal_active_file 0\n"


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer with 8 GB free, whose groups are files of the test."""
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 10**9))
    return tmp_path / "groups"


def write(folder: Path, limit: str, used: int, cached: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for names in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        for name, value in zip(names, (limit, used), strict=True):
            (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(STATISTICS.format(cached))


def test_without_groups_what_the_computer_has_free(groups: Path) -> None:
    assert memory.available_memory() == 8 * 10**9


@pytest.mark.parametrize(
    ("own", "root"), [("0::/batch/job\n", "."), ("4:memory:/batch/job\n0::/\n", "memory")], ids=["v2", "v1"]
)
def test_the_tightest_group_counts_and_cached_files_do_not(groups: Path, own: str, root: str) -> None:
    (groups.parent / "own").write_text(own)
    write(groups / root / "batch", "max", 5)
    write(groups / root / "batch" / "job", str(2 * 10**9), 15 * 10**8, cached=10**9)
    assert memory.available_memory() == 15 * 10**8
    write(groups / root / "batch", str(10**9), 7 * 10**8)
    assert memory.available_memory() == 3 * 10**8


def test_a_group_seen_from_inside_a_container_is_found_at_its_top(groups: Path) -> None:
    (groups.parent / "own").write_text("0::/somewhere/on/the/host\n")
    write(groups, str(10**9), 2 * 10**8)
    assert memory.available_memory() == 8 * 10**8


@pytest.mark.parametrize(("size", "text"), [(850_000_000, "850 MB"), (9_240_000_000, "9.2 GB")])
def test_sizes_are_said_as_people_do(size: int, text: str) -> None:
    assert memory.bytes_text(size) == text
