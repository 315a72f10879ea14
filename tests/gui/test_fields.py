"""What can be typed, scrolled over and read in the panels: never what settings refuse, never HTML from a file."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QScrollBar, QWidget

from microforge.annotations import LABELS
from microforge.config import PredictionConfig, TrainingConfig
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.background import failure_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.basics import Note, plain_tip
from microforge.gui.widgets.name_rows import in_one_line
from microforge.gui.widgets.settings_form import Form, GroupField
from microforge.tasks import available_tasks
from support.fakes import FakeTraining, fake_warm_up


@pytest.fixture
def dock(qtbot: QtBot, tmp_path: Path) -> Iterator[MicroforgeDock]:
    dock = MicroforgeDock(ViewerModel(), Session(ViewerModel(), FakeTraining(), tmp_path / "runs"), fake_warm_up)
    qtbot.addWidget(dock)
    dock.show()
    yield dock
    dock.close_down()


def numbers_of(form: Form[Any]) -> Iterator[tuple[str, Any]]:
    for name, field in form.fields.items():
        if isinstance(field, GroupField):
            yield from numbers_of(field.form)
        elif isinstance(field.native, QAbstractSpinBox):
            yield name, field.native


@pytest.mark.parametrize(
    "settings",
    [TrainingConfig, PredictionConfig, *(task.Options for task in available_tasks().values())],
    ids=lambda settings: settings.__qualname__,
)
def test_every_number_that_can_be_typed_is_taken_by_the_settings(qtbot: QtBot, settings: Any) -> None:
    form: Form[Any] = Form(settings())
    qtbot.addWidget(form.native)
    for name, spin in numbers_of(form):
        for value in (spin.minimum(), spin.maximum(), spin.minimum() + spin.singleStep()):
            before = spin.value()
            spin.setValue(value)
            # Put back by the form, the settings had refused it.
            assert spin.value() == pytest.approx(value), name
            settings.model_validate(form.value().model_dump())
            spin.setValue(before)


def turn_wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    turned = QWheelEvent(
        middle,
        QPointF(widget.mapToGlobal(middle.toPoint())),
        QPoint(0, 0),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, turned)


@pytest.mark.parametrize("task", list(available_tasks()))
def test_wheel_over_a_field_changes_no_choice(qtbot: QtBot, dock: MicroforgeDock, task: str) -> None:
    dock.annotate.task.set_value(task)
    fields = dock.findChildren(QComboBox) + dock.findChildren(QAbstractSpinBox) + dock.findChildren(QAbstractSlider)
    fields = [field for field in fields if not isinstance(field, QScrollBar)]
    assert len(fields) > 5
    for field in fields:
        before = field.currentIndex() if isinstance(field, QComboBox) else field.value()
        turn_wheel(field)
        assert (field.currentIndex() if isinstance(field, QComboBox) else field.value()) == before, field.toolTip()


def test_class_name_that_is_being_typed_when_the_goal_changes_is_no_option_of_the_other_goal(
    qtbot: QtBot, dock: MicroforgeDock
) -> None:
    dock.annotate.task.set_value("segmentation")
    line = dock.annotate.tools[LABELS].classes.findChildren(QLineEdit)[0]
    line.setText("half typed")
    dock.session.set_task("instances")
    line.editingFinished.emit()
    assert "classes" not in dock.session.config.task_options
    assert dock.session.task.name == "instances"


@pytest.mark.parametrize("name", ["a\nb", " a \t b ", "a\r\nb", "a\0b", "a b"])
def test_names_are_one_line(name: str) -> None:
    assert in_one_line(name) == "a b"


def test_class_name_of_several_lines_is_kept_in_one(dock: MicroforgeDock) -> None:
    dock.annotate.task.set_value("segmentation")
    dock.annotate.tools[LABELS].classes._rename(1, "back\nground")
    assert dock.session.config.task_options["classes"][1] == "back ground"


def test_what_looks_like_html_is_shown_as_it_is_written(qtbot: QtBot) -> None:
    harmful = "<img src='x'> & <b>bold</b>"
    note = Note(harmful)
    qtbot.addWidget(note)
    assert note.textFormat() == Qt.TextFormat.PlainText
    assert "<img" not in plain_tip(harmful)
    assert "&lt;b&gt;bold" in plain_tip(harmful)
    assert plain_tip("a & b") == "a & b"


def test_labels_that_show_what_files_say_are_plain(dock: MicroforgeDock) -> None:
    labels = (dock.apply.picker.card, dock.apply.layers.busy.text, dock.apply.folder.busy.text)
    assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}


def test_model_is_not_saved_under_a_name_that_no_disk_takes(dock: MicroforgeDock, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    model.write_bytes(b"model")
    said: list[tuple[str, str]] = []
    dock.session.message.connect(lambda text, severity: said.append((severity, text)))
    dock.train.save_to(model, Path(f"{tmp_path}/a\0b"))
    assert said[0][0] == "error"
    assert "no disk takes" in said[0][1]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), RuntimeError("I/O error (os error 28)")])
def test_full_disk_is_said_in_words(error: Exception) -> None:
    failed = failure_of(error)
    assert "unexpected" not in failed.problem
    assert "disk is full" in failed.remedy
