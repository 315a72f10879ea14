"""Review of counts: measured image by image, plotted, and opened as layers."""

from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Points
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPointF

from microforge.evaluation.cases import mean_count_error
from microforge.gui.layers.marks import is_result
from microforge.gui.review.counts import CountReview
from microforge.gui.review.image_classes import ClassReview
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.review.panel import ReviewTab
from microforge.gui.session.state import Session
from microforge.io.tables import write_table
from microforge.io.writing import write_image
from microforge.tasks import get_task
from microforge.tasks.counting.interval import Interval
from support.fakes import FakeCounter
from support.model_cards import write_model

SPACING = 12.0
INTERVALS = {"": Interval(width=1.0, typical=4, images=20)}


class Undercounts(FakeCounter):
    """Misses cells that are dim, and finds one that is not there in images with a bright corner."""

    def predict(self, sample: Any) -> Any:
        pixels = np.array(sample.image)
        pixels[pixels < 30] = 0
        return super().predict(type(sample)(sample.name, pixels, points=sample.points))


def make(_model: Path, _config: Any) -> FakeCounter:
    return Undercounts(get_task("counting").from_options({"spacing": SPACING, "intervals": INTERVALS}))


#: Cells that are found, dim cells that are missed, bright places that are none.
FIELDS = {
    "a": ([(10, 10), (10, 30), (30, 10)], [], []),
    "b": ([(10, 10), (30, 30)], [(10, 35), (35, 10), (20, 20)], []),
    "c": ([(12, 12), (30, 12), (30, 36), (12, 36), (20, 24)], [], [(36, 46)]),
}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, points = tmp_path / "images", tmp_path / "points"
    images.mkdir()
    points.mkdir()
    for name, (found, missed, extra) in FIELDS.items():
        pixels = np.zeros((42, 50), np.float32)
        for places, value in ((found, 50), (missed, 20), (extra, 60)):
            for place in places:
                pixels[place] = value
        write_image(images / f"{name}.tif", pixels, "YX", (0.5, 0.5))
        y, x = np.array(found + missed, float).T
        write_table(points / f"{name}.csv", {"y": y, "x": x})
    return images, points


@pytest.fixture
def session(session: Session, tmp_path: Path) -> Session:
    session.set_model(write_model(tmp_path / "model.safetensors", task="counting"))
    return session


@pytest.fixture
def review(qtbot: QtBot, session: Session) -> CountReview:
    review = CountReview(session, make)
    qtbot.addWidget(review)
    review.show()
    return review


def measure(qtbot: QtBot, review: CountReview, folders: tuple[Path, Path] | None = None) -> None:
    if folders:
        review.source.images.set_value(folders[:1])
        review.source.truth.set_value(folders[1:])
    with qtbot.waitSignal(review.source.ended, timeout=10_000):
        review.source.start.click()


def opened(qtbot: QtBot, session: Session, review: CountReview) -> list[str]:
    qtbot.waitUntil(lambda: not review.view.relay.running, timeout=5000)
    return [layer.name for layer in session.viewer.layers]


def test_figures_and_baseline(qtbot: QtBot, review: CountReview, folders: tuple[Path, Path]) -> None:
    measure(qtbot, review, folders)
    assert [case.name for case in review.cases] == ["a", "b", "c"]
    assert [round(case.error) for case in review.cases] == [0, 3, 1]
    text = review.scores.text()
    assert "1.3 cells" in text, "MAE of 0, 3 and 1"
    assert f"{mean_count_error(review.cases):.1f} cells" in text
    assert mean_count_error(review.cases) == pytest.approx(np.mean(np.abs(np.array([3, 5, 5]) - 13 / 3)))
    assert "too few" in text
    assert "0.83" in text, "F1 of 10 hits, 3 missed, 1 extra"
    assert "67 %" in text, "the interval holds for two in three"
    assert not review.source.busy.isVisible()


def test_clicked_point_opens_its_image(
    qtbot: QtBot, session: Session, review: CountReview, folders: tuple[Path, Path]
) -> None:
    measure(qtbot, review, folders)
    points = review.plot._points.points()
    assert [point.data()[0] for point in points] == [0, 1, 2]
    assert points[1].data()[1] == "b: 2 of 5"
    assert points[1].pos() == QPointF(5, points[1].pos().y())
    review.plot._points.sigClicked.emit(review.plot._points, [points[1]], None)
    assert opened(qtbot, session, review) == ["b", "b truth", "b result"]
    image, truth, result = session.viewer.layers
    assert isinstance(image, Image)
    assert np.allclose(image.scale, 0.5)
    assert not is_result(image), "it can be annotated"
    assert is_result(truth)
    assert isinstance(truth, Points)
    assert np.allclose(truth.scale, 0.5)
    assert truth.features["what"].tolist() == ["found"] * 2 + ["missed"] * 3
    assert len({tuple(colour) for colour in truth.border_color.tolist()}) == 2
    assert result.features["what"].tolist() == ["right"] * 2
    assert "red: missed" in review.note.text()
    assert [point.symbol() for point in review.plot._points.points()] == ["o", "d", "o"], "the one shown stands out"


