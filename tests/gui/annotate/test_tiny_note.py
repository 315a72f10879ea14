"""Tiny objects painted by accident: told, shown, deleted, and brought back by undo."""

from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.widgets.canvas_view import camera_of


def painted(panel: AnnotatePanel) -> Any:
    """Give the annotation of an image with four squares and a click by accident."""
    panel.session.viewer.add_image(np.random.default_rng(0).integers(0, 255, (64, 160), np.uint8), name="cells")
    panel.tools[LABELS].annotate.click()
    layer = panel.session.viewer.layers["cells annotation"]
    for label in range(1, 5):
        layer.data_setitem(tuple(np.mgrid[5:25, 30 * label - 20 : 30 * label].reshape(2, -1)), label)
    layer.data_setitem((np.array([50, 50, 51]), np.array([100, 101, 101])), 5)
    return layer


def test_an_accidental_click_is_told_shown_and_deleted(qtbot: QtBot, panel: AnnotatePanel) -> None:
    layer = painted(panel)
    qtbot.waitUntil(panel.tiny.isVisible)
    assert panel.tiny.text.text() == "1 tiny object (3 px): by accident?"
    panel.tiny.show_next.click()
    assert tuple(camera_of(panel.session.viewer).center[-2:]) == (50, 100)
    panel.tiny.delete.click()
    assert np.unique(layer.data).tolist() == [0, 1, 2, 3, 4]
    assert not panel.tiny.isVisible()
    layer.undo()
    assert 5 in layer.data
    qtbot.waitUntil(panel.tiny.isVisible)


def test_classes_of_pixels_may_have_small_strokes(qtbot: QtBot, panel: AnnotatePanel) -> None:
    painted(panel)
    qtbot.waitUntil(panel.tiny.isVisible)
    panel.task.set_value("segmentation")
    qtbot.waitUntil(lambda: not panel.tiny.isVisible())


def test_only_the_image_chosen_is_spoken_of(qtbot: QtBot, panel: AnnotatePanel) -> None:
    painted(panel)
    qtbot.waitUntil(panel.tiny.isVisible)
    other = panel.session.viewer.add_image(np.zeros((64, 64), np.uint8), name="other")
    panel.image.set_value(other)
    qtbot.waitUntil(lambda: not panel.tiny.isVisible())
