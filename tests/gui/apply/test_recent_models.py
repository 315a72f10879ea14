"""A new session offers the models that earlier ones have left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio.v3 import imwrite
from qtpy.QtCore import Qt

from microforge.gui.apply.model_list import ABOUT_ROLE
from microforge.gui.apply.model_picker import ModelPicker
from microforge.gui.session.saving.recent import RecentProject, remember_project
from microforge.gui.session.state import Session
from microforge.io.model_file import TrainingSummary
from microforge.project import Project
from support.model_cards import write_model

RUN = "2026-11-25 01-42-00 nuclei objects"


@pytest.fixture
def run_folder(session: Session) -> Path:
    folder = session.runs_folder / RUN
    (folder / "models").mkdir(parents=True)
    trained = TrainingSummary(annotated="62 objects in 3 images")
    write_model(folder / "model.safetensors", training=trained, metrics={"F1@0.5": 0.9})
    write_model(folder / "models" / "001.safetensors")
    imwrite(folder / "thumbnail.png", np.full((40, 60, 3), 200, np.uint8))
    return folder


def shown(qtbot: Any, session: Session) -> ModelPicker:
    picker = ModelPicker(session)
    qtbot.addWidget(picker)
    with qtbot.waitSignal(picker.recent.relay.finished, timeout=10_000):
        picker.show()
    return picker


def titles(picker: ModelPicker) -> set[str]:
    return {picker.models.itemText(row) for row in range(picker.models.count())}


def test_models_of_earlier_sessions_can_be_chosen(qtbot: Any, session: Session, run_folder: Path) -> None:
    picker = shown(qtbot, session)
    assert titles(picker) == {"nuclei objects, 25 Nov 01:42", "nuclei objects, 25 Nov 01:42, earlier 1"}
    assert "Choose a model of before" in picker.card.text()
    row = picker.models.findText("nuclei objects, 25 Nov 01:42")
    assert picker.models.itemData(row, ABOUT_ROLE) == "62 objects in 3 images · finds 9 of 10 objects"
    picker.models.setCurrentIndex(row)
    picker.models.activated.emit(row)
    assert session.model_path == run_folder / "model.safetensors"
    assert "Segment objects" in picker.card.text()


def test_models_of_projects_are_found_too(qtbot: Any, session: Session, tmp_path: Path) -> None:
    for name in ("open now", "of before"):
        folder = tmp_path / name / "runs" / f"2026-11-25 01-42-00 {name}"
        folder.mkdir(parents=True)
        write_model(folder / "model.safetensors")
    remember_project(session.runs_folder, RecentProject(str(tmp_path / "of before"), "of before"))
    project = Project.create(tmp_path / "mine")
    (tmp_path / "open now" / "runs").rename(project.folder / "runs")
    session.set_project(project)
    assert titles(shown(qtbot, session)) == {"open now, 25 Nov 01:42", "of before, 25 Nov 01:42"}
    session.set_project(None)
    project.close()


def test_a_model_of_this_session_is_listed_once(qtbot: Any, session: Session, run_folder: Path) -> None:
    session.set_model(run_folder / "model.safetensors")
    picker = shown(qtbot, session)
    assert picker.models.count() == 2
    assert picker.models.currentText() == "nuclei objects, 25 Nov 01:42"


def test_without_earlier_models_nothing_is_offered(qtbot: Any, session: Session) -> None:
    picker = shown(qtbot, session)
    assert not picker.models.isEnabled()
    assert "No model yet" in picker.card.text()


def test_what_was_discarded_is_offered_no_more(qtbot: Any, session: Session, run_folder: Path, tmp_path: Path) -> None:
    picker = shown(qtbot, session)
    session.set_model(write_model(tmp_path / "gone.safetensors"))
    (tmp_path / "gone.safetensors").unlink()
    session.set_model(None)
    assert "gone" not in titles(picker)


def test_the_list_draws_pictures_and_two_lines(qtbot: Any, session: Session, run_folder: Path) -> None:
    picker = shown(qtbot, session)
    picker.models.showPopup()
    view = picker.models.view()
    view.viewport().grab()
    assert view.sizeHintForRow(0) >= 36
    picker.models.hidePopup()
    assert picker.models.itemData(0, Qt.ItemDataRole.DisplayRole)
