"""Folder runs whose results are images: types, geometry, tables, and series that are never whole in memory."""

import threading
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.answers import PREDICTED_IMAGE
from microforge.errors import MicroforgeError
from microforge.events import ImageFailed, ImageFinished, TileFinished
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.run import run_folder
from microforge.io.images import read_image
from microforge.types import Array, Prediction, Sample
from support.runs import csv_rows


class Doubling:
    """Stands for a predictor: the answer is twice the image, on a grid `finer` times finer."""

    device, batch_pixels = "cpu", 1 << 19

    def __init__(self, finer: int = 1, failing: str = "", tile: int = 64, channels: tuple[str, ...] = ()) -> None:
        self.finer, self.failing, self.tile, self.channels = finer, failing, tile, channels
        self.most, self.alive = 0, 0

    def prepare(self, sample: Sample) -> None:
        assert threading.current_thread() is not threading.main_thread()

    def fits_one_tile(self, sample: Sample) -> bool:
        return max(sample.image.shape[1:]) <= self.tile

    def forward_many(self, samples: Sequence[Sample]) -> list[Any]:
        return [np.asarray(sample.image) for sample in samples]

    def finish(self, output: Any, sample: Sample) -> Prediction:
        if self.failing and self.failing in sample.name:
            raise MicroforgeError("Something is wrong.", remedy="Leave it out.")
        doubled = 2 * np.asarray(output, np.float32)
        fine = doubled.repeat(self.finer, -1).repeat(self.finer, -2)
        image = np.concatenate([fine] * max(1, len(self.channels)))
        size = sample.pixel_size and (*sample.pixel_size[:-2], *(n / self.finer for n in sample.pixel_size[-2:]))
        statistics = {"noise": float(image.mean())}
        return self.counted(
            Prediction(image=image, channel_names=self.channels, pixel_size=size, statistics=statistics)
        )

    def counted(self, prediction: Prediction) -> Prediction:
        """Count how many predictions there are at once."""
        self.alive += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(prediction, self.gone)
        return prediction

    def gone(self) -> None:
        self.alive -= 1

    def run_frames(self, samples: Sequence[Sample]) -> Iterator[TileFinished | Prediction]:
        for done, sample in enumerate(samples, start=1):
            yield self.finish(sample.image, sample)
            yield TileFinished(done, len(samples))


def run(network: Doubling, paths: Sequence[Path], **changes: Any) -> list[Any]:
    where = Origin(paths[0].parent / "out", "m", "1", "2", answer=PREDICTED_IMAGE)
    return list(run_folder(network, list(paths), replace(where, **changes)))


def table(folder: Path) -> list[dict[str, str]]:
    return csv_rows(folder / "out" / "images.csv")


def write(path: Path, data: Array, axes: str, **metadata: Any) -> Path:
    tifffile.imwrite(
        path, data, imagej=True, resolution=(2, 2), metadata={"axes": axes, "unit": "um", "spacing": 1.5, **metadata}
    )
    return path


def ramp(*shape: int, dtype: str = "uint16") -> Array:
    return (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)


def test_images_are_written_with_their_geometry(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"i{k}.tif", ramp(20, 30) + k, "YX") for k in range(3)]
    events = run(Doubling(finer=2), paths)
    assert sum(isinstance(event, ImageFinished) for event in events) == 3
    result = read_image(tmp_path / "out" / "i1.tif")
    assert (result.axes, result.data.dtype, result.pixel_size) == ("YX", np.float32, pytest.approx((0.25, 0.25)))
    np.testing.assert_array_equal(result.data[::2, ::2], 2.0 * (ramp(20, 30) + 1))
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "i0.tif", "i1.tif", "i2.tif", "images.csv", "microforge.sqlite"
    ]  # fmt: skip


def test_the_table_tells_of_images_not_of_objects(tmp_path: Path) -> None:
    run(Doubling(finer=2), [write(tmp_path / "i.tif", ramp(20, 30), "YX")])
    (row,) = table(tmp_path)
    assert ("objects" in row, row["shape"], row["pixel_size_x"]) == (False, "40 60", "0.25")
    assert float(row["noise"]) == pytest.approx(2 * ramp(20, 30).mean(), rel=1e-5)


