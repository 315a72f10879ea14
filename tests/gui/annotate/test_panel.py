from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.annotate.tools.class_list import ClassList
from microforge.gui.widgets.dimensions.axes_picker import AxesWidget


def test_one_click_makes_the_layer_and_the_count_follows(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    assert not panel.tools[LABELS].annotate.isEnabled()
    image = session.viewer.add_image(nuclei, name="cells", scale=(2, 2))
    panel.tools[LABELS].annotate.click()
    labels = session.viewer.layers.selection.active
    assert (labels.name, tuple(labels.scale)) == ("cells annotation", (2, 2))
    assert session.annotated_of(image).labels is labels  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: "Nothing is painted" in panel.count.text())
    labels.paint((10, 10), 1)
    labels.paint((30, 30), 2)
    qtbot.waitUntil(lambda: "2 objects" in panel.count.text())
    assert panel.next.isVisibleTo(panel)
    assert not panel.missing.text()
    panel.tools[LABELS].annotate.click()
    assert len(session.annotated) == 1


def test_what_is_painted_is_compared_with_what_is_needed(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    panel.session.viewer.add_image(nuclei, name="cells")
    panel.tools[LABELS].annotate.click()
    layer = panel.session.viewer.layers["cells annotation"]
    layer.brush_size = 4
    layer.paint((4, 4), 1)
    qtbot.waitUntil(lambda: "about 5 more objects for a first model" in panel.count.text())
    assert (panel.meter.colour, panel.next.property("role"), panel.count.severity) == ("#d98a00", "", "info")
    for label in range(2, 9):
        layer.paint((4 + 8 * (label % 4), 4 + 8 * (label // 4)), label)
    qtbot.waitUntil(lambda: "A first model; about 20 more objects will help." in panel.count.text())
    assert (panel.meter.colour, panel.next.property("role"), panel.count.severity) == ("#3b86e8", "accent", "ok")
    assert panel.meter.share == pytest.approx(8 / 30)


def test_names_in_the_picker_follow_the_layers(panel: AnnotatePanel, nuclei: Any) -> None:
    layers = panel.session.viewer.layers
    panel.session.viewer.add_image(nuclei, name="a")
    layers["a"].name = "renamed"
    assert panel.image.itemText(0) == "renamed"
    layers.clear()
    assert panel.image.count() == 0


def test_tasks_are_offered_by_their_titles(panel: AnnotatePanel) -> None:
    titles = [panel.task.itemText(i) for i in range(panel.task.count())]
    assert {"Segment objects", "Classify pixels"} <= set(titles)


def test_axes_are_asked_only_where_they_are_not_known(panel: AnnotatePanel) -> None:
    viewer = panel.session.viewer
    viewer.add_image(np.zeros((8, 9)), name="plane")
    assert panel.axes.isHidden()
    stack = viewer.add_image(np.zeros((12, 8, 9)), name="stack")
    panel.image.set_value(stack)
    assert not panel.axes.isHidden()
    panel.axes.choose(0, "T")
    panel.tools[LABELS].annotate.click()
    assert panel.session.axes_of(stack) == "TYX"
    viewer.add_image(np.zeros((8, 9, 3), np.uint8), rgb=True, name="colour")
    panel.image.set_value(viewer.layers["colour"])
    assert panel.axes.isHidden()


def test_classes_come_with_a_brush_each(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    panel.task.set_value("segmentation")
    assert session.config.task_options["classes"] == {1: "background", 2: "foreground"}
    session.viewer.add_image(nuclei)
    panel.tools[LABELS].classes.picked.emit(2)
    labels = session.viewer.layers.selection.active
    assert (labels.selected_label, labels.mode) == (2, "paint")
    assert panel.tools[LABELS].unpainted.value() == "unknown"
    assert panel.tools[LABELS].fresh.isHidden()
    panel.task.set_value("instances")
    assert session.config.task_options == {}
    assert panel.tools[LABELS].classes.isHidden()


def test_unpainted_and_region_are_per_image(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    for name in ("a", "b"):
        panel.image.set_value(session.viewer.add_image(nuclei, name=name))
        panel.tools[LABELS].annotate.click()
    panel.tools[LABELS].unpainted.set_value("unknown")
    panel.region.click()
    a, b = session.annotated
    assert (a.unpainted, b.unpainted) == ("around", "unknown")
    assert a.region is None
    assert b.region.mode == "add_rectangle"  # type: ignore[union-attr]


def test_an_open_labels_layer_can_be_used(panel: AnnotatePanel, nuclei: Any) -> None:
    viewer = panel.session.viewer
    image = viewer.add_image(nuclei)
    fitting = viewer.add_labels(np.ones(nuclei.shape, int))
    viewer.add_labels(np.ones((3, 3), int))
    assert panel.tools[LABELS]._usable_labels() == [fitting]
    panel.tools[LABELS]._use(fitting)
    assert panel.session.annotated_of(image).labels is fitting  # type: ignore[union-attr]


def test_missing_axes_are_said_in_words(qtbot: QtBot, panel: AnnotatePanel) -> None:
    image = panel.session.viewer.add_image(np.zeros((12, 8, 9)), name="stack")
    panel.session.annotate(image, panel.session.viewer.add_labels(np.zeros((12, 8, 9), int)))
    qtbot.waitUntil(lambda: "not confirmed" in panel.missing.text())


@pytest.mark.parametrize("axes", ["TZYX", "CZYX", "YXS"])
def test_axes_widget_round_trip(qtbot: QtBot, axes: str) -> None:
    widget = AxesWidget()
    qtbot.addWidget(widget)
    widget.set_shape([7, 8, 9, 10][-len(axes) :] if "S" not in axes else (8, 9, 3), axes)
    assert (widget.value(), widget.problem()) == (axes, "")


def test_two_dimensions_never_mean_the_same(qtbot: QtBot) -> None:
    widget = AxesWidget()
    qtbot.addWidget(widget)
    widget.set_shape((7, 8, 9), "ZYX")
    with qtbot.waitSignal(widget.value_changed) as said:
        widget.choose(0, "Y")
    assert (said.args, widget.value(), widget.problem()) == (["YZX"], "YZX", "")


def test_axes_that_make_no_sense_are_not_taken(qtbot: QtBot) -> None:
    widget = AxesWidget()
    qtbot.addWidget(widget)
    widget.set_shape((2, 2, 2, 2, 7, 8), "?TCZYX")
    with qtbot.assertNotEmitted(widget.value_changed):
        widget.choose(0, "Z")
    assert "twice" in widget.problem() or "not an axis" in widget.problem()


def test_class_list_round_trip(qtbot: QtBot) -> None:
    classes = ClassList(lambda value: (1.0, 1.0, 1.0, 1.0))
    qtbot.addWidget(classes)
    seen: list[dict[int, str]] = []
    classes.value_changed.connect(seen.append)
    classes.set_value({1: "a", 3: "b"})
    assert (classes.value(), seen) == ({1: "a", 3: "b"}, [])
    classes._add()
    classes._rename(4, " nucleus ")
    classes._rename(1, "  ")
    classes._remove(3)
    assert seen[-1] == classes.value() == {1: "a", 4: "nucleus"}


def test_a_changed_option_leaves_the_others_to_the_data(panel: AnnotatePanel) -> None:
    fields = panel.options.form.fields
    fields["merging"].widget.value = 0.5
    assert panel.session.config.task_options == {"merging": 0.5}
    fields["smallest"].widget.value = 30
    assert panel.session.config.task_options == {"merging": 0.5, "smallest": 30}
    fields["merging"].widget.value = 0.25
    assert panel.session.config.task_options == {"smallest": 30}


def test_the_image_box_follows_and_all_images_are_shown_by_a_button(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    first, second = (session.viewer.add_image(nuclei, name=name) for name in ("A3", "A4"))
    session.viewer.layers.selection.active = first
    assert panel.image.value() is first
    panel.tools[LABELS].annotate.click()
    assert not second.visible
    assert panel.all_images.isVisible()
    session.viewer.layers.selection.active = second
    assert (panel.image.value(), second.visible, first.visible) == (second, True, False)
    panel.image.set_value(first)
    panel.tools[LABELS].annotate.click()
    assert (first.visible, second.visible) == (True, False)
    panel.all_images.click()
    assert first.visible
    assert second.visible
    assert not panel.all_images.isVisible()
