"""The tab Apply, with a predictor that needs no network."""

import csv
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from skimage.measure import label

from microforge.config import NetworkConfig, PredictionConfig
from microforge.errors import ModelMismatchError
from microforge.events import (
    FolderFinished,
    FolderStarted,
    ImageFailed,
    ImageFinished,
    ImageSkipped,
    ImageStarted,
    TileFinished,
)
from microforge.gui.apply.panel import ApplyPanel
from microforge.gui.layers.marks import is_result
from microforge.gui.session.state import Session, Step
from microforge.tasks import get_task
from microforge.types import Image, Prediction
from support.model_cards import write_model


class Predictor:
    """Finds what is bright; refuses images called 'bad', and dies of those called 'worse'."""

    made: list[PredictionConfig] = []  # noqa: RUF012 - emptied before each test
    classes: dict[int, str] = {}  # noqa: RUF012
    tiles = 3
    pause = 0.0

    def __init__(self, model: Path, config: PredictionConfig) -> None:
        self.made.append(config)
        self.task = get_task("segmentation" if self.classes else "instances")()
        if self.classes:
            self.task = type(self.task).from_options({"classes": self.classes})

    def run_image(self, image: Image) -> Iterator[TileFinished | Prediction]:
        if "bad" in image.name:
            raise ModelMismatchError("The image has 2 channels, the model needs 1.", where=image.name)
        if "worse" in image.name:
            raise RuntimeError("CUDA ran out of memory")
        for tile in range(self.tiles):
            time.sleep(self.pause)
            yield TileFinished(tile + 1, self.tiles)
        data = np.asarray(image.data)
        yield Prediction(labels=label(data > 0).astype(np.int32))


@pytest.fixture
def predictor() -> type[Predictor]:
    class Fresh(Predictor):
        made: list[PredictionConfig] = []  # noqa: RUF012

    return Fresh


@pytest.fixture
def panel(qtbot: Any, session: Session, predictor: type[Predictor], tmp_path: Path) -> ApplyPanel:
    panel = ApplyPanel(session, predictor)
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    return panel


def test_without_a_model_the_way_to_one_is_shown(qtbot: Any, session: Session, tmp_path: Path) -> None:
    wanted: list[Step] = []
    session.step_wanted.connect(lambda step, _: wanted.append(step))
    panel = ApplyPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.steps.isVisible()
    assert not panel.layers.isVisible()
    assert not panel.folder.isVisible()
    panel.to_train.click()
    assert wanted == [Step.TRAIN]
    session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    assert not panel.steps.isVisible()
    assert not panel.to_train.isVisible()
    assert panel.layers.isVisible()
    assert panel.folder.isVisible()
    session.set_model(None)
    assert panel.steps.isVisible()
    assert panel.layers.isVisible(), "what was found stays in sight when a model is discarded"


def points(*places: tuple[int, int]) -> np.ndarray:
    image = np.zeros((12, 14), np.float32)
    for place in places:
        image[place] = 5
    return image


def run(qtbot: Any, session: Session, start: Callable[[], None]) -> None:
    with qtbot.waitSignal(session.applying.finished, timeout=10_000):
        start()


def test_nothing_can_start_without_model_or_image(qtbot: Any, session: Session, tmp_path: Path) -> None:
    panel = ApplyPanel(session)
    qtbot.addWidget(panel)
    assert "No model yet" in panel.picker.card.text()
    assert not panel.layers.start.isEnabled()
    session.viewer.add_image(points())
    assert not panel.layers.start.isEnabled()
    session.set_model(write_model(tmp_path / "m.safetensors"))
    assert panel.layers.start.isEnabled()
    session.viewer.layers.clear()
    assert not panel.layers.start.isEnabled()
    assert "Select image layers" in panel.layers.chosen.text()


def test_many_selected_layers_do_not_push_the_button_down(panel: ApplyPanel, session: Session, nuclei: Any) -> None:
    before = panel.layers.chosen.text()
    for number in range(41):
        session.viewer.add_image(nuclei, name=f"well {number} of a plate with a rather long name")
    session.viewer.layers.selection = set(session.viewer.layers)
    text = panel.layers.chosen.text()
    assert text.startswith("Selected: ")
    assert text.endswith(" more")
    assert len(text) < 3 * 45 + 30, before
    assert panel.layers.chosen.toolTip().count("\n") >= 40


