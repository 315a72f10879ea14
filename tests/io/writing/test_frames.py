"""Image files written piece by piece: what comes back, and what is never left behind."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.errors import WriteError
from microforge.io.images import let_go, read_image, read_labels
from microforge.io.writing import Layout, as_type, frames, open_image, stored_type, write_labels


def layout(axes: str = "TCYX", dtype: str = "float32") -> Layout:
    sizes = {"T": 3, "Z": 4, "C": 2, "Y": 20, "X": 30}
    size = (1.5, 0.25, 0.2) if "Z" in axes else (0.25, 0.2)
    names = ("DAPI", "GFP") if "C" in axes else ()
    return Layout(axes, tuple(sizes[one] for one in axes), np.dtype(dtype), size, names, 2.5)


@pytest.mark.parametrize("axes", ["TYX", "TCYX", "TZYX", "TZCYX"])
@pytest.mark.parametrize("limit", [frames.LARGEST_PLAIN, 0], ids=["ImageJ", "OME"])
def test_frames_come_back_as_one_series(tmp_path: Path, axes: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST_PLAIN", limit)
    wanted = layout(axes)
    data = np.random.default_rng(0).random(wanted.shape, np.float32)
    with open_image(tmp_path / "a.tif", wanted) as append:
        for frame in data:
            append(frame)
    image = read_image(tmp_path / "a.tif")
    assert (set(image.axes), image.axes_known) == (set(axes), True)
    np.testing.assert_array_equal(image.data, data.transpose([axes.index(letter) for letter in image.axes]))
    assert image.pixel_size == pytest.approx(wanted.pixel_size)
    assert image.channel_names == wanted.channel_names
    assert image.time_interval == pytest.approx(2.5)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert (file.is_bigtiff, file.is_ome) == ((False, False) if limit else (True, True))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32"])
def test_types_are_kept(tmp_path: Path, dtype: str) -> None:
    data = np.arange(600).reshape(20, 30).astype(dtype)
    with open_image(tmp_path / "a.tif", Layout("YX", (20, 30), np.dtype(dtype))) as append:
        append(data)
    image = read_image(tmp_path / "a.tif")
    assert image.data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image.data, data)


@pytest.mark.parametrize("axes", ["TYX", "TZYX"])
@pytest.mark.parametrize("limit", [frames.LARGEST_PLAIN, 0], ids=["TIFF", "BigTIFF"])
def test_labels_come_frame_by_frame(tmp_path: Path, axes: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST_PLAIN", limit)
    wanted = layout(axes, "uint32")
    data = np.random.default_rng(0).integers(0, 9, wanted.shape)
    data[-1] += 70_000
    with open_image(tmp_path / "a.tif", wanted) as append:
        for frame in data:
            append(frame.astype(np.int32))
    image = read_labels(tmp_path / "a.tif")
    assert (image.axes, image.axes_known) == (axes, True)
    np.testing.assert_array_equal(image.data, data)
    assert image.pixel_size == pytest.approx(wanted.pixel_size)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.compression == tifffile.COMPRESSION.ADOBE_DEFLATE
        assert file.is_bigtiff == (limit == 0)
        assert file.imagej_metadata is not None
        assert file.imagej_metadata["max"] == 70_008
    if limit:
        write_labels(tmp_path / "b.tif", data, axes, wanted.pixel_size)
        assert tifffile.imread(tmp_path / "b.tif").dtype == np.uint32
        np.testing.assert_array_equal(read_labels(tmp_path / "b.tif").data, data)


def test_missing_labels_leave_no_file(tmp_path: Path) -> None:
    wanted = layout("TYX", "uint32")
    with pytest.raises(WriteError, match="incomplete: 2,400 of 7,200"), open_image(tmp_path / "a.tif", wanted) as add:
        add(np.zeros(wanted.shape[1:]))
    with pytest.raises(WriteError, match="incomplete: 0 of"), open_image(tmp_path / "a.tif", wanted):
        pass
    assert not list(tmp_path.iterdir())


def test_missing_frames_leave_no_file(tmp_path: Path) -> None:
    wanted = layout()
    with pytest.raises(WriteError, match="incomplete: 4,800 of 14,400"), open_image(tmp_path / "a.tif", wanted) as add:
        add(np.zeros(wanted.shape[1:]))
    assert not list(tmp_path.iterdir())


def test_an_error_on_the_way_keeps_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"older")
    with pytest.raises(ValueError, match="half-way"), open_image(tmp_path / "a.tif", layout()):
        raise ValueError("half-way")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.tif", b"older")]


def test_rounding_and_clipping_are_counted() -> None:
    image = np.array([[-0.6, -0.4, 0.5, 1.5, 255.4, 255.6, np.nan]], np.float32)
    small, outside = as_type(image, np.dtype("uint8"))
    assert small.tolist() == [[0, 0, 0, 2, 255, 255, 0]]
    assert (small.dtype, outside) == (np.uint8, 3)
    assert as_type(image, np.dtype("float32")) == (image, 0)
    assert as_type(np.array([-7.0]), np.dtype("int16"))[1] == 0


@pytest.mark.parametrize(
    ("source", "stored"),
    [("uint8", "uint8"), (">u2", "uint16"), ("int32", "float32"), ("float64", "float32"), ("bool", "float32")],
)
def test_types_that_files_do_not_keep_become_float(source: str, stored: str) -> None:
    assert stored_type(np.dtype(source)) == np.dtype(stored)


def test_letting_go_of_a_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 64)
    mapped = np.memmap(path, np.uint8, "r", shape=(64, 256))
    before = np.array(mapped)
    let_go(mapped[3:].T)
    np.testing.assert_array_equal(mapped, before)
    changed = np.memmap(path, np.uint8, "c", shape=(64, 256))
    changed[0] = 7
    let_go(changed)
    assert np.all(changed[0] == 7)
    let_go(before)
