"""Review of classes: the confusion matrix, and the images of each of its cells."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from microforge.gui.review.image_classes import ClassReview
from microforge.gui.session.state import Session
from microforge.io.writing import write_image
from microforge.tasks import get_task
from support.fakes import FakeClassifier
from support.model_cards import write_model

#: Mean brightness of the images of each class; above 50 the model says good.
IMAGES = {"blurred": (5, 20, 60), "good": (70, 80, 90, 99, 30)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, values in IMAGES.items():
        (tmp_path / "images" / name).mkdir(parents=True)
        for value in values:
            pixels = np.full((12, 14), value, np.float32)
            write_image(tmp_path / "images" / name / f"field {value}.tif", pixels, "YX", None)
    return tmp_path / "images"


@pytest.fixture
def session(session: Session, tmp_path: Path) -> Session:
    session.set_model(write_model(tmp_path / "model.safetensors", task="classification"))
    return session


@pytest.fixture
def review(qtbot: QtBot, session: Session) -> ClassReview:
    task = get_task("classification").from_options({"names": ("blurred", "good"), "weights": (1, 1)})
    review = ClassReview(session, lambda *_: FakeClassifier(task))
    qtbot.addWidget(review)
    review.show()
    return review


def measure(qtbot: QtBot, review: ClassReview) -> None:
    with qtbot.waitSignal(review.source.ended, timeout=10_000):
        review.source.start.click()


def click(qtbot: QtBot, review: ClassReview, row: int, column: int) -> None:
    place = review.matrix.visualRect(review.matrix.matrix.index(row, column)).center()
    qtbot.mouseClick(review.matrix.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_matrix_figures_and_images(qtbot: QtBot, session: Session, review: ClassReview, folder: Path) -> None:
    review.source.images.set_value([folder])
    review.source.truth.set_value([folder])
    measure(qtbot, review)
    model = review.matrix.matrix
    assert list(model.names) == ["blurred", "good"]
    assert [list(row) for row in model.counts] == [[2, 1], [1, 4]]
    assert "75.0 %" in review.scores.text()
    assert "Answering 'good' every time: 62.5 %" in review.scores.text()
    shades = [model.data(model.index(0, k), Qt.ItemDataRole.BackgroundRole).color() for k in (0, 1)]
    assert shades[0].green() > shades[0].red()
    assert shades[1].red() > shades[1].green()
    assert shades[0].alpha() > shades[1].alpha(), "the more images, the stronger"
    click(qtbot, review, 1, 0)
    assert [list(row) for row in review.list.texts.rows] == [["field 30", "70 %"]]
    assert "1 image of the class 'good'" in review.which.text()
    review.list.selectRow(0)
    qtbot.waitUntil(lambda: "field 30" in session.viewer.layers, timeout=5000)
    click(qtbot, review, 1, 1)
    assert [row[0] for row in review.list.texts.rows] == ["field 99", "field 90", "field 80", "field 70"]
    review.list.selectRow(1)
    qtbot.waitUntil(lambda: [layer.name for layer in session.viewer.layers] == ["field 90"], timeout=5000)


def test_images_of_the_session(qtbot: QtBot, session: Session, review: ClassReview) -> None:
    session.set_task("classification")
    for name, values in IMAGES.items():
        layers = [session.viewer.add_image(np.full((12, 14), value), name=f"{name} {value}") for value in values]
        session.set_class(layers, name)
    review.source.where.set_value("open")
    measure(qtbot, review)
    assert len(review.cases) == 8
    click(qtbot, review, 0, 1)
    review.list.selectRow(0)
    qtbot.waitUntil(lambda: session.viewer.layers["blurred 60"].visible, timeout=5000)
    qtbot.waitUntil(lambda: not session.viewer.layers["good 70"].visible, timeout=5000)
    assert len(session.viewer.layers) == 8, "images that are open are not opened again"


def test_a_class_the_model_does_not_know_is_said(qtbot: QtBot, session: Session, review: ClassReview) -> None:
    session.set_task("classification")
    session.set_class([session.viewer.add_image(np.full((12, 14), 80), name="odd")], "folded")
    session.set_class([session.viewer.add_image(np.full((12, 14), 80), name="even")], "good")
    review.source.where.set_value("open")
    measure(qtbot, review)
    assert [case.name for case in review.cases] == ["even"]
    assert "folded" in review.source.note.text()
