"""Pairing by name: what people call their files, and what they are told when it does not work out."""

from pathlib import Path

import pytest

from microforge.errors import ImageReadError, PairingError, SettingsError
from microforge.io.pairing import pair_folders, read_split
from support.pairs import names, touch


@pytest.mark.parametrize(
    ("image", "annotation"),
    [
        ("a.tif", "a.tif"),
        ("a.tif", "a.png"),
        ("A.TIF", "a.tif"),
        ("a.ome.tif", "a.tif"),
        ("a.ome.tif", "a_labels.ome.tif"),
        ("a.tif", "a_label.tif"),
        ("a.tif", "a_labels.tif"),
        ("a.tif", "a-labels.tif"),
        ("a.tif", "a.labels.tif"),
        ("a.tif", "a_Mask.png"),
        ("a.tif", "a_masks.png"),
        ("a.tif", "a_cp_masks.png"),
        ("a.tif", "a_seg.tif"),
        ("a.tif", "a_gt.tif"),
        ("a.tif", "a_truth.tif"),
        ("a.tif", "a_annotation.tif"),
        ("a.tif", "labels_a.tif"),
        ("a.tif", "mask-a.tif"),
        ("a_img.tif", "a_mask.tif"),
        ("a_image.tif", "a.tif"),
        ("a_raw.tif", "a_seg_mask.tif"),
        ("img001.tif", "mask001.tif"),
        ("image_3.tif", "label_3.tif"),
        ("plate 1 A03.tif", "plate 1 A03 labels.tif"),
    ],
)
def test_names_that_belong_together(tmp_path: Path, image: str, annotation: str) -> None:
    images, annotations = touch(tmp_path / "x", image, "other.tif"), touch(tmp_path / "y", annotation, "another.tif")
    pairing = pair_folders(images, annotations)
    assert names(pairing) == [(image, annotation)]
    assert [path.name for path in pairing.images_alone] == ["other.tif"]
    assert [path.name for path in pairing.annotations_alone] == ["another.tif"]


@pytest.mark.parametrize(
    ("image", "annotation"), [("a1.tif", "a10.tif"), ("mask.tif", "labels.tif"), ("ab.tif", "a_b.tif")]
)
def test_names_that_do_not(tmp_path: Path, image: str, annotation: str) -> None:
    images, annotations = touch(tmp_path / "x", image), touch(tmp_path / "y", annotation)
    with pytest.raises(PairingError, match=rf"Images: {image}; annotations: {annotation}.*additions such as _labels"):
        pair_folders(images, annotations)


def test_pairs_are_in_natural_order(tmp_path: Path) -> None:
    images, annotations = touch(tmp_path / "x", "t10.tif", "t2.tif"), touch(tmp_path / "y", "t2.tif", "t10.tif")
    assert [pair.name for pair in pair_folders(images, annotations).pairs] == ["t2", "t10"]


