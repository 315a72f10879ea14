from pathlib import Path
from typing import Any, get_args

import pytest
from pytestqt.qtbot import QtBot

from microforge.config import AugmentationConfig, PredictionConfig, Settings, TrainingConfig, field_hints
from microforge.gui.widgets.settings_form import Form
from microforge.tasks import available_tasks


@pytest.mark.parametrize(
    "value",
    [
        TrainingConfig(),
        TrainingConfig(time=120, steps=500, patch_size=64, batch_size=4, width=16, depth=2, learning_rate=0.0005),
        TrainingConfig(augmentation=AugmentationConfig(flip=False, elastic=3.5), device="cpu", normalisation="none"),
        TrainingConfig(start_from=Path("model.safetensors"), task="segmentation", task_options={"a": 1}),
        PredictionConfig(),
        PredictionConfig(tile_size=512),
        PredictionConfig(device="cuda:5"),
    ],
)
def test_round_trip(qtbot: QtBot, value: Settings) -> None:
    form: Form[Any] = Form(type(value)())
    qtbot.addWidget(form.native)
    form.set_value(value)
    assert form.value() == value
    for field in form.fields.values():
        field.changed.emit()
    assert form.value() == value


@pytest.mark.parametrize("task", available_tasks().values())
def test_every_task_has_a_form_that_keeps_its_defaults(qtbot: QtBot, task: Any) -> None:
    form = Form(task.Options())
    qtbot.addWidget(form.native)
    for field in form.fields.values():
        field.changed.emit()
    assert form.value() == task.Options()


def test_a_change_in_a_widget_changes_the_value(qtbot: QtBot) -> None:
    form = Form(TrainingConfig())
    qtbot.addWidget(form.native)
    seen: list[TrainingConfig] = []
    form.value_changed.connect(seen.append)
    form.fields["patch_size"].widget.value = 128
    form.fields["augmentation"].value()
    assert form.value().patch_size == 128
    assert seen == [form.value()]
    form.fields["patch_size"].widget.native.setValue(form.fields["patch_size"].widget.native.minimum())
    assert form.value().patch_size is None


def test_inner_settings_are_part_of_the_value(qtbot: QtBot) -> None:
    form = Form(TrainingConfig())
    qtbot.addWidget(form.native)
    form.fields["augmentation"].form.fields["flip"].widget.value = False
    assert form.value().augmentation.flip is False


def test_empty_fields_say_what_empty_means(qtbot: QtBot) -> None:
    form = Form(TrainingConfig())
    qtbot.addWidget(form.native)
    assert form.fields["time"].widget.native.text() == "until stopped"
    assert form.fields["width"].widget.native.text() == "auto"


def test_a_choice_says_below_what_it_means(qtbot: QtBot) -> None:
    form = Form(TrainingConfig())
    qtbot.addWidget(form.native)
    field = form.fields["normalisation"]
    assert field.note.text() == "Each image by its own percentiles, taken over the whole image."
    field.widget.value = "none"
    assert field.note.text() == "As recorded."


@pytest.mark.parametrize(
    "model", [TrainingConfig, PredictionConfig, *(task.Options for task in available_tasks().values())]
)
def test_hints_fit_the_field_and_its_description(model: type[Settings]) -> None:
    for info in model.model_fields.values():
        hints = field_hints(info)
        if "choices" in hints:
            assert tuple(hints["choices"]) == get_args(info.annotation)
        if "empty" in hints:
            assert f"empty = {hints['empty']}" in (info.description or "")


def test_every_field_has_a_tooltip(qtbot: QtBot) -> None:
    form = Form(TrainingConfig(), leave_out={"task", "augmentation"})
    qtbot.addWidget(form.native)
    assert "task" not in form.fields
    assert all(field.widget.tooltip for field in form.fields.values())