def test_card_is_shown(panel: ApplyPanel, session: Session, tmp_path: Path) -> None:
    card = panel.picker.card.text()
    assert "Segment objects in 2D images with 1 channel" in card
    assert "AP 0.80" in card
    other = write_model(tmp_path / "other.safetensors", network=NetworkConfig(in_channels=2), channel_names=("a", "b"))
    session.set_model(other)
    assert "2 channels (a, b)" in panel.picker.card.text()
    assert panel.picker.models.count() == 2
    session.set_model(tmp_path / "nuclei.safetensors")
    assert panel.picker.models.count() == 2
    assert panel.picker.models.currentText() == "nuclei"


def test_a_model_of_no_use_yet_is_told_and_an_old_one_is_not(
    panel: ApplyPanel, session: Session, tmp_path: Path
) -> None:
    assert "⚠" not in panel.picker.card.text()
    beside = {"kind": "a threshold", "metric": "AP", "value": 0.9, "images": 7}
    session.set_model(write_model(tmp_path / "poor.safetensors", baseline=beside))
    assert "⚠ Not yet better than a threshold. Train longer" in panel.picker.card.text()
    assert "AP 0.800, a threshold 0.900" in panel.picker.card.toolTip()


def test_how_good_a_model_is_stands_there_in_words(panel: ApplyPanel, session: Session, tmp_path: Path) -> None:
    metrics = {"AP@0.5": 0.86, "F1@0.5": 0.92, "recall@0.5": 0.9, "precision@0.5": 0.95, "PQ": 0.78}
    session.set_model(write_model(tmp_path / "good.safetensors", metrics=metrics))
    assert "Finds 9 of 10 objects; 1 in 20 it finds is none; borders fit well." in panel.picker.card.text()
    assert "AP@0.5" not in panel.picker.card.text()
    assert "AP@0.5 0.860" in panel.picker.card.toolTip()
    session.set_model(write_model(tmp_path / "unmeasured.safetensors", metrics={}))
    assert "Quality was not measured." in panel.picker.card.text()


