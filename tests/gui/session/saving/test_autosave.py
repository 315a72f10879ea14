"""What is drawn is on disk a moment later, whatever drew it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from microforge.gui.layers.convert import add_region, note_file
from microforge.gui.session.cell_types import add_kind, start_clicking
from microforge.gui.session.painted_layers import annotation_of, ground_of
from microforge.project import Project
from support.full_disk import set_largest_file
from support.keeping import LONG, Person


class FullDisk:
    """Files may not grow any more, as on a disk without room."""

    @staticmethod
    def fill() -> None:
        set_largest_file(1)

    @staticmethod
    def make_room() -> None:
        set_largest_file(None)


@pytest.fixture
def full_disk() -> Iterator[FullDisk]:
    yield FullDisk()
    FullDisk.make_room()


@pytest.fixture
def person(qtbot: QtBot, tmp_path: Path) -> Iterator[Person]:
    made = Person(qtbot, tmp_path)
    yield made
    made.close()


def test_the_first_stroke_makes_a_project_beside_the_image(person: Person) -> None:
    image = person.image()
    item = annotation_of(person.session, image)
    person.qtbot.wait(1500)
    assert person.autosave.project is None
    item.labels.paint((20, 30), 3)
    project = person.saved()
    assert project.folder == person.folder / "images" / "cells.microforge"
    (entry,) = project.document.images
    assert np.array_equal(project.labels(entry.id), item.labels.data)
    assert project.locate(entry).path == person.folder / "images" / "cells.tif"
    assert not (project.folder / "images").exists()


def test_an_image_without_a_file_is_copied_in(person: Person) -> None:
    image = person.image(file=False)
    annotation_of(person.session, image).labels.paint((20, 30), 3)
    project = person.saved()
    assert project.folder.parent == person.folder / "projects"
    path = project.locate(project.document.images[0]).path
    assert path is not None
    assert np.array_equal(tifffile.imread(path), image.data)


def test_strokes_erasing_and_undo_are_followed(person: Person) -> None:
    labels = annotation_of(person.session, person.image()).labels
    labels.paint((20, 30), 3)
    labels.paint((40, 50), 4)
    person.saved()
    labels.undo()
    labels.data[19:22, 29:32] = 0
    project = person.saved()
    kept = np.asarray(project.labels(project.document.images[0].id))
    assert np.array_equal(kept, labels.data)
    assert set(np.unique(kept)) == {0, 3}


def test_all_that_is_said_of_an_image_is_kept(person: Person) -> None:
    session, image = person.session, person.image()
    item = annotation_of(session, image)
    item.labels.paint((20, 30), 1)
    ground_of(session, item).paint((5, 5), 1)
    region = add_region(session.viewer, image, "YX")
    session.set_region(item, region)
    region.add_rectangles([[2.0, 3.0], [2.0, 40.0], [30.0, 40.0], [30.0, 3.0]])
    session.set_sizes(image, {"Y": 0.5, "X": 0.5})
    session.change(item, unpainted="around", validation=True)
    project = person.saved()
    (entry,) = project.document.images
    assert (entry.unpainted, entry.role, entry.use) == ("around", "validation", True)
    assert entry.window["sizes"] == {"Y": 0.5, "X": 0.5}
    assert np.array_equal(project.labels(entry.id, "background"), item.ground.data)
    outlines = project.outlines(entry.id)
    assert outlines is not None
    assert np.array_equal(outlines[0].corners, region.data[0])
    assert project.document.goal.task == session.config.task


def test_points_and_their_kinds_are_kept(person: Person) -> None:
    session = person.session
    session.set_task("counting")
    item = start_clicking(session, person.image())
    item.points[0].add([[4.0, 5.0], [6.0, 7.0]])
    add_kind(session)
    item.points[1].add([8.0, 9.0])
    project = person.saved()
    points = project.points(project.document.images[0].id)
    assert points is not None
    assert points.kinds == ("kind 1", "kind 2")
    assert points.coordinates.tolist() == [[4, 5], [6, 7], [8, 9]]
    assert points.kind.tolist() == [0, 0, 1]
    assert project.document.goal.task == "counting"


def test_a_class_given_to_an_image_is_kept(person: Person) -> None:
    person.session.set_class([person.image()], "good")
    assert person.saved().document.images[0].class_name == "good"


def test_a_layer_that_is_deleted_stays_in_the_project_with_its_last_stroke(person: Person) -> None:
    session = person.session
    labels = annotation_of(session, person.image()).labels
    labels.paint((20, 30), 3)
    person.saved()
    labels.paint((40, 50), 4)
    painted = labels.data.copy()
    told: list[str] = []
    session.message.connect(lambda text, severity: told.append(text))
    session.viewer.layers.remove(labels)
    assert told == ["cells annotation: what you drew stays in the project."]
    person.qtbot.wait(1500)
    project = person.saved()
    assert np.array_equal(project.labels(project.document.images[0].id), painted)


def test_what_is_painted_after_a_layer_was_deleted_does_not_replace_it(person: Person) -> None:
    session, image = person.session, person.image()
    first = annotation_of(session, image).labels
    first.paint((20, 30), 3)
    person.saved()
    session.viewer.layers.remove(first)
    second = annotation_of(session, image).labels
    second.paint((40, 50), 7)
    project = person.saved()
    before, now = project.document.images
    assert np.array_equal(project.labels(before.id), first.data)
    assert np.array_equal(project.labels(now.id), second.data)
    assert (before.use, now.use) == (False, True)
    assert before.file == now.file


def test_the_stroke_before_closing_is_kept(person: Person) -> None:
    labels = annotation_of(person.session, person.image()).labels
    labels.paint((20, 30), 3)
    folder = person.saved().folder
    labels.paint((40, 50), 4)
    assert person.autosave.close()
    project = Project.open(folder)
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)
    assert project.recovered == ()
    project.close()


def test_a_folder_that_goes_away_is_told_and_taken_up_again(person: Person) -> None:
    labels = annotation_of(person.session, person.image()).labels
    labels.paint((20, 30), 3)
    folder = person.saved().folder
    away = folder.with_name("away")
    folder.rename(away)
    labels.paint((40, 50), 4)
    person.qtbot.waitUntil(lambda: person.autosave.problem is not None, timeout=LONG)
    assert person.autosave.lost() == [labels]
    away.rename(folder)
    project = person.saved()
    assert person.autosave.problem is None
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)


def test_elsewhere_everything_is_written_where_the_folder_is_gone(person: Person) -> None:
    labels = annotation_of(person.session, person.image()).labels
    labels.paint((20, 30), 3)
    folder = person.saved().folder
    folder.rename(folder.with_name("away"))
    labels.paint((40, 50), 4)
    person.qtbot.waitUntil(lambda: person.autosave.problem is not None, timeout=LONG)
    person.autosave.save_elsewhere(person.folder / "safe.microforge")
    project = person.saved()
    assert project.folder == person.folder / "safe.microforge"
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)


def test_a_large_layer_does_not_hold_up_closing_and_nothing_is_said_when_it_is_opened_again(person: Person) -> None:
    labels = annotation_of(person.session, person.image(shape=(3000, 3000))).labels
    labels.data[20:30, 40:50] = 3
    labels.refresh()
    folder = person.saved().folder
    assert person.autosave.close()
    assert not list((folder / "annotations").glob("*/*.tif"))
    project = Project.open(folder)
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)
    assert project.recovered == ()
    project.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_told_and_painting_goes_on_until_there_is_room(person: Person, full_disk: FullDisk) -> None:
    labels = annotation_of(person.session, person.image()).labels
    labels.paint((20, 30), 3)
    folder = person.saved().folder
    full_disk.fill()
    labels.paint((40, 50), 4)
    person.qtbot.waitUntil(lambda: person.autosave.problem is not None, timeout=LONG)
    assert person.autosave.problem is not None
    assert "written" in person.autosave.problem.problem
    labels.paint((50, 60), 5)
    full_disk.make_room()
    project = person.saved()
    assert project.folder == folder
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)


def test_where_nothing_can_be_written_beside_the_image_the_project_is_among_the_users_data(person: Person) -> None:
    image = person.image()
    # Not even root makes a folder in what is a file.
    note_file(image, person.folder / "images" / "cells.tif" / "inside.tif")
    annotation_of(person.session, image).labels.paint((20, 30), 3)
    assert person.saved().folder == person.folder / "projects" / "inside.microforge"


def test_of_several_images_of_a_folder_the_project_has_the_name_of_the_folder(person: Person) -> None:
    for name in ("A", "B"):
        person.session.set_class([person.image(name)], "good")
    assert person.saved().folder == person.folder / "images" / "images.microforge"


def test_a_layer_that_does_not_fit_its_image_is_named_and_others_are_kept(person: Person) -> None:
    session = person.session
    labels = annotation_of(session, person.image("A")).labels
    labels.paint((20, 30), 3)
    other = session.viewer.add_labels(np.ones((7, 7), np.int32), name="of another size")
    session.annotate(person.image("B"), other)
    person.qtbot.waitUntil(lambda: person.autosave.project is not None and not person.autosave.saving, timeout=LONG)
    person.qtbot.waitUntil(lambda: labels not in person.autosave.unsaved(), timeout=LONG)
    assert person.autosave.lost() == [other]
    assert person.autosave.problem is None
