"""Images become samples and results become images again, without copying and without guessing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from microforge.axes.lazy_view import LazyView
from microforge.axes.samples import check_axes, from_samples, likely_axes, spatial_axes, to_image_pairs, to_samples
from microforge.errors import AnnotationError, AxesError
from microforge.types import Array, Image

SIZES = {"T": 3, "C": 2, "Z": 4, "Y": 8, "X": 9, "S": 3}


def image_of(axes: str, **options: Any) -> Image:
    shape = [SIZES[letter] for letter in axes]
    return Image("cells", np.arange(np.prod(shape), dtype=np.uint16).reshape(shape), axes, **options)


class OnDisk:
    """Like a zarr array: it can be cut, and says what was read."""

    def __init__(self, data: Array) -> None:
        self.data, self.read = data, 0
        self.shape, self.ndim, self.dtype = data.shape, data.ndim, data.dtype

    def __getitem__(self, key: Any) -> Array:
        part = self.data[key]
        self.read += part.size
        return part


@pytest.mark.parametrize(
    ("axes", "count", "shape"),
    [
        ("YX", 1, (1, 8, 9)),
        ("CYX", 1, (2, 8, 9)),
        ("YXC", 1, (2, 8, 9)),
        ("YXS", 1, (3, 8, 9)),
        ("ZYX", 1, (1, 4, 8, 9)),
        ("ZCYX", 1, (2, 4, 8, 9)),
        ("TYX", 3, (1, 8, 9)),
        ("TZCYX", 3, (2, 4, 8, 9)),
        ("CZYXT", 3, (2, 4, 8, 9)),
        ("CYXS", 1, (6, 8, 9)),
    ],
)
def test_samples_are_channels_first_one_per_time_point(axes: str, count: int, shape: tuple[int, ...]) -> None:
    image = image_of(axes)
    samples = to_samples(image)
    assert [sample.image.shape for sample in samples] == [shape] * count
    expected = ["cells"] if count == 1 else ["cells t=000", "cells t=001", "cells t=002"]
    assert [sample.name for sample in samples] == expected
    letters = "".join(letter for letter in "TCSZYX" if letter in axes)
    data = np.asarray(image.data).transpose([axes.index(letter) for letter in letters])
    np.testing.assert_array_equal(np.stack([s.image for s in samples]), data.reshape(count, *shape))


@pytest.mark.parametrize("axes", ["YX", "YXS", "ZCYX", "TZCYX", "XYCT"])
def test_nothing_is_copied(axes: str) -> None:
    image = image_of(axes)
    assert all(np.shares_memory(sample.image, image.data) for sample in to_samples(image))


def test_a_memmap_stays_on_disk(tmp_path: Path) -> None:
    data = np.memmap(tmp_path / "a.raw", np.uint16, "w+", shape=(3, 4, 8, 9))
    assert all(isinstance(sample.image, np.memmap) for sample in to_samples(Image("a", data, "TZYX")))


def test_what_is_known_of_an_image_goes_to_its_samples() -> None:
    image = image_of("TCYX", pixel_size=(0.5, 0.5), channel_names=("DAPI", "GFP"))
    assert all(s.pixel_size == (0.5, 0.5) and s.channel_names == ("DAPI", "GFP") for s in to_samples(image))


def test_axes_that_do_not_fit_name_the_source() -> None:
    with pytest.raises(AxesError, match=r"x\.tif: The axes 'ZYX'.*8x9"):
        to_samples(Image("x", np.zeros((8, 9)), "ZYX", source="x.tif"))


# Labels and masks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("axes", "labels_axes"), [
    ("YX", "YX"), ("CYX", "YX"), ("YXS", "YX"), ("TYX", "TYX"), ("TZCYX", "TZYX"), ("ZTYX", "TZYX"), ("YXZ", "YXZ"),
])  # fmt: skip
def test_labels_follow_their_time_point(axes: str, labels_axes: str) -> None:
    labels = image_of(labels_axes)
    samples = to_samples(image_of(axes), labels, np.asarray(labels.data) > 5 if "Z" not in axes else None)
    ordered = "".join(letter for letter in "TZYX" if letter in labels_axes)
    expected = np.asarray(labels.data).transpose([labels_axes.index(letter) for letter in ordered])
    got = np.stack([s.annotation for s in samples if s.annotation is not None])
    np.testing.assert_array_equal(got.reshape(expected.shape), expected)
    assert all(s.annotation is not None and s.annotation.shape == s.image.shape[1:] for s in samples)
    if "Z" not in axes:
        masks = np.stack([s.mask for s in samples if s.mask is not None])
        assert masks.dtype == bool
        np.testing.assert_array_equal(masks.reshape(expected.shape), expected > 5)


def test_labels_of_a_series_that_were_saved_as_a_stack_are_understood() -> None:
    labels = Image("cells", np.asarray(image_of("TYX").data), "ZYX")
    assert len(to_samples(image_of("TYX"), labels)) == 3


def test_labels_with_guessed_axes_are_taken_as_the_image_is() -> None:
    image = Image("a", np.zeros((4, 3, 8, 9)), "ZTYX")
    labels = Image("a", np.zeros((3, 4, 8, 9), np.int32), "ZCYX", axes_known=False)
    assert [s.annotation is not None and s.annotation.shape for s in to_samples(image, labels)] == [(4, 8, 9)] * 3


def test_labels_of_a_stack_of_one_plane_may_be_a_plane() -> None:
    samples = to_samples(Image("a", np.zeros((1, 8, 9)), "ZYX"), Image("a", np.ones((8, 9), np.int32), "YX"))
    assert [s.annotation is not None and s.annotation.shape for s in samples] == [(1, 8, 9)]


@pytest.mark.parametrize(
    ("shape", "axes", "words"),
    [
        ((200, 200), "YX", "labels are 200x200, the image is 8x9.*cropped nor rescaled"),
        ((9, 8), "YX", "labels are 9x8.*another order"),
        ((3, 8, 9), "ZYX", r"labels are 3x8x9 \(ZYX\), the image is 8x9.*check the axes"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_both_sizes(shape: tuple[int, ...], axes: str, words: str) -> None:
    labels = Image("l", np.zeros(shape, np.int32), axes, source="l.tif")
    with pytest.raises(AnnotationError, match=rf"l\.tif: The {words}"):
        to_samples(image_of("YX"), labels)


def test_a_mask_that_does_not_fit_is_refused() -> None:
    with pytest.raises(AnnotationError, match="mask is 9x9, the image 8x9"):
        to_samples(image_of("CYX"), None, np.ones((9, 9), bool))


# Arrays that can only be cut ------------------------------------------------------------------------------------


@pytest.mark.parametrize("axes", ["YX", "CYX", "YXC", "ZCYX", "TZCYX", "CZYXT", "XYZ"])
def test_arrays_on_disk_are_read_window_by_window(axes: str) -> None:
    image = image_of(axes)
    disk = OnDisk(np.asarray(image.data))
    samples = to_samples(Image("cells", disk, axes))
    assert disk.read == 0
    for lazy, plain in zip(samples, to_samples(image), strict=True):
        assert isinstance(lazy.image, LazyView)
        assert (lazy.image.shape, lazy.image.ndim, lazy.image.dtype) == (
            plain.image.shape, plain.image.ndim, plain.image.dtype,
        )  # fmt: skip
        before = disk.read
        window = (slice(0, 1), ..., slice(2, 5), slice(-4, None, 2))
        np.testing.assert_array_equal(lazy.image[window], plain.image[window])
        assert disk.read - before == plain.image[window].size
        for key in (0, -1, (0, ..., 3), (slice(None), 1), (..., 0), slice(0, 0), (0,) * lazy.image.ndim):
            np.testing.assert_array_equal(lazy.image[key], plain.image[key])
        np.testing.assert_array_equal(np.asarray(lazy.image), plain.image)


def test_a_lazy_view_is_cut_backwards_though_its_source_cannot_be() -> None:
    data = np.arange(72).reshape(8, 9)
    view = LazyView(OnDisk(data), (None, 1, 0), {})
    for key in [(0, slice(None, None, -1)), (..., slice(6, 1, -2)), (slice(None, None, -1), slice(1, 6, -1), 3)]:
        np.testing.assert_array_equal(view[key], data.T[None][key])


def test_axes_of_length_one_come_and_go_in_a_lazy_view() -> None:
    data = np.arange(72).reshape(1, 8, 1, 9)
    view = LazyView(OnDisk(data), range(4), {}, {1: 5})
    np.testing.assert_array_equal(view.reshape((5, 9, 1)), data[0, :5, 0, :, None])
    with pytest.raises(ValueError, match="cannot become"):
        view.reshape((9, 5))


def test_a_lazy_view_refuses_what_is_out_of_bounds() -> None:
    view = LazyView(np.zeros((8, 9)), (None, 0, 1), {})
    with pytest.raises(IndexError, match="8 is out of bounds"):
        view[0, 8]


def test_colours_and_channels_on_disk_are_read_at_once() -> None:
    image = image_of("CYXS")
    lazy = to_samples(Image("cells", OnDisk(np.asarray(image.data)), "CYXS"))[0]
    np.testing.assert_array_equal(lazy.image, to_samples(image)[0].image)


def test_dask_arrays_stay_lazy() -> None:
    dask = pytest.importorskip("dask.array")
    image = image_of("TZCYX")
    samples = to_samples(Image("cells", dask.from_array(image.data), "TZCYX"))
    assert all(isinstance(sample.image, dask.Array) for sample in samples)
    np.testing.assert_array_equal(samples[1].image, to_samples(image)[1].image)


# Back again -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axes", "result", "expected"),
    [
        ("YX", (8, 9), "YX"),
        ("CYX", (8, 9), "YX"),
        ("TYX", (8, 9), "TYX"),
        ("TZCYX", (4, 8, 9), "TZYX"),
        ("ZYX", (2, 4, 8, 9), "CZYX"),
        ("TYXS", (2, 8, 9), "TCYX"),
    ],
)
def test_results_are_put_together_again(axes: str, result: tuple[int, ...], expected: str) -> None:
    image = image_of(axes)
    results = [np.full(result, t) for t in range(len(to_samples(image)))]
    array, letters = from_samples(results, image)
    assert letters == expected
    assert array.shape == ((3, *result) if "T" in axes else result)
    assert [int(part.max()) for part in (array if "T" in axes else [array])] == list(range(len(results)))


# Letters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shape", "axes"), [
    ((512, 512), "YX"), ((3, 512, 512), "CYX"), ((4, 512, 512), "CYX"), ((30, 512, 512), "ZYX"), ((512, 512, 3), "YXS"),
    ((512, 512, 2), "YXC"), ((2, 30, 512, 512), "CZYX"), ((30, 2, 512, 512), "ZCYX"), ((10, 30, 512, 512), "TZYX"),
    ((30, 512, 512, 3), "ZYXS"), ((5, 30, 2, 64, 64), "TZCYX"), ((5, 2, 30, 64, 64), "TCZYX"),
])  # fmt: skip
def test_likely_axes(shape: tuple[int, ...], axes: str) -> None:
    assert likely_axes(shape) == axes
    assert check_axes(axes.lower(), shape) == axes


def test_a_line_has_no_likely_axes() -> None:
    with pytest.raises(AxesError, match="shape 12 is no image"):
        likely_axes((12,))


def test_many_samples_are_no_colours() -> None:
    with pytest.raises(AxesError, match=r"S .* has 30 samples; use C"):
        check_axes("YXS", (9, 9, 30))


def test_spatial_axes() -> None:
    assert [spatial_axes(axes) for axes in ("TCYX", "ZCYX")] == ["YX", "ZYX"]


# Images and what they should become -----------------------------------------------------------------------------


def target_of(axes: str, finer: int = 1, dtype: Any = np.uint16, name: str = "clean", **options: Any) -> Image:
    shape = [SIZES[letter] * (finer if letter in "YX" else 1) for letter in axes]
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return Image(name, data, axes, source=f"{name}.tif", **options)


@pytest.mark.parametrize(
    ("axes", "target", "shape"),
    [
        ("YX", "YX", (1, 8, 9)),
        ("CYX", "YX", (1, 8, 9)),
        ("YX", "CYX", (2, 8, 9)),
        ("YXS", "YXS", (3, 8, 9)),
        ("ZYX", "ZYX", (1, 4, 8, 9)),
        ("CZYX", "ZCYX", (2, 4, 8, 9)),
        ("TYX", "TCYX", (2, 8, 9)),
        ("TYX", "YXT", (1, 8, 9)),
        ("TZCYX", "TZYX", (1, 4, 8, 9)),
    ],
)
@pytest.mark.parametrize("finer", [1, 2, 4])
def test_targets_are_channels_first_one_per_time_point(
    axes: str, target: str, shape: tuple[int, ...], finer: int
) -> None:
    wanted = target_of(target, finer)
    samples = to_image_pairs(image_of(axes), [wanted])
    assert [s.name for s in samples] == [s.name for s in to_samples(image_of(axes))]
    expected = (*shape[:-2], shape[-2] * finer, shape[-1] * finer)
    alone = to_samples(wanted)
    for sample, one in zip(samples, alone, strict=True):
        assert sample.annotation is not None
        assert sample.annotation.shape == expected
        np.testing.assert_array_equal(sample.annotation, one.image)
        assert np.shares_memory(sample.annotation, wanted.data)


def test_channels_of_several_targets_follow_one_another() -> None:
    targets = [target_of("YX", name="DAPI"), target_of("CYX", name="b"), target_of("YX", name="NFH")]
    sample = to_image_pairs(image_of("CYX", channel_names=("low", "high")), targets)[0]
    assert (sample.target_names, sample.channel_names) == (("DAPI", "b 1", "b 2", "NFH"), ("low", "high"))
    assert sample.annotation is not None
    assert (sample.annotation.dtype, sample.annotation.shape) == (np.uint16, (4, 8, 9))
    np.testing.assert_array_equal(sample.annotation[1:3], targets[1].data)


def test_targets_of_different_types_become_floats() -> None:
    sample = to_image_pairs(image_of("YX"), [target_of("YX"), target_of("YX", dtype=np.float64)])[0]
    assert sample.annotation is not None
    assert sample.annotation.dtype == np.float32


def test_names_of_channels_are_kept() -> None:
    target = target_of("CYX", channel_names=("DAPI", "MAP2"))
    assert to_image_pairs(image_of("YX"), [target])[0].target_names == ("DAPI", "MAP2")
    assert to_image_pairs(image_of("YX"), [target_of("YX", name="")])[0].target_names == ()


def test_lengths_of_one_are_overlooked() -> None:
    plane = Image("a", np.zeros((1, 8, 9)), "ZYX")
    assert to_image_pairs(plane, [target_of("YX")])[0].annotation.shape == (1, 1, 8, 9)  # type: ignore[union-attr]
    stack = Image("b", np.zeros((1, 8, 9)), "ZYX")
    assert to_image_pairs(image_of("YX"), [stack])[0].annotation.shape == (1, 8, 9)  # type: ignore[union-attr]


def test_a_series_saved_as_a_stack_is_understood_in_targets_too() -> None:
    stack = Image("a", np.asarray(target_of("TYX", 2).data), "ZYX")
    assert len(to_image_pairs(image_of("TYX"), [stack])) == 3


def test_targets_with_guessed_axes_are_taken_as_the_image_is_or_asked_for() -> None:
    guessed = Image("a", np.zeros((4, 8, 9)), "CYX", axes_known=False)
    assert to_image_pairs(image_of("ZYX"), [guessed])[0].annotation.shape == (1, 4, 8, 9)  # type: ignore[union-attr]
    assert to_image_pairs(image_of("YX"), [guessed])[0].annotation.shape == (4, 8, 9)  # type: ignore[union-attr]
    unclear = Image("a", np.zeros((6, 8, 9)), "ZYX", axes_known=False, source="a.tif")
    with pytest.raises(AxesError, match=r"a\.tif: What the dimensions of the target \(6x8x9\) mean.*--target-axes"):
        to_image_pairs(image_of("YX"), [unclear])


def test_targets_on_disk_are_read() -> None:
    disk = Image("a", OnDisk(np.asarray(target_of("ZCYX").data)), "ZCYX")
    annotation = to_image_pairs(image_of("ZYX"), [disk])[0].annotation
    np.testing.assert_array_equal(annotation, to_image_pairs(image_of("ZYX"), [target_of("ZCYX")])[0].annotation)


def test_a_target_on_disk_stays_there(tmp_path: Path) -> None:
    data = np.memmap(tmp_path / "a.raw", np.uint16, "w+", shape=(3, 16, 18))
    samples = to_image_pairs(image_of("TYX"), [Image("a", data, "TYX")])
    assert all(isinstance(sample.annotation, np.memmap) for sample in samples)


@pytest.mark.parametrize(
    ("image", "shape", "axes", "words"),
    [
        ("YX", (8, 8), "YX", "target is 8x8, the image is 8x9.*neither cropped nor shifted"),
        ("YX", (16, 9), "YX", "target is 16x9, the image is 8x9.*exactly 2, 3 or 4 times"),
        ("YX", (40, 45), "YX", "target is 40x45, the image is 8x9"),
        ("YX", (4, 9), "YX", "target is 4x9"),
        ("ZYX", (8, 9), "YX", r"target is 8x9, the image is 4x8x9 \(ZYX\).*planes and time points"),
        ("TYX", (2, 8, 9), "TYX", r"target is 2x8x9 \(TYX\), the image is 3x8x9 \(TYX\).*planes and time points"),
        ("YX", (5, 8, 9), "ZYX", r"target is 5x8x9 \(ZYX\), the image is 8x9"),
    ],
)
def test_targets_that_do_not_fit_are_refused_with_both_sizes(
    image: str, shape: tuple[int, ...], axes: str, words: str
) -> None:
    with pytest.raises(AnnotationError, match=rf"bad\.tif: The {words}"):
        to_image_pairs(image_of(image), [Image("bad", np.zeros(shape), axes, source="bad.tif")])


def test_a_finer_image_than_its_target_may_be_swapped() -> None:
    with pytest.raises(AnnotationError, match=r"clean: The target is 4x5, the image is 8x10\..*perhaps.*swapped"):
        to_image_pairs(Image("a", np.zeros((8, 10)), "YX"), [Image("clean", np.zeros((4, 5)), "YX")])


def test_targets_of_different_sizes_are_refused_by_name() -> None:
    with pytest.raises(AnnotationError, match=r"b\.tif: The target is 16x18, but a\.tif is 8x9.*of one size"):
        to_image_pairs(image_of("YX"), [target_of("YX", name="a"), target_of("YX", 2, name="b")])
