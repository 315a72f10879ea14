"""After a training that went on a person sees whether it helped, and chooses which model is hers."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from microforge.events import ComparedWithStart
from microforge.gui.session.state import Session
from microforge.gui.session.training_run import TrainingRun
from microforge.gui.train.model_choice import ModelChoice
from microforge.io.model_file import read_card
from support.model_cards import write_model

WORSE = "Worse than before on 9 of 10 images kept aside."


@pytest.fixture
def run(session: Session, tmp_path: Path) -> TrainingRun:
    run = TrainingRun(session)
    run.folder = tmp_path / "run"
    (run.folder / "models").mkdir(parents=True)
    write_model(run.folder / "models" / "001.safetensors", name="before")
    session.set_model(write_model(run.folder / "model.safetensors", name="new"))
    return run


@pytest.fixture
def choice(qtbot: QtBot, session: Session, run: TrainingRun) -> ModelChoice:
    choice = ModelChoice(session, run)
    qtbot.addWidget(choice)
    return choice


def name_in_use(session: Session) -> str:
    assert session.model_path is not None
    return read_card(session.model_path).name


def click(qtbot: QtBot, choice: ModelChoice, session: Session) -> None:
    with qtbot.waitSignal(choice._changing.finished, timeout=10_000):
        choice.other.click()


def test_nothing_is_asked_before_anything_was_compared(choice: ModelChoice) -> None:
    assert choice.isHidden()


def test_a_worse_model_is_a_warning_and_the_one_before_can_be_kept(
    qtbot: QtBot, choice: ModelChoice, session: Session, run: TrainingRun
) -> None:
    run.goes_on = True
    choice.tell(ComparedWithStart(WORSE, run.folder / "models" / "001.safetensors", 1, 9, is_worse=True))  # type: ignore[operator]
    assert choice.text.text() == WORSE
    assert choice.text.severity == "warning"
    click(qtbot, choice, session)
    assert name_in_use(session) == "before"
    assert choice.other.text() == "Use the new one"
    click(qtbot, choice, session)
    assert name_in_use(session) == "new"
    assert choice.other.text() == "Keep the one before"


def test_the_model_it_started_from_can_be_used_again(
    choice: ModelChoice, session: Session, run: TrainingRun, tmp_path: Path
) -> None:
    start = write_model(tmp_path / "start.safetensors", name="start")
    choice.tell(ComparedWithStart("Better.", start, 9, 1))
    choice.other.click()
    assert name_in_use(session) == "start"
    choice.other.click()
    assert name_in_use(session) == "new"


def test_a_folder_that_is_in_use_is_told(
    qtbot: QtBot, choice: ModelChoice, session: Session, run: TrainingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.goes_on, said = True, []
    session.message.connect(lambda text, severity: said.append((text, severity)))
    choice.tell(ComparedWithStart(WORSE, run.folder / "gone.safetensors", 1, 9, is_worse=True))  # type: ignore[operator]
    click(qtbot, choice, session)
    assert said
    assert said[0][1] == "error"
    assert name_in_use(session) == "new"