@pytest.mark.parametrize("content", [b"", b"abc", struct.pack("<Q", 3) + b"xyz"])
def test_damaged_model_is_explained(panel: ApplyPanel, session: Session, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.safetensors").write_bytes(content)
    session.set_model(tmp_path / "broken.safetensors")
    assert "cannot be read" in panel.picker.card.text()


def test_unknown_task_does_not_break_the_panel(panel: ApplyPanel, session: Session, tmp_path: Path) -> None:
    session.set_model(write_model(tmp_path / "future.safetensors", task="dream"))
    assert "dream" in panel.picker.card.text()


def test_selected_layers_are_predicted(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    first = session.viewer.add_image(points((2, 3), (7, 8)), name="first", scale=(0.5, 0.5), units=("um", "um"))
    second = session.viewer.add_image(points((1, 1)), name="second")
    session.viewer.add_image(points(), name="other")
    session.viewer.layers.selection = {first, second}
    assert "first, second" in panel.layers.chosen.text()
    run(qtbot, session, panel.layers.apply)
    assert "first (objects)" in session.viewer.layers
    assert "second (objects)" in session.viewer.layers
    assert "other (objects)" not in session.viewer.layers
    result = session.viewer.layers["first (objects)"]
    assert result.features["area"].tolist()[1:] == [1, 1]
    assert result.features["area_um2"].tolist()[1:] == [0.25, 0.25]
    assert result.features["mean_intensity"].tolist()[1:] == [5, 5]
    assert "first: 2 objects" in panel.layers.message.text()
    assert "second: 1 object " in panel.layers.message.text()
    assert not panel.layers.busy.isVisible()
    assert panel.layers.start.isEnabled()


def test_image_is_found_behind_its_annotation_and_its_result(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    image = session.viewer.add_image(points((2, 2)), name="cells")
    session.viewer.add_image(points(), name="other")
    labels = session.viewer.add_labels(np.zeros((12, 14), int))
    session.annotate(image, labels)
    session.viewer.layers.selection = {labels}
    assert panel.layers.images() == [image]
    run(qtbot, session, panel.layers.apply)
    session.viewer.layers.selection = {session.viewer.layers["cells (objects)"]}
    assert panel.layers.images() == [image]


def test_one_bad_image_does_not_stop_the_others(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    layers = [session.viewer.add_image(points((1, 1)), name=name) for name in ("bad", "good")]
    session.viewer.layers.selection = set(layers)
    run(qtbot, session, panel.layers.apply)
    assert "model needs 1" in panel.layers.message.text()
    assert panel.layers.message.severity == "error"
    assert "good (objects)" in session.viewer.layers


def test_unforeseen_error_is_shown_and_the_panel_works_on(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    layer = session.viewer.add_image(points((1, 1)), name="worse")
    run(qtbot, session, panel.layers.apply)
    assert "CUDA ran out of memory" in panel.layers.message.text()
    layer.name = "fine"
    run(qtbot, session, panel.layers.apply)
    assert "fine: 1 object" in panel.layers.message.text()


def test_cancel(qtbot: Any, panel: ApplyPanel, session: Session, predictor: type[Predictor]) -> None:
    predictor.tiles, predictor.pause = 1000, 0.01
    session.viewer.add_image(points((1, 1)), name="cells")
    panel.layers.apply()
    qtbot.waitUntil(lambda: panel.layers.busy.bar.value() > 0)
    assert "cells" in panel.layers.busy.text.text()
    assert not panel.layers.start.isEnabled()
    assert not panel.folder.start.isEnabled()
    began = time.monotonic()
    with qtbot.waitSignal(session.applying.finished, timeout=5000):
        panel.layers.busy.cancel.click()
    assert time.monotonic() - began < 1
    assert "Cancelled" in panel.layers.message.text()
    assert len(session.viewer.layers) == 1
    assert panel.layers.start.isEnabled()


def test_second_run_is_refused(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    session.viewer.add_image(points((1, 1)))
    hold = threading.Event()
    session.applying.start(lambda: iter([hold.wait(5)]))
    panel.layers.apply()
    assert "under way" in panel.layers.message.text()
    with qtbot.waitSignal(session.applying.finished):
        hold.set()


def test_layer_removed_meanwhile(qtbot: Any, panel: ApplyPanel, session: Session, predictor: type[Predictor]) -> None:
    predictor.pause = 0.05
    session.viewer.add_image(points((1, 1)), name="cells")
    panel.layers.apply()
    session.viewer.layers.clear()
    qtbot.waitUntil(lambda: not session.applying.running)
    assert [layer.name for layer in session.viewer.layers] == ["cells (objects)"]


def test_classes_are_named(qtbot: Any, panel: ApplyPanel, session: Session, predictor: type[Predictor]) -> None:
    predictor.classes = {0: "nothing", 1: "vessel", 2: "gland"}
    session.viewer.add_image(points((1, 1), (5, 5)), name="tissue")
    run(qtbot, session, panel.layers.apply)
    layer = session.viewer.layers["tissue (classes)"]
    assert layer.features["class"].tolist() == ["", "vessel", "gland"]


def test_axes_are_asked_once(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    layer = session.viewer.add_image(np.stack([points((1, 1)), points((2, 2), (5, 5))]), name="film")
    assert panel.layers.about.axes.isVisible()
    panel.layers.about.axes.choose(0, "T")
    assert session.axes_of(layer) == "TYX"
    run(qtbot, session, panel.layers.apply)
    assert session.viewer.layers["film (objects)"].features["frame"].tolist()


def test_table_is_saved(qtbot: Any, panel: ApplyPanel, session: Session, tmp_path: Path) -> None:
    layers = [
        session.viewer.add_image(points((2, 3), (7, 8)), name="a"),
        session.viewer.add_image(points((2, 3)), name="b", scale=(0.5, 0.5), units=("um", "um")),
    ]
    session.viewer.layers.selection = set(layers)
    run(qtbot, session, panel.layers.apply)
    panel.layers.objects.save_table(tmp_path / "objects.csv")
    with (tmp_path / "objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == ["a", "a", "b"]
    assert [float(row["area"]) for row in rows] == [1, 1, 1]
    assert rows[2]["area_um2"] == "0.25"
    panel.layers.objects.save_table(tmp_path / "missing" / "objects.csv")
    assert panel.layers.message.severity == "error"


def learnt(qtbot: Any, panel: ApplyPanel) -> None:
    with qtbot.waitSignal(panel.layers.objects.taking.relay.finished, timeout=10_000):
        panel.layers.objects.correct.click()


def test_result_becomes_the_annotation_of_its_image(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    image = session.viewer.add_image(points((2, 3), (7, 9)), name="cells", scale=(0.5, 0.5))
    run(qtbot, session, panel.layers.apply)
    result = session.viewer.layers["cells (objects)"]
    learnt(qtbot, panel)
    item = session.annotated_of(image)
    assert item is not None
    assert isinstance(item.labels, Labels)
    assert not is_result(item.labels)
    assert np.array_equal(item.labels.data, result.data)
    assert not np.shares_memory(item.labels.data, result.data)
    assert item.labels.scale.tolist() == [0.5, 0.5]
    assert not result.visible
    assert session.viewer.layers.selection.active is item.labels
    assert item.labels.mode == "paint"


def test_result_is_added_to_what_she_painted_which_stays(qtbot: Any, panel: ApplyPanel, session: Session) -> None:
    image = session.viewer.add_image(points((2, 3), (7, 9)), name="cells")
    mine = np.zeros((12, 14), np.uint8)
    mine[1:4, 2:5], mine[10:12, 0:2] = 255, 4
    labels = session.viewer.add_labels(mine.copy(), name="mine")
    region = session.viewer.add_shapes([[0, 0], [9, 9]], shape_type="rectangle")
    session.set_region(session.annotate(image, labels), region)
    run(qtbot, session, panel.layers.apply)
    said: list[str] = []
    session.message.connect(lambda text, _: said.append(text))
    learnt(qtbot, panel)
    item = session.annotated_of(image)
    assert item is not None
    assert item.labels is labels
    assert item.region is region, "what is annotated completely still counts"
    after = np.asarray(labels.data)
    assert np.array_equal(after[mine > 0], mine[mine > 0])
    assert [int(after[7, 9]), int((after > 0).sum())] == [256, int((mine > 0).sum()) + 1]
    assert "1 object is yours now" in said[-1]
    labels.undo()
    assert np.array_equal(labels.data, mine)


def test_each_time_point_of_a_result_is_taken_with_labels_of_its_own(
    qtbot: Any, panel: ApplyPanel, session: Session
) -> None:
    frames = np.stack([points((2, 3)), points((2, 3), (7, 9)), points()])
    image = session.viewer.add_image(frames, name="film")
    session.set_axes(image, "TYX")
    run(qtbot, session, panel.layers.apply)
    learnt(qtbot, panel)
    item = session.annotated_of(image)
    assert item is not None
    labels = np.asarray(item.labels.data)
    assert [len(np.unique(frame)) - 1 for frame in labels] == [1, 2, 0]
    assert len(np.unique(labels)) == 4
    item.labels.undo()
    assert not np.asarray(item.labels.data).any()


def test_settings_reach_the_predictor(
    qtbot: Any, panel: ApplyPanel, session: Session, predictor: type[Predictor]
) -> None:
    session.viewer.add_image(points((1, 1)))
    run(qtbot, session, panel.layers.apply)
    assert predictor.made[-1].task_options == {}
    form = panel.settings._task
    assert form is not None
    form.fields["smallest"].widget.value = 33
    run(qtbot, session, panel.layers.apply)
    assert predictor.made[-1].task_options == {"smallest": 33}


def folder_run(model: Path, inputs: list[Path], output: Path, **options: Any) -> Iterator[Any]:
    paths = tuple(inputs[0] / name for name in ("a.tif", "b.tif", "c.tif"))
    yield FolderStarted(paths, output)
    yield ImageStarted(paths[0], 0)
    yield TileFinished(1, 2)
    yield ImageFinished(paths[0], output / "a.tif", objects=1234, notes=("A note.",))
    yield ImageStarted(paths[1], 1)
    yield ImageFailed(paths[1], "It is cut off.", "Copy it again.")
    yield ImageSkipped(paths[2], "Done before.", output / "b_c.tif")
    yield FolderFinished(1, 1, 1, output)


def make_folder_panel(qtbot: Any, session: Session, tmp_path: Path, predict: Any) -> ApplyPanel:
    panel = ApplyPanel(session, None, predict)
    qtbot.addWidget(panel)
    panel.show()
    session.set_model(write_model(tmp_path / "nuclei.safetensors"))
    (tmp_path / "images").mkdir()
    panel.folder.inputs.set_value([tmp_path / "images"])
    return panel


def test_folder_run(qtbot: Any, session: Session, tmp_path: Path) -> None:
    calls = []

    def predict(*args: Any, **options: Any) -> Iterator[Any]:
        calls.append((args, options))
        return folder_run(*args, **options)

    panel = make_folder_panel(qtbot, session, tmp_path, predict)
    assert panel.folder.output.value() == [tmp_path / "images results"]
    panel.folder.axes.setText("tyx")
    run(qtbot, session, panel.folder.run)
    assert [row.state for row in panel.folder.table.files.rows] == ["done", "failed", "skipped"]
    assert panel.folder.table.files.rows[2].result == tmp_path / "images results" / "b_c.tif"
    assert "1 done, 1 skipped, 1 failed" in panel.folder.message.text()
    assert calls[0][0] == (tmp_path / "nuclei.safetensors", [tmp_path / "images"], tmp_path / "images results")
    assert calls[0][1]["axes"] == "TYX"
    assert calls[0][1]["overwrite"] is False
    assert not panel.folder.busy.isVisible()


def test_folder_that_cannot_start(qtbot: Any, session: Session, tmp_path: Path) -> None:
    def predict(*_: Any, **__: Any) -> Iterator[Any]:
        raise ModelMismatchError("There is no image to predict.", remedy="Give image files.")

    panel = make_folder_panel(qtbot, session, tmp_path, predict)
    run(qtbot, session, panel.folder.run)
    assert panel.folder.message.text() == "There is no image to predict. Give image files."
    assert panel.folder.start.isEnabled()


def test_folder_is_cancelled(qtbot: Any, session: Session, tmp_path: Path) -> None:
    def predict(model: Path, inputs: list[Path], output: Path, **_: Any) -> Iterator[Any]:
        paths = tuple(inputs[0] / f"{n}.tif" for n in range(1000))
        yield FolderStarted(paths, output)
        for n, path in enumerate(paths):
            yield ImageStarted(path, n)
            time.sleep(0.01)
            yield ImageFinished(path, output / path.name, objects=n)

    panel = make_folder_panel(qtbot, session, tmp_path, predict)
    panel.folder.run()
    qtbot.waitUntil(lambda: panel.folder.table.files.count("done") > 3)
    assert "of 1,000 files" in panel.folder.busy.text.text()
    with qtbot.waitSignal(session.applying.finished, timeout=1000):
        panel.folder.busy.cancel.click()
    assert "Cancelled" in panel.folder.message.text()
    assert panel.folder.table.files.count("working") == 0
    assert panel.folder.table.files.count("waiting") > 900


def test_result_is_opened_by_double_click(qtbot: Any, session: Session, tmp_path: Path) -> None:
    from microforge.io.writing import write_image, write_labels

    panel = make_folder_panel(qtbot, session, tmp_path, folder_run)
    run(qtbot, session, panel.folder.run)
    out = tmp_path / "images results"
    out.mkdir()
    image = np.arange(3 * 2 * 8 * 9, dtype=np.uint16).reshape(3, 2, 8, 9)
    write_image(tmp_path / "images" / "a.tif", image, "TCYX", (0.5, 0.5))
    write_labels(out / "a.tif", np.ones((3, 8, 9), np.uint32), "TYX", (0.5, 0.5))
    table = panel.folder.table
    with qtbot.waitSignal(panel.folder._opening.finished, timeout=5000):
        table.doubleClicked.emit(table.model().index(0, 0))
    layer, labels = session.viewer.layers
    assert layer.data.shape == (3, 2, 8, 9)
    assert session.axes_of(layer) == "TCYX"
    np.testing.assert_allclose(layer.scale, (1, 1, 0.5, 0.5))
    np.testing.assert_allclose(labels.scale, layer.scale)
    with qtbot.waitSignal(panel.folder._opening.finished, timeout=5000):
        table.doubleClicked.emit(table.model().index(1, 0))
    assert panel.folder.message.severity == "error"


def test_activity_dock_knows(qtbot: Any, panel: ApplyPanel, session: Session, predictor: type[Predictor]) -> None:
    from napari.utils import progress

    predictor.pause = 0.05
    session.viewer.add_image(points((1, 1)), name="cells")
    before = len(progress._all_instances)
    panel.layers.apply()
    assert len(progress._all_instances) == before + 1
    qtbot.waitUntil(lambda: not session.applying.running)
    assert len(progress._all_instances) == before