def test_worst_best_and_both(qtbot: QtBot, session: Session, review: CountReview, folders: tuple[Path, Path]) -> None:
    other = session.viewer.add_image(np.zeros((500, 500)), name="mine")
    measure(qtbot, review, folders)
    review.worst.click()
    assert opened(qtbot, session, review)[1:] == ["b", "b truth", "b result"]
    assert not other.visible
    review.best.click()
    assert opened(qtbot, session, review)[1:] == ["a", "a truth", "a result"], "what was shown before goes"
    review.both.click()
    assert opened(qtbot, session, review)[1:] == ["b", "b truth", "b result", "a", "a truth", "a result"]
    layers = session.viewer.layers
    first, second = layers["b"].extent.world, layers["a"].extent.world
    assert second[0, 1] > first[1, 1], "beside each other"
    middle = (first.min(axis=0) + second.max(axis=0)) / 2
    camera = getattr(session.viewer, "scene", session.viewer).camera
    if "layers" in signature(session.viewer.reset_view).parameters:  # Older napari can only fit all layers.
        assert np.allclose(camera.center[-2:], middle, atol=1), "what is hidden does not decide what is seen"
    sizes = np.concatenate([layers[f"{name} truth"].size for name in "ab"])
    assert np.ptp(sizes) == 0, "points of one size can be compared"
    for name in ("a truth", "a result"):
        assert np.allclose(layers[name].translate, layers["a"].translate)


def test_annotated_image_is_not_taken_away(
    qtbot: QtBot, session: Session, review: CountReview, folders: tuple[Path, Path]
) -> None:
    measure(qtbot, review, folders)
    review.worst.click()
    opened(qtbot, session, review)
    points = session.viewer.add_points(np.zeros((1, 2)), name="mine")
    session.annotate_points(session.viewer.layers["b"], [points])
    review.best.click()
    assert {"b", "mine", "a"} <= set(opened(qtbot, session, review))


def test_images_of_the_session(qtbot: QtBot, session: Session, review: CountReview) -> None:
    session.set_task("counting")
    for name, (found, missed, _) in FIELDS.items():
        pixels = np.zeros((2, 42, 50), np.float32)
        for place in found:
            pixels[(1, *place)] = 50
        image = session.viewer.add_image(pixels, name=name, scale=(1, 2, 2), metadata={"axes": "TYX"})
        points = session.viewer.add_points([(1, *place) for place in found + missed], scale=(1, 2, 2))
        item = session.annotate_points(image, [points])
        session.change(item, validation=name == "b")
    review.source.where.set_value("aside")
    measure(qtbot, review)
    assert [case.origin.frame for case in review.cases] == [1]
    review.worst.click()
    qtbot.waitUntil(lambda: "b truth" in session.viewer.layers, timeout=5000)
    assert session.viewer.layers["b"].visible
    assert not session.viewer.layers["a"].visible
    assert session.viewer.dims.point[0] == 1
    truth = session.viewer.layers["b truth"]
    assert np.allclose(truth.data[:, 0], 1)
    assert np.allclose(truth.scale, (1, 2, 2))
    review.source.where.set_value("open")
    measure(qtbot, review)
    assert len(review.cases) == 3
    session.set_task("instances")
    assert review.source.where.value() == "files", "points are read while counting is what is learnt"


def test_a_bad_file_does_not_stop_the_others(qtbot: QtBot, review: CountReview, folders: tuple[Path, Path]) -> None:
    (folders[1] / "b.csv").write_text("nothing\nof use\n")
    measure(qtbot, review, folders)
    assert [case.name for case in review.cases] == ["a", "c"]
    assert "b" in review.source.note.text()
    assert review.source.note.severity == "warning"


def test_what_is_missing_is_said(
    qtbot: QtBot, session: Session, review: CountReview, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    review.source.start.click()
    assert "Choose the images" in review.source.note.text()
    session.set_model(write_model(tmp_path / "objects.safetensors", task="instances"))
    review.source.images.set_value(folders[:1])
    review.source.truth.set_value(folders[1:])
    review.source.start.click()
    assert "does not count cells" in review.source.note.text()
    session.set_model(None)
    assert not review.source.start.isEnabled()
    session.set_model(tmp_path / "model.safetensors")
    review.source.truth.set_value([tmp_path / "nowhere"])
    measure(qtbot, review)
    assert "nowhere" in review.source.note.text()


def test_cancel_keeps_what_is_measured(qtbot: QtBot, session: Session, folders: tuple[Path, Path]) -> None:
    import threading

    go = threading.Event()

    class Slow(Undercounts):
        def predict(self, sample: Any) -> Any:
            if sample.name == "b":
                go.wait(5)
            return super().predict(sample)

    review = CountReview(session, lambda *_: Slow(get_task("counting").from_options({"spacing": SPACING})))
    qtbot.addWidget(review)
    review.source.images.set_value(folders[:1])
    review.source.truth.set_value(folders[1:])
    with qtbot.waitSignal(review.source.ended, timeout=10_000):
        review.source.start.click()
        qtbot.waitUntil(lambda: len(review.cases) == 1)
        review.source.busy.cancel.click()
        go.set()
    assert len(review.cases) < 3
    assert "Cancelled" in review.source.note.text()


def test_vanished_file_is_said(qtbot: QtBot, session: Session, review: CountReview, folders: tuple[Path, Path]) -> None:
    measure(qtbot, review, folders)
    (folders[0] / "b.tif").unlink()
    review.worst.click()
    opened(qtbot, session, review)
    assert review.note.severity == "error"


def test_review_follows_the_task(qtbot: QtBot, session: Session) -> None:
    tab = ReviewTab(session)
    qtbot.addWidget(tab)
    tab.show()
    session.set_task("counting")
    assert tab.part(CountReview).isVisible()
    session.set_task("classification")
    assert (tab.part(ClassReview).isVisible(), tab.part(CountReview).isVisible()) == (True, False)
    session.set_task("instances")
    assert tab.part(ReviewPanel).isVisible()
    tab.set_colours("#000000", "#ffffff")