def test_several_channels_of_a_stack_keep_their_names(tmp_path: Path) -> None:
    path = write(tmp_path / "i.tif", ramp(5, 20, 30), "ZYX")
    run(Doubling(channels=("DAPI", "NFH")), [path])
    result = read_image(tmp_path / "out" / "i.tif")
    assert (result.axes, result.channel_names) == ("ZCYX", ("DAPI", "NFH"))
    assert result.pixel_size == pytest.approx((1.5, 0.5, 0.5))
    np.testing.assert_array_equal(result.data[:, 1], 2.0 * ramp(5, 20, 30))


def test_the_sources_type_is_rounded_and_what_is_clipped_counted(tmp_path: Path) -> None:
    bright = ramp(20, 30, dtype="uint8")
    path = write(tmp_path / "i.tif", bright, "YX")
    events = run(Doubling(), [path], image_type="source")
    result = tifffile.imread(tmp_path / "out" / "i.tif")
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result, np.minimum(2 * bright.astype(int), 255))
    clipped = int((2 * bright.astype(int) > 255).sum())
    said = f"{clipped:,} pixels ({100 * clipped / 600:.2g} %) did not fit uint8 and were clipped."
    assert next(e.notes for e in events if isinstance(e, ImageFinished)) == (said,)
    assert table(tmp_path)[0]["notes"] == said


def test_types_that_images_cannot_keep_are_said(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "i.tif", ramp(20, 30, dtype="int32"))
    run(Doubling(), [tmp_path / "i.tif"], image_type="source")
    assert tifffile.imread(tmp_path / "out" / "i.tif").dtype == np.float32
    assert "do not keep int32" in table(tmp_path)[0]["notes"]


@pytest.mark.parametrize("kind", ["float32", "source"])
def test_a_series_is_written_frame_by_frame(tmp_path: Path, kind: str) -> None:
    movie = ramp(9, 20, 30)
    network = Doubling()
    events = run(network, [write(tmp_path / "m.tif", movie, "TYX", finterval=30.0)], image_type=kind)
    result = read_image(tmp_path / "out" / "m.tif")
    assert (result.axes, result.time_interval, result.pixel_size) == ("TYX", 30.0, pytest.approx((0.5, 0.5)))
    assert result.data.dtype == (np.float32 if kind == "float32" else np.uint16)
    np.testing.assert_array_equal(result.data, 2 * movie)
    assert [e.done for e in events if isinstance(e, TileFinished)] == list(range(1, 10))
    assert network.most <= 2
    assert float(table(tmp_path)[0]["noise"]) == pytest.approx(2 * movie.mean(), rel=1e-5)


def test_a_series_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    events = run(Doubling(failing="t=006"), [write(tmp_path / "m.tif", ramp(9, 20, 30), "TYX")])
    (failed,) = [e for e in events if isinstance(e, ImageFailed)]
    assert (failed.reason, failed.remedy) == ("Time point 7: Something is wrong.", "Leave it out.")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["images.csv", "microforge.sqlite"]
    assert table(tmp_path)[0]["state"] == "failed"


def test_cancelling_a_series_leaves_no_half_file(tmp_path: Path) -> None:
    path = write(tmp_path / "m.tif", ramp(9, 20, 30), "TYX")
    events = run_folder(Doubling(), [path], Origin(tmp_path / "out", "m", "1", "2", answer=PREDICTED_IMAGE))
    finished = 0
    for event in events:
        finished += isinstance(event, TileFinished)
        if finished == 4:
            break
    events.close()  # type: ignore[attr-defined]
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["images.csv", "microforge.sqlite"]
    assert table(tmp_path)[0]["state"] == "waiting"


def test_many_remarks_on_a_series_are_cut_short(tmp_path: Path) -> None:
    class Talking(Doubling):
        def finish(self, output: Any, sample: Sample) -> Prediction:
            return replace(super().finish(output, sample), notes=("Always.", f"{sample.name}."))

    run(Talking(), [write(tmp_path / "m.tif", ramp(9, 20, 30), "TYX")])
    notes = table(tmp_path)[0]["notes"]
    assert notes.count("Always.") == 1
    assert "And 4 more remarks" in notes


def test_an_image_that_needs_tiles_is_written(tmp_path: Path) -> None:
    run(Doubling(tile=16), [write(tmp_path / "i.tif", ramp(20, 30), "YX")])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out" / "i.tif"), 2 * ramp(20, 30))
