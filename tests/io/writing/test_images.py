"""Results on disk come back through our own reader, and carry what Fiji reads."""

import errno
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.errors import AxesError, WriteError
from microforge.io.images import read_image, read_labels
from microforge.io.writing import write_image, write_labels

SIZES = {"T": 3, "Z": 4, "C": 2, "Y": 40, "X": 50}


def shape_of(axes: str) -> tuple[int, ...]:
    return tuple(SIZES[letter] for letter in axes)


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "TZYX"])
@pytest.mark.parametrize("known_size", [True, False])
def test_labels_come_back_with_axes_and_pixel_size(tmp_path: Path, axes: str, known_size: bool) -> None:
    labels = np.random.default_rng(0).integers(0, 200_000, shape_of(axes)).astype(np.int32)
    size = ((1.5, 0.25, 0.2) if "Z" in axes else (0.25, 0.2)) if known_size else None
    write_labels(tmp_path / "a.tif", labels, axes, size)
    image = read_labels(tmp_path / "a.tif")
    assert (image.axes, image.axes_known) == (axes, True)
    assert image.pixel_size == (None if size is None else pytest.approx(size, rel=1e-6))
    np.testing.assert_array_equal(image.data, labels)


def test_labels_are_compressed_uint32_that_fiji_describes(tmp_path: Path) -> None:
    labels = np.zeros((3, 4, 256, 256), np.int32)
    labels[:, :, 50:90, 60:200] = 7
    write_labels(tmp_path / "a.tif", labels, "TZYX", (2, 0.5, 0.5))
    assert (tmp_path / "a.tif").stat().st_size < labels.nbytes / 50
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert file.pages.first.dtype == np.uint32
        assert file.imagej_metadata == {
            "ImageJ": "1.11a", "images": 12, "slices": 4, "frames": 3, "hyperstack": True, "unit": "um",
            "spacing": 2.0, "mode": "grayscale", "loop": False, "min": 0.0, "max": 7.0,
        }  # fmt: skip
        assert file.series[0].axes == "TZYX"


def test_labels_of_length_one_come_back(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.tif", np.ones((1, 9, 9), np.int32), "ZYX", (1, 1, 1))
    assert read_labels(tmp_path / "a.tif").axes == "YX"
    assert read_labels(tmp_path / "a.tif", "ZYX").data.shape == (1, 9, 9)


def test_empty_results_are_results(tmp_path: Path) -> None:
    write_labels(tmp_path / "a.tif", np.zeros((9, 9), np.int32), "YX", None)
    assert not np.any(read_labels(tmp_path / "a.tif").data)


@pytest.mark.parametrize(("axes", "error"), [("ZYX", AxesError), ("XY", WriteError), ("CY", AxesError)])
def test_axes_that_do_not_fit_write_nothing(tmp_path: Path, axes: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        write_labels(tmp_path / "a.tif", np.zeros((9, 9), np.int32), axes, None)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_keeps_the_old_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tif"
    write_labels(path, np.ones((9, 9), np.int32), "YX", None)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tifffile.TiffWriter, "write", fail)
    with pytest.raises(WriteError, match="disk is full"):
        write_labels(path, np.zeros((9, 9), np.int32), "YX", None)
    assert np.all(read_labels(path).data == 1)
    assert [one.name for one in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX permissions")
def test_others_may_read_results(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_labels(tmp_path / "a.tif", np.ones((9, 9), np.int32), "YX", None)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.tif").stat().st_mode) == 0o644


def test_the_disk_is_waited_for_only_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folder runs write without: waiting takes longer than everything else."""
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    labels = np.kron(np.arange(64, dtype=np.int32).reshape(8, 8), np.ones((32, 32), np.int32))
    write_labels(tmp_path / "a.tif", labels, "YX", (0.5, 0.5), durable=False)
    assert not waited
    write_labels(tmp_path / "a.tif", labels, "YX", (0.5, 0.5))
    assert waited


@pytest.mark.parametrize("axes", ["YX", "CYX", "CZYX", "TCZYX", "TZYX"])
@pytest.mark.parametrize("dtype", ["f4", "u2", "u1"])
def test_images_come_back(tmp_path: Path, axes: str, dtype: str) -> None:
    data = (np.random.default_rng(0).random(shape_of(axes)) * 100).astype(dtype)
    size = (1.5, 0.25, 0.2) if "Z" in axes else (0.25, 0.2)
    names = ("inside", "depth") if "C" in axes else ()
    write_image(tmp_path / "a.tif", data, axes, size, channel_names=names)
    image = read_image(tmp_path / "a.tif")
    assert (sorted(image.axes), image.axes_known, image.channel_names) == (sorted(axes), True, names)
    assert image.pixel_size == pytest.approx(size)
    assert image.data.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image.data, data.transpose([axes.index(letter) for letter in image.axes]))


def test_images_of_other_types_become_float32(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", np.full((9, 9), 0.25), "YX", None)
    assert read_image(tmp_path / "a.tif").data.dtype == np.float32
