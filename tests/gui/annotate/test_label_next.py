"""At a real window: the model names places to annotate next, and a click goes there."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.gui.annotate.label_next import LabelNext, _Places
from microforge.gui.session.state import Step
from microforge.gui.widgets.canvas_view import camera_of
from microforge.io.model_file import save_model
from support.annotating import Annotating, annotating
from support.discs import draw_discs
from support.random_models import random_model

#: Long enough for a busy computer to load torch.
PATIENCE = 60_000


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model for objects that knows nothing."""
    file = random_model("instances", out_channels=2, residual=False, graded=False)
    path = tmp_path / "m.safetensors"
    save_model(path, file.weights, file.card.model_copy(update={"task_options": {}}))
    return path


def show(person: Annotating, name: str, seed: int = 0, shape: tuple[int, int] = (240, 240)) -> Any:
    layer = person.viewer.add_image(draw_discs(shape, 20, seed)[0], name=name)
    person.dock.session.set_axes(layer, "YX")
    return layer


def looked(qtbot: QtBot, person: Annotating, model: Path | None = None) -> LabelNext:
    """Ask, and wait for the answer."""
    if model is not None:
        person.dock.session.set_model(model)
    panel: LabelNext = person.dock.annotate.label_next
    with qtbot.waitSignal(panel._relay.finished, timeout=PATIENCE):
        panel.ask.click()
    return panel


def click(qtbot: QtBot, panel: LabelNext, row: int) -> None:
    place = panel.list.visualItemRect(panel.list.item(row)).center()
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_it_is_offered_when_there_is_a_model(person: Annotating, model: Path) -> None:
    show(person, "one")
    assert person.dock.annotate.label_next.isHidden()
    person.dock.session.set_model(model)
    assert not person.dock.annotate.label_next.isHidden()


def test_a_click_goes_to_the_place_and_puts_a_box_around_it(qtbot: QtBot, person: Annotating, model: Path) -> None:
    layers = {name: show(person, name, seed) for seed, name in enumerate(("one", "two"))}
    panel, before = looked(qtbot, person, model), len(person.viewer.layers)
    assert 2 <= len(panel.listed) <= 5
    one = panel.listed[1]
    click(qtbot, panel, 1)
    assert person.dock.annotate.image.value() is layers[one.name]
    middle = [(side.start + side.stop - 1) / 2 for side in one.window]
    assert camera_of(person.viewer).center[-2:] == pytest.approx(middle, abs=1)
    box = layers[one.name]._overlays["selection_box"]
    assert box.visible
    assert np.ptp(np.array(box.bounds), axis=0) == pytest.approx([side.stop - side.start for side in one.window])
    assert len(person.viewer.layers) == before


def test_an_annotated_region_is_not_named(qtbot: QtBot, person: Annotating, model: Path) -> None:
    layer = show(person, "one")
    person.dock.annotate.image.set_value(layer)
    person.tools.annotate.click()
    person.put((1, (slice(20, 40), slice(20, 40))))
    item = person.dock.annotate.current()
    assert item is not None
    person.dock.session.change(item, unpainted="background")
    panel = looked(qtbot, person, model)
    assert panel.listed == ()
    assert "Nothing is left to annotate" in panel.note.text()


def test_another_order_is_shown_at_once(qtbot: QtBot, person: Annotating, model: Path) -> None:
    show(person, "one")
    panel = looked(qtbot, person, model)
    panel.order.set_value("random")
    assert all(one.reason == "drawn at random" for one in panel.listed)
    assert panel.list.item(0).text() == "1. one: drawn at random"


def test_an_image_that_does_not_fit_the_model_is_told_of(qtbot: QtBot, person: Annotating, model: Path) -> None:
    show(person, "one")
    pixels = np.random.default_rng(0).integers(0, 255, (60, 60, 3), np.uint8)
    person.viewer.add_image(pixels, name="colour", rgb=True)
    panel = looked(qtbot, person, model)
    assert {one.name for one in panel.listed} == {"one"}
    assert "3 channels" in panel.note.text()


def test_an_image_whose_dimensions_nobody_said_is_told_of(qtbot: QtBot, person: Annotating, model: Path) -> None:
    show(person, "one")
    person.viewer.add_image(np.zeros((5, 60, 60), np.uint8), name="what")
    panel = looked(qtbot, person, model)
    assert {one.name for one in panel.listed} == {"one"}
    assert "what: say what its dimensions are first" in panel.note.text()


def test_a_model_that_is_gone_is_told_in_words(qtbot: QtBot, person: Annotating, tmp_path: Path) -> None:
    show(person, "one")
    panel = looked(qtbot, person, tmp_path / "gone.safetensors")
    assert panel.note.severity == "error"
    assert "gone.safetensors" in panel.note.text() or "no such" in panel.note.text().lower()
    assert panel.ask.isEnabled()


def test_a_place_on_an_image_that_was_closed_is_told_of(qtbot: QtBot, person: Annotating, model: Path) -> None:
    layer = show(person, "one")
    show(person, "two", 1)
    panel = looked(qtbot, person, model)
    row = next(row for row, one in enumerate(panel.listed) if one.name == "one")
    person.viewer.layers.remove(layer)
    click(qtbot, panel, row)
    assert "one is not open any more" in panel.note.text()


def test_a_place_in_a_stack_is_shown_on_its_plane(qtbot: QtBot, person: Annotating, model: Path) -> None:
    stack = np.stack([draw_discs((64, 64), 6, seed)[0] for seed in range(9)])
    layer = person.viewer.add_image(stack, name="film")
    person.dock.session.set_axes(layer, "TYX")
    panel = looked(qtbot, person, model)
    one = panel.listed[0]
    click(qtbot, panel, 0)
    assert person.viewer.dims.current_step[0] == one.time


def test_looking_can_be_cancelled(qtbot: QtBot, person: Annotating, model: Path) -> None:
    for seed in range(4):
        show(person, f"image {seed}", seed)
    person.dock.session.set_model(model)
    panel = person.dock.annotate.label_next
    with qtbot.waitSignal(panel._relay.finished, timeout=PATIENCE):
        panel.ask.click()
        panel.busy.cancel.click()
    assert panel.listed == ()
    assert panel.busy.isHidden()
    assert panel.ask.isEnabled()


def test_all_lines_of_the_list_are_seen_in_a_narrow_dock(qtbot: QtBot) -> None:
    places = _Places()
    qtbot.addWidget(places)
    places.resize(230, 50)
    places.show()
    places.show_lines([f"{k}. a field with a long name: looks like nothing annotated yet, and more" for k in range(5)])
    qtbot.waitUntil(lambda: places.viewport().height() >= places.visualItemRect(places.item(4)).bottom())
    assert places.visualItemRect(places.item(4)).height() > 1.5 * places.fontMetrics().height()


def test_the_box_goes_with_the_tab(qtbot: QtBot, person: Annotating, model: Path) -> None:
    layer = show(person, "one")
    panel = looked(qtbot, person, model)
    click(qtbot, panel, 0)
    assert layer._overlays["selection_box"].visible
    person.dock.session.go_to(Step.REVIEW)
    assert not layer._overlays["selection_box"].visible
