"""The memory that is left, within the limits of containers and batch systems."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from microforge import memory
from microforge.answers.time_series import PredictionStack
from microforge.errors import OutOfMemoryError
from microforge.types import Prediction

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


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any memory is free."""
    monkeypatch.setattr(memory, "_ALWAYS_IN_MEMORY", 1000)
    monkeypatch.setattr(memory, "available_memory", lambda: 4000)


def film() -> list[Prediction]:
    frames = np.random.default_rng(0).integers(0, 99, (5, 40, 50)).astype(np.int32)
    return [Prediction(labels=frame) for frame in frames]


@pytest.mark.usefixtures("short")
def test_results_that_do_not_fit_into_memory_are_kept_on_disk_and_can_be_written_to() -> None:
    stack, frames = PredictionStack(5), film()
    for frame in frames:
        stack.add(frame)
    labels = stack.prediction().labels
    assert stack.labels._file is not None
    np.testing.assert_array_equal(labels, [frame.labels for frame in frames])
    labels[2, 3, 4] = 1234
    assert labels[2].max() == 1234


def test_results_that_fit_stay_in_memory() -> None:
    stack = PredictionStack(5)
    stack.add(film()[0])
    assert stack.labels._file is None


@pytest.mark.usefixtures("short")
def test_results_that_fit_nowhere_are_refused_with_the_way_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(OutOfMemoryError, match="needs 0 MB at once") as caught:
        PredictionStack(5).add(film()[0])
    assert "command line" in caught.value.remedy


def test_disks_that_are_memory_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mounts = [SimpleNamespace(mountpoint="/", fstype="ext4"), SimpleNamespace(mountpoint=str(tmp_path), fstype="tmpfs")]
    monkeypatch.setattr(memory.psutil, "disk_partitions", lambda all: mounts)  # noqa: A006 - as psutil calls it
    monkeypatch.setattr(memory.tempfile, "gettempdir", lambda: str(tmp_path))
    assert str(tmp_path) not in memory._disks()
    assert str(Path.home()) in memory._disks()
