"""What a person says of an image's dimensions and pixels: one answer for a layer, in all tabs, results and tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image, Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from scipy.ndimage import label

from microforge.annotations import LABELS
from microforge.gui.annotate.panel import AnnotatePanel
from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.layers.convert import image_of
from microforge.gui.layers.layer_axes import dimensions_of, layer_pixel_size, say_axes, say_sizes
from microforge.gui.layers.open_files import Opened, show_opened
from microforge.gui.session.annotation_watcher import Watch
from microforge.gui.session.snapshot import snapshot_of
from microforge.gui.session.state import Session
from microforge.gui.widgets.dimensions.about_image import AboutImage
from microforge.gui.widgets.dimensions.pixel_size_fields import PixelSizeFields
from microforge.measurements.objects import measure_objects
from microforge.tasks import get_task
from microforge.types import Image as ReadImage
from microforge.types import Prediction
from support.model_cards import write_model


class Predictor:
    """Finds what is bright, and measures it with the pixel size that it was given."""

    def __init__(self, *_: object) -> None:
        self.task = get_task("instances")()

    def run_image(self, image: ReadImage) -> Iterator[Prediction]:
        labels = label(np.asarray(image.data) > 0)[0].astype(np.int32)
        yield Prediction(labels=labels, measurements=measure_objects(labels, None, image.pixel_size))


@pytest.fixture
def panels(qtbot: QtBot, session: Session, tmp_path: Path) -> Iterator[tuple[AnnotatePanel, ApplyPanel]]:
    watch = Watch(session)
    annotate, apply = AnnotatePanel(session, watch), ApplyPanel(session, Predictor)
    for panel in (annotate, apply):
        qtbot.addWidget(panel)
        panel.show()
    session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    yield annotate, apply
    watch.close()
    annotate.close_down()


@pytest.fixture
def film(session: Session) -> Image:
    pixels = np.zeros((6, 20, 24), np.float32)
    pixels[:, 4:10, 5:11] = 9
    layer: Image = session.viewer.add_image(pixels, name="film")
    return layer


def type_into(fields: PixelSizeFields, letters: str, text: str) -> None:
    line = fields.fields[letters]
    line.setFocus()
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)


def open_fields(about: AboutImage) -> PixelSizeFields:
    if not about.is_open:
        about.change.click()
    return about.sizes


def test_what_was_said_in_one_tab_is_known_in_the_other(panels: Any, session: Session, film: Image) -> None:
    annotate, apply = panels
    assert apply.layers.about.axes.value() == "ZYX"
    annotate.axes.choose(0, "T")
    annotate.tools[LABELS].annotate.click()
    session.viewer.layers.selection.active = film
    assert apply.layers.about.axes.value() == "TYX"
    assert apply.layers.about.words.text().startswith("6 time points of 20 × 24 pixels")
    assert not apply.layers.about.is_open
    open_fields(apply.layers.about)
    apply.layers.about.axes.choose(0, "Z")
    assert annotate.about_image.words.text().startswith("6 planes of 20 × 24 pixels")
    film.name = "renamed"
    assert image_of(film).axes == "ZYX"
    assert image_of(film).axes_known


def test_a_copy_of_a_layer_and_another_dock_know_the_answer(film: Image) -> None:
    say_axes(film, "TYX")
    say_sizes(film, {"Y": 0.5, "X": 0.5})
    copy = Image(*film.as_layer_data_tuple()[:1], **film.as_layer_data_tuple()[1])
    assert (image_of(copy).axes, image_of(copy).pixel_size) == ("TYX", (0.5, 0.5))


def test_the_likely_answer_is_taken_when_she_goes_on(panels: Any, film: Image) -> None:
    annotate, _ = panels
    assert annotate.about_image.is_open
    assert "Is this right?" in annotate.about_image.words.text()
    annotate.tools[LABELS].annotate.click()
    assert not annotate.about_image.is_open
    assert annotate.about_image.words.text() == "6 planes of 20 × 24 pixels; pixel size unknown"


def test_images_of_one_shape_are_asked_once(panels: Any, session: Session, film: Image) -> None:
    _, apply = panels
    other = session.viewer.add_image(film.data.copy(), name="film 2")
    smaller = session.viewer.add_image(film.data[:5].copy(), name="short film")
    session.viewer.layers.selection = {film, other, smaller}
    apply.layers.about.axes.choose(0, "T")
    assert [dimensions_of(layer).known for layer in (film, other)] == [True, True]
    assert apply.layers.about.axes.isVisible()
    apply.layers.about.axes.choose(0, "T")
    assert dimensions_of(smaller).axes == "TYX"


def test_what_would_lose_painting_is_refused_in_words(panels: Any, session: Session, film: Image) -> None:
    annotate, apply = panels
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    annotate.tools[LABELS].annotate.click()
    session.viewer.layers.selection.active = film
    open_fields(apply.layers.about)
    apply.layers.about.axes.choose(0, "C")
    assert "What is drawn on it would not fit" in said[-1]
    assert (image_of(film).axes, apply.layers.about.axes.value(), annotate.axes.value()) == ("ZYX", "ZYX", "ZYX")
    apply.layers.about.axes.choose(0, "T")
    assert image_of(film).axes == "TYX"


def test_typed_sizes_reach_training_results_and_tables(
    qtbot: QtBot, panels: Any, session: Session, film: Image
) -> None:
    annotate, apply = panels
    annotate.tools[LABELS].annotate.click()
    fields = open_fields(annotate.about_image)
    type_into(fields, "YX", "0,5")
    assert dimensions_of(film).pixel_size is None
    type_into(fields, "Z", "2")
    assert annotate.about_image.words.text().endswith("pixel size 0.5 µm, planes 2 µm apart")
    item = session.items[0]
    assert isinstance(item.labels, Labels)
    item.labels.data[0, 2, 2] = 1
    (sample,) = snapshot_of(session, item).samples()
    assert sample.pixel_size == (2.0, 0.5, 0.5)
    assert tuple(film.scale) == (1, 1, 1)
    session.viewer.layers.selection.active = film
    with qtbot.waitSignal(session.applying.finished, timeout=10_000):
        apply.layers.apply()
    result = session.viewer.layers["film (objects)"]
    assert result.features["volume_um3"].iloc[-1] == pytest.approx(6 * 6 * 6 * 2 * 0.5 * 0.5)
    assert layer_pixel_size(result, "ZYX") == (2.0, 0.5, 0.5)
    assert tuple(result.scale) == tuple(film.scale)
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    type_into(fields, "Z", "3")
    assert said == ["film: its tables are as they were. Press Apply again to measure with this pixel size."]
    assert layer_pixel_size(result, "ZYX") == (3.0, 0.5, 0.5)


@pytest.mark.parametrize("text", ["0", "-2", "two", "1.000,5"])
def test_no_length_is_said_and_nothing_taken(panels: Any, film: Image, text: str) -> None:
    fields = open_fields(panels[0].about_image)
    type_into(fields, "YX", "0.5")
    type_into(fields, "YX", text)
    assert "0.25" in fields._note.text()
    assert dimensions_of(film).sizes == {"Y": 0.5, "X": 0.5}


def test_a_typed_distance_leaves_the_pixel_size_of_the_file_exact(panels: Any, session: Session) -> None:
    exact = 0.123456789
    layer = session.viewer.add_image(
        np.zeros((6, 20, 24)), scale=(1, exact, exact), units=("pixel", "um", "um"), axis_labels=("Z", "Y", "X")
    )
    fields = open_fields(panels[0].about_image)
    assert fields.fields["YX"].text() == "0.12346"
    type_into(fields, "Z", "2")
    assert layer_pixel_size(layer, "ZYX") == (2.0, exact, exact)
    type_into(fields, "Z", "")
    assert layer_pixel_size(layer, "ZYX") is None


def test_a_file_that_does_not_say_its_axes_is_asked_about_when_it_is_opened(panels: Any, session: Session) -> None:
    image = ReadImage("plain", np.zeros((6, 20, 24), np.float32), "ZYX", axes_known=False)
    layer = show_opened(session.viewer, Opened(image, None))
    assert not image_of(layer).axes_known
    assert panels[0].axes.isVisible()
