"""Images are found again when they, or the project, move; what changed is said."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.project import ImageSource, Project, path_from, path_text
from support.projects import image_file, painted, project_with_images, stroke


def test_a_project_that_is_moved_with_its_images_finds_them(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path / "here")
    stroke(project, entry.id, 1)
    project.close()
    shutil.move(tmp_path / "here", tmp_path / "there")
    there = Project.open(tmp_path / "there" / "cells.microforge")
    assert there.locate(there.entry(entry.id)) == (tmp_path / "there" / "images" / "a.tif", "")
    assert painted(there, entry.id) == {1: 256}
    there.close()


def test_a_project_that_is_renamed_finds_its_images(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    project.close()
    there = Project.open(project.folder.rename(tmp_path / "renamed"))
    assert there.locate(there.entry(entry.id)) == (tmp_path / "images" / "a.tif", "")
    there.close()


@pytest.mark.parametrize("place", ["sorted", ".", "cells.microforge/originals"])
def test_an_image_that_moved_nearby_is_found_by_name_and_content(tmp_path: Path, place: str) -> None:
    project, [entry] = project_with_images(tmp_path)
    (tmp_path / "wrong").mkdir()
    image_file(tmp_path / "wrong" / "a.tif", seed=9)
    (tmp_path / place).mkdir(exist_ok=True)
    moved = shutil.move(tmp_path / "images" / "a.tif", tmp_path / place / "a.tif")
    assert project.locate(entry) == (moved, "")
    project.close()


def test_an_image_that_is_gone_is_said_with_where_it_was(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    (tmp_path / "images" / "a.tif").unlink()
    path, problem = project.locate(entry)
    assert path is None
    assert "not found" in problem
    assert str(tmp_path / "images" / "a.tif") in problem
    assert painted(project, entry.id) == {1: 256}
    project.close()


def test_an_image_that_was_touched_is_the_same_and_one_that_changed_is_said(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    path = tmp_path / "images" / "a.tif"
    os.utime(path, (0, 0))
    assert project.locate(entry) == (path, "")
    image_file(path, seed=7)
    found = project.locate(entry)
    assert found.path == path
    assert "has been changed since a was annotated" in found.problem
    tifffile.imwrite(path, np.zeros((32, 48), np.uint8))
    assert "another shape now: 32x48 instead of 64x64" in project.locate(entry).problem
    path.write_bytes(b"II*\0 nothing")
    found = project.locate(entry)
    assert found.path is None
    assert "cannot be read any more" in found.problem
    project.close()


def test_a_large_image_of_which_a_part_changed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    pixels = np.zeros((2048, 2048), np.uint16)
    tifffile.imwrite(path, pixels)
    project = Project.create(tmp_path / "cells")
    entry = project.add_image(ImageSource(path))
    pixels[1000:1300] = 5
    tifffile.imwrite(path, pixels)
    os.utime(path, (0, 0))
    assert "changed" in project.locate(entry).problem
    project.close()


@pytest.mark.parametrize("name", ["a/b.tif", "bytes:x", "a%20b", os.fsdecode(b"\xff\xfe/%"), "細胞"])
def test_a_path_comes_back_from_its_text(name: str) -> None:
    text = path_text(Path(name))
    assert text.encode("utf-8")
    assert path_from(text) == Path(name)
