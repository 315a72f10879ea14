"""Large TIFFs of many pages: read page by page, the same as read at once; bad pages are errors in words."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.answers import PREDICTED_IMAGE
from microforge.axes.samples import to_samples
from microforge.data.normalise import intensity_range, is_constant
from microforge.errors import ImageReadError
from microforge.events import ImageFailed, ImageFinished
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.run import run_folder
from microforge.inference.predictor import Predictor
from microforge.io.images import read_image, read_labels, tiff
from microforge.io.images.tiff_pages import TiffPages
from microforge.types import Array
from support.random_models import random_model

KEYS: list[Any] = [
    ..., 0, -1, (1, ...), (..., 0), (slice(None), slice(2, 9, 3)), (..., slice(None, None, -2), 2), slice(0, 0),
    (slice(None, None, 2), ..., slice(4, 11)), np.int64(1),
]  # fmt: skip
LAYOUTS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "TYX": ((5, 20, 30), {"imagej": True, "metadata": {"axes": "TYX"}}),
    "TCYX": ((4, 2, 20, 30), {"imagej": True, "metadata": {"axes": "TCYX"}}),
    "TZCYX": ((2, 3, 2, 20, 30), {"imagej": True, "metadata": {"axes": "TZCYX"}}),
    "ZCYX": ((3, 2, 20, 30), {"metadata": {"axes": "ZCYX"}, "photometric": "minisblack"}),
    "CTYX": ((2, 4, 20, 30), {"ome": True, "metadata": {"axes": "CTYX"}, "photometric": "minisblack"}),
    "TZYX": ((2, 3, 40, 48), {"ome": True, "metadata": {"axes": "TZYX"}, "tile": (16, 32)}),
    "ZYX": ((3, 20, 30), {"metadata": None, "photometric": "minisblack"}),
    "TYXS": ((3, 20, 30, 3), {"ome": True, "metadata": {"axes": "TYXS"}, "photometric": "rgb"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "LARGE", 1)


def noise(*shape: int, dtype: Any = "u2") -> Array:
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def packed(path: Path, data: Array, **options: Any) -> Path:
    tifffile.imwrite(path, data, **{"compression": "zlib", "photometric": "minisblack"} | options)
    return path


def series(path: Path, frames: int = 9) -> tuple[Path, Array]:
    data = noise(frames, 32, 32)
    return packed(path, data, imagej=True, metadata={"axes": "TYX"}), data


def spoil_page(path: Path, number: int) -> None:
    """Overwrite the beginning of a page's compressed pixels."""
    with tifffile.TiffFile(path) as file:
        at, count = file.pages[number].dataoffsets[0], file.pages[number].databytecounts[0]
    with path.open("rb+") as file:
        file.seek(at + 2)
        file.write(b"\xff" * (count // 2))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_pages_read_later_are_those_read_at_once(tmp_path: Path, layout: str, byteorder: str) -> None:
    shape, options = LAYOUTS[layout]
    data = noise(*shape, dtype="u1" if layout.endswith("S") else "u2")
    order = {} if "imagej" in options else {"byteorder": byteorder}
    path = packed(tmp_path / "a.tif", data, **options, **order)
    pages = tiff.read_tiff(path).data
    assert isinstance(pages, TiffPages)
    assert (pages.shape, pages.ndim, pages.size, pages.dtype) == (data.shape, data.ndim, data.size, data.dtype)
    assert pages.dtype.isnative
    np.testing.assert_array_equal(np.asarray(pages), tifffile.imread(path))
    for key in KEYS:
        part = pages[key]
        assert (part.dtype, part.shape) == (data.dtype, data[key].shape), key
        np.testing.assert_array_equal(part, data[key])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_and_samples_are_the_same_from_pages(
    tmp_path: Path, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, options = LAYOUTS[layout]
    path = packed(tmp_path / "a.tif", noise(*shape, dtype="u1" if layout.endswith("S") else "u2"), **options)
    lazy = read_image(path)
    monkeypatch.setattr(tiff, "LARGE", 2**40)
    whole = read_image(path)
    assert isinstance(lazy.data, TiffPages) == ("T" in layout)
    assert isinstance(whole.data, np.ndarray)
    assert (lazy.axes, lazy.channel_names, lazy.axes_known) == (whole.axes, whole.channel_names, whole.axes_known)
    for one, other in zip(to_samples(lazy), to_samples(whole), strict=True):
        assert one.image.shape == other.image.shape
        np.testing.assert_array_equal(np.asarray(one.image), other.image)
        np.testing.assert_array_equal(intensity_range(one.image), intensity_range(other.image))
        assert not is_constant(one.image)


def test_uncompressed_pages_apart_from_each_other_are_read_later_too(tmp_path: Path) -> None:
    data = noise(4, 20, 30, dtype=">u2")
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=">") as file:
        for page in data:
            file.write(page, contiguous=False, metadata=None)
    image = read_image(tmp_path / "a.tif", "TYX")
    assert isinstance(image.data, TiffPages)
    np.testing.assert_array_equal(image.data, data)


def test_dimensions_of_length_one_come_and_go(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    assert read_image(path, "TCZYX").data.shape == (9, 1, 1, 32, 32)
    assert isinstance(read_image(path, "TZYX").data, TiffPages)
    np.testing.assert_array_equal(read_image(path, "TZYX").data[3:5, 0, 7], data[3:5, 7])


@pytest.mark.parametrize("samples", [3, 4])
def test_colours_that_are_grey_become_grey_page_by_page(tmp_path: Path, samples: int) -> None:
    grey = noise(3, 20, 30, dtype="u1")
    data = np.repeat(grey[..., None], samples, -1)
    options: dict[str, Any] = {"photometric": "rgb", "ome": True, "metadata": {"axes": "TYXS"}}
    packed(tmp_path / "grey.tif", data, **options)
    data[1, 2, 3, 0] += 1
    packed(tmp_path / "colour.tif", data, **options)
    assert (read_image(tmp_path / "grey.tif").axes, read_image(tmp_path / "colour.tif").axes) == ("TYX", "TYXS")
    image = read_image(tmp_path / "grey.tif").data
    assert isinstance(image, TiffPages)
    np.testing.assert_array_equal(image, grey)
    np.testing.assert_array_equal(read_image(tmp_path / "colour.tif").data, data[..., :3])


def test_planes_of_several_files_are_read_later(tmp_path: Path) -> None:
    data = noise(2, 20, 30)
    xml = tifffile.tiffcomment(packed(tmp_path / "a.ome.tif", data, metadata={"axes": "TYX"}))
    parts = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1">'
        f'<UUID FileName="{name}.ome.tif">urn:uuid:{name}</UUID></TiffData>'
        for t, name in enumerate("ab")
    )
    start, end = xml.index("<TiffData"), xml.index("</Pixels>")
    xml = xml[:start] + parts + xml[end:]
    for name, page in zip("ab", data, strict=True):
        text = xml.replace("<OME ", f'<OME UUID="urn:uuid:{name}" ', 1) if " UUID=" not in xml else xml
        packed(tmp_path / f"{name}.ome.tif", page, description=text, metadata=None)
    image = read_image(tmp_path / "a.ome.tif")
    assert isinstance(image.data, TiffPages)
    np.testing.assert_array_equal(image.data, data)


def test_labels_are_read_at_once(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    labels = read_labels(path).data
    assert isinstance(labels, np.ndarray)
    np.testing.assert_array_equal(labels, data)


def test_the_file_is_open_only_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, data = series(tmp_path / "a.tif")
    image = read_image(path)
    file = image.data._file.pages[0].parent.filehandle  # type: ignore[attr-defined]
    assert file.closed
    np.testing.assert_array_equal(image.data[2], data[2])
    assert file.closed


def test_only_one_time_point_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.io.images._KEPT_BYTES", 1)
    path = packed(
        tmp_path / "a.tif", noise(2, 5, 3, 16, 16), ome=True, metadata={"axes": "CTZYX"}, photometric="minisblack"
    )
    image = read_image(path)
    for sample in to_samples(image):
        np.asarray(sample.image)
        assert len(image.data._file._kept) <= 2 * 3  # type: ignore[attr-defined]


def test_many_threads_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("microforge.io.images._KEPT_BYTES", 1)
    path, data = series(tmp_path / "a.tif", 12)
    image, wrong = read_image(path), []

    def read(first: int) -> None:
        wrong.extend(t for t in [*range(first, 12), *range(first)] if not np.array_equal(image.data[t], data[t]))

    threads = [threading.Thread(target=read, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# Bad files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("layout", ["TYX", "TZYX", "ZYX"])
def test_a_cut_file_is_an_error_when_it_is_opened(tmp_path: Path, layout: str, cut: float) -> None:
    shape, options = LAYOUTS[layout]
    path = packed(tmp_path / "a.tif", noise(*shape), **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(ImageReadError, match="copied completely"):
        read_image(path)


def test_a_damaged_page_is_an_error_when_it_is_read(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    spoil_page(path, 6)
    image = read_image(path)
    np.testing.assert_array_equal(image.data[:6], data[:6])
    with pytest.raises(ImageReadError, match=r"a\.tif: The file is damaged .*page 7: .*Copy it again") as caught:
        np.asarray(image.data)
    assert caught.value.where == str(path)
    np.testing.assert_array_equal(image.data[7:], data[7:])


def test_a_file_that_is_gone_or_changed_is_an_error(tmp_path: Path) -> None:
    path, _ = series(tmp_path / "a.tif")
    image = read_image(path)
    series(path, 8)
    with pytest.raises(ImageReadError, match="changed after it was opened"):
        image.data[0]
    path.unlink()
    with pytest.raises(ImageReadError, match=r"cannot be read any more.*drive is connected"):
        image.data[0]


# Prediction -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tile", [None, 64])
def test_a_series_is_predicted_the_same_from_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tile: int | None
) -> None:
    data = noise(4, 96, 80)
    path = packed(tmp_path / "a.tif", data, imagej=True, metadata={"axes": "TYX"})
    predictor = Predictor(random_model())
    predictor.network.tile_size = tile or predictor.network.tile_size
    lazy = predictor.predict(read_image(path))
    monkeypatch.setattr(tiff, "LARGE", 2**40)
    whole = predictor.predict(read_image(path))
    assert lazy.image is not None
    assert whole.image is not None
    np.testing.assert_array_equal(lazy.image, whole.image)
    assert lazy.statistics == whole.statistics


def test_a_folder_run_tells_the_time_point_that_is_damaged(tmp_path: Path) -> None:
    (good, _), (bad, _) = series(tmp_path / "good.tif"), series(tmp_path / "bad.tif")
    spoil_page(bad, 6)
    where = Origin(tmp_path / "out", "m", "1", "2", answer=PREDICTED_IMAGE)
    events = list(run_folder(Predictor(random_model()), [bad, good], where))
    [failed] = [event for event in events if isinstance(event, ImageFailed)]
    assert failed.reason.startswith("Time point 7: The file is damaged")
    assert [event.path for event in events if isinstance(event, ImageFinished)] == [good]
    assert not (tmp_path / "out" / "bad.tif").exists()


def test_objects_of_a_series_are_counted_from_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = series(tmp_path / "a.tif")
    spoiled, _ = series(tmp_path / "b.tif")
    spoil_page(spoiled, 3)
    model = random_model(out_channels=2, residual=False)
    model = replace(model, card=model.card.model_copy(update={"task": "instances", "task_options": {}}))
    events = list(run_folder(Predictor(model), [path, spoiled], Origin(tmp_path / "out", "m", "1", "2")))
    [failed] = [event for event in events if isinstance(event, ImageFailed)]
    assert "page 4" in failed.reason
    [finished] = [event for event in events if isinstance(event, ImageFinished)]
    monkeypatch.setattr(tiff, "LARGE", 2**40)
    again = list(run_folder(Predictor(model), [path], Origin(tmp_path / "again", "m", "1", "2")))
    assert [event.objects for event in again if isinstance(event, ImageFinished)] == [finished.objects]
    tables = [(tmp_path / name / "objects.csv").read_text() for name in ("out", "again")]
    assert tables[0] == tables[1]
