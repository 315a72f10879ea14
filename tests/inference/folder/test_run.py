"""Folder runs with a network that thresholds: names, tables, resuming, bad files, cancelling."""

import os
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from microforge.answers import PIXEL_CLASSES, PREDICTED_IMAGE
from microforge.config import PredictionConfig
from microforge.data.normalise import normaliser_for
from microforge.errors import ModelMismatchError, SettingsError, WriteError
from microforge.events import (
    FolderFinished,
    FolderStarted,
    ImageFailed,
    ImageFinished,
    ImageSkipped,
    ImageStarted,
    TileFinished,
)
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.ledger import Ledger
from microforge.inference.folder.naming import check_output, hash_settings
from microforge.inference.folder.run import run_folder
from microforge.inference.predictor import Predictor
from microforge.io.files import find_images
from microforge.io.images import read_labels
from support.random_models import random_model
from support.runs import csv_rows, of_type
from support.thresholding import Thresholding


def write_image(path: Path, objects: int = 2, size: int = 32, **options: Any) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    image = np.full((size, size), 10, np.uint8)
    for k in range(objects):
        image[4 * k : 4 * k + 3, 2:6] = 200
    tifffile.imwrite(path, image, **options)
    return path


def origin(folder: Path, **changes: Any) -> Origin:
    return Origin(**({"output": folder / "out", "model": "m", "model_hash": "1", "settings_hash": "2"} | changes))


def run(network: Thresholding, paths: Sequence[Path], where: Origin) -> list[Any]:
    return list(run_folder(network, list(paths), where))


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return [write_image(tmp_path / "in" / f"i{k:02d}.tif", objects=k % 4) for k in range(10)]


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made as POSIX does")
def test_a_link_to_nowhere_and_a_pipe_get_rows_with_their_reasons(tmp_path: Path, images: list[Path]) -> None:
    folder = images[0].parent
    (folder / "link.tif").symlink_to("/nowhere/missing_drive/x.tif")
    os.mkfifo(folder / "pipe.tif")
    events = run(Thresholding(), find_images([folder]), origin(tmp_path))
    failed = {event.path.name: event.reason for event in of_type(events, ImageFailed)}
    assert failed.keys() == {"link.tif", "pipe.tif"}
    assert "The file it points to is not there" in failed["link.tif"]
    assert "pipe, not a file" in failed["pipe.tif"]
    assert events[-1] == FolderFinished(10, 0, 2, tmp_path / "out")
    rows = {row["name"]: row["state"] for row in csv_rows(tmp_path / "out" / "images.csv")}
    assert (rows["link"], rows["pipe"], len(rows)) == ("failed", "failed", 12)


def test_every_image_gets_labels_and_rows(tmp_path: Path, images: list[Path]) -> None:
    events = run(Thresholding(), images, origin(tmp_path))
    assert isinstance(events[0], FolderStarted)
    assert events[-1] == FolderFinished(10, 0, 0, tmp_path / "out")
    assert sorted(e.path for e in of_type(events, ImageFinished)) == images
    assert sorted(e.path for e in of_type(events, ImageStarted)) == images
    labels = tifffile.imread(tmp_path / "out" / "i03.tif")
    assert (labels.dtype, labels.shape, labels.max()) == (np.uint32, (32, 32), 3)
    rows = csv_rows(tmp_path / "out" / "objects.csv")
    assert [row["image"] for row in rows if row["image"] == "i03"] == ["i03"] * 3
    assert next(iter(rows[0])) == "image"
    assert [int(row["objects"]) for row in csv_rows(tmp_path / "out" / "images.csv")] == [k % 4 for k in range(10)]


def test_small_images_go_through_the_network_together(tmp_path: Path, images: list[Path]) -> None:
    network = Thresholding()
    run(network, images, origin(tmp_path))
    assert sum(network.batches) == 10


