"""A project that is opened shows what was drawn, as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pytestqt.qtbot import QtBot

from microforge.gui.layers.convert import add_region, file_of
from microforge.gui.layers.marks import is_ground
from microforge.gui.session.cell_types import add_kind, start_clicking
from microforge.gui.session.image_list.switching import Switching
from microforge.gui.session.painted_layers import annotation_of, ground_of
from microforge.gui.session.snapshot import outlines_on
from microforge.gui.session.watching.edits import edited_images
from microforge.gui.session.watching.front_image import FrontImage
from microforge.project import Project
from support.keeping import LONG, Person

Persons = Callable[[], Person]


@pytest.fixture
def persons(qtbot: QtBot, tmp_path: Path) -> Iterator[Persons]:
    """One person after the other at the same computer."""
    made: list[Person] = []

    def next_person() -> Person:
        made.append(Person(qtbot, tmp_path))
        return made[-1]

    yield next_person
    for person in made:
        person.close()


def test_labels_background_region_ticks_and_goal_come_back(persons: Persons) -> None:
    first = persons()
    session, image = first.session, first.image()
    session.set_task("segmentation")
    session.set_task("instances")
    item = annotation_of(session, image)
    item.labels.paint((20, 30), 3)
    ground_of(session, item).paint((5, 5), 1)
    region = add_region(session.viewer, image, "YX")
    session.set_region(item, region)
    region.add_rectangles([[2.0, 3.0], [2.0, 40.0], [30.0, 40.0], [30.0, 3.0]])
    session.set_sizes(image, {"Y": 0.5, "X": 0.5})
    session.change(item, unpainted="around", validation=True)
    folder = first.saved().folder
    first.close()

    second = persons()
    second.open(folder)
    (again,) = second.session.annotated
    assert np.array_equal(again.labels.data, item.labels.data)
    assert again.ground is not None
    assert is_ground(again.ground, again.image)
    assert np.array_equal(again.ground.data, item.ground.data)
    outlines = outlines_on(again, "YX")
    assert outlines is not None
    assert np.allclose(outlines[0].corners, region.data[0])
    assert (again.unpainted, again.validation, again.use) == ("around", True, True)
    assert again.image.name == "cells"
    assert file_of(again.image) == second.folder / "images" / "cells.tif"
    assert second.session.config.task == "instances"
    assert second.session.viewer.layers.selection.active is again.labels


def test_painting_goes_on_in_the_same_project_and_only_what_is_new_is_written(persons: Persons) -> None:
    first = persons()
    annotation_of(first.session, first.image(shape=(600, 700))).labels.data[:] = 1
    folder = first.saved().folder
    first.close()

    second = persons()
    second.open(folder)
    second.saved()
    before = journal_bytes(folder)
    labels = second.session.annotated[0].labels
    labels.paint((20, 30), 3)
    project = second.saved()
    assert len(project.document.images) == 1
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)
    assert 0 < journal_bytes(folder) - before < 3000


def journal_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "journal").iterdir())


def test_points_and_classes_come_back(persons: Persons) -> None:
    first = persons()
    first.session.set_task("counting")
    item = start_clicking(first.session, first.image())
    item.points[0].add([[4.0, 5.0], [6.0, 7.0]])
    add_kind(first.session)
    item.points[1].add([8.0, 9.0])
    first.session.set_class([item.image], "good")
    folder = first.saved().folder
    first.close()

    second = persons()
    second.open(folder)
    (again,) = second.session.annotated
    assert [layer.name for layer in again.points] == [layer.name for layer in item.points]
    assert [layer.data.tolist() for layer in again.points] == [[[4, 5], [6, 7]], [[8, 9]]]
    assert again.class_name == "good"
    assert second.session.config.task == "counting"


def test_pairs_come_back(persons: Persons) -> None:
    first = persons()
    first.session.pair(first.image("noisy"), [first.image("clean")])
    folder = first.saved().folder
    first.close()

    second = persons()
    second.open(folder)
    (again,) = second.session.annotated
    assert [layer.name for layer in (again.image, *again.targets)] == ["noisy", "clean"]


def test_a_stack_with_channels_comes_back(persons: Persons) -> None:
    first = persons()
    image = first.image("stack", (5, 2, 40, 50), file=False)
    first.session.set_axes(image, "ZCYX")
    labels = annotation_of(first.session, image).labels
    labels.data[3, 0, 10:20, 5:15] = 4
    labels.refresh()
    folder = first.saved().folder
    first.close()

    second = persons()
    second.open(folder)
    (again,) = second.session.annotated
    assert again.labels.data.shape == labels.data.shape
    assert np.array_equal(again.labels.data, labels.data)
    assert second.session.axes_of(again.image) == "ZCYX"
    again.labels.paint((1, 0, 30, 30), 6)
    assert (again.labels.data[1, 1] == 6).any()


def test_another_project_takes_the_place_of_the_first(persons: Persons) -> None:
    person = persons()
    first = annotation_of(person.session, person.image("A")).labels
    first.paint((20, 30), 3)
    before = person.saved().folder
    person.opening.begin(person.folder / "other.microforge")
    person.qtbot.waitUntil(lambda: is_in(person, person.folder / "other.microforge"), timeout=LONG)
    assert list(person.session.viewer.layers) == []
    annotation_of(person.session, person.image("B")).labels.paint((2, 2), 1)
    assert [entry.name for entry in person.saved().document.images] == ["B"]
    person.open(before)
    person.qtbot.waitUntil(lambda: is_in(person, before), timeout=LONG)
    person.qtbot.waitUntil(lambda: not person.opening.running, timeout=LONG)
    (again,) = person.session.annotated
    assert np.array_equal(again.labels.data, first.data)


def is_in(person: Person, folder: Path) -> bool:
    return person.session.project is not None and person.session.project.folder == folder


def test_an_image_that_is_gone_or_of_another_shape_is_told_and_its_annotation_kept(persons: Persons) -> None:
    first = persons()
    for name in ("A", "B"):
        annotation_of(first.session, first.image(name)).labels.paint((20, 30), 3)
    folder = first.saved().folder
    first.close()
    (first.folder / "images" / "A.tif").unlink()

    second = persons()
    second.image("B", (30, 40))
    second.session.viewer.layers.clear()
    told: list[str] = []
    second.opening.told.connect(lambda text, severity: told.append(f"{severity}: {text}"))
    second.open(folder)
    assert second.session.annotated == []
    assert told[-1].startswith("warning: ")
    assert "A is not found" in told[-1]
    assert "another shape" in told[-1]
    second.close()
    project = Project.open(folder)
    assert [np.count_nonzero(project.labels(entry.id)) > 0 for entry in project.document.images] == [True, True]
    project.close()


def test_of_several_images_the_one_worked_on_last_is_in_front_and_the_others_are_put_away(persons: Persons) -> None:
    first = persons()
    for name in ("A", "B", "C"):
        annotation_of(first.session, first.image(name)).labels.paint((20, 30), 3)
    first.session.viewer.layers.selection.active = first.session.annotated[1].labels
    first.session.annotated[1].labels.paint((40, 50), 4)
    first.session.set_role([first.session.image_list.entries[2]], "test")
    folder = first.saved().folder
    first.close()

    second = persons()
    session, switching = second.session, Switching(second.session, lambda image: None)
    second.open(folder)
    second.qtbot.waitUntil(lambda: len(session.images()) == 1, timeout=LONG)
    assert session.images()[0].name == "B"
    assert sorted(item.image.name for item in session.annotated) == ["A", "B", "C"]
    assert {item.image.name: item.role for item in session.annotated} == {"A": "", "B": "", "C": "test"}
    project = second.saved()
    assert [np.count_nonzero(project.labels(entry.id)) > 0 for entry in project.document.images] == [True] * 3
    second.opening.begin(second.folder / "next.microforge")
    second.qtbot.waitUntil(lambda: is_in(second, second.folder / "next.microforge"), timeout=LONG)
    assert session.annotated == []
    assert session.image_list.entries == []
    del switching


def test_the_list_of_images_comes_back_with_roles_and_marks(persons: Persons) -> None:
    first = persons()
    annotation_of(first.session, first.image("A")).labels.paint((20, 30), 3)
    for name in ("B", "C", "D"):
        tifffile.imwrite(first.folder / "images" / f"{name}.tif", np.zeros((60, 80), np.uint8))
    listed = first.session.image_list.add_files([first.folder / "images" / f"{name}.tif" for name in "BCD"])
    first.session.set_role([listed[0]], "test")
    listed[1].reviewed = True
    first.session.changed.emit()
    folder = first.saved().folder
    first.qtbot.wait(1500)
    first.close()
    (first.folder / "images" / "D.tif").unlink()
    (first.folder / "images").rename(first.folder / "moved")

    second = persons()
    second.open(second.folder / "moved" / folder.name)
    found = {one.name: (one.role, one.reviewed, one.is_open) for one in second.session.image_list.entries}
    assert found == {"A": ("", False, True), "B": ("test", False, False), "C": ("", True, False)}


def test_an_image_that_is_opened_later_comes_with_its_annotation(persons: Persons) -> None:
    first = persons()
    for name in ("A", "B"):
        annotation_of(first.session, first.image(name)).labels.paint((20, 30), 3)
    painted = first.session.annotated[0].labels.data.copy()
    folder = first.saved().folder
    first.session.viewer.layers.clear()
    first.qtbot.wait(1500)
    image = first.image("A")
    first.qtbot.waitUntil(lambda: first.session.annotated_of(image) is not None, timeout=LONG)
    item = first.session.annotated_of(image)
    assert item is not None
    assert np.array_equal(item.labels.data, painted)
    item.labels.paint((50, 60), 8)
    project = first.saved()
    assert project.folder == folder
    assert [entry.name for entry in project.document.images] == ["A", "B"]
    assert np.array_equal(project.labels(project.document.images[0].id), item.labels.data)


def test_a_second_window_looks_on_and_can_make_a_copy(persons: Persons) -> None:
    first = persons()
    annotation_of(first.session, first.image()).labels.paint((20, 30), 3)
    folder = first.saved().folder

    second = persons()
    second.open(folder)
    assert second.autosave.problem is not None
    assert "open elsewhere" in second.autosave.problem.problem
    labels = second.session.annotated[0].labels
    labels.paint((40, 50), 4)
    second.autosave.save_elsewhere(second.folder / "copy.microforge")
    second.qtbot.waitUntil(lambda: second.autosave.problem is None, timeout=LONG)
    project = second.saved()
    assert project.folder.name == "copy.microforge"
    assert np.array_equal(project.labels(project.document.images[0].id), labels.data)
    first_project = first.saved()
    assert 4 not in first_project.labels(first_project.document.images[0].id)


def test_a_folder_without_a_project_is_told(persons: Persons) -> None:
    person = persons()
    told: list[str] = []
    person.opening.told.connect(lambda text, severity: told.append(text))
    person.opening.open(person.folder)
    person.qtbot.waitUntil(lambda: "no project" in (told or [""])[-1], timeout=LONG)
    assert person.session.project is None


def test_a_copy_has_its_images_in_it_and_opens_anywhere(persons: Persons, tmp_path: Path) -> None:
    first = persons()
    annotation_of(first.session, first.image()).labels.paint((20, 30), 3)
    first.saved()
    told: list[str] = []
    first.opening.told.connect(lambda text, severity: told.append(text))
    first.opening.copy(tmp_path / "usb" / "exp.microforge")
    first.qtbot.waitUntil(lambda: "The copy is in" in (told or [""])[-1], timeout=LONG)
    painted = first.session.annotated[0].labels.data.copy()
    first.close()
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    (tmp_path / "usb").rename(tmp_path / "moved")

    second = persons()
    second.open(tmp_path / "moved" / "exp.microforge")
    (again,) = second.session.annotated
    assert np.array_equal(again.labels.data, painted)


def many_painted(person: Person, count: int) -> Path:
    """Paint on so many images that a project opens only the last; give the project's folder."""
    for number in range(count):
        labels = annotation_of(person.session, person.image(f"field {number:02d}")).labels
        labels.data[5 : 6 + number, 5:25] = 1 + number
        labels.refresh()
    return person.saved().folder


