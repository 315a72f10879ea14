"""Review of objects image by image: the worst first, opened with what went wrong in colour."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Points
from pytestqt.qtbot import QtBot
from skimage.measure import label

from microforge.evaluation.object_errors import FINDING_COLOURS
from microforge.gui.review.by_image.object_cases import ObjectCaseReview
from microforge.gui.review.panel import ReviewTab
from microforge.gui.session.state import Session
from microforge.io.writing import write_image, write_labels
from microforge.tasks import get_task
from microforge.types import Prediction
from support.model_cards import write_model


class Bright:
    """Takes what is brighter than 30 for objects."""

    def __init__(self) -> None:
        self.task = get_task("instances")()

    def predict(self, sample: Any) -> Prediction:
        return Prediction(labels=label(np.asarray(sample.image)[0] > 30).astype(np.int32))


#: Squares that are found, dim ones that are missed, bright ones that are none, by image.
FIELDS: dict[str, tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]]]] = {
    "good": ([(5, 5), (25, 25)], [], []),
    "worst": ([(5, 5)], [(25, 5), (25, 25)], [(5, 40)]),
    "fair": ([(5, 5), (5, 25)], [(25, 25)], []),
}


@pytest.fixture
def panel(qtbot: QtBot, session: Session, tmp_path: Path) -> ObjectCaseReview:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for name, (found, missed, extra) in FIELDS.items():
        pixels, labels = np.zeros((50, 60), np.uint8), np.zeros((50, 60), np.int32)
        for places, value, is_true in ((found, 90, True), (missed, 20, True), (extra, 80, False)):
            for y, x in places:
                pixels[y : y + 9, x : x + 9] = value
                labels[y : y + 9, x : x + 9] = (labels.max() + 1) * is_true
        write_image(tmp_path / "images" / f"{name}.tif", pixels, "YX", None)
        write_labels(tmp_path / "labels" / f"{name}.tif", labels, "YX", None)
    session.set_model(write_model(tmp_path / "m.safetensors"))
    panel = ObjectCaseReview(session, lambda *_: Bright())  # type: ignore[arg-type,return-value]
    qtbot.addWidget(panel)
    panel.source.images.set_value([tmp_path / "images"])
    panel.source.truth.set_value([tmp_path / "labels"])
    return panel


def measure(qtbot: QtBot, panel: ObjectCaseReview) -> None:
    with qtbot.waitSignal(panel.source.ended, timeout=10_000):
        panel.source.run()


def test_images_are_listed_worst_first_with_what_went_wrong(qtbot: QtBot, panel: ObjectCaseReview) -> None:
    measure(qtbot, panel)
    rows = panel.table.texts.rows
    assert [row[0].removesuffix(".tif") for row in rows] == ["worst", "fair", "good"]
    titles = [column.title for column in panel.table.texts.columns]
    worst = dict(zip(titles, rows[0], strict=True))
    assert (worst["AP@0.5"], worst["missed"], worst["extra"], worst["merged"]) == ("0.25", "2", "1", "·")
    assert "AP@0.5 0.556 on 3 images" in panel.scores.text()


def test_an_image_is_opened_with_its_errors_in_colour(qtbot: QtBot, panel: ObjectCaseReview, session: Session) -> None:
    measure(qtbot, panel)
    panel.table.selectRow(0)
    qtbot.waitUntil(lambda: any(isinstance(layer, Points) for layer in session.viewer.layers))
    [image] = [layer for layer in session.viewer.layers if isinstance(layer, Image)]
    [rings] = [layer for layer in session.viewer.layers if isinstance(layer, Points)]
    assert image.name.startswith("worst")
    assert sorted(rings.features["what"]) == ["extra", "missed", "missed"]
    shown = {tuple((np.asarray(colour[:3]) * 255).round().astype(int)) for colour in rings.border_color}
    wanted = {tuple(bytes.fromhex(FINDING_COLOURS[kind][1:])) for kind in ("extra", "missed")}
    assert shown == wanted
    assert {tuple(at) for at in rings.data.round()} == {(29, 9), (29, 29), (9, 44)}
    qtbot.waitUntil(lambda: "red missed" in panel.note.text())


def test_the_next_image_replaces_what_was_shown(qtbot: QtBot, panel: ObjectCaseReview, session: Session) -> None:
    measure(qtbot, panel)
    panel.table.selectRow(0)
    qtbot.waitUntil(lambda: "worst" in panel.note.text())
    panel.table.selectRow(2)
    qtbot.waitUntil(lambda: "good" in panel.note.text())
    assert [layer.name.removesuffix(".tif") for layer in session.viewer.layers] == ["good"]


def test_the_tab_offers_it_beside_the_comparison_of_layers(qtbot: QtBot, session: Session) -> None:
    tab = ReviewTab(session)
    qtbot.addWidget(tab)
    titles = [tab.what.itemText(row) for row in range(tab.what.count())]
    assert "objects, image by image" in titles
    assert tab.what.currentText() == "objects"
    tab.part(ObjectCaseReview).close_down()