def test_a_skipped_file_names_its_own_result(tmp_path: Path, images: list[Path]) -> None:
    twin = images[0].parent / "b" / images[0].name
    named = images[0].with_name("x.ome.tif")
    twin.parent.mkdir()
    for copy in (twin, named):
        copy.write_bytes(images[0].read_bytes())
    inputs = [images[0], twin, named]
    first = run(Thresholding(), inputs, origin(tmp_path))
    again = run(Thresholding(), inputs, origin(tmp_path))
    results = {event.path: event.result for event in of_type(first, ImageFinished)}
    assert len(set(results.values())) == 3
    assert {event.path: event.result for event in of_type(again, ImageSkipped)} == results


def test_a_second_run_skips_what_is_done(tmp_path: Path, images: list[Path]) -> None:
    run(Thresholding(), images[:6], origin(tmp_path))
    events = run(Thresholding(), images, origin(tmp_path))
    assert sorted(e.path for e in of_type(events, ImageSkipped)) == images[:6]
    assert sorted(e.path for e in of_type(events, ImageFinished)) == images[6:]
    assert len(csv_rows(tmp_path / "out" / "images.csv")) == 10


@pytest.mark.parametrize("change", [{"model_hash": "other"}, {"settings_hash": "other"}, {"overwrite": True}])
def test_another_model_or_other_settings_do_it_again(tmp_path: Path, images: list[Path], change: Any) -> None:
    run(Thresholding(), images, origin(tmp_path))
    events = run(Thresholding(), images, origin(tmp_path, **change))
    assert len(of_type(events, ImageFinished)) == 10


def test_a_changed_image_or_a_missing_result_is_done_again(tmp_path: Path, images: list[Path]) -> None:
    run(Thresholding(), images, origin(tmp_path))
    write_image(images[2], objects=5)
    (tmp_path / "out" / "i04.tif").unlink()
    (tmp_path / "out" / "i05.tif").write_bytes(b"")
    events = run(Thresholding(), images, origin(tmp_path))
    assert sorted(e.path for e in of_type(events, ImageFinished)) == [images[2], images[4], images[5]]
    assert len([row for row in csv_rows(tmp_path / "out" / "objects.csv") if row["image"] == "i02"]) == 5


def test_bad_files_do_not_stop_the_others(tmp_path: Path, images: list[Path]) -> None:
    images[1].write_bytes(b"")
    images[4].write_bytes(images[4].read_bytes()[:150])
    tifffile.imwrite(images[7], np.zeros((2, 32, 32), np.uint8), metadata={"axes": "CYX"})
    images[8].unlink()
    tifffile.imwrite(images[9], np.full((32, 32), 99, np.uint8))
    events = run(Thresholding(), images, origin(tmp_path))
    failed = sorted(of_type(events, ImageFailed), key=lambda event: event.path)  # alike ones go together, out of order
    assert [e.path for e in failed] == [images[k] for k in (1, 4, 7, 8, 9)]
    assert "0 bytes" in failed[0].reason
    assert "2 channels" in failed[2].reason
    assert "no such file" in failed[3].reason.lower()
    assert "surprise" in failed[4].reason
    assert all(e.remedy for e in failed)
    assert events[-1] == FolderFinished(5, 0, 5, tmp_path / "out")
    states = {row["name"]: row["state"] for row in csv_rows(tmp_path / "out" / "images.csv")}
    assert states["i01"] == "failed"
    assert states["i02"] == "done"


def test_what_is_to_be_said_of_a_file_stands_in_its_notes(tmp_path: Path) -> None:
    path = write_image(tmp_path / "in" / "a.tif", extratags=[(274, 3, 1, 6, True)])
    events = run(Thresholding(), [path], origin(tmp_path))
    assert "(orientation 6)" in of_type(events, ImageFinished)[0].notes[0]
    assert "(orientation 6)" in csv_rows(tmp_path / "out" / "images.csv")[0]["notes"]


def test_a_failed_image_is_tried_again(tmp_path: Path, images: list[Path]) -> None:
    content = images[1].read_bytes()
    images[1].write_bytes(b"")
    run(Thresholding(), images, origin(tmp_path))
    images[1].write_bytes(content)
    events = run(Thresholding(), images, origin(tmp_path))
    assert sorted(e.path for e in of_type(events, ImageFinished)) == [images[1]]


