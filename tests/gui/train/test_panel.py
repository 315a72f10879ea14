import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QPushButton

from microforge.errors import MicroforgeError, NotEnoughDataError
from microforge.events import AsidePart, KeptAside, RunAdvice, WorstPlace
from microforge.gui.layers.convert import add_labels
from microforge.gui.session.state import Annotated, Session, Step
from microforge.gui.session.training_run import RunState
from microforge.gui.train.panel import TrainPanel
from microforge.gui.train.report import clock_text
from microforge.gui.widgets.canvas_view import camera_of
from microforge.io.writing import write_image, write_labels
from microforge.simulate import noisy_pair, simulate_nuclei
from support.fakes import FakeTraining


@pytest.fixture
def item(session: Session, nuclei: Any) -> Annotated:
    return annotated(session, nuclei, "cells")


def annotated(session: Session, data: Any, name: str) -> Annotated:
    image = session.viewer.add_image(data, name=name)
    item = session.annotate(image, add_labels(session.viewer, image, "YX"))
    item.labels.data[4:9, 4:9] = 1
    return item


def start(qtbot: QtBot, panel: TrainPanel, training: FakeTraining) -> None:
    qtbot.waitUntil(panel.train.isEnabled)
    before = len(training.calls)
    panel.train.click()
    qtbot.waitUntil(lambda: len(training.calls) > before and "Step" in panel.report.numbers.text())


def ended(panel: TrainPanel) -> bool:
    return not panel.run.busy


