"""Sliders beside a result: they act at once, and on what is applied later."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.session.state import Session
from microforge.io.model_file import read_card, save_model
from microforge.tasks import get_task
from support.fakes import FakeSegmenter
from support.random_models import random_model

#: Sides of the squares that are objects.
SIDES = (3, 6, 9)


@pytest.fixture
def made() -> list[Any]:
    return []


@pytest.fixture
def panel(qtbot: Any, session: Session, tmp_path: Path, made: list[Any]) -> ApplyPanel:
    def make(_: Path, config: Any) -> FakeSegmenter:
        made.append(FakeSegmenter(get_task("instances").from_options({"smallest": 20} | config.task_options)))
        return made[-1]

    panel = ApplyPanel(session, make)
    qtbot.addWidget(panel)
    panel.show()
    model = random_model("instances", out_channels=2)
    card = model.card.model_copy(update={"task_options": {"smallest": 20}})
    save_model(tmp_path / "nuclei.safetensors", model.weights, card)
    session.set_model(tmp_path / "nuclei.safetensors")
    return panel


def field(*sides: int) -> np.ndarray:
    image = np.zeros((40, 60), np.float32)
    for number, side in enumerate(sides):
        image[5 : 5 + side, 5 + 15 * number : 5 + 15 * number + side] = 0.4 + 0.2 * number
    return image


def apply(qtbot: Any, panel: ApplyPanel) -> None:
    with qtbot.waitSignal(panel._session.applying.finished, timeout=10_000):
        panel.layers.start.click()


def number(panel: ApplyPanel, option: str, value: float) -> None:
    panel.layers.decoding.sliders._form.fields[option].widget.value = value  # type: ignore[union-attr]


def objects(session: Session, name: str = "field") -> int:
    return int(session.viewer.layers[f"{name} (objects)"].data.max())


def test_a_slider_acts_on_the_result_without_a_new_prediction(
    qtbot: Any, session: Session, panel: ApplyPanel, made: list[Any]
) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    assert not panel.layers.decoding.isVisible()
    apply(qtbot, panel)
    decoding, table = panel.layers.decoding, panel.layers.objects.table.panel
    assert objects(session) == 2
    assert "2 objects shown; 1 smaller than 20 px, 0 less clear than 0.30 left out" in decoding.note.text()
    decoding.sliders.lines["smallest"].slider.setValue(0)
    qtbot.waitUntil(lambda: objects(session) == 3, timeout=5000)
    assert "3 objects shown; 0 smaller than 1 px" in decoding.note.text()
    qtbot.waitUntil(lambda: table.rows.rowCount() == 3, timeout=5000)
    number(panel, "confidence", 0.7)
    qtbot.waitUntil(lambda: objects(session) == 1, timeout=5000)
    assert "1 object shown; 0 smaller than 1 px, 2 less clear than 0.70 left out" in decoding.note.text()
    assert panel.layers.message.text() == "field: 1 object"
    assert len(made) == 1
    assert len(session.viewer.layers) == 2


def test_reset_goes_back_to_what_the_model_has(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    assert not panel.layers.decoding.back.isEnabled()
    number(panel, "smallest", 1)
    qtbot.waitUntil(lambda: objects(session) == 3, timeout=5000)
    panel.layers.decoding.back.click()
    qtbot.waitUntil(lambda: objects(session) == 2, timeout=5000)
    assert not panel.layers.decoding.back.isEnabled()
    assert panel.settings.value().task_options == {}


def test_what_was_chosen_holds_for_the_next_run_and_for_folders(
    qtbot: Any, session: Session, panel: ApplyPanel, made: list[Any]
) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    number(panel, "smallest", 50)
    qtbot.waitUntil(lambda: objects(session) == 1, timeout=5000)
    assert panel.settings.value().task_options == {"smallest": 50}
    assert panel.folder._config().task_options == {"smallest": 50}
    apply(qtbot, panel)
    assert made[-1].task.options.smallest == 50
    assert panel.layers.decoding.sliders.value().model_dump()["smallest"] == 50
    assert panel.layers.decoding.back.isEnabled()


def test_settings_changed_under_advanced_act_as_well(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    form = panel.settings._task
    assert form is not None
    form.fields["smallest"].widget.value = 1
    qtbot.waitUntil(lambda: objects(session) == 3, timeout=5000)


def test_used_for_the_model_they_are_in_its_file(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    number(panel, "smallest", 50)
    qtbot.waitUntil(lambda: objects(session) == 1, timeout=5000)
    with qtbot.waitSignal(panel.layers.decoding.model_changed, timeout=5000):
        panel.layers.decoding.use.click()
    assert session.model_path is not None
    assert read_card(session.model_path).task_options["smallest"] == 50
    assert panel.settings.value().task_options == {}
    assert not panel.layers.decoding.use.isEnabled()
    assert "has these settings now" in panel.layers.decoding.note.text()


def test_a_result_that_was_painted_in_stays_and_it_is_said(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    layers = [session.viewer.add_image(field(*SIDES), name=name) for name in ("mine", "its")]
    session.viewer.layers.selection = set(layers)
    apply(qtbot, panel)
    result = session.viewer.layers["mine (objects)"]
    result.data[30:35, 30:35] = 2
    result.refresh()
    before = result.data.copy()
    number(panel, "smallest", 1)
    qtbot.waitUntil(lambda: objects(session, "its") == 3, timeout=5000)
    assert np.array_equal(result.data, before)
    assert "You worked on these, so that they stay as they are: mine" in panel.layers.decoding.note.text()
    assert len(session.viewer.layers) == 4


def test_a_result_that_was_closed_does_not_come_back(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    session.viewer.layers.remove("field (objects)")
    number(panel, "smallest", 1)
    qtbot.waitUntil(lambda: not panel.layers.decoding._events, timeout=5000)
    assert len(session.viewer.layers) == 1


def test_what_is_too_large_to_keep_is_named(
    qtbot: Any, session: Session, panel: ApplyPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from microforge.gui.apply import open_images

    predict = open_images.predict_open_images
    monkeypatch.setattr(open_images, "predict_open_images", lambda *of: predict(*of, most_kept=100))
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    number(panel, "smallest", 1)
    qtbot.waitUntil(lambda: not panel.layers.decoding._soon.isActive())
    assert "press Apply to use other settings on: field" in panel.layers.decoding.note.text()
    assert objects(session) == 2
    apply(qtbot, panel)
    assert objects(session) == 3


def test_another_model_is_not_given_the_settings_of_a_result(
    qtbot: Any, session: Session, panel: ApplyPanel, tmp_path: Path
) -> None:
    session.viewer.add_image(field(*SIDES), name="field")
    apply(qtbot, panel)
    model = random_model("instances", out_channels=2)
    save_model(tmp_path / "other.safetensors", model.weights, model.card.model_copy(update={"task_options": {}}))
    session.set_model(tmp_path / "other.safetensors")
    number(panel, "smallest", 1)
    qtbot.waitUntil(lambda: objects(session) == 3, timeout=5000)
    assert panel.settings.value().task_options == {}
