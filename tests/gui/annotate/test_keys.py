"""The keys of the plugin: none is napari's, no two are the same, and `?` lists those of the goal chosen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.layers import Labels, Points
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.layers.gestures import (
    CLASS_KEYS,
    FILL_PLANES,
    GROUND_KEY,
    IMAGE_BEFORE,
    NEW_OBJECT,
    NEXT_IMAGE,
    NEXT_KIND,
    NEXT_TO_ANNOTATE,
    TAKE_ALL,
    TOOLS,
    Hand,
    Labelled,
)
from microforge.gui.layers.gestures.key_table import OF_NAPARI
from microforge.gui.layers.marks import ROLE_KEYS
from support.annotating import Annotating, annotating
from support.mouse import CTRL

OF_OBJECTS = (NEW_OBJECT.key, FILL_PLANES.key, TAKE_ALL.key, *(tool.key for tool in TOOLS))
OURS = (*OF_OBJECTS, GROUND_KEY.key, *CLASS_KEYS)
OF_IMAGES = (NEXT_IMAGE.key, IMAGE_BEFORE.key, NEXT_TO_ANNOTATE.key)
EVERYWHERE = (*(key.key for key in ROLE_KEYS), *OF_IMAGES)


def bindings(keys: tuple[str, ...]) -> set[KeyBinding]:
    return {KeyBinding.from_str(key) for key in keys}


def test_no_key_of_ours_is_one_of_naparis_that_runs(make_napari_viewer: Callable[..., Any]) -> None:
    viewer = make_napari_viewer()
    for layer, ours in (
        (Labels(np.zeros((8, 8), int)), (*OURS, *EVERYWHERE)),
        (Points(ndim=2), (*EVERYWHERE, NEXT_KIND.key)),
    ):
        viewer.add_layer(layer)
        handler = viewer.window._qt_viewer._key_map_handler
        handler.keymap_providers = [layer, viewer]
        taken = bindings(ours) & set(handler.active_keymap)
        assert not taken, layer
    assert {KeyBinding.from_str("2"), KeyBinding.from_str("V")} <= set(handler.active_keymap)


def test_no_two_keys_of_ours_are_the_same() -> None:
    assert len(bindings((*OURS, *EVERYWHERE))) == len((*OURS, *EVERYWHERE))


@pytest.mark.parametrize("labelled", list(Labelled))
def test_layer_has_the_keys_of_what_it_holds_and_none_when_let_go(panel: AnnotatePanel, labelled: Labelled) -> None:
    layer = panel.session.viewer.add_labels(np.zeros((8, 8), int))
    hand = Hand(panel.session.viewer, layer, "YX")
    hand.serve(Labelled.OBJECTS)
    hand.serve(labelled)
    classes = bindings(("O", *CLASS_KEYS))
    wanted = {Labelled.OBJECTS: bindings(OF_OBJECTS), Labelled.CLASSES: classes, Labelled.OTHERWISE: set()}
    assert set(layer.keymap) == wanted[labelled]
    assert layer.preserve_labels == (labelled is Labelled.OBJECTS)
    hand.detach()
    assert not layer.keymap
    assert not layer.preserve_labels


def test_list_shows_the_keys_of_the_goal_chosen_only(panel: AnnotatePanel) -> None:
    shown = {}
    for goal in ("instances", "segmentation", "counting", "classification", "denoising"):
        panel.task.set_value(goal)
        panel.show_keys()
        shown[goal] = panel.keys.texts()
        panel.show_keys()
        assert not panel.keys.isVisible()
    assert {"J", "K", "Shift+G", "N", "Q"} <= set(shown["instances"])
    assert {"Ctrl+1", "Ctrl+2", "O"} <= set(shown["segmentation"])
    assert "paint foreground" in shown["segmentation"]
    assert not {"J", "N"} & set(shown["segmentation"])
    assert "a click sets a point" in shown["counting"]
    assert "this image is good" in shown["classification"]
    assert not {"J", "2", "1"} & set(shown["denoising"])
    assert {key.key for key in OF_NAPARI} <= set(shown["instances"])


@pytest.fixture
def person(qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path) -> Iterator[Annotating]:
    yield from annotating(make_napari_viewer, tmp_path / "runs", "segmentation")


def test_key_takes_a_class_in_hand_and_its_chip_is_marked(person: Annotating) -> None:
    person.open()
    tools = person.tools
    for number, key in ((2, Qt.Key.Key_2), (1, Qt.Key.Key_1)):
        person.mouse.key(key, CTRL)
        assert (person.layer.selected_label, person.layer.mode) == (number, "paint")
        marked = [value for value, chip in tools.classes._chips.items() if "border" in chip.styleSheet()]
        assert marked == [number]
    person.mouse.key(Qt.Key.Key_9, CTRL)
    assert person.layer.selected_label == 1
    person.mouse.drag((20, 20), (20, 40))
    person.mouse.key(Qt.Key.Key_2, CTRL)
    person.mouse.drag((20, 30), (20, 60))
    assert person.labels[20, 22] == 1
    assert person.labels[20, 34] == person.labels[20, 55] == 2
    outline = [(50.0, 60.0), (70.0, 60.0), (70.0, 80.0), (50.0, 80.0)]
    person.mouse.drag(*outline, button=Qt.MouseButton.RightButton)
    assert (person.labels[52:69, 62:79] == 2).all()
    assert (person.layer.selected_label, person.layer.mode) == (2, "paint")


def test_question_mark_opens_the_list(qtbot: QtBot, person: Annotating) -> None:
    person.open()
    person.viewer.window._qt_window.activateWindow()
    person.mouse.native.setFocus()
    qtbot.waitUntil(person.mouse.native.hasFocus, timeout=5000)
    person.mouse.key(Qt.Key.Key_Question)
    qtbot.waitUntil(person.dock.annotate.keys.isVisible, timeout=2000)
    assert person.dock.annotate.tools[LABELS].isVisible()
    person.dock.annotate.keys.close()
