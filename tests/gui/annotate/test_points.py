"""Annotate for tasks that learn from points: layers, kinds, what is said about them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.utils.key_bindings import KeymapHandler
from pytestqt.qtbot import QtBot
from scipy.ndimage import gaussian_filter

from microforge.annotations import POINTS
from microforge.errors import MicroforgeError
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.layers.marks import mark_result
from microforge.gui.layers.points import KIND, clicked_point_size
from microforge.gui.session.cell_types import kind_names
from microforge.gui.session.snapshot import snapshot_of, snapshots_of


@pytest.fixture
def panel(panel: AnnotatePanel) -> AnnotatePanel:
    panel.task.set_value("counting")
    return panel


def clicked(panel: AnnotatePanel, data: Any, name: str = "cells", **how: Any) -> tuple[Any, Any]:
    """Open an image and press the button; give image and points."""
    image = panel.session.viewer.add_image(data, name=name, **how)
    panel.image.set_value(image)
    panel.tools[POINTS].click.click()
    return image, panel.session.viewer.layers.selection.active


def test_one_click_makes_the_layer_and_the_count_follows(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    assert not panel.tools[POINTS].click.isEnabled()
    image, points = clicked(panel, nuclei, scale=(2, 2), translate=(5, 6))
    assert (points.name, points.mode, tuple(points.scale), tuple(points.translate)) == (
        "cells cells",
        "add",
        (2, 2),
        (5, 6),
    )
    assert panel.session.annotated_of(points).image is image  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: "No point is set" in panel.count.text())
    points.add([[10, 12], [20, 30]])
    qtbot.waitUntil(lambda: "2 points in 1 image" in panel.count.text())
    assert panel.next.isVisibleTo(panel)
    assert panel.tools[POINTS].kinds._rows[0][0].text() == "2"
    panel.session.viewer.layers.selection.active = image
    panel.tools[POINTS].click.click()
    assert panel.session.viewer.layers.selection.active is points
    assert len(panel.session.annotated) == 1


def test_points_of_a_layer_with_another_scale_lie_where_they_are_seen(panel: AnnotatePanel, nuclei: Any) -> None:
    viewer, session = panel.session.viewer, panel.session
    image = viewer.add_image(nuclei, name="fine", scale=(0.5, 0.5), translate=(10, 20), rotate=30)
    world = np.array([image.data_to_world((4, 7)), image.data_to_world((30, 41))])
    points = viewer.add_points((world - (3, 0)) / (4, 2), scale=(4, 2), translate=(3, 0))
    assert panel.tools[POINTS].usable() == [points]
    panel.tools[POINTS].use(points)
    (sample,) = snapshot_of(session, session.items[0]).samples()
    np.testing.assert_allclose(sample.points.coordinates, [[4, 7], [30, 41]], atol=1e-3)  # type: ignore[union-attr]


def test_a_snapshot_does_not_change_when_points_are_moved(panel: AnnotatePanel, nuclei: Any) -> None:
    _, points = clicked(panel, nuclei)
    points.add([[10, 12]])
    taken = snapshot_of(panel.session, panel.session.items[0], copy=False)
    points.data[0] = 3
    assert taken.samples()[0].points.coordinates.tolist() == [[10, 12]]  # type: ignore[union-attr]


def test_duplicates_and_points_outside_are_said(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    _, points = clicked(panel, nuclei, name="field")
    points.add([[10, 12], [10.3, 12.2], [20, 30], [-4, 3], [100, 3]])
    qtbot.waitUntil(lambda: "2 points in 1 image" in panel.count.text())
    assert "field: 2 points outside the image left out, 1 point on another merged with it." in panel.count.text()


def test_points_outside_are_said_when_a_layer_is_taken(panel: AnnotatePanel, nuclei: Any) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    panel.session.viewer.add_image(nuclei)
    panel.tools[POINTS].use(panel.session.viewer.add_points([[1, 1], [500, 2]], name="clicked"))
    assert said == ["1 of the 2 points of clicked lie outside the image."]


def test_an_image_without_points_counts_only_if_she_says_so(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    _, points = clicked(panel, nuclei, name="a")
    points.add([[10, 12]])
    qtbot.waitUntil(lambda: panel.tools[POINTS].no_cells.isHidden())
    clicked(panel, nuclei, name="b")
    assert not panel.tools[POINTS].no_cells.isHidden()
    qtbot.waitUntil(lambda: "1 point in 1 image" in panel.count.text())
    panel.tools[POINTS].no_cells.click()
    qtbot.waitUntil(lambda: "1 point in 2 images" in panel.count.text())
    empty = snapshots_of(panel.session)[1].samples()[0]
    assert (len(empty.points), empty.mask.all()) == (0, True)  # type: ignore[arg-type, union-attr]
    panel.tools[POINTS].no_cells.click()
    qtbot.waitUntil(lambda: "1 point in 1 image" in panel.count.text())
    panel.options.form.fields["empty"].widget.value = "no cells"  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: "1 point in 2 images" in panel.count.text())


def test_an_empty_region_says_that_there_is_no_cell(panel: AnnotatePanel, nuclei: Any) -> None:
    clicked(panel, nuclei)
    assert snapshots_of(panel.session)[0].samples() == []
    panel.region.click()
    item = panel.session.items[0]
    item.region.add_rectangles([[5, 5], [20, 25]])  # type: ignore[union-attr]
    (sample,) = snapshots_of(panel.session)[0].samples()
    assert len(sample.points) == 0  # type: ignore[arg-type]
    assert sample.mask is not None
    assert 250 < sample.mask.sum() < 350


def test_kinds_have_layers_of_their_own_on_every_image(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    _, first = clicked(panel, nuclei, name="a")
    first.add([[10, 12]])
    clicked(panel, nuclei, name="b")
    panel.tools[POINTS].add_kind.click()
    assert [layer.name for layer in session.viewer.layers if layer.ndim and "kind" in layer.name] == [
        "a kind 1",
        "b kind 1",
        "a kind 2",
        "b kind 2",
    ]
    assert session.viewer.layers.selection.active.name == "b kind 2"
    session.viewer.layers.selection.active.add([[3, 4], [20, 20]])
    panel.tools[POINTS]._rename(1, "dead")
    assert kind_names(session) == ("kind 1", "dead")
    assert "a dead" in [layer.name for layer in session.viewer.layers]
    _, third = clicked(panel, nuclei, name="c")
    assert third.name == "c kind 1"
    assert panel.tools[POINTS].kinds.names() == ["kind 1", "dead"]
    qtbot.waitUntil(lambda: "1 kind 1, 2 dead" in panel.count.text())
    panel.tools[POINTS].kinds.picked.emit(1)
    assert (session.viewer.layers.selection.active.name, session.viewer.layers.selection.active.mode) == (
        "c dead",
        "add",
    )
    colours = [tuple(layer.current_face_color) for layer in session.items[2].points]
    assert len(set(colours)) == 2


def test_taking_a_kind_away_keeps_the_points(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    _, first = clicked(panel, nuclei, name="a")
    first.add([[10, 12]])
    panel.tools[POINTS].add_kind.click()
    panel.tools[POINTS]._remove(0)
    assert first in session.viewer.layers
    assert len(first.data) == 1
    assert [layer.name for layer in session.items[0].points] == ["a kind 2"]
    panel.tools[POINTS]._remove(0)
    assert session.annotated == []
    panel.tools[POINTS].use(first)
    assert session.items[0].points == (first,)


def test_names_of_kinds_are_not_used_twice(panel: AnnotatePanel, nuclei: Any) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    clicked(panel, nuclei)
    panel.tools[POINTS].add_kind.click()
    panel.tools[POINTS]._rename(1, "kind 1")
    panel.tools[POINTS]._rename(1, "")
    assert kind_names(panel.session) == ("kind 1", "kind 2")
    assert ["already" in said[0], "needs a name" in said[1]] == [True, True]


def test_a_column_tells_kinds_apart(qtbot: QtBot, panel: AnnotatePanel, nuclei: Any) -> None:
    viewer = panel.session.viewer
    viewer.add_image(nuclei)
    points = viewer.add_points([[1, 2], [5, 6], [9, 9]], features={"Kind": ["live", "dead", "live"]})
    panel.tools[POINTS].use(points)
    assert panel.tools[POINTS].kinds.names() == ["live", "dead"]
    qtbot.waitUntil(lambda: "2 live, 1 dead" in panel.count.text())
    panel.tools[POINTS].kinds.picked.emit(1)
    points.add([[20, 20]])
    assert points.features["Kind"].tolist() == ["live", "dead", "live", "dead"]
    points.features = pd.DataFrame({"Kind": ["live", "dead", "live", None]})
    qtbot.waitUntil(lambda: "1 of its points have nothing" in panel.missing.text())


def test_numbers_of_objects_are_not_kinds(panel: AnnotatePanel, nuclei: Any) -> None:
    viewer = panel.session.viewer
    viewer.add_image(nuclei)
    panel.tools[POINTS].use(viewer.add_points(np.ones((4, 2)), features={"label": [1, 2, 3, 4]}))
    assert panel.tools[POINTS].kinds.names() == [""]


def test_points_without_a_kind_beside_several_kinds_are_refused(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    _, plain = clicked(panel, nuclei, name="a")
    plain.add([[10, 12]])
    image = session.viewer.add_image(nuclei, name="b")
    panel.image.set_value(image)
    panel.tools[POINTS].use(session.viewer.add_points([[1, 2], [5, 6]], features={"kind": ["live", "dead"]}))
    with pytest.raises(MicroforgeError, match="others of no kind"):
        snapshots_of(session)
    plain.metadata[KIND] = "live"
    assert {snapshot.points.kinds for snapshot in snapshots_of(session)} == {("live",), ("live", "dead")}  # type: ignore[union-attr]


def test_only_layers_that_fit_are_offered(panel: AnnotatePanel) -> None:
    viewer = panel.session.viewer
    stack = viewer.add_image(np.zeros((5, 20, 30)), metadata={"axes": "ZYX"})
    panel.image.set_value(stack)
    viewer.add_points([[1, 2]], name="flat")
    result = viewer.add_points([[1, 2, 3]], name="result")
    mark_result(result, "result")
    fitting = viewer.add_points([[1, 2, 3]], name="fitting")
    assert panel.tools[POINTS].usable() == [fitting]
    entries = [
        (action.text(), action.isEnabled(), action.toolTip()) for action in panel.tools[POINTS].offer().actions()
    ]
    assert entries == [
        ("flat (1 point)", False, "Its points have 2 coordinates, the image has 3 dimensions."),
        ("fitting (1 point)", True, "fitting (1 point)"),
    ]


@pytest.mark.parametrize("axes", ["TYX", "ZYX", "TZCYX", "CZYX"])
def test_planes_and_time_points_stay_and_channels_go(panel: AnnotatePanel, axes: str) -> None:
    lengths = {"T": 3, "Z": 4, "C": 2, "Y": 20, "X": 30}
    session = panel.session
    _, points = clicked(panel, np.zeros([lengths[letter] for letter in axes]), metadata={"axes": axes})
    shown = axes.removeprefix("C")
    assert points.ndim == len(shown)
    place = {"T": 1, "Z": 2, "C": 1, "Y": 8, "X": 9}
    points.add([[place[letter] for letter in shown]])
    (sample,) = snapshots_of(session)[0].samples()
    assert sample.name.endswith("t=001" if "T" in axes else "cells")
    wanted = [place[letter] for letter in "ZYX" if letter in axes]
    assert sample.points.coordinates.tolist() == [wanted]  # type: ignore[union-attr]
    session.task.check(sample)


def test_nothing_is_lost_when_layers_are_renamed_or_removed(panel: AnnotatePanel, nuclei: Any) -> None:
    session = panel.session
    image, points = clicked(panel, nuclei)
    points.add([[10, 12]])
    panel.tools[POINTS].add_kind.click()
    second = session.viewer.layers.selection.active
    points.name = image.name = "renamed"
    assert session.items[0].points == (points, second)
    session.viewer.layers.remove(second)
    assert session.items[0].points == (points,)
    session.viewer.layers.remove(image)
    assert session.annotated == []
    assert len(points.data) == 1
    panel.image.set_value(session.viewer.add_image(nuclei, name="again"))
    panel.tools[POINTS].use(points)
    assert session.items[0].points == (points,)


def test_size_of_points(panel: AnnotatePanel, nuclei: Any) -> None:
    image, points = clicked(panel, nuclei)
    points.add([[10, 12], [3, 4]])
    assert clicked_point_size(image, "YX") == panel.tools[POINTS].size.value() == points.current_size
    panel.tools[POINTS].size.setValue(9)
    assert points.size.tolist() == [9, 9]
    assert points.current_size == 9
    assert clicked_point_size(panel.session.viewer.add_image(np.zeros((2000, 1000))), "YX") > points.size[0]


def test_deleted_points_come_back(panel: AnnotatePanel, nuclei: Any) -> None:
    viewer = panel.session.viewer
    panel.image.set_value(viewer.add_image(nuclei))
    points = viewer.add_points([[1, 2], [5, 6], [9, 9]], features={"kind": ["live", "dead", "live"]})
    panel.tools[POINTS].use(points)
    handler = KeymapHandler()
    handler.keymap_providers = [points, viewer]
    points.selected_data = {0, 1}
    points.remove_selected()
    points.add([[20, 20]])
    points.data = points.data + 1
    for left in (2, 1, 3, 3):
        handler.press_key("Control-Z")
        assert len(points.data) == left
    assert points.data.tolist() == [[1, 2], [5, 6], [9, 9]]
    assert points.features["kind"].tolist() == ["live", "dead", "live"]
    handler.press_key("Control-Shift-Z")
    assert points.data.tolist() == [[9, 9]]
    panel.tools[POINTS].close_down()
    assert points.keymap == {}


def test_missing_axes_are_confirmed_by_the_button(panel: AnnotatePanel) -> None:
    film = panel.session.viewer.add_image(np.zeros((6, 20, 20)), name="film")
    panel.axes.choose(0, "T")
    panel.tools[POINTS].click.click()
    assert panel.session.axes_of(film) == "TYX"


def press_key(panel: AnnotatePanel, layer: Any, key: str) -> None:
    handler = KeymapHandler()
    handler.keymap_providers = [layer, panel.session.viewer]
    handler.press_key(key)


def test_key_gives_points_the_next_kind_and_one_undo_takes_it_back_in_both_layers(
    qtbot: QtBot, panel: AnnotatePanel, nuclei: Any
) -> None:
    _, first = clicked(panel, nuclei, scale=(2, 2))
    first.add([[10, 12], [20, 30], [5, 6]])
    panel.tools[POINTS].add_kind.click()
    second = panel.session.viewer.layers.selection.active
    second.add([[1, 1]])
    first.selected_data = {0, 2}
    press_key(panel, first, "K")
    assert first.data.tolist() == [[20, 30]]
    assert second.data.tolist() == [[1, 1], [10, 12], [5, 6]]
    press_key(panel, first, "Ctrl+Z")
    assert first.data.tolist() == [[10, 12], [20, 30], [5, 6]]
    assert second.data.tolist() == [[1, 1]]
    press_key(panel, second, "Ctrl+Shift+Z")
    assert (len(first.data), len(second.data)) == (1, 3)
    press_key(panel, second, "Ctrl+Z")
    press_key(panel, second, "Ctrl+Z")
    assert (len(first.data), len(second.data)) == (3, 0)
    qtbot.waitUntil(lambda: "3 points" in panel.count.text() or "kind" in panel.count.text())


def test_key_for_kinds_says_what_is_missing(panel: AnnotatePanel, nuclei: Any) -> None:
    said: list[str] = []
    panel.session.message.connect(lambda text, _: said.append(text))
    _, points = clicked(panel, nuclei)
    points.add([[10, 12]])
    points.selected_data = {0}
    press_key(panel, points, "K")
    assert points.data.tolist() == [[10, 12]]
    assert "Add a kind" in said[-1]
    panel.close_down()
    assert not points.keymap


def test_no_point_means_not_clicked_yet_unless_a_person_says_that_there_is_no_cell(
    qtbot: QtBot, panel: AnnotatePanel
) -> None:
    places = np.stack(np.meshgrid(np.arange(12, 150, 24), np.arange(12, 150, 24)), -1).reshape(-1, 2)
    cells = np.zeros((160, 160), np.float32)
    cells[tuple(places.T)] = 9000
    noise = np.random.default_rng(0).normal(100, 2, cells.shape)
    _, points = clicked(panel, (gaussian_filter(cells, 3) + noise).astype(np.float32))
    points.add(places[::6])
    assert panel.tools[POINTS].unclicked.value() == "around"
    qtbot.waitUntil(lambda: "nothing is learnt there" in panel.count.text())
    panel.tools[POINTS].unclicked.set_value("background")
    qtbot.waitUntil(lambda: "count as no cell" in panel.count.text())
    (item,) = panel.session.annotated
    assert not any(sample.partly_painted for sample in snapshot_of(panel.session, item).samples())
