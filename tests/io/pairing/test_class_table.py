"""Classes of images: from the tables and folders that people have, never guessed."""

from pathlib import Path

import pytest

from microforge.errors import AnnotationError, ImageReadError, PairingError
from microforge.io.pairing import Pairing, pair_classes, pair_folders
from microforge.io.pairing.class_table import read_classes


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "classes.csv"
    path.write_text(text)
    return path


def classes(pairing: Pairing) -> dict[str, str]:
    return {pair.image.name: pair.class_name for pair in pairing.pairs}


@pytest.mark.parametrize(
    "text",
    [
        "name,class\na,good\nb,bad\n",
        "class;file\ngood;a.tif\nbad;b.ome.tif\n",
        "Filename\tLabel\r\nplate 1/a.tif\tgood\r\nC:\\plates\\b.TIF\tbad\r\n",
        "image,quality,split,count\na,good,train,3\nb,bad,test,4\n",
        "name,treatment,mean\na,good,1.5\nb,bad,2.5\n",
        "name,mean,what I saw\na,1.5,good\nb,2.5,bad\n",
        "name,class,quality,group\na,good,x,1\nb,bad,y,2\n",
        "name,class\na,good\nb,bad\nc,\n\na,good\n",
    ],
)
def test_tables_of_classes(tmp_path: Path, text: str) -> None:
    assert read_classes(table(tmp_path, text)) == {"a": "good", "b": "bad"}


def test_classes_may_be_numbers(tmp_path: Path) -> None:
    assert read_classes(table(tmp_path, "name,class\na.tif,1\nb.tif,2\n")) == {"a": "1", "b": "2"}


def test_a_name_with_a_point_keeps_it(tmp_path: Path) -> None:
    assert read_classes(table(tmp_path, "name,class\nday 1.5,old\n")) == {"day 1.5": "old"}


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "The file is empty"),
        ("class,quality\ngood,1\n", r"no column with the names of images.*Its columns are class, quality"),
        ("name,split\na,train\n", "not clear which column of the table is the class. None of them holds words"),
        ("name,mean\na,1.5\n", "None of them holds words"),
        ("name,quality,treatment\na,good,control\n", "It may be any of quality, treatment"),
        ("name,well,who\na,A01,Ada\n", "It may be any of well, who.*Call the one meant 'class'"),
        ("name,class\na,good\na.tif,bad\n", "Line 3 gives a the class 'bad', a line before it 'good'"),
        ("name,class\na,\n", "gives no image a class"),
        ("name,class\n", "gives no image a class"),
        ("name,class\na,good,bad\n", "Line 2 has 3 values"),
    ],
)
def test_tables_that_leave_doubt_say_so(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(AnnotationError, match=match) as caught:
        read_classes(table(tmp_path, text))
    assert caught.value.where == str(tmp_path / "classes.csv")


def test_images_get_their_classes_and_the_rest_is_told(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "B.tif", "c.tif")
    path = table(tmp_path, "name,class\na,good\nb.tif,bad\nz,bad\n")
    pairing = pair_folders(images, path, find=pair_classes)
    assert classes(pairing) == {"a.tif": "good", "B.tif": "bad"}
    assert pairing.report() == (
        "2 images with a class: 1 bad, 1 good.\n1 image without a class: c.tif.\n1 name in the table without image: z."
    )


def test_a_split_keeps_the_classes(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "b.tif", "c.tif")
    path = table(tmp_path, "name,class,split\na,good,train\nb,bad,train\nc,bad,val\n")
    assert classes(pair_folders(images, path, find=pair_classes, split=f"{path}:val")) == {"c.tif": "bad"}


@pytest.mark.parametrize("twice", [False, True])
def test_folders_named_by_class(tmp_path: Path, twice: bool) -> None:
    touch(tmp_path / "good", "a.tif", "b.tif", "notes.txt")
    touch(tmp_path / "bad", "a.tif")
    touch(tmp_path / "empty")
    touch(tmp_path / ".hidden", "h.tif")
    touch(tmp_path, "loose.tif")
    pairing = pair_folders(tmp_path, tmp_path if twice else None, find=pair_classes)
    found = [(pair.image.relative_to(tmp_path).as_posix(), pair.class_name) for pair in pairing.pairs]
    assert found == [("bad/a.tif", "bad"), ("good/a.tif", "good"), ("good/b.tif", "good")]
    assert [path.name for path in pairing.images_alone] == ["loose.tif"]


def test_without_table_and_folders_it_is_said(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif")
    with pytest.raises(PairingError, match="not said which class each image has"):
        pair_folders(images, find=pair_classes)
    with pytest.raises(PairingError, match="Classes come from a table"):
        pair_folders(images, touch(tmp_path / "y", "a.tif"), find=pair_classes)
    with pytest.raises(PairingError, match=r"names none of the images\. It names z; the images are a\.tif"):
        pair_folders(images, table(tmp_path, "name,class\nz,good\n"), find=pair_classes)
    with pytest.raises(ImageReadError, match="no such file or folder"):
        pair_folders(tmp_path / "none", find=pair_classes)
    with pytest.raises(AnnotationError, match="cannot be read"):
        pair_folders(images, tmp_path / "none.csv", find=pair_classes)


def test_classes_that_differ_in_capitals_or_gaps_only_are_told(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in "abcd":
        (images / f"{name}.tif").write_bytes(b"II*\0")
    (tmp_path / "classes.csv").write_text("name,class\na,Good\nb,good\nc,in focus\nd,bad\n")
    report = pair_classes(images, tmp_path / "classes.csv").report()
    assert "'Good' and 'good' are taken as different classes" in report
    assert "focus' " not in report
