"""Loading whole folders: what is good is kept, what is bad is named."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from microforge.annotations import IMAGE_CLASSES, IMAGE_PAIRS, LABELS, NOTHING, POINTS, AnnotationKind
from microforge.data.loading import Problem, iter_samples, load_samples
from microforge.errors import AnnotationError, NotEnoughDataError
from microforge.io.pairing import Pair, pair_classes, pair_folders, pair_points
from microforge.tasks.base import Task
from microforge.tasks.classification import Classification
from microforge.tasks.counting.task import Counting
from microforge.types import Array, Sample


class Strict:
    """A task as loading sees one: it looks at samples and may refuse them."""

    annotation = LABELS

    def check(self, sample: Sample) -> Sample:
        if sample.annotation is not None and not sample.annotation.any():
            raise AnnotationError("Nothing is annotated.", where=sample.name)
        return sample

    def changes(self, given: Sample, used: Sample) -> str:
        return ""


class Blind(Strict):
    annotation = NOTHING


class Restoring(Strict):
    annotation = IMAGE_PAIRS


def task(kind: type[Strict] | type[Task] = Strict) -> Task:
    return kind()  # type: ignore[return-value]


def write(folder: Path, **arrays: Array) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in arrays.items():
        axes = {2: "YX", 3: "CYX" if len(data) < 4 else "ZYX"}[data.ndim]
        tifffile.imwrite(folder / f"{name}.tif", data, photometric="minisblack", metadata={"axes": axes})
    return folder


def plain(*shape: int) -> Array:
    return np.ones(shape or (16, 16), np.uint16)


def test_good_files_become_samples_in_order(tmp_path: Path) -> None:
    arrays = {name: plain() for name in ("t2", "t10", "t1")}
    pairing = pair_folders(write(tmp_path / "x", **arrays), write(tmp_path / "y", **arrays))
    loaded = load_samples(pairing, task())
    assert [sample.name for sample in loaded.samples] == ["t1", "t2", "t10"]
    assert loaded.problems == ()
    assert all(s.annotation is not None and s.annotation.dtype == np.int32 for s in loaded.samples)


def test_bad_files_are_named_and_stop_nothing(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain(), c=plain(), d=plain(), e=plain())
    labels = write(tmp_path / "y", a=plain(), b=plain(20, 20), c=plain() * 0, d=plain() * 0.5, e=plain())
    (images / "e.tif").write_bytes(b"")
    loaded = load_samples(pair_folders(images, labels), task())
    assert [sample.name for sample in loaded.samples] == ["a"]
    reasons = {path.name: reason for path, reason in loaded.problems}
    assert reasons["b.tif"].startswith("The labels are 20x20, the image is 16x16.")
    assert reasons["c.tif"] == "Nothing is annotated."
    assert "fractions" in reasons["d.tif"]
    assert reasons["e.tif"].startswith("The file is empty (0 bytes).")
    assert not any(str(tmp_path) in reason for reason in reasons.values())


def test_samples_and_problems_come_one_by_one(tmp_path: Path) -> None:
    images, labels = write(tmp_path / "x", a=plain(), b=plain()), write(tmp_path / "y", a=plain(), b=plain(20, 20))
    first, second = iter_samples(pair_folders(images, labels), task())
    assert isinstance(first, Sample)
    assert isinstance(second, Problem)
    assert second.path == images / "b.tif"


def test_a_time_series_gives_one_sample_per_time_point(tmp_path: Path) -> None:
    data = np.ones((5, 16, 16), np.uint16)
    pair = Pair(write(tmp_path / "x", a=data) / "a.tif", write(tmp_path / "y", a=data) / "a.tif")
    loaded = load_samples([pair], task(), axes="TYX")
    assert [sample.name for sample in loaded.samples] == [f"a t={t:03d}" for t in range(5)]


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (plain(2, 16, 16), "The image has 2 channels, most others have 1"),
        (plain(6, 16, 16), "The image is a stack, most others are planes"),
    ],
)
def test_the_odd_one_out_is_left_out(tmp_path: Path, odd: Array, words: str) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain(), odd=odd)
    labels = write(tmp_path / "y", a=plain(), b=plain(), odd=plain(6, 16, 16) if len(odd) == 6 else plain())
    loaded = load_samples(pair_folders(images, labels), task())
    assert [sample.name for sample in loaded.samples] == ["a", "b"]
    assert [path.name for path, _ in loaded.problems] == ["odd.tif"]
    assert loaded.problems[0][1].startswith(words)


def test_tasks_without_drawings_use_all_images(tmp_path: Path) -> None:
    images, labels = write(tmp_path / "x", a=plain(), b=plain()), write(tmp_path / "y", a=plain(9, 9))
    loaded = load_samples(pair_folders(images, labels), task(Blind))
    assert [(sample.name, sample.annotation) for sample in loaded.samples] == [("a", None), ("b", None)]
    assert len(load_samples(pair_folders(images), task(Blind)).samples) == 2


def test_nothing_left_says_why(tmp_path: Path) -> None:
    names = "abcde"
    images = write(tmp_path / "x", **{name: plain() for name in names})
    labels = write(tmp_path / "y", **{name: plain(9, 9) for name in names})
    with pytest.raises(NotEnoughDataError, match=r"None of the 5 files.*a\.tif: The labels are 9x9.*And 2 more"):
        load_samples(pair_folders(images, labels), task())


def test_no_images_at_all_says_so() -> None:
    with pytest.raises(NotEnoughDataError, match="no images to learn from"):
        load_samples([], task())


# Points and classes -----------------------------------------------------------------------------------------------


def tables_of_points(folder: Path, **tables: str) -> Path:
    folder.mkdir()
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_points_are_read_from_files_and_bad_files_are_reported(tmp_path: Path) -> None:
    images = write(tmp_path / "x", **{name: plain() for name in "abcde"})
    points = tables_of_points(
        tmp_path / "y",
        a="y,x\n1,2\n3,4\n",
        b="x;y\n2,5;1,5\n",
        c="y,x\n1,two\n",
        d="z,y,x\n0,1,2\n1,1,2\n",
        e="y,x\n1,1\n40,70\n",
    )
    pairing = pair_folders(images, points, partner="points file", find=pair_points)
    loaded = load_samples(pairing, task(Counting))
    found = {sample.name: sample.points for sample in loaded.samples}
    assert list(found) == ["a", "b", "e"]
    assert found["a"] is not None
    np.testing.assert_array_equal(found["a"].coordinates, [[1, 2], [3, 4]])
    assert found["b"] is not None
    np.testing.assert_array_equal(found["b"].coordinates, [[1.5, 2.5]])
    assert found["e"] is not None
    assert len(found["e"]) == 1, "a point outside the image is left out"
    reasons = {problem.path.stem: problem.reason for problem in loaded.problems}
    assert reasons["c"].startswith("c.csv: Line 2 has 'two' in the column 'x'")
    assert "The points lie on 2 planes, but the image has one only" in reasons["d"]


def test_what_was_done_to_points_is_told(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain())
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "a.csv").write_text("y,x\n3,4\n3,4\n99,4\n")
    (tmp_path / "y" / "b.csv").write_text("y,x\n3,4\n")
    loaded = load_samples(pair_folders(images, tmp_path / "y", find=pair_points), Counting())
    (remark,) = loaded.remarks
    assert remark.path.name == "a.tif"
    assert remark.reason == "1 point outside the image left out, 1 point on another merged with it."


def test_images_without_cells_count_only_if_she_says_so(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain())
    pairing = pair_folders(images, tables_of_points(tmp_path / "y", a="y,x\n1,2\n", b="y,x\n"), find=pair_points)
    left_out = load_samples(pairing, task(Counting))
    assert [problem.path.stem for problem in left_out.problems] == ["b"]
    assert "no points" in left_out.problems[0].reason
    told = Counting.from_options({"empty": "no cells"})
    assert [sample.name for sample in load_samples(pairing, told).samples] == ["a", "b"]


def test_slices_are_numbered_through_the_channels_of_the_image(tmp_path: Path) -> None:
    stack = np.zeros((3, 2, 8, 9), np.uint16)
    (tmp_path / "x").mkdir()
    tifffile.imwrite(tmp_path / "x" / "a.tif", stack, imagej=True, metadata={"axes": "ZCYX"})
    marker = "<Marker><MarkerX>4</MarkerX><MarkerY>3</MarkerY><MarkerZ>{}</MarkerZ></Marker>"
    markers = "".join(marker.format(number) for number in (1, 2, 5))
    data = f"<Marker_Data><Marker_Type><Type>1</Type>{markers}</Marker_Type></Marker_Data>"
    (tmp_path / "CellCounter_a.xml").write_text(f"<CellCounter_Marker_File>{data}</CellCounter_Marker_File>")
    pairing = pair_folders(tmp_path / "x", tmp_path, find=pair_points)
    (sample,) = load_samples(pairing, task(Counting)).samples
    assert sample.points is not None
    assert sample.points.axes == "ZYX"
    # The first two slices are the two channels of one plane: the two points are one cell.
    np.testing.assert_array_equal(sample.points.coordinates, [[0, 3, 4], [2, 3, 4]])


def test_classes_come_from_a_table(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain(), c=plain())
    (tmp_path / "classes.csv").write_text("file,quality\na.tif,good\nb.tif,bad\nz.tif,bad\n")
    pairing = pair_folders(images, tmp_path / "classes.csv", find=pair_classes)
    loaded = load_samples(pairing, task(Classification))
    assert {sample.name: sample.class_name for sample in loaded.samples} == {"a": "good", "b": "bad"}
    assert not loaded.problems


def test_images_of_one_name_in_two_class_folders_keep_apart(tmp_path: Path) -> None:
    write(tmp_path / "good", one=plain(), two=plain())
    write(tmp_path / "bad", one=plain())
    loaded = load_samples(pair_folders(tmp_path, find=pair_classes), task(Classification))
    found = {sample.name: sample.class_name for sample in loaded.samples}
    assert found == {"bad/one": "bad", "good/one": "good", "two": "good"}


def test_a_class_the_model_does_not_know_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "good", a=plain())
    write(tmp_path / "odd", b=plain())
    known = Classification.from_options({"names": ("good", "bad")})
    loaded = load_samples(pair_folders(tmp_path, find=pair_classes), known)
    assert [sample.name for sample in loaded.samples] == ["a"]
    assert "'odd' is not one of good, bad" in loaded.problems[0].reason


@pytest.mark.parametrize("kind", [POINTS, IMAGE_CLASSES])
def test_stacks_of_unknown_axes_are_asked_about_for_points_and_classes(tmp_path: Path, kind: AnnotationKind) -> None:
    unknown(tmp_path / "x" / "a.tif", 5, 8, 9)
    (tmp_path / "a.csv").write_text("y,x\n1,2\n" if kind is POINTS else "name,class\na,good\n")
    pairing = kind.pair(tmp_path / "x", [tmp_path / "a.csv"])
    with pytest.raises(NotEnoughDataError, match="Say it with --axes"):
        load_samples(pairing, task(Counting if kind is POINTS else Classification))


# Targets --------------------------------------------------------------------------------------------------------


def unknown(path: Path, *shape: int) -> Path:
    """Write a file that does not tell what its dimensions are."""
    path.parent.mkdir(exist_ok=True)
    tifffile.imwrite(path, np.ones(shape, np.uint16), photometric="minisblack")
    return path


def test_targets_are_read_beside_their_images(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain())
    targets = write(tmp_path / "DAPI", a=plain(32, 32).astype(np.float32), b=plain(32, 32).astype(np.float32))
    loaded = load_samples(pair_folders(images, targets), task(Restoring))
    assert loaded.problems == ()
    assert all(s.annotation is not None and s.annotation.shape == (1, 32, 32) for s in loaded.samples)
    assert {s.target_names for s in loaded.samples} == {("DAPI",)}


def test_several_folders_of_targets_become_channels(tmp_path: Path) -> None:
    arrays = {"a": plain(), "b": plain()}
    images = write(tmp_path / "x", **arrays)
    targets = [
        write(tmp_path / name, **{key: data * n for key, data in arrays.items()}) for n, name in enumerate("uvw")
    ]
    loaded = load_samples(pair_folders(images, targets[0], more=targets[1:]), task(Restoring))
    for sample in loaded.samples:
        assert sample.annotation is not None
        assert sample.annotation[:, 0, 0].tolist() == [0, 1, 2]
        assert sample.target_names == ("u", "v", "w")


def test_targets_that_do_not_fit_are_named(tmp_path: Path) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain(), c=plain(), d=plain())
    targets = write(tmp_path / "y", a=plain(), b=plain(20, 20), c=plain(), d=plain())
    (targets / "c.tif").write_bytes(b"")
    loaded = load_samples(pair_folders(images, targets), task(Restoring))
    assert [sample.name for sample in loaded.samples] == ["a", "d"]
    reasons = {path.name: reason for path, reason in loaded.problems}
    assert reasons["b.tif"].startswith("The target is 20x20, the image is 16x16.")
    assert "empty" in reasons["c.tif"]
    assert not any(str(tmp_path) in reason for reason in reasons.values())


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (plain(2, 16, 16), "The target has 2 channels, most others have 1"),
        (plain(32, 32), "The target is 2 times as fine as the image, most others 1 times"),
    ],
)
def test_the_odd_target_is_left_out(tmp_path: Path, odd: Array, words: str) -> None:
    images = write(tmp_path / "x", a=plain(), b=plain(), odd=plain())
    targets = write(tmp_path / "y", a=plain(), b=plain(), odd=odd)
    loaded = load_samples(pair_folders(images, targets), task(Restoring))
    assert [sample.name for sample in loaded.samples] == ["a", "b"]
    assert [path.name for path, _ in loaded.problems] == ["odd.tif"]
    assert loaded.problems[0][1].startswith(words)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((12, 16, 16), "shape 12x16x16.*--axes: TYX for a time series, ZYX for a stack, CYX for channels"),
        ((3, 16, 16), "shape 3x16x16.*TYX for a time series"),
        ((16, 16, 2), "shape 16x16x2.*--axes: YXC, TYX for"),
        ((5, 6, 16, 16), "shape 5x6x16x16.*TZYX for a time series of stacks"),
        ((2, 3, 4, 16, 16), "shape 2x3x4x16x16.*--axes: T"),
    ],
)
def test_unknown_dimensions_are_asked_for(tmp_path: Path, shape: tuple[int, ...], words: str) -> None:
    pair = Pair(unknown(tmp_path / "x" / "a.tif", *shape))
    with pytest.raises(NotEnoughDataError, match=rf"a\.tif: The image has the {words}"):
        load_samples([pair], task(Blind))


def test_said_dimensions_are_taken(tmp_path: Path) -> None:
    pair = Pair(unknown(tmp_path / "x" / "a.tif", 12, 16, 16))
    assert len(load_samples([pair], task(Blind), axes="TYX").samples) == 12
    assert load_samples([pair], task(Blind), axes="ZYX").samples[0].image.shape == (1, 12, 16, 16)


def test_label_tasks_take_the_likely_reading_as_before(tmp_path: Path) -> None:
    pair = Pair(unknown(tmp_path / "x" / "a.tif", 12, 16, 16), unknown(tmp_path / "y" / "a.tif", 12, 16, 16))
    assert load_samples([pair], task()).samples[0].image.shape == (1, 12, 16, 16)


@pytest.mark.parametrize(
    ("image", "target", "axes", "target_axes", "shape"),
    [
        ((5, 16, 16), (3, 16, 16), "CYX", None, (3, 16, 16)),
        ((5, 16, 16), (16, 16), "CYX", None, (1, 16, 16)),
        ((2, 6, 16, 16), (6, 16, 16), "CZYX", None, (1, 6, 16, 16)),
        ((6, 16, 16), (6, 32, 32), "ZYX", None, (1, 6, 32, 32)),
        ((16, 16), (9, 16, 16), None, "CYX", (9, 16, 16)),
        ((6, 16, 16), (2, 6, 16, 16), "ZYX", "CZYX", (2, 6, 16, 16)),
    ],
)
def test_axes_of_targets(
    tmp_path: Path,
    image: tuple[int, ...],
    target: tuple[int, ...],
    axes: str | None,
    target_axes: str | None,
    shape: tuple[int, ...],
) -> None:
    pair = Pair(unknown(tmp_path / "x" / "a.tif", *image), unknown(tmp_path / "y" / "a.tif", *target))
    sample = load_samples([pair], task(Restoring), axes=axes, target_axes=target_axes).samples[0]
    assert sample.annotation is not None
    assert sample.annotation.shape == shape


def test_unclear_axes_of_targets_are_asked_for(tmp_path: Path) -> None:
    pair = Pair(unknown(tmp_path / "x" / "a.tif", 16, 16), unknown(tmp_path / "y" / "a.tif", 9, 16, 16))
    with pytest.raises(NotEnoughDataError, match=r"What the dimensions of the target .*--target-axes"):
        load_samples([pair], task(Restoring))


def test_measuring_may_read_what_training_does_without(tmp_path: Path) -> None:
    images, targets = write(tmp_path / "x", a=plain()), write(tmp_path / "y", a=plain())
    pairing = pair_folders(images, targets)
    assert load_samples(pairing, task(Blind)).samples[0].annotation is None
    (sample,) = iter_samples(pairing, task(Blind), kind=IMAGE_PAIRS)
    assert isinstance(sample, Sample)
    assert sample.annotation is not None


def save_turned(path: Path, size: tuple[int, int]) -> Path:
    """Save a JPEG whose camera was held upright: stored lying, with EXIF's orientation 6."""
    exif = Picture.Exif()
    exif[0x0112] = 6
    path.parent.mkdir(exist_ok=True)
    rows, columns = np.mgrid[: size[0], : size[1]]
    Picture.fromarray((rows * 5 + columns % 3).astype(np.uint8)).save(path, exif=exif)
    return path


def test_a_picture_stored_turned_fits_labels_drawn_upright_and_it_is_said(tmp_path: Path) -> None:
    image = save_turned(tmp_path / "x" / "a.jpg", (32, 32))
    labels = write(tmp_path / "y", a=np.tril(plain(32, 32)))
    loaded = load_samples([Pair(image, labels / "a.tif")], task())
    pixels = np.asarray(loaded.samples[0].image)[0]
    # The rows of the stored picture, which grow brighter, are columns of the upright one, from right to left.
    assert np.all(np.diff(pixels[:, ::5].mean(axis=0)) < -10)
    (remark,) = loaded.remarks
    assert remark.path == image
    assert "read upright" in remark.reason


def test_labels_drawn_on_the_stored_picture_are_refused_with_the_reason(tmp_path: Path) -> None:
    image = save_turned(tmp_path / "x" / "a.jpg", (24, 32))
    labels = write(tmp_path / "y", a=plain(24, 32))
    with pytest.raises(NotEnoughDataError, match=r"labels are 24x32, the image is 32x24.*orientation 6.*read upright"):
        load_samples([Pair(image, labels / "a.tif")], task())