def test_one_button_trains_and_stop_keeps_the_model(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    start(qtbot, panel, training)
    assert not panel.train.isVisible()
    assert "fake device" in panel.report.where.text()
    assert "patch size: 64" in panel.report.settings_text.text()
    qtbot.waitUntil(lambda: "AP@0.5" in panel.report.score.text() and bool(panel.report.hints.texts))
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    model = panel.session.model_path
    assert model is not None
    assert model.exists()
    assert "saved" in panel.report.doing.text()
    assert panel.proceed.isVisible()
    assert panel.save.isVisible()
    assert str(model.parent) in panel.folder.toolTip()


def test_continue_uses_the_same_folder(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    start(qtbot, panel, training)
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    panel.proceed.click()
    qtbot.waitUntil(lambda: len(training.calls) == 2)
    first, second = training.calls
    assert (first["resume"], second["resume"]) == (False, True)
    assert first["folder"] == second["folder"]


def test_refused_starts_leave_the_curves_alone(panel: TrainPanel) -> None:
    panel.report.plots.add_loss(1, 1.0)
    panel.go_on()
    assert "no training to continue" in panel.report.doing.text()
    assert panel.report.plots.loss.x == [1]


def test_after_stop_apply_is_next_and_discard_stands_apart(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    def roles() -> dict[str, str]:
        return {b.text(): b.property("role") or "" for b in panel.findChildren(QPushButton) if b.isVisible()}

    qtbot.waitUntil(panel.train.isEnabled)
    assert {name: role for name, role in roles().items() if role} == {"Train": "accent"}
    start(qtbot, panel, training)
    assert {name: role for name, role in roles().items() if role} == {"Stop": "accent", "Discard": "danger"}
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    assert {name: role for name, role in roles().items() if role} == {"Apply": "accent", "Discard": "danger"}
    assert panel.discard.y() > panel.apply.geometry().bottom()
    asked: list[tuple[Step, bool]] = []
    panel.session.step_wanted.connect(lambda step, begin: asked.append((step, begin)))
    panel.apply.click()
    assert asked == [(Step.APPLY, True)]
    panel.session.set_task("segmentation")
    assert not panel.proceed.isVisible(), "the last training learnt something else"
    assert roles()["Train"] == "accent"
    assert panel.discard.isVisible()


def test_next_goes_on_with_a_training_and_never_begins_a_second(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    qtbot.waitUntil(panel.train.isEnabled)
    panel.begin()
    qtbot.waitUntil(lambda: len(training.calls) == 1)
    panel.begin()
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    panel.begin()
    qtbot.waitUntil(lambda: len(training.calls) == 2)
    assert [call["resume"] for call in training.calls] == [False, True]


def test_pause_holds_and_continue_goes_on(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    start(qtbot, panel, training)
    panel.run.pause()
    assert panel.run.state is RunState.PAUSED
    qtbot.wait(50)
    held = panel.report._step
    qtbot.wait(100)
    assert panel.report._step is held
    panel.run.resume()
    qtbot.waitUntil(lambda: panel.report._step is not held)
    panel.run.pause()
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))


@pytest.mark.parametrize("after", ["running", "ended"])
def test_discard_asks_and_keeps_nothing(
    qtbot: QtBot,
    panel: TrainPanel,
    item: Annotated,
    training: FakeTraining,
    monkeypatch: pytest.MonkeyPatch,
    after: str,
) -> None:
    start(qtbot, panel, training)
    if after == "ended":
        panel.stop.click()
        qtbot.waitUntil(lambda: ended(panel))
    monkeypatch.setattr("microforge.gui.train.panel.confirmed", lambda *_: False)
    panel.discard.click()
    folder = panel.run.folder
    assert folder is not None
    monkeypatch.setattr("microforge.gui.train.panel.confirmed", lambda *_: True)
    panel.discard.click()
    qtbot.waitUntil(lambda: panel.run.state is RunState.IDLE)
    assert not folder.exists()
    assert panel.session.model_path is None
    assert panel.train.text() == "Train"


def test_discarding_what_went_on_keeps_the_model_of_before(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(qtbot, panel, training)
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    model, asked = panel.session.model_path, []
    monkeypatch.setattr("microforge.gui.train.panel.confirmed", lambda *said: bool(asked.append(said[2])) or True)
    panel.proceed.click()
    qtbot.waitUntil(lambda: len(training.calls) == 2)
    panel.discard.click()
    qtbot.waitUntil(lambda: ended(panel))
    assert "The model of before" in asked[0]
    assert panel.session.model_path == model
    assert model is not None
    assert model.exists()


def test_errors_are_shown_in_words(qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining) -> None:
    training.error = NotEnoughDataError("Too little.", where="cells", remedy="Paint more.")
    qtbot.waitUntil(panel.train.isEnabled)
    panel.train.click()
    qtbot.waitUntil(lambda: ended(panel))
    assert panel.report.doing.text() == "cells: Too little. Paint more."
    training.error = RuntimeError("CUDA out of memory\nmore")
    panel.train.click()
    qtbot.waitUntil(lambda: ended(panel))
    assert "CUDA out of memory" in panel.report.doing.text()
    assert "more" not in panel.report.doing.text()
    assert "Traceback" in panel.report.doing.toolTip()


def test_nothing_painted_says_what_to_do(qtbot: QtBot, panel: TrainPanel, item: Annotated) -> None:
    item.labels.data[:] = 0
    item.labels.refresh()
    panel.watch.look()
    qtbot.waitUntil(lambda: "Nothing is painted" in panel.state.text())
    assert not panel.train.isEnabled()
    panel.start()
    qtbot.waitUntil(lambda: "Nothing is annotated" in panel.report.doing.text())


def test_a_second_run_is_refused(qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining) -> None:
    start(qtbot, panel, training)
    live, folder = panel.session.live, panel.run.folder
    with pytest.raises(MicroforgeError, match="under way"):
        panel.run.start()
    assert (panel.session.live, panel.run.folder, len(training.calls)) == (live, folder, 1)


def test_a_folder_of_pairs_is_trained_on_as_well(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining, tmp_path: Path
) -> None:
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    for name in ("a", "b"):
        field = simulate_nuclei((64, 64), seed=3)
        write_image(tmp_path / "images" / f"{name}.tif", field.image, "YX", None)
        write_labels(tmp_path / "labels" / f"{name}_labels.tif", field.labels, "YX", None)
    (tmp_path / "images" / "b.tif").write_bytes(b"cut short")
    seen: list[object] = []
    panel.run.event.connect(seen.append)
    panel.session.set_pairs(tmp_path / "images", tmp_path / "labels")
    start(qtbot, panel, training)
    assert [sample.name for sample in training.calls[0]["training"]] == ["cells", "a"]
    advice = [event.text for event in seen if isinstance(event, RunAdvice)]
    assert any(text.startswith("b.tif: ") for text in advice), advice
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))


def test_folders_follow_what_the_task_needs(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, tmp_path: Path
) -> None:
    for kind, place in (("images", 0), ("targets", 1)):
        (tmp_path / kind).mkdir()
        write_image(tmp_path / kind / "a.tif", noisy_pair(1, (64, 64))[place], "YX", None)
    fields = panel.list
    panel.session.set_task("denoising")
    assert fields.annotations.isHidden()
    fields.images.set_value([tmp_path / "images"])
    assert panel.train.isEnabled()
    panel.session.set_task("restoration")
    assert not panel.train.isEnabled()
    fields.annotations.set_value([tmp_path / "targets"])
    for task, targets in (("restoration", 1), ("denoising", 0)):
        panel.session.set_task(task)
        start(qtbot, panel, training)
        (sample,) = training.calls[-1]["training"]
        assert (sample.annotation is not None) == bool(targets)
        panel.stop.click()
        qtbot.waitUntil(lambda: ended(panel))


def test_what_the_engine_refuses_is_shown(qtbot: QtBot, panel: TrainPanel, nuclei: Any, training: FakeTraining) -> None:
    training.error = NotEnoughDataError("None of the images is a series of frames.", remedy="Give time series.")
    panel.session.set_task("denoising")
    panel.session.learn_from([panel.session.viewer.add_image(nuclei, name="one")])
    qtbot.waitUntil(panel.train.isEnabled)
    panel.train.click()
    qtbot.waitUntil(lambda: panel.report.doing.severity == "error")
    qtbot.waitUntil(lambda: ended(panel))
    assert "series of frames" in panel.report.doing.text()


def test_ticks_choose_training_and_validation(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, nuclei: Any, training: FakeTraining
) -> None:
    for name in ("other", "third"):
        annotated(panel.session, nuclei, name)
    assert panel.list.tree.topLevelItemCount() == 3
    tick(panel, 1, 1)
    qtbot.waitUntil(lambda: panel.session.annotated[1].validation)
    tick(panel, 2, 0)
    qtbot.waitUntil(lambda: not panel.session.annotated[2].use)
    start(qtbot, panel, training)
    (call,) = training.calls
    assert [sample.name for sample in call["training"]] == ["cells"]
    assert [sample.name for sample in call["validation"]] == ["other"]


def tick(panel: TrainPanel, row: int, column: int) -> None:
    tree = panel.list.tree
    tree.itemWidget(tree.topLevelItem(row), column).click()


def test_painting_reaches_the_training_under_the_name_it_knows(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    start(qtbot, panel, training)
    item.image.name = "renamed"
    item.labels.paint((30, 30), 2)
    qtbot.waitUntil(lambda: bool(training.calls[0]["replaced"]))
    sample = training.calls[0]["replaced"][-1]
    assert sample.name == "cells"
    assert sample.annotation.max() == 2
    item.labels.paint((30, 30), 3)
    assert sample.annotation.max() == 2


def test_removing_layers_does_not_disturb_the_training(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    start(qtbot, panel, training)
    panel.session.viewer.layers.clear()
    step = panel.report._step.step  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: panel.report._step.step > step + 5)  # type: ignore[union-attr]
    panel.stop.click()
    qtbot.waitUntil(lambda: ended(panel))
    assert panel.session.model_path is not None


def test_the_preview_never_steals_the_selection(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    session, layers = panel.session, panel.session.viewer.layers
    item.image.scale = item.labels.scale = (2, 3)
    layers.selection.active = item.labels
    start(qtbot, panel, training)
    qtbot.waitUntil(lambda: panel.preview.layer is not None)
    preview = panel.preview.layer
    assert layers.selection.active is item.labels
    assert set(layers.selection) == {item.labels}
    assert item.labels.mode == "paint"
    assert [layer.name for layer in layers] == ["cells", "preview (cells)", "cells annotation"]
    assert tuple(preview.scale) == (2, 3)
    assert session.images() == [item.image]
    layers.remove(preview)
    assert not panel.show_preview.isChecked()
    qtbot.wait(100)
    assert panel.preview.layer is None
    panel.show_preview.setChecked(True)
    qtbot.waitUntil(lambda: panel.preview.layer is not None)


def test_the_preview_of_a_time_series_lies_on_its_time_point(
    qtbot: QtBot, panel: TrainPanel, training: FakeTraining, nuclei: Any
) -> None:
    session = panel.session
    image = session.viewer.add_image(np.stack([nuclei] * 6), scale=(10, 2, 2), name="series")
    session.set_axes(image, "TYX")
    item = session.annotate(image, add_labels(session.viewer, image, "TYX"))
    item.labels.data[0, 4:9, 4:9] = 1
    session.viewer.dims.set_point(0, 30)
    start(qtbot, panel, training)
    qtbot.waitUntil(lambda: panel.preview.layer is not None)
    assert panel.preview.layer.data.shape == (1, *nuclei.shape)  # type: ignore[union-attr]
    assert tuple(panel.preview.layer.translate) == (30, 0, 0)  # type: ignore[union-attr]
    session.viewer.dims.set_point(0, 50)
    qtbot.waitUntil(lambda: tuple(panel.preview.layer.translate) == (50, 0, 0))  # type: ignore[union-attr]


def test_a_click_on_a_bad_place_goes_there(panel: TrainPanel, nuclei: Any) -> None:
    session = panel.session
    film = session.viewer.add_image(np.stack([nuclei] * 6), name="film", scale=(1, 2, 2))
    session.set_axes(film, "TYX")
    blank = np.zeros((20, 10), bool)
    place = WorstPlace("film t=003 (block)", (4, 6), 50, np.zeros((20, 10), np.uint8), blank, blank)
    panel.run.event.emit(KeptAside((AsidePart("film", 1, 30),)))
    panel.report.worst.wanted.emit(place)
    assert session.viewer.dims.current_step[0] == 3
    assert tuple(camera_of(session.viewer).center)[-2:] == (2 * (4 + 10), 2 * (30 + 6 + 5))
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    panel.report.worst.wanted.emit(replace(place, name="elsewhere"))
    assert "elsewhere is not open" in said[0]


def test_settings_changed_in_the_form_are_used(
    qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining
) -> None:
    panel.form.fields["seed"].widget.value = 7  # type: ignore[union-attr]
    start(qtbot, panel, training)
    assert training.calls[0]["config"].seed == 7


def test_the_model_is_saved_where_she_wants(panel: TrainPanel, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"weights")
    panel.save_to(model, tmp_path / "mine")
    assert (tmp_path / "mine.safetensors").read_bytes() == b"weights"
    assert panel.session.model_path == tmp_path / "mine.safetensors"
    messages: list[str] = []
    panel.session.message.connect(lambda text, _: messages.append(text))
    panel.save_to(model, tmp_path / "no" / "such" / "folder")
    assert "could not be saved" in messages[-1]


def test_many_runs_leave_no_thread(qtbot: QtBot, panel: TrainPanel, item: Annotated, training: FakeTraining) -> None:
    training.steps = 3
    qtbot.waitUntil(panel.train.isEnabled)
    before = threading.active_count()
    for _ in range(10):
        panel.start()
        qtbot.waitUntil(lambda: ended(panel))
    qtbot.waitUntil(lambda: threading.active_count() <= before)
    assert len({str(call["folder"]) for call in training.calls}) == 10
    assert training.closed == 10


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (125.7, "2:05"), (3725, "1:02:05")])
def test_duration(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
