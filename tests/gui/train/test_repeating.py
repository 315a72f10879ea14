"""What was done in the window can be done again without it, and is told in a page."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication

from microforge.gui.layers.convert import add_labels
from microforge.gui.session.state import Session
from microforge.gui.train.panel import NO_COMMAND, TrainPanel
from microforge.project import Project
from support.fakes import FakeTraining
from support.model_cards import write_model


@pytest.fixture
def said(session: Session) -> list[str]:
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    return said


def annotate(session: Session, nuclei: Any) -> None:
    image = session.viewer.add_image(nuclei, name="cells")
    session.annotate(image, add_labels(session.viewer, image, "YX")).labels.data[4:9, 4:9] = 1  # type: ignore[union-attr]


def train(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> dict[str, Any]:
    """Train for a moment; the fake writes what an engine would have noted of how to repeat it."""
    qtbot.waitUntil(panel.train.isEnabled)
    panel.train.click()
    qtbot.waitUntil(lambda: "Step" in panel.report.numbers.text())
    panel.stop.click()
    qtbot.waitUntil(lambda: not panel.run.busy)
    call = training.calls[-1]
    settings = {"command": call["command"], **call["config"].model_dump(mode="json")}
    (call["folder"] / "config.json").write_text(json.dumps(settings))
    write_model(call["folder"] / "model.safetensors", training={"steps": 77})
    return call


def test_a_training_on_folders_is_copied_as_command(panel: TrainPanel, session: Session, tmp_path: Path) -> None:
    session.set_pairs(tmp_path / "my images", tmp_path / "labels")
    session.set_config(seed=5)
    command = panel.run._command(tmp_path / "runs" / "a run", opened=False)
    words = shlex.split(command)
    assert words[:5] == ["microforge", "train", "instances", str(tmp_path / "my images"), str(tmp_path / "labels")]
    assert words[-2:] == ["--seed", "5"]
    assert str(tmp_path / "runs" / "a run again.safetensors") in words, "the model that is there stays"


def test_a_training_in_a_project_is_copied_as_command(
    qtbot: QtBot,
    panel: TrainPanel,
    session: Session,
    training: FakeTraining,
    nuclei: Any,
    said: list[str],
    tmp_path: Path,
) -> None:
    annotate(session, nuclei)
    project = Project.create(tmp_path / "my project")
    session.set_project(project)
    train(qtbot, panel, training)
    panel.copy.click()
    words = shlex.split(QApplication.clipboard().text())
    assert words[:4] == ["microforge", "project", "train", str(tmp_path / "my project")]
    assert words[-2:] == ["--steps", "77"]
    assert "copied" in said[-1]
    session.set_project(None)
    project.close()


def test_where_no_command_can_name_the_images_it_is_said(
    qtbot: QtBot, panel: TrainPanel, session: Session, training: FakeTraining, nuclei: Any, said: list[str]
) -> None:
    annotate(session, nuclei)
    QApplication.clipboard().setText("as before")
    assert train(qtbot, panel, training)["command"] == ""
    panel.copy.click()
    assert said[-1] == NO_COMMAND
    assert QApplication.clipboard().text() == "as before"


def test_the_page_of_a_training_is_opened(
    qtbot: QtBot, panel: TrainPanel, session: Session, training: FakeTraining, nuclei: Any, said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    annotate(session, nuclei)
    assert not panel.page.isVisible()
    folder = train(qtbot, panel, training)["folder"]
    opened: list[str] = []
    monkeypatch.setattr(
        "microforge.gui.train.panel.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile())
    )
    panel.page.click()
    assert "no report" in said[-1]
    (folder / "report.html").write_text("page")
    panel.page.click()
    assert opened == [str(folder / "report.html")]
