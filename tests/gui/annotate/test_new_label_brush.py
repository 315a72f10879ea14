"""A new object never gets a number that another has."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.layers.gestures.new_labels import NewLabels

SHAPE = (40, 48)


def numbered(objects: int, dtype: Any) -> np.ndarray[Any, Any]:
    """Give labels of one pixel each."""
    labels = np.zeros(SHAPE, dtype)
    labels.flat[:objects] = np.arange(1, objects + 1)
    return labels


def brush_on(panel: AnnotatePanel, labels: np.ndarray[Any, Any]) -> tuple[Labels, NewLabels]:
    """Give a layer that is taken as annotation, and what chooses its numbers."""
    viewer = panel.session.viewer
    viewer.add_image(np.zeros(SHAPE, np.uint8), name="cells")
    layer = viewer.add_labels(labels)
    panel.tools[LABELS]._use(layer)
    return layer, panel.tools[LABELS]._hands[layer].numbers


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16])
def test_layer_whose_numbers_are_used_up_is_widened_and_keeps_what_is_painted(panel: AnnotatePanel, dtype: Any) -> None:
    most = np.iinfo(dtype).max
    panel.session.viewer.add_image(np.zeros((300, 300), np.uint8), name="cells")
    labels = np.zeros((300, 300), dtype)
    labels.flat[1 : most + 1] = np.arange(1, most + 1)
    layer = panel.session.viewer.add_labels(labels.copy())
    panel.tools[LABELS]._use(layer)
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    layer.paint((299, 299), 3)
    fresh = panel.tools[LABELS]._hands[layer].numbers
    assert fresh.take() == most + 1
    layer.paint((280, 100), layer.selected_label)
    assert (layer.data[280, 100], layer.mode) == (most + 1, "paint")
    layer.undo()
    assert layer.data[280, 100] == 0
    layer.undo()
    assert np.array_equal(layer.data, labels)
    assert len(said) == 1
    assert "int32" in said[0]
    assert fresh.take() == most + 2
    assert len(said) == 1


def write(layer: Labels) -> None:
    layer.data[30, 10:20] = 30


def exchange(layer: Labels) -> None:
    layer.data = np.where(layer.data == 0, 30, layer.data)


@pytest.mark.parametrize("change", [write, exchange], ids=lambda change: change.__name__)
def test_label_is_free_after_a_script_has_written_objects(
    panel: AnnotatePanel, change: Callable[[Labels], None]
) -> None:
    layer, fresh = brush_on(panel, numbered(5, np.int32))
    change(layer)
    assert fresh.take() == 31


def test_numbers_of_objects_that_are_gone_are_not_jumped_over_for_ever(panel: AnnotatePanel) -> None:
    layer, fresh = brush_on(panel, numbered(5, np.int32))
    layer.data[layer.data > 2] = 0
    assert fresh.take() == 3


def test_lowest_free_label_is_taken_where_there_is_none_above(panel: AnnotatePanel) -> None:
    labels = numbered(3, np.int32)
    labels[-1, -1] = np.iinfo(np.int32).max
    _, fresh = brush_on(panel, labels)
    assert fresh.take() == 4


def test_layer_that_was_away_gives_one_label_for_each_object(panel: AnnotatePanel) -> None:
    layer, _ = brush_on(panel, numbered(2, np.int32))
    calls = len(layer.mouse_drag_callbacks)
    panel.session.viewer.layers.remove(layer)
    assert len(layer.mouse_drag_callbacks) == calls - 1
    panel.session.viewer.add_layer(layer)
    panel.tools[LABELS]._use(layer)
    panel.tools[LABELS]._hands[layer].numbers.take()
    assert layer.selected_label == 3


def test_labels_that_nobody_may_write_into_become_a_copy(panel: AnnotatePanel) -> None:
    labels = numbered(2, np.int32)
    labels.flags.writeable = False
    layer, _ = brush_on(panel, labels)
    layer.paint((30, 30), 3)
    assert layer.data[30, 30] == 3


def test_after_a_polygon_the_next_object_has_a_label_of_its_own(panel: AnnotatePanel) -> None:
    layer, _ = brush_on(panel, np.zeros(SHAPE, np.int32))
    layer.mode = "polygon"
    layer.paint_polygon([[2, 2], [2, 8], [8, 8]], 1)
    assert layer.selected_label == 2


def test_with_another_goal_the_layer_is_painted_on_as_ever(panel: AnnotatePanel) -> None:
    layer, _ = brush_on(panel, np.zeros(SHAPE, np.int32))
    assert layer.preserve_labels
    assert layer.keymap
    panel.task.set_value("counting")
    assert not layer.preserve_labels
    assert not layer.keymap
    panel.task.set_value("instances")
    assert layer.preserve_labels
