"""Counts in the tab Apply: points, density, regions, corrections and tables."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.colormaps.standardize_color import transform_color
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from microforge.annotations import POINTS
from microforge.gui.annotate.tools.point_undo import PointHistory
from microforge.gui.layers.marks import NETWORKS, is_result
from microforge.gui.layers.point_results import is_corrected, points_of_result
from microforge.gui.layers.points import KIND, add_points
from microforge.gui.session.state import Session
from microforge.gui.widgets.table import Column, SmallTable
from microforge.tasks.counting.task import Counting
from support.count_bench import FIVE, Bench, cells, rectangle
from support.runs import csv_rows


def test_cells_become_rings_and_their_density_is_shown_when_asked_for(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field", scale=(0.5, 0.5), units=("um", "um"))
    bench.apply()
    assert [layer.name for layer in bench.viewer.layers] == ["field", "field (cells)"]
    bench.counts.density.setChecked(True)
    assert [layer.name for layer in bench.viewer.layers] == ["field", "field (cells)", "field density"]
    points, density = bench.viewer.layers["field (cells)"], bench.viewer.layers["field density"]
    assert sorted(map(tuple, points.data.astype(int).tolist())) == sorted(FIVE)
    assert points.features["confidence"].between(0.5, 1).all()
    assert np.allclose(points.scale, 0.5)
    assert 3 < float(np.median(points.size)) < 12, "smaller than the spacing: points do not hide each other"
    assert (str(density.blending), density.opacity, density.visible) == ("additive", 0.6, True)
    assert float(density.data.sum()) == pytest.approx(5, abs=0.01)
    assert all(is_result(layer) for layer in (points, density))
    assert not points.face_color[:, 3].any(), "rings: filled points are those that a person set"
    assert np.allclose(points.border_color, transform_color(NETWORKS[0])[0], atol=0.01)
    bench.counts.density.setChecked(False)
    assert [layer.name for layer in bench.viewer.layers] == ["field", "field (cells)"]
    assert "field: 5 cells (3–7)" in bench.panel.message.text()
    assert bench.text == "5 cells (3–7)"
    assert bench.table()[0] == ["Region", "Cells", "Range", "per mm²", "µm²"]
    assert bench.table()[1] == ["whole image", "5", "3–7", "4,167", "1,200"]


def test_applying_again_renews_the_layers(bench: Bench) -> None:
    image = bench.viewer.add_image(cells(*FIVE), name="field")
    bench.apply()
    points = bench.viewer.layers["field (cells)"]
    image.data = cells(*FIVE[:2], (50, 20))
    bench.apply()
    assert len(bench.viewer.layers) == 2
    assert len(points.data) == len(points.features) == 3
    image.data = cells()
    bench.apply()
    assert len(points.data) == 0
    assert bench.text.startswith("0 cells")


def test_corrected_points_are_hers(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field")
    bench.apply()
    points = bench.viewer.layers["field (cells)"]
    points.add((20, 20))
    bench.wait("counted by you: 6 cells")
    assert "(" not in bench.text, "no interval for what a person has counted"
    assert "no interval" in bench.counts.note.text()
    assert bench.table()[1][-1] == "you"
    points.selected_data = {0, 1}
    points.remove_selected()
    bench.wait("counted by you: 4 cells")
    bench.apply()
    assert len(bench.viewer.layers) == 3, "corrections are never overwritten"
    assert len(points.data) == 4


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_regions_are_counted_as_they_change(bench: Bench, scale: float) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field", scale=(scale, scale))
    bench.apply()
    bench.counts.draw.click()
    regions = bench.viewer.layers.selection.active
    assert regions.mode == "add_rectangle"
    regions.add_rectangles(rectangle(0, 0, 20, 79))
    bench.wait("region 1: 2 cells")
    regions.add_ellipses(rectangle(20, 0, 40, 20))
    bench.wait("region 2: 1 cell")
    assert regions.features["name"].tolist() == ["region 1", "region 2"], "written on the image"
    regions.data = [rectangle(0, 0, 59, 79), regions.data[1]]
    bench.wait("region 1: 5 cells")
    regions.selected_data = {1}
    regions.remove_selected()
    bench.qtbot.waitUntil(lambda: "region 2" not in bench.text)
    regions.visible = True
    bench.viewer.layers.remove(regions)
    bench.qtbot.waitUntil(lambda: "region" not in bench.text)


def test_regions_have_names_and_areas(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field", scale=(0.5, 0.5), units=("um", "um"))
    shapes = bench.viewer.add_shapes(
        [rectangle(0, 0, 19, 79), rectangle(20, 0, 39, 19)],
        features={"name": ["cortex", ""]},
        scale=(0.5, 0.5),
        units=("um", "um"),
    )
    bench.apply()
    assert [row[0] for row in bench.table()] == ["Region", "whole image", "cortex", "region 2"]
    cortex = next(row for row in bench.counts.images[0].rows if row.name == "cortex")
    assert cortex.size == pytest.approx(20 * 80 / 4)
    assert cortex.value == pytest.approx(2, abs=0.05)
    model = bench.counts.table.texts
    assert not model.flags(model.index(1, 1)) & Qt.ItemFlag.ItemIsEditable
    assert model.setData(model.index(2, 0), "hilus")
    bench.wait("hilus: 1 cell")
    assert shapes.features["name"].tolist() == ["cortex", "hilus"]


def test_columns_are_as_wide_as_their_texts(qtbot: QtBot) -> None:
    table = SmallTable()
    qtbot.addWidget(table)
    table.resize(340, 120)
    table.show()
    columns = [Column("Region", ""), Column("Cells", "", True)]
    for number in (1, 2):
        table.set_content(columns, [["whole image, which is long enough to fill the table", "196"]] * number)
    header = table.horizontalHeader()
    assert header.sectionSize(1) < header.defaultSectionSize(), "also after a line more"


def test_only_areas_over_the_image_count(bench: Bench) -> None:
    image = bench.viewer.add_image(cells(*FIVE), name="field")
    bench.viewer.add_shapes([rectangle(0, 200, 20, 240)])
    bench.viewer.add_shapes([np.array([[0, 0], [20, 20]])], shape_type="line")
    labels = bench.viewer.add_labels(np.zeros((60, 80), int))
    annotated = bench.viewer.add_shapes([rectangle(0, 0, 20, 20)])
    item = bench.session.annotate(image, labels)
    bench.session.set_region(item, annotated)
    bench.apply()
    assert len(bench.table()) == 2


def test_points_in_regions_after_a_correction(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field")
    bench.viewer.add_shapes([rectangle(0, 0, 20, 79)])
    bench.apply()
    bench.viewer.layers["field (cells)"].add([[5, 50], [55, 5]])
    bench.wait("counted by you: 7 cells")
    assert "region 1: 3 cells" in bench.text


def test_without_an_interval_it_says_why(qtbot: QtBot, session: Session) -> None:
    bench = Bench(qtbot, session)
    bench.viewer.add_image(cells(*FIVE))
    bench.apply()
    qtbot.waitUntil(lambda: bench.text == "5 cells")
    assert "fewer than 9 images" in bench.counts.note.text()
    assert "Range" not in bench.table()[0]


def test_kinds_have_colours_and_columns(qtbot: QtBot, session: Session) -> None:
    bench = Bench(qtbot, session, kinds=("live", "dead"))
    image = cells(*FIVE) + cells((20, 60), (50, 40), value=200)
    bench.viewer.add_image(image, name="field")
    bench.apply()
    bench.wait("5 live, 2 dead")
    points = bench.viewer.layers["field (cells)"]
    assert len({tuple(colour) for colour in points.border_color.tolist()}) == 2
    bench.counts.density.setChecked(True)
    assert {layer.name for layer in bench.viewer.layers} >= {"field density live", "field density dead"}
    assert [row[1:3] for row in bench.table()[1:]] == [["live", "5"], ["dead", "2"]]
    bench.counts.kind.set_value("dead")
    points.add((5, 5))
    bench.wait("counted by you: 5 live, 3 dead")


@pytest.mark.parametrize("axes", ["TYX", "ZYX", "TZYX", "ZTYX"])
def test_series_and_stacks(qtbot: QtBot, session: Session, axes: str) -> None:
    spatial = "".join(letter for letter in "ZYX" if letter in axes)
    bench = Bench(qtbot, session, steps=(1.0,) * len(spatial))
    shape = {"T": 3, "Z": 20, "Y": 40, "X": 50}
    image = np.zeros([shape[letter] for letter in axes], np.float32)
    for t, z, y, x in ((0, 10, 10, 10), (1, 10, 30, 20), (1, 10, 10, 40), (2, 10, 20, 20)):
        place = {"T": t, "Z": z, "Y": y, "X": x}
        image[tuple(place[letter] for letter in axes)] = 50
    bench.viewer.add_image(image, name="field", metadata={"axes": axes})
    shapes = bench.viewer.add_shapes([rectangle(0, 0, 20, 49)])
    bench.apply()
    points = bench.viewer.layers["field (cells)"]
    assert points.ndim == len(axes)
    assert {tuple(np.round(row).astype(int)) for row in points.data} == set(map(tuple, np.argwhere(image > 0)))
    if "T" not in axes:
        bench.wait("4 cells")
        assert "region 1: 2 cells" in bench.text or "region 1: 3 cells" in bench.text
        return
    assert shapes in bench.viewer.layers
    bench.viewer.dims.set_point(axes.index("T"), 1)
    bench.wait("2 cells\nregion 1: 1 cell")
    bench.viewer.dims.set_point(axes.index("T"), 2)
    bench.wait("1 cell\n")
    assert [row[:3] for row in bench.table()[1:3]] == [["0", "whole image", "1"], ["0", "region 1", "1"]]
    points.add([{"T": 2, "Z": 10, "Y": 35, "X": 5}[letter] for letter in axes])
    bench.wait("counted by you: 2 cells")


def test_tables_are_saved_and_copied(bench: Bench, tmp_path: Path) -> None:
    bench.viewer.add_image(cells(*FIVE), name="first", scale=(0.5, 0.5), units=("um", "um"))
    bench.viewer.add_image(cells(*FIVE[:2]), name="second")
    bench.viewer.layers.selection = set(bench.viewer.layers)
    bench.apply()
    bench.counts.save_table(tmp_path / "counts.csv")
    rows = csv_rows(tmp_path / "counts.csv")
    assert [(row["image"], row["region"], row["counted_by"]) for row in rows] == [
        ("first", "whole image", "model"),
        ("second", "whole image", "model"),
    ]
    assert float(rows[0]["count"]) == pytest.approx(5, abs=0.01)
    assert float(rows[0]["low"]) < 5 < float(rows[0]["high"])
    assert float(rows[0]["area_um2"]) == 1200
    assert rows[1]["cells_per_mm2"] == "nan"
    bench.counts.copy.click()
    assert QApplication.clipboard().text().splitlines()[1].startswith("first\twhole image\t")
    bench.counts.save_table(tmp_path / "missing" / "counts.csv")
    assert bench.counts.note.severity == "error"
    bench.panel.objects.save_table(tmp_path / "cells.csv")
    rows = csv_rows(tmp_path / "cells.csv")
    assert len(rows) == 7
    assert set(rows[0]) == {"image", "y", "x", "confidence"}


def test_points_become_an_annotation(bench: Bench) -> None:
    image = bench.viewer.add_image(cells(*FIVE), name="field", scale=(0.5, 0.5))
    bench.apply()
    points = bench.viewer.layers["field (cells)"]
    points.add((20, 20))
    bench.counts.use.click()
    item = bench.session.annotated_of(image)
    assert item is not None
    (layer,) = item.points
    assert not is_result(layer)
    assert sorted(map(tuple, layer.data.astype(int).tolist())) == sorted([*FIVE, (20, 20)])
    assert bench.session.kind is POINTS
    assert bench.viewer.layers.selection.active is layer
    assert layer.mode == "add"
    assert not layer.selected_data, "Delete would take all of them away"
    assert "6 cells are yours now" in bench.counts.note.text()


def test_points_found_are_added_to_those_clicked_which_stay_and_are_not_doubled(bench: Bench) -> None:
    image = bench.viewer.add_image(cells(*FIVE), name="field")
    clicked = bench.viewer.add_points([[11, 11], [52, 8]], name="mine", scale=(0.5, 0.5), translate=(3.0, 2.0))
    clicked.data = np.array([[16.0, 18.0], [98.0, 12.0]])  # on the first cell, and where the model sees none
    bench.session.annotate_points(image, [clicked])
    history = PointHistory(clicked)
    bench.apply()
    bench.counts.use.click()
    item = bench.session.annotated_of(image)
    assert item is not None
    assert item.points == (clicked,)
    in_pixels = np.asarray(clicked.data) * 0.5 + (3.0, 2.0)
    assert np.allclose(in_pixels[:2], [(11, 11), (52, 8)])
    assert sorted(map(tuple, in_pixels[2:].round(3).tolist())) == sorted(map(tuple, np.array(FIVE[1:], float)))
    assert "4 cells added to yours; 1 you had clicked already" in bench.counts.note.text()
    bench.counts.use.click()
    assert len(clicked.data) == 6
    history.undo()
    assert len(clicked.data) == 2, "one step takes all of them back"


def test_kinds_of_cells_found_go_to_the_layers_of_their_kinds(qtbot: QtBot, session: Session) -> None:
    bench = Bench(qtbot, session, kinds=("dim", "bright"))
    image = bench.viewer.add_image(cells(*FIVE[:3]) + 3 * cells(*FIVE[3:]), name="field")
    dim = add_points(bench.viewer, image, "YX", "dim")
    dim.add([[10, 10]])
    session.annotate_points(image, [dim])
    bench.apply()
    bench.counts.use.click()
    item = session.annotated_of(image)
    assert item is not None
    assert [layer.metadata[KIND] for layer in item.points] == ["dim", "bright"]
    assert [len(layer.data) for layer in item.points] == [3, 2]


def test_points_come_back_as_they_are(bench: Bench) -> None:
    bench.viewer.add_image(cells(*FIVE), name="field")
    bench.apply()
    layer = bench.viewer.layers["field (cells)"]
    points = points_of_result(layer)
    assert (points.axes, points.kinds, len(points)) == ("YX", ("",), 5)
    assert not is_corrected(layer)
    layer.data = layer.data + 1
    assert is_corrected(layer)


def test_counting_does_not_hold_the_window(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many regions on a large image are counted in a thread, and none of it while the window waits."""
    window, counted_in = threading.get_ident(), []
    count = Counting.count

    def counted(*given: Any) -> Any:
        counted_in.append(threading.get_ident())
        return count(*given)

    monkeypatch.setattr(Counting, "count", counted)
    bench.viewer.add_image(cells(*FIVE, shape=(3000, 3000)), name="field")
    bench.viewer.add_shapes([rectangle(k * 50, 0, k * 50 + 40, 2900) for k in range(40)])
    bench.apply()
    bench.qtbot.waitUntil(lambda: not bench.counts._relay.running and not bench.counts._timer.isActive())
    bench.counts._known = None
    counted_in.clear()
    bench.counts.recount()
    bench.qtbot.waitUntil(lambda: len(counted_in) >= 40 and not bench.counts._relay.running, timeout=20_000)
    assert window not in counted_in


def test_image_closed_meanwhile_still_gets_its_points(bench: Bench) -> None:
    layer = bench.viewer.add_image(cells(*FIVE), name="field")
    bench.panel.apply()
    bench.viewer.layers.remove(layer)
    bench.qtbot.waitUntil(lambda: not bench.session.applying.running, timeout=5000)
    assert "field (cells)" in bench.viewer.layers
    assert "5 cells" in bench.panel.message.text()
    assert bench.counts.isHidden()
