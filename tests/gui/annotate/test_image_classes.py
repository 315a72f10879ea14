"""Annotate for tasks that tell images apart: classes, keys, one image after the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.utils.key_bindings import KeymapHandler
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.annotations import IMAGE_CLASSES
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.dock import MicroforgeDock
from microforge.gui.session.snapshot import snapshots_of
from microforge.gui.session.state import Session
from support.fakes import fake_warm_up


@pytest.fixture
def panel(panel: AnnotatePanel) -> AnnotatePanel:
    panel.task.set_value("classification")
    return panel


@pytest.fixture
def images(panel: AnnotatePanel, nuclei: Any) -> list[Any]:
    return [panel.session.viewer.add_image(nuclei, name=name) for name in "abc"]


def press(panel: AnnotatePanel, key: str) -> bool:
    """Press a key as napari's window does: keys of the active layer come first."""
    viewer, handler = panel.session.viewer, KeymapHandler()
    active = viewer.layers.selection.active
    handler.keymap_providers = [viewer] if active is None else [active, viewer]
    return bool(handler.press_key(key))


def classes(panel: AnnotatePanel) -> dict[str, str]:
    return {item.image.name: item.class_name for item in panel.session.items}


def counts(panel: AnnotatePanel) -> list[str]:
    return [row[2].text() for row in panel.tools[IMAGE_CLASSES].names._rows]


def test_keys_give_a_class_and_go_to_the_next_image(qtbot: QtBot, panel: AnnotatePanel, images: list[Any]) -> None:
    assert panel.image.value() is images[2]
    assert "c has no class yet" in panel.tools[IMAGE_CLASSES].verdict.text()
    press(panel, "1")
    assert classes(panel) == {"c": "good"}
    assert panel.image.value() is panel.session.viewer.layers.selection.active is images[1]
    assert [layer.visible for layer in images] == [True, True, False]
    qtbot.waitUntil(lambda: "at least two classes" in panel.missing.text())
    press(panel, "2")
    press(panel, "2")
    assert classes(panel) == {"c": "good", "b": "bad", "a": "bad"}
    assert counts(panel) == ["1 image", "2 images"]
    assert "a: bad" in panel.tools[IMAGE_CLASSES].verdict.text()
    assert "All open images have one" in panel.tools[IMAGE_CLASSES].verdict.text()
    qtbot.waitUntil(lambda: "2 bad, 1 good" in panel.count.text())
    assert panel.next.isVisibleTo(panel)
    assert {snapshot.samples()[0].class_name for snapshot in snapshots_of(panel.session)} == {"good", "bad"}


def test_buttons_do_the_same_and_show_the_class(panel: AnnotatePanel, images: list[Any]) -> None:
    panel.tools[IMAGE_CLASSES].names.button(1).click()
    assert classes(panel) == {"c": "bad"}
    panel.image.set_value(images[2])
    assert [panel.tools[IMAGE_CLASSES].names.button(n).isChecked() for n in (0, 1)] == [False, True]
    panel.tools[IMAGE_CLASSES].none.click()
    assert classes(panel) == {}
    assert not panel.tools[IMAGE_CLASSES].names.button(1).isChecked()
    assert not panel.tools[IMAGE_CLASSES].none.isEnabled()


def test_all_selected_images_get_the_class(panel: AnnotatePanel, images: list[Any]) -> None:
    panel.session.viewer.layers.selection = {images[0], images[2]}
    assert "2 images are selected" in panel.tools[IMAGE_CLASSES].verdict.text()
    press(panel, "2")
    assert classes(panel) == {"a": "bad", "c": "bad"}
    assert panel.image.value() is images[1]
    press(panel, "0")
    assert classes(panel) == {"a": "bad", "c": "bad"}


def test_the_image_picked_in_the_layer_list_is_meant(panel: AnnotatePanel, images: list[Any]) -> None:
    panel.session.viewer.layers.selection.active = images[0]
    assert panel.image.value() is images[0]
    press(panel, "1")
    assert classes(panel) == {"a": "good"}
    assert panel.image.value() is images[2]


def test_keys_are_given_back_with_another_task(panel: AnnotatePanel, images: list[Any], nuclei: Any) -> None:
    viewer, seen = panel.session.viewer, []
    panel.task.set_value("instances")
    viewer.bind_key("5", lambda _: seen.append("5"))
    panel.task.set_value("classification")
    press(panel, "5")
    assert (seen, viewer.keymap[KeyBinding.from_str("1")] is not None) == ([], True)
    panel.task.set_value("counting")
    assert not panel.tools[IMAGE_CLASSES].keys.bound
    press(panel, "5")
    press(panel, "1")
    assert (seen, classes(panel), panel.session.annotated) == (["5"], {}, [])
    assert list(viewer.keymap) == [KeyBinding.from_str("5")]
    assert [layer.keymap for layer in images] == [{}, {}, {}]