def test_images_of_one_name_get_names_that_stay(tmp_path: Path) -> None:
    paths = [write_image(tmp_path / folder / "cell.tif", n) for n, folder in enumerate(("a", "b", "B/b"), start=1)]
    events = run(Thresholding(), paths, origin(tmp_path))
    # Files that are read at the same time go through together, in whichever order they come.
    finished = {event.path: event for event in of_type(events, ImageFinished)}
    assert [finished[path].result.name for path in paths] == ["cell.tif", "b_cell.tif", "cell_2.tif"]
    assert "another image is called cell" in finished[paths[1]].notes[0]
    again = run(Thresholding(), paths[1:], origin(tmp_path, overwrite=True))
    assert sorted(event.result.name for event in of_type(again, ImageFinished)) == ["b_cell.tif", "cell_2.tif"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are always text there")
def test_a_name_that_is_no_text_costs_nothing(tmp_path: Path, images: list[Path]) -> None:
    odd = [images[0].with_name(os.fsdecode(name)) for name in (b"x_\xff.tif", b"x_\xfe.tif", b"x_\\xff.tif")]
    for n, path in enumerate(odd, start=1):
        write_image(path, n)
    paths = find_images([images[0].parent])
    first = run(Thresholding(), paths, origin(tmp_path))
    assert first[-1] == FolderFinished(13, 0, 0, tmp_path / "out")
    made = {event.path: (event.result, event.objects) for event in of_type(first, ImageFinished)}
    assert [made[path][1] for path in odd] == [1, 2, 3]
    assert len({result for result, _ in made.values()}) == 13
    assert all(result.is_file() and result.name.encode() for result, _ in made.values())
    notes = {event.path: event.notes for event in of_type(first, ImageFinished)}
    assert ["no text (UTF-8)" in "".join(notes[path]) for path in odd] == [True, True, False]
    again = run(Thresholding(), paths, origin(tmp_path))
    assert {event.path: event.result for event in of_type(again, ImageSkipped)} == {p: r for p, (r, _) in made.items()}
    rows = {row["name"]: row for row in csv_rows(tmp_path / "out" / "images.csv")}
    assert {row["state"] for row in rows.values()} == {"done"}
    assert rows["x__xff"]["path"].endswith(r"x_\xff.tif")
    assert len([row for row in csv_rows(tmp_path / "out" / "objects.csv") if row["image"] == "x__xfe"]) == 2


def test_a_time_series_is_measured_frame_by_frame(tmp_path: Path) -> None:
    movie = np.zeros((3, 32, 32), np.uint8)
    movie[:, 3:6, 3:6] = 200
    movie[2, 20:23, 20:23] = 200
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, movie, metadata={"axes": "TYX"}, ome=True)
    events = run(Thresholding(), [path], origin(tmp_path))
    assert of_type(events, TileFinished) == [TileFinished(done, 6) for done in range(1, 7)]
    assert tifffile.imread(tmp_path / "out" / "movie.tif").shape == (3, 32, 32)
    rows = csv_rows(tmp_path / "out" / "objects.csv")
    assert [(row["frame"], row["label"]) for row in rows] == [("0", "1"), ("1", "1"), ("2", "1"), ("2", "2")]


def test_images_with_other_columns_share_one_table(tmp_path: Path) -> None:
    plain = write_image(tmp_path / "plain.tif", 1)
    scaled = write_image(
        tmp_path / "scaled.tif", 1, imagej=True, resolution=(2, 2), metadata={"unit": "um", "axes": "YX"}
    )
    run(Thresholding(), [plain, scaled], origin(tmp_path))
    rows = csv_rows(tmp_path / "out" / "objects.csv")
    micrometres = [name for name in rows[0] if name.endswith(("_um", "_um2"))]
    assert micrometres
    assert all(not rows[0][name] and rows[1][name] for name in micrometres)
    assert csv_rows(tmp_path / "out" / "images.csv")[1]["pixel_size_x"] == "0.5"