def test_of_many_images_one_is_opened_and_what_is_drawn_on_the_others_counts(persons: Persons) -> None:
    first = persons()
    folder = many_painted(first, 10)
    first.close()

    second = persons()
    second.open(folder)
    listed = second.session.image_list.entries
    assert [entry.name for entry in listed] == [f"field {number:02d}" for number in range(10)]
    assert [entry.name for entry in listed if entry.is_open] == ["field 09"]
    assert len(second.session.viewer.layers) == 2
    second.qtbot.waitUntil(lambda: "10 objects in 10 images" in second.watch.readiness.text)
    begun = edited_images(second.session)
    samples = {one.snapshot.image.name: one.snapshot.loaded().samples()[0] for one in begun}
    for number in range(10):
        sample = samples[f"field {number:02d}"]
        assert np.unique(sample.annotation).tolist() == [0, 1 + number]
        file = first.folder / "images" / f"{sample.name}.tif"
        assert np.array_equal(np.asarray(sample.image)[0], tifffile.imread(file))


def test_image_that_waits_comes_into_the_viewer_as_it_was_and_nothing_is_written(persons: Persons) -> None:
    first = persons()
    folder = many_painted(first, 10)
    first.close()

    second = persons()
    second.open(folder)
    second.saved()
    before = journal_bytes(folder)
    switching = Switching(second.session, FrontImage(second.session).bring)
    entry = second.session.image_list.entries[3]
    switching.go(entry)
    second.qtbot.waitUntil(lambda: entry.is_open and sum(one.is_open for one in second.session.image_list.entries) == 1)
    image, labels = second.session.viewer.layers
    assert image.data.max() > 200
    assert tuple(image.contrast_limits) == (0, 255)
    assert np.unique(labels.data).tolist() == [0, 4]
    project = second.saved()
    assert journal_bytes(folder) == before
    labels.paint((40, 40), 9)
    project = second.saved()
    assert len(project.document.images) == 10
    kept = project.labels(next(one.id for one in project.document.images if one.name == "field 03"))
    assert np.array_equal(kept, labels.data)


def test_images_put_away_do_not_go_along_into_another_project(persons: Persons) -> None:
    first = persons()
    folder = many_painted(first, 10)
    first.close()

    second = persons()
    second.open(folder)
    assert len(second.session.annotated) == 10
    second.opening.begin(second.folder / "other.microforge")
    second.qtbot.waitUntil(lambda: second.session.project is not None and second.session.project.folder != folder)
    assert second.session.annotated == []
    assert second.session.image_list.entries == []
