"""The projects worked on last."""

from datetime import datetime
from pathlib import Path

import pytest

from microforge.gui.session.saving.recent import RecentProject, day_in_words, recent_projects, remember_project


def remember(runs: Path, folder: Path, words: str = "", used: float = 0.0) -> None:
    remember_project(runs, RecentProject(str(folder), folder.stem, words, used))


def test_the_newest_comes_first_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    runs, folders = tmp_path / "runs", [tmp_path / f"{name}.microforge" for name in "abc"]
    for folder in folders:
        folder.mkdir()
        remember(runs, folder)
    remember(runs, folders[0])
    folders[1].rmdir()
    assert [one.name for one in recent_projects(runs)] == ["a", "c"]


def test_what_is_in_a_project_stays_known_when_it_is_opened_again(tmp_path: Path) -> None:
    remember(tmp_path, tmp_path, "62 objects in 3 images")
    remember(tmp_path, tmp_path, "", datetime(2026, 11, 24, 9).timestamp())
    (found,) = recent_projects(tmp_path)
    assert found.in_words(datetime(2026, 11, 25, 8)) == f"{tmp_path.stem}: 62 objects in 3 images, yesterday"


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"folder": 3}', '[{"folder": "x"}]', "null"])
def test_a_damaged_list_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "recent projects.json").write_text(content)
    assert recent_projects(tmp_path) == []
    remember(tmp_path, tmp_path)
    assert len(recent_projects(tmp_path)) == 1


def test_a_list_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file where the folder should be")
    remember(tmp_path / "runs", tmp_path)
    assert recent_projects(tmp_path / "runs") == []


def test_a_name_that_is_not_text_is_remembered(tmp_path: Path) -> None:
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    remember(tmp_path, folder)
    assert [one.folder for one in recent_projects(tmp_path)] == [str(folder)]


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (datetime(2026, 11, 25, 1), "today"),
        (datetime(2026, 11, 26, 1), "today"),
        (datetime(2026, 11, 24, 23), "yesterday"),
        (datetime(2026, 11, 22), "3 days ago"),
        (datetime(2026, 11, 5), "5 Nov"),
        (datetime(2025, 11, 5), "5 Nov 2025"),
    ],
)
def test_days_in_words(then: datetime, words: str) -> None:
    assert day_in_words(then, datetime(2026, 11, 25, 8)) == words
