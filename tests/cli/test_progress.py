"""What the command line shows while it works."""

from pathlib import Path

import pytest

from microforge.cli.progress import FolderDisplay, Progress, TrainingDisplay
from microforge.events import ComparedWithStart, FolderStarted, ImageFailed, ImageFinished, ImageStarted, TileFinished


class Recorded(Progress):
    """A bar that remembers where it stood."""

    def __init__(self) -> None:
        super().__init__(1.0)
        self.shown: list[tuple[float, str]] = []

    def show(self, done: float, text: str) -> None:
        self.shown.append((done, text))

    def say(self, text: str) -> None:
        self.shown.append((0.0, text))


def test_the_bar_moves_within_a_large_image(tmp_path: Path) -> None:
    bar, paths = Recorded(), (tmp_path / "a.tif", tmp_path / "b.tif")
    display = FolderDisplay(bar)
    for event in (
        FolderStarted(paths, tmp_path, "cpu", "objects"),
        ImageStarted(paths[0], 0),
        TileFinished(1, 4),
        TileFinished(3, 4),
        ImageFinished(paths[0], tmp_path / "out.tif", 7, 1.0),
        TileFinished(1, 2),
    ):
        display.show(event)
    assert [done for done, _ in bar.shown] == pytest.approx([0, 0, 0.125, 0.375, 0.5, 0.75])
    assert bar.shown[3][1] == "0 of 2 images, 75 % of the next"


def test_what_happened_is_added_up(tmp_path: Path) -> None:
    display = FolderDisplay(Recorded())
    for event in (
        FolderStarted((tmp_path / "a.tif",), tmp_path, "cpu", "objects"),
        ImageFinished(tmp_path / "a.tif", None, 7, 1.0),
        ImageFinished(tmp_path / "b.tif", None, 5, 1.0),
        ImageFailed(tmp_path / "c.tif", "Damaged.", "Copy it again."),
    ):
        display.show(event)
    failed = [{"path": str(tmp_path / "c.tif"), "reason": "Damaged.", "remedy": "Copy it again."}]
    assert display.summary() == {"done": 2, "skipped": 0, "objects": 12, "failed": failed, "output": str(tmp_path)}


def test_a_model_worse_than_before_is_a_warning_that_names_the_one_kept(tmp_path: Path) -> None:
    bar = Recorded()
    TrainingDisplay(bar).show(ComparedWithStart("Worse than before on 3 of 4.", tmp_path / "001", 1, 3, is_worse=True))
    TrainingDisplay(bar).show(ComparedWithStart("Better than before on 3 of 4.", tmp_path / "001", 3, 1))
    worse = f"Warning: Worse than before on 3 of 4. The other model is kept: {tmp_path / '001'}"
    assert [text for _, text in bar.shown] == [worse, "Better than before on 3 of 4."]
