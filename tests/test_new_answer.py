"""A new kind of answer, all of it in this file: it trains, predicts a folder, and shows in the window.

The task finds the brightest ridge of each image and answers with a line through it: a kind of answer that the program
knows nothing of.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from napari.layers import Image as ImageLayer
from napari.layers import Shapes
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QLabel

from microforge.annotations import LABELS
from microforge.answers import AnswerKind, Result, ResultRules
from microforge.config import TrainingConfig
from microforge.events import ImageFinished, RunFinished
from microforge.gui import review as review_room
from microforge.gui.apply import results as results_room
from microforge.gui.apply.results import Added, ResultsPart, register_results
from microforge.gui.dock import MicroforgeDock
from microforge.gui.review import Review, register_review
from microforge.gui.session.state import Session
from microforge.inference.folder.run import predict_folder
from microforge.inference.open_images import OpenImagePredicted
from microforge.inference.predictor import Predictor
from microforge.io.atomic import atomic_write_text
from microforge.io.tables import TableRows, text_rows
from microforge.io.writing import write_image
from microforge.tasks import available_tasks
from microforge.tasks.base import Direction, Task
from microforge.training.loop import train
from microforge.types import Image, Prediction, Sample, Target

# The engine's half ------------------------------------------------------------------------------------------------


#: A task is known by its name: this has it while this file is tested.
RIDGE = "toy ridge"


class Ridges(AnswerKind):
    """A line across the image, as rows of a table and a text file."""

    name: ClassVar[str] = "ridge"
    truth = LABELS
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    tables: ClassVar[tuple[str, ...]] = ("ridges",)

    def result(self, path: Path, source: Image, samples: Sequence[Sample], rules: ResultRules) -> Result:
        return RidgeFile(path, source)


RIDGES = Ridges()


class RidgeFile(Result):
    """Writes the height of the ridge in each time point."""

    def __init__(self, path: Path, source: Image) -> None:
        super().__init__(source, path)
        self.heights: list[float] = []

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            atomic_write_text(self.path, "\n".join(f"{height:.2f}" for height in self.heights))

    def add(self, prediction: Prediction) -> None:
        self.heights.append(prediction.statistics["height"])

    @property
    def statistics(self) -> Mapping[str, float | str]:
        return {"height": float(np.mean(self.heights))}

    @property
    def tables(self) -> Mapping[str, TableRows]:
        return {"ridges": text_rows(("frame", "height"), list(enumerate(self.heights)))}


class FindRidge(Task):
    """Learns where the ridge is from its painted pixels."""

    title: ClassVar[str] = "Toy: find the ridge"
    description: ClassVar[str] = "Finds the bright ridge across an image."
    annotation = LABELS
    answer = RIDGES
    monitor: ClassVar[tuple[str, Direction]] = ("off by", "min")

    def encode(self, sample: Sample) -> Target:
        inside = (sample.annotation > 0).astype(np.float32)[None]
        return Target(inside, np.ones_like(inside))

    def loss(self, output: torch.Tensor, batch: Any) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(output, batch.target)

    def decode(self, output: np.ndarray) -> Prediction:
        return Prediction(
            statistics={"height": float(np.average(np.arange(output.shape[1]), weights=(output[0] > 0).sum(1) + 1e-6))}
        )

    def statistics(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        return dict(prediction.statistics)

    def tally(self, prediction: Prediction, sample: Sample) -> dict[str, float]:
        true = float((sample.annotation > 0).any(1).argmax()) + 4
        return {"off": abs(prediction.statistics["height"] - true), "images": 1.0}

    def summarise(self, tally: Mapping[str, float]) -> dict[str, float]:
        return {"off by": tally["off"] / tally["images"]}


# The window's half ------------------------------------------------------------------------------------------------


class RidgeResults(ResultsPart):
    """Draws the line."""

    def add(self, event: OpenImagePredicted, details: Mapping[str, Any]) -> Added | None:
        if event.task.answer is not RIDGES:
            return None
        height = event.prediction.statistics["height"]
        layer = Shapes([np.array([[height, 0], [height, 63]])], shape_type="line", name=f"{event.place.name} (ridge)")
        self._session.viewer.add_layer(layer)
        return Added(f"a ridge at {height:.0f}")


# ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True, scope="module")
def _known_here_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FindRidge, "name", RIDGE, raising=False)
        patch.setattr(results_room, "_PARTS", list(results_room._PARTS))
        patch.setattr(review_room, "_REVIEWS", list(review_room._REVIEWS))
        register_results(RidgeResults)
        register_review(Review("ridges", (RIDGES,), lambda _session, _make: QLabel("Look at the line.")))
        available_tasks.cache_clear()
        yield
    available_tasks.cache_clear()


def ridge(height: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.zeros((64, 64), np.int32)
    labels[height - 4 : height + 5] = 1
    return (100 + 120 * labels + rng.normal(0, 5, labels.shape)).astype(np.float32), labels


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = [Sample(f"field {h}", ridge(h, h)[0][None], ridge(h)[1]) for h in (12, 30, 50)]
    settings = {"steps": 400, "device": "cpu", "patch_size": 64, "width": 8, "depth": 1, "batch_size": 4}
    folder = tmp_path_factory.mktemp("run")
    *_, last = train(TrainingConfig(task=RIDGE, **settings), samples[:2], samples[2:], folder)
    assert isinstance(last, RunFinished)
    assert last.model is not None
    return last.model


def test_it_is_trained_and_predicted(model: Path) -> None:
    assert Predictor(model).predict(ridge(40, 1)[0]).statistics["height"] == pytest.approx(40, abs=3)


def test_a_folder_gets_its_files_and_its_table(model: Path, tmp_path: Path) -> None:
    for height in (20, 44):
        write_image(tmp_path / f"h{height}.tif", ridge(height, 3)[0], "YX", None)
    write_image(tmp_path / "series.tif", np.stack([ridge(h, 4)[0] for h in (10, 25)]), "TYX", None)
    events = list(predict_folder(model, [tmp_path], tmp_path.parent / "out"))
    out = tmp_path.parent / "out"
    assert sum(isinstance(event, ImageFinished) for event in events) == 3
    assert float((out / "h20.txt").read_text()) == pytest.approx(20, abs=3)
    rows = list(csv.DictReader((out / "ridges.csv").read_text().splitlines()))
    found = [(row["name"], row["frame"], round(float(row["height"]))) for row in rows]
    assert [one[:2] for one in found] == [("h20", "0"), ("h44", "0"), ("series", "0"), ("series", "1")]
    assert [one[2] for one in found] == pytest.approx([20, 44, 10, 25], abs=3)
    assert not (out / "objects.csv").exists()
    images = list(csv.DictReader((out / "images.csv").read_text().splitlines()))
    assert "objects" not in images[0]
    again = list(predict_folder(model, [tmp_path], out))
    assert not any(isinstance(event, ImageFinished) for event in again), "all is done"
    (out / "h44.txt").unlink()
    once_more = [event for event in predict_folder(model, [tmp_path], out) if isinstance(event, ImageFinished)]
    assert [event.path.name for event in once_more] == ["h44.tif"]


def test_it_shows_in_the_window(
    model: Path, qtbot: QtBot, make_napari_viewer: Callable[..., Any], tmp_path: Path
) -> None:
    viewer = make_napari_viewer()
    viewer.add_layer(ImageLayer(ridge(33, 6)[0], name="field"))
    dock = MicroforgeDock(viewer, Session(viewer, runs_folder=tmp_path))
    viewer.window.add_dock_widget(dock, name="Microforge")
    session, apply = dock.session, dock.apply.layers
    dock.annotate.task.set_value(RIDGE)
    assert session.config.task == RIDGE, "the goal is offered"
    session.set_model(model)
    with qtbot.waitSignal(session.applying.finished, timeout=60_000):
        apply.start.click()
    assert "a ridge at" in apply.message.text()
    layer = viewer.layers["field (ridge)"]
    assert layer.data[0][0, 0] == pytest.approx(33, abs=3)
    assert dock.review.what.value().text() == "Look at the line."
    viewer.close()
    qtbot.wait(300)