def test_keys_are_given_back_when_the_dock_is_closed(
    qtbot: QtBot, make_napari_viewer: Callable[..., Any], make_session: Callable[[Any], Session], nuclei: Any
) -> None:
    viewer = make_napari_viewer()
    images = [viewer.add_image(nuclei, name=name) for name in "ab"]
    before = dict(viewer.keymap)
    dock = MicroforgeDock(viewer, make_session(viewer), fake_warm_up)
    qtbot.addWidget(dock)
    dock.annotate.task.set_value("classification")
    # As from a keyboard: napari does more than to call the function.
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_1)
    assert classes(dock.annotate) == {"b": "good"}
    assert [layer.visible for layer in images] == [True, False]
    dock.close_down()
    for _ in range(2):
        assert viewer.keymap == before
        assert [(layer.keymap, layer.visible) for layer in images] == [({}, True), ({}, True)]
        viewer.layers.remove(viewer.add_image(nuclei, name="later"))


def test_other_layers_keep_their_keys(panel: AnnotatePanel, images: list[Any], nuclei: Any) -> None:
    labels = panel.session.viewer.add_labels(np.zeros(nuclei.shape, int))
    labels.bind_key("2", lambda layer: setattr(layer, "mode", "paint"))
    press(panel, "2")
    assert (labels.mode, classes(panel)) == ("paint", {})


def test_hidden_images_are_shown_again(panel: AnnotatePanel, images: list[Any]) -> None:
    panel.tools[IMAGE_CLASSES].alone.setChecked(False)
    assert [layer.visible for layer in images] == [True, True, True]
    images[0].visible = False
    panel.tools[IMAGE_CLASSES].alone.setChecked(True)
    press(panel, "1")
    assert [layer.visible for layer in images] == [False, True, False]
    panel.tools[IMAGE_CLASSES].alone.setChecked(False)
    assert [layer.visible for layer in images] == [False, True, True], "what she hid herself stays hidden"
    press(panel, "1")
    assert images[1].visible
    panel.task.set_value("instances")
    assert [layer.visible for layer in images] == [False, True, True]


def test_names_can_be_changed(panel: AnnotatePanel, images: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    press(panel, "2")
    panel.tools[IMAGE_CLASSES].names.renamed.emit(1, "blurred")
    assert classes(panel) == {"c": "blurred"}
    panel.tools[IMAGE_CLASSES].add.click()
    assert panel.tools[IMAGE_CLASSES].names.names() == ["good", "blurred", "class 1"]
    press(panel, "3")
    assert classes(panel) == {"c": "blurred", "b": "class 1"}
    panel.tools[IMAGE_CLASSES].names.renamed.emit(2, "blurred")
    panel.tools[IMAGE_CLASSES].names.renamed.emit(2, "")
    assert ["already" in said[0], "needs a name" in said[1]] == [True, True]
    monkeypatch.setattr("microforge.gui.annotate.tools.image_classes.confirmed", lambda *_: False)
    panel.tools[IMAGE_CLASSES].names.removed.emit(1)
    assert classes(panel) == {"c": "blurred", "b": "class 1"}
    monkeypatch.setattr("microforge.gui.annotate.tools.image_classes.confirmed", lambda *_: True)
    panel.tools[IMAGE_CLASSES].names.removed.emit(1)
    assert classes(panel) == {"b": "class 1"}
    assert panel.session.class_names == ["good", "class 1"]


def test_the_image_seen_is_meant_from_the_beginning(panel: AnnotatePanel, nuclei: Any) -> None:
    panel.task.set_value("instances")
    images = [panel.session.viewer.add_image(nuclei, name=name) for name in "abc"]
    assert panel.image.value() is images[2], "the one opened last lies on top"
    panel.task.set_value("classification")
    assert panel.image.value() is images[2]
    panel.image.set_value(images[1])
    assert panel.session.viewer.layers.selection.active is images[1]
    assert [layer.visible for layer in images] == [True, True, False]


def test_a_key_without_a_class_does_nothing(panel: AnnotatePanel, images: list[Any]) -> None:
    press(panel, "7")
    assert classes(panel) == {}


def test_one_class_for_a_whole_series(qtbot: QtBot, panel: AnnotatePanel) -> None:
    panel.session.viewer.add_image(np.random.default_rng(0).normal(size=(3, 20, 20)), metadata={"axes": "TYX"})
    press(panel, "1")
    qtbot.waitUntil(lambda: "3 good" in panel.count.text())


def test_without_an_image_it_is_said(panel: AnnotatePanel) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    press(panel, "1")
    assert "Open an image first" in said[0]
