"""A project keeps what is drawn, at once and in plain files."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.axes.areas import Outline
from microforge.errors import AnnotationError, ProjectError
from microforge.project import Goal, ImageSource, Project, is_project
from microforge.types import Image
from support.projects import SIZE, image_file, layout_of, painted, project_with_images, some_points, stroke


def reopened(project: Project) -> Project:
    project.close()
    return Project.open(project.folder)


def test_a_new_project_is_empty_and_named_as_its_folder(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "cells.microforge")
    assert is_project(project.folder)
    assert (project.document.name, project.document.images, project.read_only) == ("cells", (), False)
    with pytest.raises(ProjectError, match="There is a project in this folder"):
        Project.create(project.folder)
    project.close()
    with pytest.raises(ProjectError, match="closed"):
        project.sync()


def test_a_folder_without_a_project_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="There is no project in this folder"):
        Project.open(tmp_path)


@pytest.mark.parametrize("closed", [True, False])
def test_strokes_points_and_outlines_come_back(tmp_path: Path, closed: bool) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 3)
    stroke(project, entry.id, 5, (8, 8))
    stroke(project, entry.id, 1, (40, 40), "background")
    project.write_points(entry.id, some_points())
    corners = np.array([[0.25, 0], [0, 50.5], [40, 40]])
    project.write_outlines(entry.id, [Outline(corners)])
    if closed:
        project = reopened(project)
    assert painted(project, entry.id) == {3: 256 - 64, 5: 256}
    assert painted(project, entry.id, "background") == {1: 256}
    points = project.points(entry.id)
    assert points is not None
    np.testing.assert_array_equal(points.coordinates, some_points().coordinates)
    assert points.kinds == ("round", "flat", "long")
    assert points.kind.tolist() == [0, 2, 0]
    outlines = project.outlines(entry.id)
    assert outlines is not None
    np.testing.assert_array_equal(outlines[0].corners, corners)
    project.close()


def test_what_was_never_drawn_is_none_and_what_was_erased_is_empty(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    assert project.labels(entry.id) is None
    assert project.points(entry.id) is None
    assert project.outlines(entry.id) is None
    stroke(project, entry.id, 0)
    project.write_points(entry.id, some_points().only(np.array([], int)))
    project.write_outlines(entry.id, [])
    project = reopened(project)
    labels = project.labels(entry.id)
    assert labels is not None
    assert labels.shape == (SIZE, SIZE)
    points = project.points(entry.id)
    assert points is not None
    assert len(points) == 0
    assert points.kinds == ("round", "flat", "long")
    assert project.outlines(entry.id) == ()
    project.close()


def test_annotations_are_plain_files_with_pixel_size(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "cells")
    path = image_file(tmp_path / "a.tif")
    entry = project.add_image(ImageSource(path, axes="YX", shape=(SIZE, SIZE), pixel_size=(0.5, 0.25)))
    stroke(project, entry.id, 7)
    project.write_points(entry.id, some_points())
    project.write_outlines(entry.id, [Outline(np.array([[0, 0], [0, 9], [9, 9], [9, 0.0]]))])
    assert project.compact()
    folder = project.folder / "annotations" / entry.folder
    with tifffile.TiffFile(folder / "labels.tif") as file:
        assert file.asarray().dtype == np.uint32
        assert np.unique(file.asarray()).tolist() == [0, 7]
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["unit"] == "um"
        assert file.pages.first.get_resolution() == (4.0, 2.0)
    assert (folder / "points.csv").read_text().splitlines()[0] == "kind,y,x,y_um,x_um"
    assert int((tifffile.imread(folder / "region.tif") > 0).sum()) == 100
    project.close()


def test_the_document_is_kept_at_once(tmp_path: Path) -> None:
    project, [first, second] = project_with_images(tmp_path, ["a", "b"])
    changed = second.model_copy(update={"role": "validation", "class_name": "sick", "reviewed": True})
    project.update(lambda document: document.with_image(changed))
    project.update(lambda document: document.model_copy(update={"goal": Goal(task="counting", options={"kinds": 2})}))
    project.update(lambda document: document.model_copy(update={"images": document.images[::-1]}))
    there = Project.open(project.folder, read_only=True).document
    assert there == project.document
    assert [entry.id for entry in there.images] == [second.id, first.id]
    project.update(lambda document: document.model_copy(update={"images": document.images[1:]}))
    there = reopened(project).document
    assert [entry.id for entry in there.images] == [first.id]
    assert there.goal == Goal(task="counting", options={"kinds": 2})


def test_an_image_is_taken_in_once(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    again = project.add_image(ImageSource(tmp_path / "images" / "a.tif"))
    other = project.add_image(ImageSource(tmp_path / "images" / "a.tif", index=1))
    assert again.id == entry.id != other.id
    assert len(project.document.images) == 2
    project.close()


@pytest.mark.parametrize(
    ("pixels", "axes"),
    [
        (np.arange(48, dtype=np.uint16).reshape(2, 4, 6), "ZYX"),
        (np.arange(72, dtype=np.uint8).reshape(4, 6, 3), "YXS"),
        (np.linspace(0, 1, 24, dtype=np.float64).reshape(4, 6), "YX"),
    ],
    ids=["stack", "colours", "fractions"],
)
def test_pixels_without_a_file_are_copied_in(tmp_path: Path, pixels: np.ndarray, axes: str) -> None:
    from microforge.io.images import read_image

    project = Project.create(tmp_path / "cells")
    entry = project.add_image(ImageSource(image=Image("my field / 2", pixels, axes)))
    assert (entry.name, entry.axes, entry.shape) == ("my field / 2", axes, pixels.shape)
    path, problem = project.locate(entry)
    assert path is not None
    assert problem == ""
    assert path.is_relative_to(project.folder / "images")
    np.testing.assert_allclose(np.asarray(read_image(path).data), pixels, rtol=1e-6)
    project.close()


def test_a_layer_of_another_shape_begins_anew(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 3)
    project.compact()
    tile = np.full((8, 8), 4)
    project.write_tiles(entry.id, "labels", layout_of((2, 32, 32), "ZYX"), [((1, 0, 0), tile[None])])
    for _ in range(2):
        labels = project.labels(entry.id)
        assert labels is not None
        assert labels.shape == (2, 32, 32)
        assert int(np.asarray(labels).sum()) == 4 * 64
        project.compact()
    project.close()


def test_numbers_that_are_no_labels_are_refused_and_nothing_of_the_stroke_is_kept(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    tiles = [((0, 0), np.ones((4, 4), int)), ((8, 8), -np.ones((4, 4), int))]
    with pytest.raises(AnnotationError, match="whole numbers from 0"):
        project.write_tiles(entry.id, "labels", layout_of(), tiles)
    stroke(project, entry.id, 2, (32, 32))
    project = reopened(project)
    assert painted(project, entry.id) == {2: 256}
    project.close()


def test_a_second_compaction_without_changes_writes_nothing(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 3)
    assert project.compact()
    before = {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")}
    assert project.compact()
    assert {path: path.stat().st_mtime_ns for path in project.folder.rglob("*")} == before
    project.close()


def test_an_unfinished_compaction_keeps_everything(tmp_path: Path) -> None:
    project, entries = project_with_images(tmp_path, ["a", "b", "c"])
    for value, entry in enumerate(entries, start=1):
        stroke(project, entry.id, value)
    assert not project.compact(0)
    stroke(project, entries[0].id, 9, (32, 32))
    there = Project.open(project.folder, read_only=True)
    assert [painted(there, entry.id) for entry in entries] == [{1: 256, 9: 256}, {2: 256}, {3: 256}]
    assert project.compact()
    project = reopened(project)
    assert [painted(project, entry.id) for entry in entries] == [{1: 256, 9: 256}, {2: 256}, {3: 256}]
    assert project.recovered == ()
    project.close()


def test_the_journal_does_not_grow_with_the_length_of_the_work(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    sizes = []
    for value in range(1, 6):
        stroke(project, entry.id, value)
        project.compact()
        sizes.append(sum(path.stat().st_size for path in (project.folder / "journal").iterdir()))
    assert sizes[-1] == pytest.approx(sizes[2], rel=0.05)
    project.close()


def test_project_json_is_text_that_people_read(tmp_path: Path) -> None:
    project, _ = project_with_images(tmp_path)
    project.close()
    values = json.loads((project.folder / "project.json").read_text(encoding="utf-8"))
    assert values["document"]["images"][0]["name"] == "a"
    assert values["document"]["images"][0]["file"]["relative"] == "../images/a.tif"


def test_what_was_drawn_on_an_image_that_is_taken_out_stays_in_the_folder(tmp_path: Path) -> None:
    project, [first, second] = project_with_images(tmp_path, ["a", "b"])
    stroke(project, first.id, 3)
    project.update(lambda document: document.model_copy(update={"images": document.images[1:]}))
    stroke(project, second.id, 4)
    for _ in range(3):
        project.compact()
        stroke(project, second.id, 5)
    project.close()
    labels = tifffile.imread(project.folder / "annotations" / first.folder / "labels.tif")
    assert int((labels == 3).sum()) == 256
    assert Project.open(project.folder, read_only=True).verify() == ()
