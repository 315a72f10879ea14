"""Annotations that another program, such as Fiji, has changed while nobody or somebody drew on them here."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.axes.areas import Outline
from microforge.project import Project
from support.projects import SIZE, painted, project_with_images, some_points, stroke


def labels_file(project: Project, folder: str) -> Path:
    return project.folder / "annotations" / folder / "labels.tif"


def save_as_fiji(path: Path, labels: np.ndarray) -> None:
    tifffile.imwrite(path, labels.astype(np.uint16), imagej=True)


def test_her_edit_is_taken_as_the_newest(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.close()
    labels = np.zeros((SIZE, SIZE))
    labels[:4, :4] = 9
    save_as_fiji(labels_file(project, entry.folder), labels)
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {9: 16}
    assert there.recovered == ("a: labels.tif was changed by another program, and is taken as it is now.",)
    assert there.entry(entry.id).parts["labels"].generations[0].count == 1
    stroke(there, entry.id, 2, (32, 32))
    there.close()
    again = Project.open(project.folder)
    assert again.entry(entry.id).parts["labels"].generations[0].count == 2
    assert (painted(again, entry.id), again.recovered, again.verify()) == ({9: 16, 2: 256}, (), ())
    again.close()


def test_where_both_have_drawn_nothing_is_thrown_away(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    for value in (1, 2):
        stroke(project, entry.id, value, (16 * value, 0))
        project.compact()
    stroke(project, entry.id, 3, (48, 0))
    theirs = np.full((SIZE, SIZE), 9)
    save_as_fiji(labels_file(project, entry.folder), theirs)
    assert painted(project, entry.id) == {1: 256, 2: 256, 3: 256}
    project.compact()
    assert any("kept as labels-edited-1.tif" in text for text in project.recovered)
    kept = labels_file(project, entry.folder).with_name("labels-edited-1.tif")
    np.testing.assert_array_equal(tifffile.imread(kept), theirs)
    assert painted(project, entry.id) == {1: 256, 2: 256, 3: 256}
    project.close()


def test_strokes_lie_on_her_edit_where_what_was_before_it_is_gone(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.compact()
    stroke(project, entry.id, 3, (48, 0))
    labels = np.zeros((SIZE, SIZE))
    labels[:4, :4] = 9
    save_as_fiji(labels_file(project, entry.folder), labels)
    for journal in sorted((project.folder / "journal").iterdir())[:-1]:
        journal.unlink()
    assert painted(project, entry.id)[3] == 256
    project.close()
    assert sorted(path.name for path in labels_file(project, entry.folder).parent.iterdir())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("not an image"),
        lambda path: save_as_fiji(path, np.ones((8, 8))),
        lambda path: tifffile.imwrite(path, np.full((SIZE, SIZE), 0.5, np.float32)),
    ],
    ids=["no image", "another shape", "fractions"],
)
def test_what_are_no_labels_of_the_image_is_said_and_the_one_before_is_used(tmp_path: Path, spoil: object) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.compact()
    stroke(project, entry.id, 2, (32, 32))
    project.close()
    path = labels_file(project, entry.folder)
    assert callable(spoil)
    spoil(path)
    spoilt = path.read_bytes()
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {1: 256, 2: 256}
    assert any("cannot be used" in text for text in there.recovered)
    stroke(there, entry.id, 3, (48, 0))
    there.close()
    assert path.with_name("labels-edited-1.tif").read_bytes() == spoilt
    again = Project.open(project.folder)
    assert painted(again, entry.id) == {1: 256, 2: 256, 3: 256}
    again.close()


def test_a_mask_of_regions_that_was_changed_is_kept_beside_the_corners_that_count(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    corners = np.array([[0, 0], [0, 9], [9, 9], [9, 0.0]])
    project.write_outlines(entry.id, [Outline(corners)])
    project.compact()
    path = labels_file(project, entry.folder).with_name("region.tif")
    save_as_fiji(path, np.ones((SIZE, SIZE)))
    project.write_outlines(entry.id, [Outline(corners + 1)])
    project.close()
    np.testing.assert_array_equal(tifffile.imread(path.with_name("region-edited-1.tif")), 1)
    assert any("kept as region-edited-1.tif" in text for text in project.recovered)


def test_points_added_in_a_table_are_taken(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    project.write_points(entry.id, some_points())
    project.close()
    path = labels_file(project, entry.folder).with_name("points.csv")
    path.write_text(path.read_text() + "flat,5,6\n")
    there = Project.open(project.folder)
    points = there.points(entry.id)
    assert points is not None
    assert points.coordinates[-1].tolist() == [5, 6]
    assert points.kinds == ("round", "flat", "long")
    assert [points.kinds[kind] for kind in points.kind] == ["round", "long", "round", "flat"]
    assert any("points.csv was changed" in text for text in there.recovered)
    there.close()


def test_a_project_that_is_read_only_reads_her_edit_and_writes_nothing(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.close()
    save_as_fiji(labels_file(project, entry.folder), np.full((SIZE, SIZE), 4))
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    there = Project.open(project.folder, read_only=True)
    assert painted(there, entry.id) == {4: SIZE * SIZE}
    there.close()
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before
