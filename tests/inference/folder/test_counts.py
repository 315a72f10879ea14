"""Folder runs of models that count, and of models that tell images apart: files, tables, regions, resuming."""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from microforge.answers import CELLS, OBJECTS
from microforge.answers.cells import NO_REGIONS
from microforge.config import PredictionConfig
from microforge.errors import SettingsError
from microforge.events import FolderStarted, ImageFailed, ImageFinished, ImageSkipped, TileFinished
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.naming import hash_settings
from microforge.inference.folder.run import predict_folder, run_folder
from microforge.io.model_file import save_model
from microforge.tasks import get_task
from microforge.tasks.counting.interval import Interval
from microforge.tasks.counting.options import CountingOptions
from microforge.tasks.counting.task import Counting
from microforge.types import Prediction, Sample
from support.random_models import classifying_model, counting_model
from support.runs import csv_rows, of_type
from support.thresholding import Thresholding

INTERVAL = Interval(width=1.0, typical=4.0, images=20)
TASK = Counting(CountingOptions(spacing=12, steps=(1, 1), intervals={"": INTERVAL}))


class Finding:
    """Stands for a predictor: a cell is a bright spot, and the density that of its middle."""

    device, batch_pixels = "cpu", 1 << 19

    def __init__(self, task: Counting = TASK) -> None:
        self.task = task
        self.kept: list[Any] = []

    def prepare(self, sample: Sample) -> None: ...

    def fits_one_tile(self, sample: Sample) -> bool:
        return max(sample.image.shape[1:]) <= 64

    def forward_many(self, samples: Sequence[Sample]) -> list[Any]:
        return [np.asarray(sample.image) for sample in samples]

    def finish(self, output: Any, sample: Sample) -> Prediction:
        spots, number = ndimage.label(output[0] > 100)
        density = np.zeros((len(self.task.kinds), *spots.shape), np.float32)
        for k, middle in enumerate(ndimage.center_of_mass(spots, spots, range(1, number + 1))):
            density[(k % len(density), *np.round(middle).astype(int))] = 1
        smooth = np.stack([ndimage.gaussian_filter(one, self.task.sigmas, mode="constant") for one in density])
        prediction = self.task.decode(smooth)
        return Prediction(
            image=prediction.image,
            points=prediction.points,
            measurements=prediction.measurements,
            statistics=self.task.statistics(prediction, sample),
        )

    def run_frames(self, samples: Sequence[Sample]) -> Iterator[TileFinished | Prediction]:
        for done, sample in enumerate(samples, start=1):
            yield self.finish(np.asarray(sample.image), sample)
            yield TileFinished(done, len(samples))


