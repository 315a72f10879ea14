"""The table of measurements with its plot: what is listed, sorted, summed up, drawn and chosen."""

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtWidgets import QApplication, QDialog

from microforge.gui.widgets.measured import MeasuredPanel


def values(count: int = 30, images: int = 1, frames: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    made: dict[str, np.ndarray] = {
        "image": np.repeat([f"image {k}" for k in range(images)], count).astype(object),
        "label": np.tile(np.arange(1, count + 1), images),
        "area": np.concatenate([rng.integers(90, 110, count * images - 1), [900]]),
        "solidity": rng.uniform(0.9, 1, count * images),
        "centroid_x": rng.uniform(0, 50, count * images),
    }
    return made | ({"frame": np.arange(count * images) % frames} if frames else {})


@pytest.fixture
def panel(qtbot: Any) -> MeasuredPanel:
    panel = MeasuredPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 600)
    panel.show()
    return panel


def shown(panel: MeasuredPanel, title: str) -> list[str]:
    heads = [column.title for column in panel.rows.columns]
    return [panel.rows.text(row, heads.index(title)) for row in range(panel.rows.rowCount())]


def head(panel: MeasuredPanel, title: str) -> int:
    return [column.title for column in panel.rows.columns].index(title)


def test_heads_have_units_and_no_row_is_the_background(panel: MeasuredPanel) -> None:
    panel.set_values(values())
    assert [column.title for column in panel.rows.columns] == ["label", "area (px²)", "solidity", "x (px)"]
    assert shown(panel, "label") == [str(k) for k in range(1, 31)]
    assert "n = 30, mean" in panel.summary.text()
    assert "total" in panel.summary.text()
    assert "1 far from the others" in panel.summary.text()


def test_a_head_sorts_and_what_was_chosen_stays_chosen(panel: MeasuredPanel) -> None:
    panel.set_values(values())
    panel.view.selectRow(29)
    panel.view.sortByColumn(head(panel, "area (px²)"), Qt.SortOrder.DescendingOrder)
    areas = [float(text) for text in shown(panel, "area (px²)")]
    assert areas == sorted(areas, reverse=True)
    assert [index.row() for index in panel.view.selectionModel().selectedRows()] == [0]
    assert shown(panel, "label")[0] == "30"


def test_missing_values_are_last_either_way(panel: MeasuredPanel) -> None:
    some = np.array([2, np.nan, 4])
    panel.set_values({"label": np.arange(1, 4), "score": np.array([2, None, 1], object), "frame": some, "y": some})
    panel.all_frames.click()
    assert shown(panel, "frame") == shown(panel, "y (px)") == ["2", "", "4"]
    for order, first in ((Qt.SortOrder.AscendingOrder, "1"), (Qt.SortOrder.DescendingOrder, "2")):
        panel.view.sortByColumn(head(panel, "score"), order)
        assert shown(panel, "score")[0] == first
        assert shown(panel, "score")[-1] == ""


def test_one_image_or_all_of_them(panel: MeasuredPanel) -> None:
    panel.set_values(values(images=3))
    assert panel.rows.rowCount() == 90
    assert shown(panel, "image")[0] == "image 0"
    panel.image.set_value("image 1")
    assert set(shown(panel, "image")) == {"image 1"}
    panel.set_values(values())
    assert not panel.image.isVisible()
    assert panel.rows.rowCount() == 30


def test_a_film_shows_the_rows_of_its_frame(panel: MeasuredPanel) -> None:
    panel.set_frame(1)
    panel.set_values(values(frames=3))
    assert set(shown(panel, "frame")) == {"1"}
    panel.set_frame(2)
    assert set(shown(panel, "frame")) == {"2"}
    assert "n = 10" in panel.summary.text()
    panel.all_frames.click()
    assert panel.rows.rowCount() == 30


def test_a_value_far_from_the_others_is_marked_and_says_why(panel: MeasuredPanel) -> None:
    panel.set_values(values())
    far, usual = (panel.rows.index(row, 1) for row in (29, 0))
    assert panel.rows.data(far, Qt.ItemDataRole.ForegroundRole).color().name() == "#d98a00"
    assert panel.rows.data(far, Qt.ItemDataRole.ToolTipRole) == "900: far from the other objects"
    assert panel.rows.data(usual, Qt.ItemDataRole.ForegroundRole) is None


def click_plot(qtbot: Any, panel: MeasuredPanel, x: float, y: float) -> None:
    plot = panel.plot.plot
    QApplication.processEvents()
    place = plot.mapFromScene(plot.getPlotItem().getViewBox().mapViewToScene(QPointF(x, y)))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))


def test_a_click_on_a_bar_chooses_its_rows(qtbot: Any, panel: MeasuredPanel) -> None:
    panel.set_values(values())
    heard: list[Any] = []
    panel.chosen.connect(heard.append)
    found = panel.plot._histogram
    assert found is not None
    middle = float(found.edges[-2:].mean())
    click_plot(qtbot, panel, middle, found.counts.max() / 2)
    assert heard[-1] == (29,)
    assert [panel.rows.rows[index.row()] for index in panel.view.selectionModel().selectedRows()] == [29]
    assert panel.plot._line.isVisible()
    assert panel.plot._line.value() == 900


def test_a_click_on_a_point_chooses_its_row(qtbot: Any, panel: MeasuredPanel) -> None:
    panel.set_values(values())
    panel.y.set_value("solidity")
    heard: list[Any] = []
    panel.chosen.connect(heard.append)
    click_plot(qtbot, panel, 900, float(panel.rows.numbers("solidity")[29]))
    assert heard[-1] == (29,)


def test_rows_that_are_chosen_are_marked_in_the_plot_and_summed_up(panel: MeasuredPanel) -> None:
    panel.set_values(values())
    panel.y.set_value("solidity")
    heard: list[Any] = []
    panel.chosen.connect(heard.append)
    panel.view.selectAll()
    assert heard[-1] == tuple(range(30))
    assert panel.summary.text().startswith("Chosen: area: n = 30")
    assert len(panel.plot._chosen_points.data) == 30
    panel.choose([4])
    assert len(heard) == 1, "what is chosen elsewhere is not told again"
    assert panel.plot._chosen_points.data["x"].tolist() == [panel.rows.numbers("area")[4]]


def test_table_and_plot_move_into_a_window_of_their_own_and_back(qtbot: Any, panel: MeasuredPanel) -> None:
    panel.set_values(values())
    panel.large.click()
    window = panel.content.window()
    assert isinstance(window, QDialog)
    assert panel.view.maximumHeight() > 10_000
    assert not panel.large.isVisible()
    window.close()
    assert panel.content.window() is panel
    assert panel.large.isVisible()
    assert panel.view.isVisible()


def test_other_values_keep_the_columns_that_are_drawn(panel: MeasuredPanel) -> None:
    panel.set_values(values())
    panel.x.set_value("solidity")
    panel.set_values(values(count=5))
    assert panel.x.value() == "solidity"
    panel.set_values({"label": np.zeros(0, int), "area": np.zeros(0, int)})
    assert panel.rows.rowCount() == 0
    assert panel.summary.text() == "area: n = 0"


def test_ten_thousand_rows_are_written_only_where_they_are_seen(
    qtbot: Any, panel: MeasuredPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    plain = type(panel.rows).text
    monkeypatch.setattr(
        type(panel.rows), "text", lambda self, row, column: written.append(row) or plain(self, row, column)
    )
    panel.set_values(values(count=10_000))
    panel.view.scrollToBottom()
    QApplication.processEvents()
    panel.view.grab()
    assert 9_999 in written
    assert len(set(written)) < 500