def test_closing_stops_and_keeps_what_is_finished(tmp_path: Path, images: list[Path]) -> None:
    events = run_folder(Thresholding(), images, origin(tmp_path))
    finished = 0
    for event in events:
        finished += isinstance(event, ImageFinished)
        if finished == 3:
            break
    events.close()  # type: ignore[attr-defined]
    states = [row["state"] for row in csv_rows(tmp_path / "out" / "images.csv")]
    assert len(states) == 10
    assert states.count("done") >= 3
    assert not [thread for thread in threading.enumerate() if "microforge-folder" in thread.name]
    assert not (tmp_path / "out" / "microforge.sqlite-wal").exists()
    rest = run(Thresholding(), images, origin(tmp_path))
    assert len(of_type(rest, ImageSkipped)) == states.count("done")


def test_neighbours_that_need_tiles_are_all_predicted(tmp_path: Path) -> None:
    paths = [write_image(tmp_path / f"{n}.tif", 1, 80) for n in range(5)]
    events = run(Thresholding(), paths, origin(tmp_path))
    assert sorted(e.path for e in of_type(events, ImageFinished)) == paths


def test_large_images_go_alone(tmp_path: Path) -> None:
    paths = [write_image(tmp_path / f"{n}.tif", 1, size) for n, size in enumerate((32, 80, 32, 80))]
    events = run(Thresholding(), paths, origin(tmp_path))
    assert sorted(e.path for e in of_type(events, ImageFinished)) == paths
    assert len(of_type(events, TileFinished)) == 4


def test_files_that_are_not_results_are_not_replaced(tmp_path: Path, images: list[Path]) -> None:
    foreign = write_image(tmp_path / "out" / "i03.tif")
    content = foreign.read_bytes()
    with pytest.raises(WriteError, match=r"not made by a run here.*Nothing was written"):
        run_folder(Thresholding(), images, origin(tmp_path))
    assert foreign.read_bytes() == content
    run(Thresholding(), images, origin(tmp_path, overwrite=True))
    assert foreign.read_bytes() != content


def test_output_that_is_a_file_is_refused(tmp_path: Path, images: list[Path]) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(WriteError, match="cannot be written"):
        run_folder(Thresholding(), images, origin(tmp_path))


