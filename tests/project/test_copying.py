"""Copies of a project, and annotations that another one replaces."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.errors import ProjectError
from microforge.io.writing import Layout
from microforge.project import ImageSource, Project, begin_anew, copy_or_new, copy_project, is_replaced

LAYOUT = Layout("YX", (20, 30), np.dtype(np.int32))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project beside the one image that is annotated in it."""
    # Of other pixels than those of other tests: an image that is missing is looked for in the folders around, too.
    pixels = np.random.default_rng(list(str(tmp_path).encode())).integers(0, 255, (20, 30), np.uint8)
    tifffile.imwrite(tmp_path / "A.tif", pixels)
    made = Project.create(tmp_path / "A.microforge")
    entry = made.add_image(ImageSource(tmp_path / "A.tif", axes="YX", shape=(20, 30)))
    made.write_tiles(entry.id, "labels", LAYOUT, [((0, 0), np.full((20, 30), 3, np.int32))])
    return made


def highest(project: Project, place: int = 0) -> int:
    return int(np.max(project.labels(project.document.images[place].id)))


def test_a_copy_holds_what_is_only_in_the_journal_and_finds_its_images(project: Project, tmp_path: Path) -> None:
    assert copy_project(project, tmp_path / "copy.microforge") == []
    project.close()
    copy = Project.open(tmp_path / "copy.microforge")
    assert highest(copy) == 3
    assert copy.locate(copy.document.images[0]).path == tmp_path / "A.tif"
    copy.close()


def test_a_copy_with_images_needs_no_others(project: Project, tmp_path: Path) -> None:
    copy_project(project, tmp_path / "copy.microforge", with_images=True)
    project.close()
    (tmp_path / "A.tif").unlink()
    (tmp_path / "copy.microforge").rename(tmp_path / "moved.microforge")
    copy = Project.open(tmp_path / "moved.microforge")
    path = copy.locate(copy.document.images[0]).path
    assert path is not None
    assert path.is_relative_to(copy.folder)
    copy.close()


def test_an_image_that_is_missing_is_said(project: Project, tmp_path: Path) -> None:
    (tmp_path / "A.tif").unlink()
    missing = copy_project(project, tmp_path / "copy.microforge", with_images=True)
    assert len(missing) == 1
    assert "A" in missing[0]
    project.close()


def test_nothing_is_copied_over_something(project: Project, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(ProjectError, match="something of that name"):
        copy_project(project, tmp_path / "taken")
    assert list((tmp_path / "taken").iterdir()) == []
    project.close()


def test_where_the_old_folder_is_gone_a_new_project_begins(project: Project, tmp_path: Path) -> None:
    project.folder.rename(tmp_path / "gone")
    made = copy_or_new(project, tmp_path / "new.microforge")
    assert made.document.images == ()
    made.close()


def test_an_annotation_that_is_begun_anew_leaves_the_one_before(project: Project) -> None:
    before = project.document.images[0]
    anew = begin_anew(project, before.id)
    project.write_tiles(anew, "labels", LAYOUT, [((0, 0), np.full((20, 30), 7, np.int32))])
    old, new = project.document.images
    assert (old.id, new.id) == (before.id, anew)
    assert (highest(project, 0), highest(project, 1)) == (3, 7)
    assert (is_replaced(old), is_replaced(new), old.use) == (True, False, False)
    assert project.compact()
    project.close()
    again = Project.open(project.folder)
    assert (highest(again, 0), highest(again, 1)) == (3, 7)
    again.close()