def spots(cells: int, shape: tuple[int, ...] = (64, 64)) -> np.ndarray:
    """Give an image with cells in a grid, three to a row, counted from the upper left corner."""
    image = np.full(shape, 10, np.uint8)
    for k in range(cells):
        y, x = 12 + 18 * (k // 3), 12 + 18 * (k % 3)
        image[..., y - 1 : y + 2, x - 1 : x + 2] = 200
    return image


def write(path: Path, image: np.ndarray, **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    tifffile.imwrite(path, image, **options)
    return path


def origin(folder: Path, **changes: Any) -> Origin:
    usual = {"output": folder / "out", "model": "m", "model_hash": "1", "settings_hash": "2"}
    kind = {"answer": CELLS, "count": TASK.count}
    return Origin(**(usual | kind | changes))


def run(paths: Sequence[Path], where: Origin, task: Counting = TASK) -> list[Any]:
    return list(run_folder(Finding(task), list(paths), where))  # type: ignore[arg-type]


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / "in" / f"i{k}.tif", spots(k)) for k in range(4)]


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Two regions: the first row of cells, and all below."""
    labels = np.ones((64, 64), np.uint8)
    labels[20:] = 2
    return write(tmp_path / "halves.tif", labels)


def test_every_image_gets_its_points_and_a_row_of_counts(tmp_path: Path, images: list[Path]) -> None:
    events = run(images, origin(tmp_path))
    assert of_type(events, FolderStarted)[0].things == "cells"
    finished = {event.path: event for event in of_type(events, ImageFinished)}
    assert [finished[path].objects for path in images] == [0, 1, 2, 3]
    assert finished[images[2]].result == tmp_path / "out" / "i2.csv"
    assert not list((tmp_path / "out").glob("*.tif"))
    assert not (tmp_path / "out" / "objects.csv").exists()
    points = csv_rows(tmp_path / "out" / "i2.csv")
    assert sorted((round(float(row["y"])), round(float(row["x"]))) for row in points) == [(12, 12), (12, 30)]
    assert all(0 < float(row["confidence"]) <= 1 for row in points)
    with zipfile.ZipFile(tmp_path / "out" / "i2.zip") as archive:
        assert len(archive.namelist()) >= 1
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert [(row["name"], row["region"], row["count"], row["points"]) for row in rows] == [
        (f"i{k}", "image", f"{k}.00", str(k)) for k in range(4)
    ]
    assert [row["area_px"] for row in rows] == ["4096"] * 4
    assert {row["area_um2"] + row["cells_per_mm2"] for row in rows} == {""}
    assert float(rows[3]["low"]) < 3 < float(rows[3]["high"])


def test_the_table_of_images_has_the_counts(tmp_path: Path, images: list[Path]) -> None:
    run(images, origin(tmp_path))
    rows = csv_rows(tmp_path / "out" / "images.csv")
    assert [float(row["count"]) for row in rows] == pytest.approx([0, 1, 2, 3], abs=1e-3)
    assert "objects" not in rows[0]
    assert rows[1]["result"] == "i1.csv"
    assert float(rows[2]["low"]) < 2 < float(rows[2]["high"])


def test_regions_are_counted_with_their_area(tmp_path: Path, halves: Path) -> None:
    scaled = {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um", "axes": "YX"}}
    path = write(tmp_path / "scaled.tif", spots(5), **scaled)
    run([path], origin(tmp_path, regions=halves))
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert rows[0]["region"] == "image"
    assert [row["points"] for row in rows] == ["5", "3", "2"]
    assert [float(row["count"]) for row in rows] == pytest.approx([5, 3, 2], abs=0.15)
    assert sum(float(row["count"]) for row in rows[1:]) == pytest.approx(5, abs=0.02)
    assert [float(row["area_um2"]) for row in rows] == [1024, 320, 704]
    assert [int(row["area_px"]) for row in rows] == [4096, 1280, 2816]
    assert float(rows[1]["cells_per_mm2"]) == pytest.approx(float(rows[1]["count"]) / 320e-6, rel=0.01)


def test_an_image_without_regions_is_counted_whole_and_says_so(tmp_path: Path, images: list[Path]) -> None:
    write(tmp_path / "regions" / "i3.tif", np.ones((64, 64), np.uint8))
    events = run(images[2:], origin(tmp_path, regions=tmp_path / "regions"))
    notes = {event.path.stem: event.notes for event in of_type(events, ImageFinished)}
    assert notes == {"i2": (NO_REGIONS,), "i3": ()}
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert [(row["name"], row["region"] == "image") for row in rows] == [("i2", True), ("i3", True), ("i3", False)]


def test_regions_of_another_size_are_an_error_of_that_image(tmp_path: Path, images: list[Path]) -> None:
    write(tmp_path / "regions" / "i2.tif", np.ones((32, 64), np.uint8))
    events = run(images[2:], origin(tmp_path, regions=tmp_path / "regions"))
    assert [event.path for event in of_type(events, ImageFailed)] == [images[2]]
    assert [event.path for event in of_type(events, ImageFinished)] == [images[3]]


def test_kinds_have_rows_of_their_own(tmp_path: Path, images: list[Path], halves: Path) -> None:
    task = Counting(CountingOptions(spacing=12, steps=(1, 1), kinds=("red", "green")))
    run(images[3:], origin(tmp_path, count=task.count, regions=halves), task)
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert [row["kind"] for row in rows] == ["red", "green"] * 3
    assert [row["points"] for row in rows[:2]] == ["2", "1"]
    assert [row["low"] for row in rows] == [""] * 6
    assert sorted(row["kind"] for row in csv_rows(tmp_path / "out" / "i3.csv")) == ["green", "red", "red"]
    image = csv_rows(tmp_path / "out" / "images.csv")[0]
    assert float(image["count red"]) == pytest.approx(2, abs=1e-3)


def test_a_series_is_counted_frame_by_frame(tmp_path: Path, halves: Path) -> None:
    movie = np.stack([spots(k) for k in (1, 4, 2)])
    path = write(tmp_path / "movie.tif", movie, metadata={"axes": "TYX"}, ome=True)
    events = run([path], origin(tmp_path, regions=halves))
    assert of_type(events, ImageFinished)[0].objects == 7
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert list(rows[0])[:3] == ["name", "frame", "region"]
    assert [row["frame"] for row in rows] == ["0"] * 3 + ["1"] * 3 + ["2"] * 3
    assert [row["points"] for row in rows if row["region"] == "image"] == ["1", "4", "2"]
    assert float(csv_rows(tmp_path / "out" / "images.csv")[0]["count"]) == pytest.approx(7 / 3, abs=1e-2)
    assert len(csv_rows(tmp_path / "out" / "movie.csv")) == 7


def test_stacks_have_volumes(tmp_path: Path, halves: Path) -> None:
    stack = np.full((5, 64, 64), 10, np.uint8)
    stack[2] = spots(4)
    scaled = {"imagej": True, "resolution": (2, 2), "metadata": {"unit": "um", "axes": "ZYX", "spacing": 2.0}}
    path = write(tmp_path / "stack.tif", stack, **scaled)
    task = Counting(CountingOptions(spacing=12, steps=(4, 1, 1)))
    run([path], origin(tmp_path, count=task.count, regions=halves), task)
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert [row["points"] for row in rows] == ["4", "3", "1"]
    assert [int(row["volume_px"]) for row in rows] == [5 * 4096, 5 * 1280, 5 * 2816]
    assert float(rows[0]["volume_um3"]) == 5 * 4096 * 0.5
    assert float(rows[0]["cells_per_mm3"]) == pytest.approx(float(rows[0]["count"]) / (10240 / 1e9), rel=0.01)


@pytest.mark.parametrize("gone", ["i2.csv", "i2.zip"])
def test_what_is_done_is_left_out_unless_a_file_is_gone(tmp_path: Path, images: list[Path], gone: str) -> None:
    run(images, origin(tmp_path))
    again = run(images, origin(tmp_path))
    assert len(of_type(again, ImageSkipped)) == 4
    (tmp_path / "out" / gone).unlink()
    assert [event.path for event in of_type(run(images, origin(tmp_path)), ImageFinished)] == [images[2]]


def test_rows_of_an_image_that_changed_are_replaced(tmp_path: Path, images: list[Path], halves: Path) -> None:
    run(images, origin(tmp_path, regions=halves))
    write(images[1], spots(6))
    images[0].unlink()
    run(images[1:], origin(tmp_path, regions=halves))
    rows = [row for row in csv_rows(tmp_path / "out" / "counts.csv") if row["region"] == "image"]
    assert [(row["name"], row["points"]) for row in rows] == [("i0", "0"), ("i1", "6"), ("i2", "2"), ("i3", "3")]


def test_names_of_the_tables_are_not_given_to_images(tmp_path: Path) -> None:
    paths = [write(tmp_path / "in" / f"{name}.tif", spots(1)) for name in ("counts", "Images")]
    events = run(paths, origin(tmp_path))
    assert [event.result.name for event in of_type(events, ImageFinished)] == ["in_counts.csv", "in_Images.csv"]
    assert "counts.csv is a table of the folder" in of_type(events, ImageFinished)[0].notes[0]
    assert len(csv_rows(tmp_path / "out" / "counts.csv")) == 2


def test_files_of_others_are_not_replaced(tmp_path: Path, images: list[Path]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "i1.zip").write_bytes(b"mine")
    with pytest.raises(Exception, match=r"i1\.zip.*Nothing was written"):
        run(images, origin(tmp_path))
    assert (tmp_path / "out" / "i1.zip").read_bytes() == b"mine"


def test_a_folder_predicted_with_another_model_has_no_counts_left(tmp_path: Path, images: list[Path]) -> None:
    run(images, origin(tmp_path))
    model = classifying_model()
    save_model(tmp_path / "m.safetensors", model.weights, model.card)
    list(predict_folder(tmp_path / "m.safetensors", images, tmp_path / "out", config=PredictionConfig(device="cpu")))
    assert csv_rows(tmp_path / "out" / "counts.csv") == []


def test_regions_are_part_of_the_settings_by_their_content(tmp_path: Path, halves: Path) -> None:
    plain, config = hash_settings(PredictionConfig(), None), PredictionConfig(regions=halves)
    first = hash_settings(config, None)
    assert first != plain
    assert hash_settings(config, None) == first
    write(halves, np.ones((64, 64), np.uint8))
    assert hash_settings(config, None) != first
    with pytest.raises(SettingsError, match="regions cannot be read"):
        hash_settings(PredictionConfig(regions=tmp_path / "gone.tif"), None)


def test_objects_are_counted_in_regions(tmp_path: Path, images: list[Path], halves: Path) -> None:
    count = get_task("instances")().count
    where = origin(tmp_path, answer=OBJECTS, count=count)
    list(run_folder(Thresholding(), images, where))
    assert not (tmp_path / "out" / "counts.csv").exists()
    list(run_folder(Thresholding(), images, origin(tmp_path, **_of(where), regions=halves, overwrite=True)))
    rows = csv_rows(tmp_path / "out" / "counts.csv")
    assert [(row["region"] == "image", row["count"]) for row in rows[-3:]] == [
        (True, "3.00"),
        (False, "3.00"),
        (False, "0.00"),
    ]
    assert {row["low"] + row["points"] for row in rows} == {""}
    assert (tmp_path / "out" / "objects.csv").exists()


def _of(where: Origin) -> dict[str, Any]:
    return {name: getattr(where, name) for name in ("answer", "count")}


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    model = classifying_model(("sharp", "blurred, badly"))
    save_model(tmp_path / "m.safetensors", model.weights, model.card)
    return tmp_path / "m.safetensors"


def test_classes_stand_in_the_table_of_images_and_need_no_files(
    tmp_path: Path, images: list[Path], classifier: Path
) -> None:
    config = PredictionConfig(device="cpu")
    events = list(predict_folder(classifier, images, tmp_path / "out", config=config))
    assert [event.result for event in of_type(events, ImageFinished)] == [None] * 4
    assert of_type(events, FolderStarted)[0].things == ""
    rows = csv_rows(tmp_path / "out" / "images.csv")
    assert {row["class"] for row in rows} <= {"sharp", "blurred, badly"}
    probabilities = [(float(row["P(sharp)"]), float(row["P(blurred, badly)"])) for row in rows]
    np.testing.assert_allclose(np.sum(probabilities, axis=1), 1, atol=1e-4)
    assert not {"objects", "result"} & set(rows[0])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["images.csv", "microforge.sqlite"]
    again = list(predict_folder(classifier, images, tmp_path / "out", config=config))
    assert len(of_type(again, ImageSkipped)) == 4


def test_classes_of_time_points_have_a_table(tmp_path: Path, classifier: Path) -> None:
    movie = np.stack([spots(k) for k in (1, 4, 2)])
    path = write(tmp_path / "in" / "movie.tif", movie, metadata={"axes": "TYX"}, ome=True)
    list(predict_folder(classifier, [path], tmp_path / "out", config=PredictionConfig(device="cpu")))
    rows = csv_rows(tmp_path / "out" / "classes.csv")
    assert [(row["name"], row["frame"]) for row in rows] == [("movie", "0"), ("movie", "1"), ("movie", "2")]
    assert list(rows[0]) == ["name", "frame", "class", "P(sharp)", "P(blurred, badly)"]
    assert csv_rows(tmp_path / "out" / "images.csv")[0]["class"].startswith(rows[0]["class"][:4])


def test_regions_without_anything_to_count_are_refused(
    tmp_path: Path, images: list[Path], classifier: Path, halves: Path
) -> None:
    with pytest.raises(SettingsError, match="counts nothing"):
        predict_folder(classifier, images, tmp_path / "out", config=PredictionConfig(device="cpu", regions=halves))


def test_a_model_counts_a_folder(tmp_path: Path, images: list[Path]) -> None:
    model = counting_model()
    save_model(tmp_path / "m.safetensors", model.weights, model.card)
    config = PredictionConfig(device="cpu")
    events = list(predict_folder(tmp_path / "m.safetensors", images, tmp_path / "out", config=config))
    assert len(of_type(events, ImageFinished)) == 4
    assert len(csv_rows(tmp_path / "out" / "counts.csv")) == 4