def test_a_full_disk_ends_the_run(tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise WriteError("The disk is full.", remedy="Free some space.")

    monkeypatch.setattr("microforge.answers.labels.open_image", full)
    with pytest.raises(WriteError, match=r"Three results in a row.*goes on where it stopped"):
        run(Thresholding(), images, origin(tmp_path))


@pytest.mark.parametrize("output", ["in", "in/results"])
def test_output_among_the_images_is_refused(tmp_path: Path, images: list[Path], output: str) -> None:
    with pytest.raises(SettingsError, match="folder"):
        check_output(tmp_path / output, [tmp_path / "in"], images)


def test_output_beside_the_images_is_fine(tmp_path: Path, images: list[Path]) -> None:
    check_output(tmp_path / "in2", [tmp_path / "in"], images)
    check_output(tmp_path / "in" / "results", images, images)
    with pytest.raises(SettingsError, match="folder of the images"):
        check_output(tmp_path / "in", images, images)


def test_settings_hash_leaves_the_device_out() -> None:
    plain = hash_settings(PredictionConfig(), None)
    assert hash_settings(PredictionConfig(device="cpu"), None) == plain
    assert hash_settings(PredictionConfig(task_options={"merging": 0.1}), None) != plain
    assert hash_settings(PredictionConfig(), "ZYX") != plain


def test_the_ledger_tells_what_a_killed_run_had_planned(tmp_path: Path, images: list[Path]) -> None:
    run_folder(Thresholding(), images, origin(tmp_path))
    with Ledger(tmp_path / "out") as ledger:
        assert [entry.state for entry in ledger.entries()] == ["waiting"] * 10


def test_brightness_is_measured_while_the_image_is_read(
    tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []

    def noted(*given: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return normaliser_for(*given)

    monkeypatch.setattr("microforge.inference.predictor.normaliser_for", noted)
    events = list(run_folder(Predictor(random_model()), images, origin(tmp_path, answer=PREDICTED_IMAGE)))
    assert len(of_type(events, ImageFinished)) == 10
    assert threads == [False] * 10


def test_objects_are_counted_only_where_there_are_any(tmp_path: Path, images: list[Path]) -> None:
    run(Thresholding(), images[:2], origin(tmp_path, answer=PIXEL_CLASSES))
    assert "objects" not in csv_rows(tmp_path / "out" / "images.csv")[0]
    run(Thresholding(), images[2:4], origin(tmp_path))
    run(Thresholding(), images[4:6], origin(tmp_path, answer=PIXEL_CLASSES))
    counts = [row["objects"] for row in csv_rows(tmp_path / "out" / "images.csv")]
    assert counts == ["", "", "2", "3", "", ""]


def test_time_points_of_label_films_are_written_as_they_come(tmp_path: Path) -> None:
    """At no time are more predictions alive than the one being written and the one just made."""
    frames = np.full((12, 32, 32), 10, np.uint8)
    for t in range(12):
        for k in range(t % 4):
            frames[t, 4 * k : 4 * k + 3, 2:6] = 200
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX"})
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    most = 0

    class Watched(Thresholding):
        def finish(self, output: Any, sample: Any) -> Any:
            nonlocal most
            made = super().finish(output, sample)
            alive.add(made)
            most = max(most, len(alive))
            return made

    events = run(Watched(), [path], origin(tmp_path))
    assert most <= 3
    assert of_type(events, ImageFinished)[0].objects == sum(t % 4 for t in range(12))
    written = read_labels(tmp_path / "out" / "film.tif")
    assert (written.axes, written.data.dtype) == ("TYX", np.int32)
    expected = [ndimage.label(frame > 100)[0] for frame in frames]
    np.testing.assert_array_equal(written.data, expected)
    rows = csv_rows(tmp_path / "out" / "objects.csv")
    assert [(int(r["frame"]), int(r["label"])) for r in rows] == [(t, k + 1) for t in range(12) for k in range(t % 4)]


def test_a_time_point_that_fails_is_named_and_no_part_of_the_film_stays(tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    tifffile.imwrite(path, np.full((4, 32, 32), 10, np.uint8), imagej=True, metadata={"axes": "TYX"})

    class Failing(Thresholding):
        def finish(self, output: Any, sample: Any) -> Any:
            if sample.name.endswith("002"):
                raise ModelMismatchError("Too dark.", remedy="Leave it out.")
            return super().finish(output, sample)

    events = run(Failing(), [path], origin(tmp_path))
    assert of_type(events, ImageFailed)[0].reason == "Time point 3: Too dark."
    assert not list((tmp_path / "out").glob("*film*"))


class ShortOfMemory(Thresholding):
    """Has memory for images of `fits` together in one go; tiles always fit."""

    def __init__(self, fits: int) -> None:
        super().__init__()
        self.fits, self.alone = fits, 0

    def forward_many(self, samples: Sequence[Any]) -> list[Any]:
        if len(samples) > self.fits:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().forward_many(samples)

    def run_frames(self, samples: Sequence[Any]) -> Any:
        self.alone += 1
        return super().run_frames(samples)


@pytest.mark.parametrize("fits", [1, 0])
def test_small_images_recover_from_short_memory_singly_and_then_in_tiles(
    tmp_path: Path, images: list[Path], fits: int
) -> None:
    network = ShortOfMemory(fits)
    events = run(network, images, origin(tmp_path))
    assert events[-1] == FolderFinished(10, 0, 0, tmp_path / "out")
    assert sorted(event.objects for event in of_type(events, ImageFinished)) == sorted(k % 4 for k in range(10))
    assert network.alone == (0 if fits else 10)


def test_memory_that_runs_out_for_good_is_said_in_words(tmp_path: Path, images: list[Path]) -> None:
    class Never(ShortOfMemory):
        def run_frames(self, samples: Sequence[Any]) -> Any:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")

    failed = of_type(run(Never(0), images[:1], origin(tmp_path)), ImageFailed)[0]
    assert failed.reason == "Memory ran out."
    assert "smaller" in failed.remedy
