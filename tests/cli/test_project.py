"""`microforge project`: what is in a project, and training and predicting without a window."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from click.testing import Result
from typer.testing import CliRunner

from microforge.axes.areas import Outline
from microforge.cli.app import app
from microforge.io.model_file import read_card
from microforge.io.writing import Layout
from microforge.project import Goal, ImageEntry, ImageSource, Project
from microforge.project.learning.samples import read_samples
from microforge.tasks import get_task
from microforge.types import Points
from support.discs import draw_discs

QUICK = ["--steps", "6", "--device", "cpu", "--set", "patch_size=64", "--set", "batch_size=2", "--set", "width=8"]
ROLES = ("training", "validation", "test", "", "")


def call(*arguments: Any) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.fixture
def annotated(tmp_path: Path) -> Iterator[Project]:
    """Give a project of five images with discs; the last has nothing on it."""
    project = Project.create(tmp_path / "discs.microforge")
    project.update(lambda document: document.model_copy(update={"goal": Goal(task="instances")}))
    for seed, role in enumerate(ROLES):
        image, labels = draw_discs(seed=seed)
        path = tmp_path / "images" / f"d{seed}.tif"
        path.parent.mkdir(exist_ok=True)
        tifffile.imwrite(path, image, imagej=True, resolution=(4, 4), metadata={"unit": "um"})
        entry = project.add_image(ImageSource(path, axes="YX", shape=image.shape))
        change(project, entry, role=role)
        if seed < 4:
            project.write_tiles(entry.id, "labels", Layout("YX", labels.shape, labels.dtype), [((0, 0), labels)])
    yield project
    project.close()


def change(project: Project, entry: ImageEntry, **values: Any) -> None:
    changed = project.entry(entry.id).model_copy(update=values)
    project.update(lambda document: document.with_image(changed))


def test_status_lists_what_is_drawn_also_while_a_window_has_it_open(annotated: Project, tmp_path: Path) -> None:
    (tmp_path / "images" / "d4.tif").unlink()
    result = call("project", "status", annotated.folder)
    assert result.exit_code == 0, result.stderr
    told = words(result.stdout)
    assert "discs: 4 of 5 images annotated; goal: instances" in told
    assert "d0: 12 objects; always learnt from" in told
    assert "d2: 12 objects; for the test" in told
    assert "d4: nothing annotated; The file of d4 is not found" in told
    assert "It is open: annotation by" in result.stderr
    values = json.loads(call("project", "status", annotated.folder, "--json").stdout)
    assert [one.get("objects") for one in values["images"]] == [12, 12, 12, 12, None]
    assert [one["role"] for one in values["images"]] == list(ROLES)


def test_what_is_no_project_is_said_in_words(tmp_path: Path) -> None:
    for command in ("status", "verify", "train", "apply"):
        result = call("project", command, tmp_path)
        assert result.exit_code == 1
        assert "There is no project in this folder" in result.stderr


def test_verify_says_which_file_is_damaged(annotated: Project) -> None:
    annotated.close()
    assert call("project", "verify", annotated.folder).exit_code == 0
    path = next(annotated.folder.glob("annotations/d1-*/labels.tif"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    result = call("project", "verify", annotated.folder, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["damaged"][0]["path"] == str(path)
    assert "annotation of d1" in result.stderr


def test_an_export_is_what_train_takes(annotated: Project, tmp_path: Path) -> None:
    entries = annotated.document.images
    annotated.write_points(entries[0].id, Points(np.array([[1, 2], [3, 4]], np.float32), np.zeros(2, np.int32)))
    out = tmp_path / "out"
    result = call("project", "export", annotated.folder, "-o", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["files"] == {"images": 4, "annotations": 4, "points": 1}
    assert (out / "images" / "d1.tif").read_bytes() == (tmp_path / "images" / "d1.tif").read_bytes()
    np.testing.assert_array_equal(tifffile.imread(out / "annotations" / "d1.tif"), draw_discs(seed=1)[1])
    again = call("project", "export", annotated.folder, "-o", out)
    assert again.exit_code == 1
    assert "There is something in this folder" in again.stderr
    model = tmp_path / "discs.safetensors"
    split = f"{out / 'split.csv'}:val"
    trained = call(
        "train", "instances", out / "images", out / "annotations", "-m", model, "--validation-split", split, *QUICK
    )
    assert trained.exit_code == 0, trained.stderr
    card = read_card(model)
    assert sorted(card.training.names) == ["d0", "d3"]
    assert card.training.validation_names == ("d1",)


def test_training_and_applying_without_a_window(annotated: Project, tmp_path: Path) -> None:
    annotated.close()
    result = call("project", "train", annotated.folder, *QUICK, "--json")
    assert result.exit_code == 0, result.stderr
    model = Path(json.loads(result.stdout)["model"])
    assert model.is_relative_to(annotated.folder / "runs")
    card = read_card(model)
    assert sorted(card.training.names) == ["d0", "d3"]
    assert card.training.validation_names == ("d1",)
    assert card.pixel_size == (0.25, 0.25)
    there = Project.open(annotated.folder, read_only=True)
    assert annotated.folder / there.document.model == model
    assert there.verify() == ()
    times, content = model.stat(), bytearray(model.read_bytes())
    content[-9] ^= 1
    model.write_bytes(content)
    assert there.verify() == ()  # written anew, as by a training that goes on
    os.utime(model, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert [damage.path for damage in there.verify()] == [model]
    content[-9] ^= 1
    model.write_bytes(content)
    applied = call("project", "apply", annotated.folder, "--device", "cpu", "--json")
    assert applied.exit_code == 0, applied.stderr
    assert json.loads(applied.stdout)["done"] == 5
    assert (annotated.folder / "results" / "d4.tif").exists()
    assert "(chosen)" in call("project", "status", annotated.folder).stdout


def test_a_training_beside_an_open_window_leaves_its_model_in_the_runs(annotated: Project) -> None:
    result = call("project", "train", annotated.folder, *QUICK)
    assert result.exit_code == 0, result.stderr
    assert "open elsewhere" in result.stderr
    values = json.loads(call("project", "status", annotated.folder, "--json").stdout)
    assert len(values["models"]) == 1
    assert call("project", "apply", annotated.folder, "--device", "cpu").exit_code == 0


def test_without_a_goal_or_a_model_it_is_said_what_to_do(annotated: Project) -> None:
    annotated.update(lambda document: document.model_copy(update={"goal": Goal()}))
    result = call("project", "train", annotated.folder, *QUICK)
    assert result.exit_code == 1
    assert "No goal was chosen in the project. Say it with --task" in words(result.stderr)
    result = call("project", "apply", annotated.folder)
    assert result.exit_code == 1
    assert "no model yet" in result.stderr


def test_regions_strokes_of_background_and_what_is_unpainted_reach_the_samples(annotated: Project) -> None:
    task = get_task("instances")()
    entry = annotated.document.images[0]
    annotated.write_outlines(entry.id, [Outline(np.array([[0, 0], [0, 47], [47, 47], [47, 0.0]]))])
    sample = next(one for one in read_samples(annotated, task).training if one.name == "d0")
    assert int(sample.known.sum()) == 48 * 48
    annotated.write_outlines(entry.id, [])
    strokes = np.zeros((96, 96), np.uint8)
    strokes[90:, 90:] = 1
    layout = Layout("YX", (96, 96), np.dtype(np.uint8))
    annotated.write_tiles(entry.id, "background", layout, [((0, 0), strokes)])
    change(annotated, entry, unpainted="unknown")
    sample = next(one for one in read_samples(annotated, task).training if one.name == "d0")
    assert sample.mask is not None
    assert bool(sample.mask[95, 95])
    assert not sample.mask.all()


def test_only_what_the_goal_learns_from_is_read(annotated: Project) -> None:
    first, second = annotated.document.images[:2]
    annotated.write_points(first.id, Points(np.array([[1, 2], [3, 4]], np.float32), np.zeros(2, np.int32)))
    counted = read_samples(annotated, get_task("counting")())
    assert [(one.name, one.annotation) for one in counted.training] == [("d0", None)]
    assert counted.training[0].points is not None
    for entry, name in ((first, "sick"), (second, "well")):
        change(annotated, entry, class_name=name, role="")
    classes = read_samples(annotated, get_task("classification")())
    assert [(one.name, one.class_name) for one in classes.training] == [("d0", "sick"), ("d1", "well")]


def test_an_image_that_is_gone_is_left_out_and_said(annotated: Project, tmp_path: Path) -> None:
    (tmp_path / "images" / "d3.tif").unlink()
    found = read_samples(annotated, get_task("instances")())
    assert [one.name for one in found.training] == ["d0"]
    assert len(found.problems) == 1
    assert "not found" in found.problems[0]
