"""Damaged files: what is left is used and said, and nothing damaged is ever shown as empty."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from microforge.errors import MicroforgeError, ProjectError
from microforge.project import ImageSource, Project
from microforge.project.document import SCHEMA_VERSION, ProjectDocument
from microforge.project.document_file import document_bytes
from microforge.types import Image
from support.projects import painted, project_with_images, some_points, stroke


def flip(path: Path, bit: int) -> None:
    """Turn one bit round, as a failing disk does: size and time stay."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << (bit % 8)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def last_journal(project: Project) -> Path:
    return sorted((project.folder / "journal").iterdir())[-1]


def copied(project: Project, name: str) -> Path:
    """Give a copy of a project that is open, as a crash would leave it: without its lock."""
    return shutil.copytree(
        project.folder, project.folder.with_name(name), ignore=shutil.ignore_patterns(".microforge-lock*")
    )


def test_a_torn_end_of_the_journal_is_cut_off_wherever_it_was_torn(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    before = last_journal(project).stat().st_size
    stroke(project, entry.id, 2, (32, 32))
    whole = last_journal(project).read_bytes()
    for number, size in enumerate(range(before, len(whole), 13)):
        folder = copied(project, f"copy {number}")
        journal = folder / "journal" / last_journal(project).name
        journal.write_bytes(whole[:size])
        there = Project.open(folder)
        assert painted(there, entry.id) == {1: 256}
        assert any("not written completely" in text for text in there.recovered) is (size > before)
        stroke(there, entry.id, 3, (16, 16))
        there.close()
        there = Project.open(folder)
        assert (painted(there, entry.id), there.recovered) == ({1: 256, 3: 256}, ())
        there.close()
    project.close()


def test_a_stroke_damaged_within_the_journal_takes_no_other_with_it(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    sizes = []
    for value in (1, 2, 3):
        sizes.append(last_journal(project).stat().st_size)
        stroke(project, entry.id, value, (16 * value, 0))
    folder = copied(project, "copy")
    flip(folder / "journal" / last_journal(project).name, 8 * (sizes[1] + 60))
    there = Project.open(folder)
    assert painted(there, entry.id) == {1: 256, 3: 256}
    assert any("damaged in" in text for text in there.recovered)
    there.close()
    project.close()


def test_a_damaged_project_file_is_told_and_the_one_before_is_brought_up_to_date(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    changed = entry.model_copy(update={"class_name": "sick"})
    project.update(lambda document: document.with_image(changed))
    stroke(project, entry.id, 1)
    project.close()
    flip(project.folder / "project.json", 4000)
    there = Project.open(project.folder)
    assert there.entry(entry.id).class_name == "sick"
    assert painted(there, entry.id) == {1: 256}
    assert there.recovered == ("project.json was damaged. The one before it was used, and the journal.",)
    there.close()
    assert Project.open(project.folder).recovered == ()


def test_a_project_of_which_no_file_is_whole_is_refused_in_words(tmp_path: Path) -> None:
    project, _ = project_with_images(tmp_path)
    project.close()
    for name in ("project.json", "project-previous.json"):
        (project.folder / name).write_bytes(b"\0" * 100)
    with pytest.raises(ProjectError, match=r"damaged \(project\.json, project-previous\.json\).*annotations"):
        Project.open(project.folder)


def test_a_damaged_label_file_is_replaced_by_the_one_before_and_the_journal(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    for value in (1, 2):
        stroke(project, entry.id, value, (16 * value, 0))
        project.compact()
    stroke(project, entry.id, 3, (48, 0))
    path = project.folder / "annotations" / entry.folder / "labels.tif"
    flip(path, 8 * path.stat().st_size // 2)
    assert painted(project, entry.id) == {1: 256, 2: 256, 3: 256}
    assert ["labels.tif is damaged or gone" in text and "nothing is lost" in text for text in project.recovered] == [
        True
    ]
    project.close()
    there = Project.open(project.folder)
    assert painted(there, entry.id) == {1: 256, 2: 256, 3: 256}
    assert there.recovered == ()
    assert (path.parent / "labels-damaged-1.tif").exists()
    there.close()


def test_it_is_said_where_the_file_before_lacks_strokes(tmp_path: Path) -> None:
    project, [first, second] = project_with_images(tmp_path, ["a", "b"])
    for value in (1, 2):
        stroke(project, first.id, value, (16 * value, 0))
        project.compact()
    for value in (1, 2):
        stroke(project, second.id, value)
        project.compact()
    (project.folder / "annotations" / first.folder / "labels.tif").unlink()
    assert painted(project, first.id) == {1: 256}
    assert any("may be missing" in text for text in project.recovered)
    project.close()


def test_labels_of_which_no_file_is_whole_are_an_error_and_not_empty(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.write_points(entry.id, some_points())
    project.close()
    folder = project.folder / "annotations" / entry.folder
    for path in folder.iterdir():
        flip(path, 8 * (path.stat().st_size // 2))
    there = Project.open(project.folder, read_only=True)
    with pytest.raises(ProjectError, match=r"labels.*is damaged, and so is the one before"):
        there.labels(entry.id)


def test_a_project_that_was_just_being_made_opens_empty(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "cells")
    project.close()
    shutil.rmtree(project.folder / "journal")
    there = Project.open(project.folder)
    assert (there.document.images, there.recovered) == ((), ())
    there.add_image(ImageSource(image=Image("a", np.zeros((8, 8), np.uint8), "YX")))
    there.close()
    assert len(Project.open(project.folder, read_only=True).document.images) == 1


def test_a_journal_without_its_project_is_not_written_over(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    stroke(project, entry.id, 1)
    project.close()
    for path in project.folder.glob("project*.json"):
        path.unlink()
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    with pytest.raises(ProjectError, match=r"journal of a project.*project\.json is gone"):
        Project.create(project.folder)
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_an_image_that_cannot_be_read_does_not_hold_up_the_others(tmp_path: Path) -> None:
    project, [first, second] = project_with_images(tmp_path, ["a", "b"])
    stroke(project, first.id, 1)
    project.close()
    path = project.folder / "annotations" / first.folder / "labels.tif"
    flip(path, 8 * (path.stat().st_size // 2))
    there = Project.open(project.folder)
    stroke(there, first.id, 2, (32, 32))
    stroke(there, second.id, 3)
    assert not there.compact()
    assert any("damaged, and so is the one before" in text for text in there.recovered)
    assert (project.folder / "annotations" / second.folder / "labels.tif").exists()
    there.close()
    again = Project.open(project.folder, read_only=True)
    assert painted(again, second.id) == {3: 256}
    with pytest.raises(ProjectError, match="is damaged"):
        again.labels(first.id)


def test_a_damaged_journal_is_put_aside_when_all_others_are_in_files(tmp_path: Path) -> None:
    project, [entry] = project_with_images(tmp_path)
    sizes = []
    for value in (1, 2, 3):
        sizes.append(last_journal(project).stat().st_size)
        stroke(project, entry.id, value, (16 * value, 0))
    project.sync()
    folder, name = copied(project, "copy"), last_journal(project).name
    flip(folder / "journal" / name, 8 * (sizes[1] + 60))
    there = Project.open(folder)
    for value in (4, 5):
        stroke(there, entry.id, value, (0, 16 * (value - 3)))
        there.compact()
    there.close()
    assert (folder / "damaged" / name).exists()
    again = Project.open(folder)
    assert (painted(again, entry.id), again.recovered) == ({1: 256, 3: 256, 4: 256, 5: 256}, ())
    again.close()
    project.close()


def test_a_project_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    project, _ = project_with_images(tmp_path)
    project.close()
    newer = ProjectDocument(id="1", name="a", created="", schema_version=SCHEMA_VERSION + 1)
    (project.folder / "project.json").write_bytes(document_bytes(newer))
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    with pytest.raises(ProjectError, match=r"made by a newer Microforge\. Nothing was changed"):
        Project.open(project.folder)
    assert {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()} == before


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    from microforge.project.journal.record import packed

    project, _ = project_with_images(tmp_path)
    project.close()
    records = [
        packed(99, values, b"")[0] for values in ({"kind": "begin", "format": 9}, {"kind": "commit", "records": 1})
    ]
    (project.folder / "journal" / "000099.journal").write_bytes(b"".join(records))
    with pytest.raises(ProjectError, match="newer Microforge"):
        Project.open(project.folder)


@pytest.mark.parametrize("seed", range(3))
def test_every_flipped_bit_is_found(tmp_path: Path, seed: int) -> None:
    project, [entry] = project_with_images(tmp_path)
    for value in (1, 2):
        stroke(project, entry.id, value, (16 * value, 0))
        project.write_points(entry.id, some_points())
        project.compact()
    project.add_image(ImageSource(image=Image("mine", np.zeros((8, 8), np.uint8), "YX")))
    project.close()
    assert Project.open(project.folder, read_only=True).verify() == ()
    rng = np.random.default_rng(seed)
    for path in [path for path in project.folder.rglob("*") if path.is_file()]:
        content = path.read_bytes()
        for bit in rng.integers(8 * len(content), size=12).tolist():
            flip(path, bit)
            assert path in found_damaged(project.folder), f"{path.name}: bit {bit}"
            path.write_bytes(content)


def found_damaged(folder: Path) -> set[Path]:
    """Verify a project, also one that is too damaged to be opened."""
    try:
        return {damage.path for damage in Project.open(folder, read_only=True).verify()}
    except MicroforgeError:
        from microforge.project.verify import find_damage

        return {damage.path for damage in find_damage(folder, ProjectDocument(id="", name="", created=""))}


def test_values_of_an_older_version_go_through_each_step() -> None:
    from microforge.project.document_file import migrated

    steps = {1: lambda values: {**values, "title": values["name"]}, 2: lambda values: {**values, "steps": 2}}
    assert migrated({"schema_version": 1, "name": "a"}, Path(), steps) == {
        "schema_version": 3,
        "name": "a",
        "title": "a",
        "steps": 2,
    }


GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_projects_of_all_versions_are_read(tmp_path: Path, path: Path) -> None:
    (tmp_path / "project.json").write_bytes(path.read_bytes())
    there = Project.open(tmp_path, read_only=True)
    document = there.document
    assert document.schema_version == SCHEMA_VERSION
    assert (document.name, document.goal.task, document.goal.options) == ("nuclei", "instances", {"smallest": 20})
    first, second = document.images
    assert (first.role, first.class_name, first.axes, first.pixel_size) == ("validation", "sick", "YX", (0.5, 0.5))
    assert first.parts["labels"].generations[0].count == 3
    assert second.file is not None
    assert second.file.index == 1
    assert json.loads(path.read_text(encoding="utf-8"))["document"]["schema_version"] in range(1, SCHEMA_VERSION + 1)
