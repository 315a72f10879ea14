from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from pydantic import ValidationError
from pytestqt.qtbot import QtBot

from microforge.gui.layers.convert import add_labels, add_region
from microforge.gui.layers.marks import mark_result
from microforge.gui.session.plugin_settings import default_runs_folder
from microforge.gui.session.state import Session


@pytest.fixture
def seen(session: Session) -> list[int]:
    seen: list[int] = []
    session.changed.connect(lambda: seen.append(1))
    return seen


def annotated(session: Session, name: str = "cells") -> object:
    image = session.viewer.add_image(np.zeros((8, 9)), name=name)
    return session.annotate(image, add_labels(session.viewer, image, "YX"))


def test_results_are_not_offered_as_images(session: Session) -> None:
    image = session.viewer.add_image(np.zeros((8, 9)))
    result = session.viewer.add_image(np.zeros((8, 9)))
    mark_result(result, "preview")
    assert session.images() == [image]


def test_changing_a_setting_tells_once_and_only_if_it_changed(session: Session, seen: list[int]) -> None:
    session.set_config(seed=3)
    session.set_config(seed=3)
    assert (session.config.seed, len(seen)) == (3, 1)
    with pytest.raises(ValidationError):
        session.set_config(seed=-1)
    assert session.config.seed == 3


def test_an_annotation_belongs_to_its_image(session: Session) -> None:
    item = annotated(session)
    for layer in (item.image, item.labels):
        assert session.annotated_of(layer) is item
    assert session.annotated_of(None) is None


@pytest.mark.parametrize("which", ["image", "labels"])
def test_removing_a_layer_forgets_what_belongs_to_it(session: Session, which: str) -> None:
    item = annotated(session)
    session.set_axes(item.image, "YX")
    session.viewer.layers.remove(getattr(item, which))
    assert session.annotated == []


def test_removing_a_region_keeps_the_annotation(session: Session) -> None:
    item = annotated(session)
    session.set_region(item, add_region(session.viewer, item.image, "YX"))
    session.viewer.layers.remove(item.region)
    assert (session.annotated, item.region) == ([item], None)


def test_objects_are_painted_in_part_and_classes_scribbled_by_default(session: Session) -> None:
    assert annotated(session).unpainted == "around"
    session.set_task("segmentation", classes={1: "a", 2: "b"})
    assert annotated(session, "other").unpainted == "unknown"
    assert session.task.options.classes == {1: "a", 2: "b"}


def test_each_run_gets_a_folder_of_its_own(session: Session) -> None:
    first = session.new_run_folder()
    first.mkdir(parents=True)
    second = session.new_run_folder()
    assert first != second
    assert not second.exists()


def test_runs_go_to_the_data_of_the_user(qtbot: QtBot) -> None:
    assert default_runs_folder().is_absolute()
    assert Session(ViewerModel()).runs_folder == default_runs_folder()


def test_a_model_is_announced(session: Session) -> None:
    seen: list[Path] = []
    session.model_changed.connect(seen.append)
    session.set_model(Path("a.safetensors"))
    assert seen == [session.model_path]
