"""Names that challenges and programs use: each convention pairs its files, and guesses are never made between two."""

from pathlib import Path

import pytest

from microforge.errors import PairingError
from microforge.io.pairing import pair_folders
from support.pairs import names, touch


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("t{:03d}.tif", "man_seg{:03d}.tif"),
        ("t{:04d}.tif", "man_track{:04d}.tif"),
        ("t{:03d}.tif", "mask{:03d}.tif"),
        ("cell_{:03d}_0000.tif", "cell_{:03d}.tif"),
        ("BRATS_{:03d}_0000.tif", "BRATS_{:03d}.tif"),
        ("img_{:d}.png", "mask_{:04d}.png"),
        ("image{:02d}.tif", "label_{:d}.tif"),
        ("im{:d}.png", "im{:d}_cp_masks.png"),
        ("im{:d}.png", "im{:d}_masks.png"),
        ("im {:d}.tif", "im {:d}-labels.tif"),
    ],
)
def test_names_of_challenges_and_programs_are_paired(tmp_path: Path, image: str, labels: str) -> None:
    numbers = (3, 1, 20)
    pairing = pair_folders(
        touch(tmp_path / "images", *(image.format(n) for n in numbers)),
        touch(tmp_path / "labels", *(labels.format(n) for n in numbers)),
    )
    assert sorted(names(pairing)) == sorted((image.format(n), labels.format(n)) for n in numbers)


@pytest.mark.parametrize("inner", ["SEG", "TRA"])
def test_labels_are_found_in_the_inner_folder_of_a_challenge(tmp_path: Path, inner: str) -> None:
    images = touch(tmp_path / "01", "t000.tif", "t001.tif")
    touch(tmp_path / "01_GT" / inner, "man_seg000.tif", "man_seg001.tif", "man_track.txt")
    pairing = pair_folders(images, tmp_path / "01_GT")
    assert names(pairing) == [("t000.tif", "man_seg000.tif"), ("t001.tif", "man_seg001.tif")]


def test_channels_in_files_of_their_own_are_told(tmp_path: Path) -> None:
    images = touch(tmp_path / "images", "a_0000.tif", "a_0001.tif", "b_0000.tif")
    labels = touch(tmp_path / "labels", "a.tif", "b.tif")
    with pytest.raises(
        PairingError, match=r"2 images belong to it \(a_0000.tif, a_0001.tif\), as if each were one channel"
    ) as raised:
        pair_folders(images, labels)
    assert "Merge Channels" in raised.value.remedy


def test_numbers_written_in_two_ways_are_not_guessed_between(tmp_path: Path) -> None:
    images = touch(tmp_path / "images", "img_1.tif", "img_01.tif", "a.tif")
    labels = touch(tmp_path / "labels", "mask_0001.tif", "a.tif")
    assert names(pair_folders(images, labels)) == [("a.tif", "a.tif")]


def test_a_folder_for_each_image_with_a_mask_for_each_object(tmp_path: Path) -> None:
    for name in ("aa", "b2"):
        touch(tmp_path / name / "images", f"{name}.png")
        touch(tmp_path / name / "masks", "1.png", "2.png")
    touch(tmp_path / "other")
    pairing = pair_folders(tmp_path, tmp_path)
    assert names(pairing) == [("aa.png", "masks"), ("b2.png", "masks")]
    assert "2 images with annotation" in pairing.report()
