"""Large TIFFs of many pages: read page by page, the same as read at once; bad pages are errors in words."""

import threading
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile

from microforge.answers import PREDICTED_IMAGE
from microforge.axes.lazy_view import LazyView
from microforge.axes.samples import to_samples
from microforge.data.normalise import intensity_range, is_constant
from microforge.errors import ImageReadError
from microforge.events import ImageFailed, ImageFinished
from microforge.inference.folder.jobs import Origin
from microforge.inference.folder.run import run_folder
from microforge.inference.predictor import Predictor
from microforge.io.images import lazy_tiff, read_image, read_labels, tiff
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
    assert isinstance(pages, LazyView)
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
    assert isinstance(lazy.data, LazyView) == ("T" in layout)
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
    assert isinstance(image.data, LazyView)
    np.testing.assert_array_equal(image.data, data)


def test_dimensions_of_length_one_come_and_go(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    assert read_image(path, "TCZYX").data.shape == (9, 1, 1, 32, 32)
    assert isinstance(read_image(path, "TZYX").data, LazyView)
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
    assert isinstance(image, LazyView)
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
    assert isinstance(image.data, LazyView)
    np.testing.assert_array_equal(image.data, data)


def test_labels_are_read_at_once(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    labels = read_labels(path).data
    assert isinstance(labels, np.ndarray)
    np.testing.assert_array_equal(labels, data)


def pieces_of(view: Any) -> Any:
    """Give the store of decoded pieces behind a view."""
    while isinstance(view, LazyView):
        view = view._source
    return view._pieces


def test_the_file_is_open_only_while_it_is_read(tmp_path: Path) -> None:
    path, data = series(tmp_path / "a.tif")
    spoil_page(path, 6)
    image = read_image(path)
    assert not is_open(path)
    np.testing.assert_array_equal(image.data[2], data[2])
    assert not is_open(path)
    with pytest.raises(ImageReadError):
        np.asarray(image.data)
    wait_until(lambda: not is_open(path))


def is_open(path: Path) -> bool:
    return str(path.resolve()) in [file.path for file in psutil.Process().open_files()]


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(200):
        if happened():
            return
        time.sleep(0.01)
    assert happened()


def test_only_one_time_point_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_tiff, "_LEAST_KEPT", 1)
    path = packed(
        tmp_path / "a.tif", noise(2, 5, 3, 16, 16), ome=True, metadata={"axes": "CTZYX"}, photometric="minisblack"
    )
    image = read_image(path)
    for sample in to_samples(image):
        np.asarray(sample.image)
        assert len(pieces_of(image.data)._kept) == 2 * 3


def test_many_threads_read_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_tiff, "_LEAST_KEPT", 1)
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


# Pieces of pages ------------------------------------------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pieces of files that were decoded."""
    seen: list[str] = []
    decode = lazy_tiff._Pieces._decoded

    async def counted(self: Any, key: str, *more: Any) -> Any:
        seen.append(key)
        return await decode(self, key, *more)

    monkeypatch.setattr(lazy_tiff._Pieces, "_decoded", counted)
    return seen


@pytest.mark.parametrize(("pieces", "most"), [({"tile": (256, 256)}, 4), ({"rowsperstrip": 16}, 17)])
def test_a_window_of_one_large_page_decodes_only_its_own_pieces(
    tmp_path: Path, decoded: list[str], pieces: dict[str, Any], most: int
) -> None:
    page = np.add.outer(np.arange(8192, dtype="u2"), np.arange(8192, dtype="u2"))
    path = packed(tmp_path / "slide.tif", page, **pieces)
    image = read_image(path)
    tracemalloc.start()
    window = image.data[4000:4256, 2100:2356]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(window, page[4000:4256, 2100:2356])
    assert len(decoded) <= most
    assert peak < page.nbytes / 10
    np.testing.assert_array_equal(image.data[4000:4256, 2100:2356], window)
    assert len(decoded) <= most
    np.testing.assert_array_equal(image.data[::1024, 8191:8000:-7], page[::1024, 8191:8000:-7])


def test_small_pieces_are_decoded_a_page_at_a_time(tmp_path: Path, decoded: list[str]) -> None:
    data = noise(3, 64, 32)
    image = read_image(packed(tmp_path / "a.tif", data, rowsperstrip=1, imagej=True, metadata={"axes": "TYX"}))
    np.testing.assert_array_equal(image.data[1], data[1])
    assert len(decoded) == 1


def test_a_damaged_piece_of_a_large_page_is_an_error_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = noise(512, 512)
    path = packed(tmp_path / "a.tif", data, tile=(256, 256))
    monkeypatch.setattr(lazy_tiff, "_SMALL_PAGE", 0)
    spoil_page(path, 0)
    image = read_image(path)
    np.testing.assert_array_equal(image.data[256:], data[256:])
    with pytest.raises(ImageReadError, match=r"a\.tif: The file is damaged .*page 1: "):
        image.data[0]


def test_samples_of_one_large_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lazy_tiff, "_SMALL_PAGE", 0)
    colours: dict[str, Any] = {"tile": (256, 256), "photometric": "rgb"}
    data = noise(512, 600, 4, dtype="u1")
    image = read_image(packed(tmp_path / "a.tif", data, **colours, extrasamples=["unassalpha"]))
    assert isinstance(image.data, LazyView)
    np.testing.assert_array_equal(image.data, data[..., :3])
    grey = np.repeat(noise(512, 600, dtype="u1")[..., None], 3, -1)
    image = read_image(packed(tmp_path / "b.tif", grey, **colours))
    assert image.axes == "YX"
    np.testing.assert_array_equal(image.data, grey[..., 0])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "zstd"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("pieces", [{"tile": (32, 48)}, {"rowsperstrip": 7}, {}], ids=["tiles", "strips", "page"])
@pytest.mark.parametrize("colours", [None, "contig", "separate"])
@pytest.mark.parametrize("small", [0, 2**30], ids=["by pieces", "by pages"])
def test_every_layout_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compression: str | None, byteorder: str, pieces: dict[str, Any],
    colours: str | None, small: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(lazy_tiff, "_SMALL_PAGE", small)
    options = {"compression": compression, "byteorder": byteorder, "predictor": bool(compression), **pieces}
    data = noise(2, 70, 90, 3) if colours == "contig" else noise(2, 3, 70, 90)
    if colours:
        options |= {"photometric": "rgb", "planarconfig": colours}
    raw = tiff.read_tiff(packed(tmp_path / "a.tif", data, metadata=None, **options))
    np.testing.assert_array_equal(raw.data, np.squeeze(tifffile.imread(tmp_path / "a.tif")))
    np.testing.assert_array_equal(raw.data[1, ..., 3:40, 1], tifffile.imread(tmp_path / "a.tif")[1, ..., 3:40, 1])


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