def test_one_folder_for_both(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", "a.tif", "a_labels.tif", "b.tif", "mask_b.tif", "c.tif", "notes.txt")
    pairing = pair_folders(folder, folder)
    assert names(pairing) == [("a.tif", "a_labels.tif"), ("b.tif", "mask_b.tif")]
    assert [path.name for path in pairing.images_alone] == ["c.tif"]


def test_two_files_belong_together_whatever_their_names(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", "a.tif", "drawn.tif")
    assert names(pair_folders(folder / "a.tif", folder / "drawn.tif")) == [("a.tif", "drawn.tif")]


def test_one_file_finds_its_annotation_in_a_folder(tmp_path: Path) -> None:
    images, annotations = touch(tmp_path / "x", "a.tif"), touch(tmp_path / "y", "a_mask.tif", "b_mask.tif")
    pairing = pair_folders(images / "a.tif", annotations)
    assert names(pairing) == [("a.tif", "a_mask.tif")]


def test_without_annotations_all_images_stand_alone(tmp_path: Path) -> None:
    pairing = pair_folders(touch(tmp_path / "x", "a.tif", "b.tif"))
    assert (len(pairing.pairs), len(pairing.images_alone), pairing.stems) == (0, 2, ("a", "b"))


def test_a_name_that_is_another_images_own_is_not_borrowed(tmp_path: Path) -> None:
    both = ("a.tif", "a_raw.tif")
    pairing = pair_folders(touch(tmp_path / "x", *both), touch(tmp_path / "y", *both))
    assert names(pairing) == [("a.tif", "a.tif"), ("a_raw.tif", "a_raw.tif")]


@pytest.mark.parametrize("second", ["a.png", "a_labels.tif"])
def test_two_annotations_for_one_image_are_named(tmp_path: Path, second: str) -> None:
    images, annotations = touch(tmp_path / "x", "a.tif"), touch(tmp_path / "y", "a_mask.tif", "a.tif", second)
    (annotations / "a_mask.tif").unlink()
    with pytest.raises(PairingError, match=rf"Two annotations fit: .*{second}") as caught:
        pair_folders(images, annotations)
    assert caught.value.where.endswith("a.tif")


def test_two_images_for_one_annotation_are_named(tmp_path: Path) -> None:
    images, annotations = touch(tmp_path / "x", "a_raw.tif", "a_img.tif"), touch(tmp_path / "y", "a.tif")
    with pytest.raises(PairingError, match=r"Two images fit: a_img\.tif and a_raw\.tif"):
        pair_folders(images, annotations)


def test_one_folder_without_annotations_says_how_to_name_them(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", "a.tif", "b.tif")
    with pytest.raises(PairingError, match=r"no annotation among the files.*plus _labels"):
        pair_folders(folder, folder)


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    full, empty = touch(tmp_path / "x", "a.tif"), touch(tmp_path / "y")
    with pytest.raises(ImageReadError, match="no such file or folder"):
        pair_folders(tmp_path / "none", full)
    with pytest.raises(PairingError, match="No annotations: the folder holds no images"):
        pair_folders(full, empty)


def test_report_in_plain_words(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", *(f"x{n}.tif" for n in range(5)))
    annotations = touch(tmp_path / "y", "a.tif", "lost.tif")
    assert pair_folders(images, annotations).report() == (
        "1 image with annotation.\n"
        "5 images without annotation: x0.tif, x1.tif, x2.tif and 2 more.\n"
        "1 annotation without image: lost.tif."
    )


# Targets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "target"),
    [
        ("a.tif", "a_clean.tif"),
        ("a_noisy.tif", "a.tif"),
        ("a_noisy.tif", "a_clean.tif"),
        ("noisy_001.tif", "clean_001.tif"),
        ("noisy001.tif", "clean001.tif"),
        ("a_raw.tif", "a_denoised.tif"),
        ("a_low.tif", "a_high.tif"),
        ("a_lr.tif", "a_hr.tif"),
        ("a_low.tif", "a_gt.tif"),
        ("a_noisy.tif", "a_target.tif"),
        ("img_001_low.tif", "img_001_high.tif"),
    ],
)
def test_names_of_targets(tmp_path: Path, image: str, target: str) -> None:
    images, targets = touch(tmp_path / "x", image, "b.tif"), touch(tmp_path / "y", target, "c.tif")
    assert names(pair_folders(images, targets, partner="target")) == [(image, target)]
    folder = touch(tmp_path / "z", image, target)
    if image != "a_noisy.tif" or target != "a.tif":
        assert names(pair_folders(folder, folder, partner="target")) == [(image, target)]


def test_two_exposures_are_told_apart(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a_low.tif", "a_high.tif", "b_low.tif", "b_high.tif")
    labels = touch(tmp_path / "y", "a_low_labels.tif", "a_high_labels.tif", "b_high_mask.tif")
    pairing = pair_folders(images, labels)
    assert sorted(names(pairing)) == [
        ("a_high.tif", "a_high_labels.tif"), ("a_low.tif", "a_low_labels.tif"), ("b_high.tif", "b_high_mask.tif"),
    ]  # fmt: skip
    assert [path.name for path in pairing.images_alone] == ["b_low.tif"]


def test_two_exposures_for_one_target_are_named(tmp_path: Path) -> None:
    images, targets = touch(tmp_path / "x", "a_low.tif", "a_noisy.tif"), touch(tmp_path / "y", "a_clean.tif")
    with pytest.raises(PairingError, match=r"a_clean\.tif: Two images fit: a_low\.tif and a_noisy\.tif"):
        pair_folders(images, targets, partner="target")


def test_several_folders_of_targets(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "b.tif", "c.tif")
    first, second = touch(tmp_path / "dapi", "a.tif", "b.tif"), touch(tmp_path / "nfh", "a_gt.tif", "c.tif", "lost.tif")
    third = touch(tmp_path / "map2", "c.tif", "a.tif")
    pairing = pair_folders(images, first, more=[second, third], partner="target")
    assert [(p.name, p.annotation, p.others) for p in pairing.pairs] == [
        ("a", first / "a.tif", (second / "a_gt.tif", third / "a.tif"))
    ]
    assert pairing.report() == (
        "1 image with 3 targets.\n2 images without all 3 targets: b.tif, c.tif.\n1 target without image: lost.tif."
    )


def test_several_target_files_of_one_image(tmp_path: Path) -> None:
    folder = touch(tmp_path / "x", "a.tif", "red.tif", "green.tif")
    pairing = pair_folders(folder / "a.tif", folder / "red.tif", more=[folder / "green.tif"])
    assert pairing.pairs[0].others == (folder / "green.tif",)


def test_folders_of_targets_without_a_common_image_are_refused(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "b.tif")
    first, second = touch(tmp_path / "y", "a.tif"), touch(tmp_path / "z", "b.tif")
    with pytest.raises(PairingError, match=r"No image has a target in every folder\..*b\.tif; in those before: a\.tif"):
        pair_folders(images, first, more=[second], partner="target")


def test_a_folder_given_twice_is_refused(tmp_path: Path) -> None:
    images, targets = touch(tmp_path / "x", "a.tif"), touch(tmp_path / "y", "a.tif")
    with pytest.raises(PairingError, match="same folder is given twice"):
        pair_folders(images, targets, more=[targets], partner="target")


def test_reports_and_errors_call_partners_by_their_name(tmp_path: Path) -> None:
    images, targets = touch(tmp_path / "x", "a.tif", "b.tif"), touch(tmp_path / "y", "a.tif")
    assert pair_folders(images, targets, partner="target").report().startswith("1 image with target.")
    assert pair_folders(images, partner="").report() == "2 images."
    other = touch(tmp_path / "z", "q.tif")
    with pytest.raises(PairingError, match=r"No target has the name.*additions such as _clean"):
        pair_folders(images, other, partner="target")
    with pytest.raises(PairingError, match="No targets: the folder holds no images"):
        pair_folders(images, touch(tmp_path / "empty"), partner="target")


# Splits ---------------------------------------------------------------------------------------------------------


def table(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "split.csv"
    path.write_text(text, encoding=encoding, newline="")
    return path


@pytest.mark.parametrize("text", [
    "name,split\na,train\nb,val\nc,val\nnot there,val\n",
    "name;split;n\r\na.tif;train;1\r\nb.tif;val;2\r\nC.ome.tif;val;3\r\n",
    "Split\tName \nval\tb \n val\tc\ntrain\ta\n",
    'name,split\n"a",train\n"sub/b.tif","val"\nc,val\n',
])  # fmt: skip
def test_a_table_says_which_images_belong_to_a_split(tmp_path: Path, text: str) -> None:
    path = table(tmp_path, text, "utf-8-sig")
    assert read_split(f"{path}:val", ["a", "b", "c", "d"]) == {"b", "c"}


def test_a_pairing_is_divided_by_a_split(tmp_path: Path) -> None:
    images, annotations = touch(tmp_path / "x", "a.tif", "b.tif", "c.tif"), touch(tmp_path / "y", "a.tif", "b.tif")
    path = table(tmp_path, "name,split\na,val\nb,train\nc,val\n")
    pairing = pair_folders(images, annotations)
    stems = read_split(f"{path}:val", pairing.stems)
    assert (
        names(pairing.select(stems))
        == [("a.tif", "a.tif")]
        == names(pair_folders(images, annotations, split=f"{path}:val"))
    )
    assert [path.name for path in pairing.select(stems).images_alone] == ["c.tif"]
    assert names(pairing.without(stems)) == [("b.tif", "b.tif")]


@pytest.mark.parametrize("split", ["split.csv", "split.csv:", ":val", "C:\\data\\split.csv"])
def test_a_split_needs_table_and_name(split: str) -> None:
    with pytest.raises(SettingsError, match=r"split\.csv:val"):
        read_split(split, ["a"])


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match=r"none\.csv.*cannot be read"):
        read_split(f"{tmp_path / 'none.csv'}:val", ["a"])


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(PairingError, match=r"no column 'split'.*Its columns are name, part"):
        read_split(f"{table(tmp_path, 'name,part' + chr(10))}:val", ["a"])


def test_an_unknown_split_gives_those_there_are(tmp_path: Path) -> None:
    path = table(tmp_path, "name,split\na,train\nb,validation\n")
    with pytest.raises(PairingError, match=r"No row belongs to the split 'val'.*train, validation"):
        read_split(f"{path}:val", ["a"])


def test_names_of_other_images_are_shown(tmp_path: Path) -> None:
    path = table(tmp_path, "name,split\nq,val\n")
    with pytest.raises(PairingError, match="table names q; the images are a, b"):
        read_split(f"{path}:val", ["b", "a"])
