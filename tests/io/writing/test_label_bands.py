"""Label images written band by band."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from microforge.errors import WriteError
from microforge.io.images import read_labels
from microforge.io.writing import BandWindow, Layout, write_label_bands, write_labels


def written(path: Path, labels: np.ndarray, axes: str, pixel_size: tuple[float, ...] | None = None) -> list[BandWindow]:
    asked: list[BandWindow] = []

    def read(window: BandWindow) -> np.ndarray:
        asked.append(window)
        return np.asarray(labels[tuple(slice(*side) for side in window)])

    write_label_bands(path, Layout(axes, labels.shape, np.dtype(np.uint32), pixel_size), read)
    return asked


@pytest.mark.parametrize(("shape", "axes"), [((40, 30), "YX"), ((3, 40, 30), "ZYX"), ((2, 3, 17, 9), "TZYX")])
def test_the_file_is_that_of_labels_in_memory(tmp_path: Path, shape: tuple[int, ...], axes: str) -> None:
    labels = np.random.default_rng(0).integers(0, 9, shape, np.uint32)
    size = (0.5, 0.25) if axes == "YX" else (2.0, 0.5, 0.25)
    written(tmp_path / "bands.tif", labels, axes, size)
    write_labels(tmp_path / "whole.tif", labels, axes, size)
    bands, whole = read_labels(tmp_path / "bands.tif"), read_labels(tmp_path / "whole.tif")
    np.testing.assert_array_equal(bands.data, labels)
    assert (bands.axes, bands.pixel_size) == (whole.axes, whole.pixel_size) == (axes, size)
    with tifffile.TiffFile(tmp_path / "bands.tif") as one, tifffile.TiffFile(tmp_path / "whole.tif") as other:
        assert one.imagej_metadata == other.imagej_metadata


def test_large_labels_are_asked_for_in_bands_of_a_few_megabytes(tmp_path: Path) -> None:
    labels = np.broadcast_to(np.zeros((), np.uint32), (8192, 8192))
    asked = written(tmp_path / "a.tif", labels, "YX")
    rows = [stop - start for (start, stop), _ in asked]
    assert sum(rows) == 8192
    assert max(rows) * 8192 * 4 <= 1 << 24
    assert (tmp_path / "a.tif").stat().st_size < 1 << 20


def test_labels_that_cannot_be_read_leave_the_file_as_it_was(tmp_path: Path) -> None:
    labels = np.ones((8, 8), np.uint32)
    written(tmp_path / "a.tif", labels, "YX")
    before = (tmp_path / "a.tif").read_bytes()

    def fail(window: BandWindow) -> np.ndarray:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        write_label_bands(tmp_path / "a.tif", Layout("YX", (8, 8), np.dtype(np.uint32)), fail)
    assert (tmp_path / "a.tif").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    import resource
    import signal

    labels = np.random.default_rng(0).integers(0, 9, (512, 512), np.uint32)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(WriteError, match="could not be written"):
            written(tmp_path / "a.tif", labels, "YX")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
