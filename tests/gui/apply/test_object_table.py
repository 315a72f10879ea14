"""The table of results beside the canvas: rows find objects, objects rows, films the rows of their frame."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.interactions import mouse_press_callbacks, mouse_release_callbacks

from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.session.state import Session
from microforge.gui.widgets.canvas_view import camera_of
from microforge.tasks import get_task
from support.fakes import FakeSegmenter
from support.model_cards import write_model

#: Corners of the squares that are objects.
SQUARES = ((4, 6), (20, 10), (9, 30))


def squares(*places: tuple[int, int], side: int = 8, shape: tuple[int, int] = (40, 48)) -> np.ndarray:
    image = np.zeros(shape, np.float32)
    for y, x in places:
        image[y : y + side, x : x + side] = 0.9
    return image


@pytest.fixture
def panel(qtbot: Any, session: Session, tmp_path: Path) -> ApplyPanel:
    def make(_: Path, config: Any) -> FakeSegmenter:
        return FakeSegmenter(get_task("instances").from_options(config.task_options))

    panel = ApplyPanel(session, make)
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    return panel


def apply(qtbot: Any, panel: ApplyPanel) -> Any:
    with qtbot.waitSignal(panel._session.applying.finished, timeout=10_000):
        panel.layers.start.click()
    return panel.layers.objects.table.panel


def click(session: Session, *world: float, moved: float = 0) -> None:
    class Event:
        """A click of the mouse."""

        pos = np.array([100.0, 100.0])
        position = world
        type = "mouse_press"
        button = 1
        modifiers = ()

    event = Event()
    mouse_press_callbacks(session.viewer, event)
    event.pos, event.type = event.pos + moved, "mouse_release"
    mouse_release_callbacks(session.viewer, event)


def box_of(layer: Any) -> Any:
    overlay = layer._overlays["selection_box"]
    return overlay.bounds if overlay.visible else None


def selected(table: Any) -> list[int]:
    return [table.rows.rows[index.row()] for index in table.view.selectionModel().selectedRows()]


def test_a_row_brings_its_object_into_view_with_a_box_around_it(
    qtbot: Any, session: Session, panel: ApplyPanel
) -> None:
    session.viewer.add_image(squares(*SQUARES), name="field", scale=(0.5, 0.5), units=("um", "um"))
    table = apply(qtbot, panel)
    assert [column.title for column in table.rows.columns][:3] == ["label", "area (µm²)", "confidence"]
    row = table.rows.column("centroid_x").tolist().index(33.5)
    table.view.selectRow(row)
    np.testing.assert_allclose(camera_of(session.viewer).center[-2:], (12.5 / 2, 33.5 / 2))
    assert box_of(session.viewer.layers["field (objects)"]) == ((6.5, 27.5), (18.5, 39.5))


def test_a_click_on_an_object_finds_its_row(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(squares(*SQUARES), name="field", scale=(0.5, 0.5), units=("um", "um"))
    table = apply(qtbot, panel)
    click(session, 24 / 2, 14 / 2)
    [row] = selected(table)
    assert table.rows.column("centroid_y")[row] == 23.5
    assert box_of(session.viewer.layers["field (objects)"]) is not None
    click(session, 8 / 2, 8 / 2, moved=30)
    assert selected(table) == [row], "a drag moves the view and chooses nothing"
    session.viewer.add_labels(np.zeros((40, 48), int), name="mine").mode = "paint"
    click(session, 8 / 2, 8 / 2)
    assert selected(table) == [row], "a click of the brush paints and chooses nothing"


def test_of_several_images_the_right_one_is_found(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    first = session.viewer.add_image(squares((2, 2)), name="first")
    second = session.viewer.add_image(squares((20, 20), (2, 20)), name="second", translate=(0, 60))
    session.viewer.layers.selection = {first, second}
    table = apply(qtbot, panel)
    assert table.rows.column("image").tolist() == ["first", "second", "second"]
    click(session, 22, 82)
    assert selected(table) == [2]
    table.view.selectRow(0)
    np.testing.assert_allclose(camera_of(session.viewer).center[-2:], (5.5, 5.5))
    assert box_of(session.viewer.layers["second (objects)"]) is None


def test_a_film_lists_the_objects_of_the_frame_that_is_shown(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    film = np.stack([squares((2, 2)), squares((2, 2), (20, 20)), squares((20, 20))])
    layer = session.viewer.add_image(film, name="film")
    session.set_axes(layer, "TYX")
    table = apply(qtbot, panel)
    for frame, count in enumerate((1, 2, 1)):
        session.viewer.dims.set_point(0, frame)
        assert table.rows.rowCount() == count
        assert {table.rows.column("frame")[row] for row in table.rows.rows} == {frame}
    click(session, 2, 22, 22)
    assert selected(table) == [3]
    table.all_frames.click()
    table.view.selectRow(1)
    assert session.viewer.dims.point[0] == 1
    session.viewer.dims.set_point(0, 0)
    assert box_of(session.viewer.layers["film (objects)"]) is None


def test_labels_with_gaps_are_called_label(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    film = np.stack([squares((2, 2)), squares((2, 2), (20, 20))])
    session.set_axes(session.viewer.add_image(film, name="film"), "TYX")
    table = apply(qtbot, panel)
    features = session.viewer.layers["film (objects)"].features
    assert features["label"].tolist() == [1, 1, 2]
    session.viewer.dims.set_point(0, 0)
    said = session.viewer.layers["film (objects)"].get_status((0, 4, 4), world=True)
    assert "frame: 1" not in str(said), "napari must not show the figures of another frame"
    assert "index" not in [column.title for column in table.rows.columns]
    assert "index" not in panel.layers.objects.columns()


def test_closing_a_result_empties_its_table(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(squares(*SQUARES), name="field")
    table = apply(qtbot, panel)
    assert table.isVisible()
    session.viewer.layers.remove("field (objects)")
    assert not table.isVisible()
    click(session, 24, 14)


def test_the_title_of_confidence_says_what_it_is_worth(qtbot: Any, session: Session, panel: ApplyPanel) -> None:
    session.viewer.add_image(squares(*SQUARES), name="cells")
    table = apply(qtbot, panel)
    place = [heading.name for heading in table.rows.headings].index("confidence")
    assert table.rows.columns[place].tip.endswith("Not calibrated.")
