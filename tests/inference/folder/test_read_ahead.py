"""Reading ahead: bounded memory, and drives that do not answer."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.errors import MicroforgeError
from microforge.events import ImageFailed, ImageFinished, Preparing
from microforge.inference.folder import read_ahead, steps
from microforge.inference.folder.jobs import Job, Origin, Outcome, Ready
from microforge.inference.folder.read_ahead import ReadAhead
from microforge.inference.folder.run import run_folder
from microforge.types import Image, Sample
from support.thresholding import Thresholding


def job(number: int) -> Job:
    return Job(number, Path(f"{number}.tif"), str(number))


def ready(job: Job) -> Ready:
    pixels = np.zeros((8, 8), np.uint8)
    return Ready(job, Image("image", pixels, "YX"), (Sample("image", pixels[None]),), "")


def failed(job: Job, error: MicroforgeError) -> Outcome:
    return Outcome(ImageFailed(job.path, error.problem, error.remedy))


@pytest.fixture
def opened() -> Iterator[Callable[..., ReadAhead]]:
    made: list[ReadAhead] = []

    def make(*args: Any, **options: Any) -> ReadAhead:
        made.append(ReadAhead(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_decoded_images_that_wait_take_bounded_memory(
    opened: Callable[..., ReadAhead], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "_WAITING_BYTES", 250)
    lock, alive, most = threading.Lock(), 0, 0

    def read(job: Job) -> Ready:
        nonlocal alive, most
        with lock:
            alive += 100
            most = max(most, alive)
        return ready(job)

    ahead = opened(read, lambda _: 100, failed, 3)
    for number in range(12):
        ahead.add(job(number))
    for number in range(12):
        found = ahead.take_first()
        assert found.job.index == number
        with lock:
            alive -= 100
    assert most <= 300


def test_one_image_larger_than_all_that_may_wait_is_read(opened: Callable[..., ReadAhead]) -> None:
    ahead = opened(ready, lambda job: 1 << 40 if job.index == 1 else 1, failed, 2)
    for number in range(3):
        ahead.add(job(number))
    assert [ahead.take_first().job.index for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("hangs_in", ["size", "read"])
def test_a_read_that_hangs_costs_that_file_only(opened: Callable[..., ReadAhead], hangs_in: str) -> None:
    never = threading.Event()

    def slow(job: Job) -> int:
        if job.index == 1:
            never.wait(60)
        return 1

    def read(job: Job) -> Ready:
        if hangs_in == "read":
            slow(job)
        return ready(job)

    ahead = opened(read, slow if hangs_in == "size" else lambda _: 1, failed, 1, patience=0.3)
    for number in range(4):
        ahead.add(job(number))
    found = [ahead.take_first() for _ in range(4)]
    never.set()
    assert [isinstance(one, Ready) for one in found] == [True, False, True, True]
    assert "its drive does not answer" in found[1].event.reason


def test_a_large_file_may_take_longer(
    opened: Callable[..., ReadAhead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pixels stay on disk, but all of it is read once to know it again."""
    monkeypatch.setattr(read_ahead, "_SLOWEST", 1e4)
    large = tmp_path / "large.tif"
    large.write_bytes(bytes(200_000))

    def read(job: Job) -> Ready:
        threading.Event().wait(1.0)
        return ready(job)

    ahead = opened(read, lambda _: 1, failed, 1, patience=0.1)
    ahead.add(Job(0, large, "large"))
    assert isinstance(ahead.take_first(), Ready)


def test_a_run_can_be_ended_while_a_drive_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never, read_image = threading.Event(), steps.read_image

    def hanging(path: Path, axes: str | None) -> Image:
        if path.name == "b.tif":
            never.wait(60)
        return read_image(path, axes)

    monkeypatch.setattr(steps, "read_image", hanging)
    import tifffile

    paths = [tmp_path / "a.tif", tmp_path / "b.tif"]
    for path in paths:
        tifffile.imwrite(path, np.zeros((16, 16), np.uint8))
    events = run_folder(Thresholding(), paths, Origin(tmp_path / "out", "m", "1", "2"))
    seen = []
    for event in events:
        seen.append(event)
        if isinstance(event, Preparing) and any(isinstance(one, ImageFinished) for one in seen):
            break
    events.close()
    never.set()
    assert seen[-1] == Preparing("Waiting for b.tif")
    assert (tmp_path / "out" / "images.csv").exists()
    assert (tmp_path / "out" / "a.tif").exists()
