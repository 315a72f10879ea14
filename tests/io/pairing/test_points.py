"""Images and their files of points belong together by name, whatever Fiji and people add to it."""

from pathlib import Path

import numpy as np
import pytest

from microforge.errors import ImageReadError, PairingError
from microforge.io.pairing import Pairing, pair_folders, pair_points
from microforge.io.points import write_points_csv, write_points_rois
from microforge.types import Points


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def pair(images: Path, points: Path) -> Pairing:
    return pair_folders(images, points, find=pair_points, partner="points file")


def names(pairing: Pairing) -> list[tuple[str, str]]:
    return [(pair.image.name, pair.annotation.name if pair.annotation else "") for pair in pairing.pairs]


NAMES = [
    ("img_01.tif", "img_01.csv"),
    ("img_01.tif", "IMG_01.CSV"),
    ("img_01.tif", "img_01.tsv"),
    ("img_01.tif", "img_01.txt"),
    ("img_01.tif", "img_01.roi"),
    ("img_01.tif", "img_01.tif.csv"),
    ("img_01.tif", "img_01_points.csv"),
    ("img_01.tif", "img_01-points.csv"),
    ("img_01.tif", "img_01 counts.csv"),
    ("img_01.tif", "01_cells.csv"),
    ("img_01.tif", "points_01.csv"),
    ("img_01.tif", "CellCounter_img_01.xml"),
    ("img_01.tif", "CellCounter_img_01.tif.xml"),
    ("img_01.tif", "img_01_RoiSet.zip"),
    ("img_01.tif", "RoiSet_img_01.zip"),
    ("img_01.tif", "RoiSet-img_01.tif.zip"),
    ("a.ome.tif", "a.csv"),
    ("a.ome.tif", "a.ome.csv"),
    ("cells_01.tif", "cells_01.csv"),
    ("cells_01.tif", "cells_01_points.csv"),
    ("cells_01.tif", "points_01.csv"),
    ("day 1.5.tif", "day 1.5.csv"),
]


@pytest.mark.parametrize(("image", "points"), NAMES)
@pytest.mark.parametrize("apart", [False, True])
def test_names_that_belong_together(tmp_path: Path, image: str, points: str, apart: bool) -> None:
    images = touch(tmp_path / "x", image)
    folder = touch(tmp_path / "y" if apart else images, points)
    pairing = pair(images, folder)
    assert names(pairing) == [(image, points)]
    assert pairing.images_alone == pairing.annotations_alone == ()


def test_the_nearer_name_wins(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "01.tif", "cells_01.tif")
    pairing = pair(images, touch(tmp_path / "y", "01.csv", "cells_01.csv"))
    assert names(pairing) == [("01.tif", "01.csv"), ("cells_01.tif", "cells_01.csv")]


def test_what_is_left_over_is_told(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "b.tif")
    touch(images, "a.csv", "counts.csv", ".a.xml", "split.csv")
    pairing = pair(images, images)
    assert names(pairing) == [("a.tif", "a.csv")]
    assert pairing.report() == (
        "1 image with points file.\n1 image without points file: b.tif.\n"
        "2 points files without image: counts.csv, split.csv."
    )


def test_two_files_belong_together_whatever_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "a.tif", "clicked.csv")
    assert names(pair(tmp_path / "a.tif", tmp_path / "clicked.csv")) == [("a.tif", "clicked.csv")]


def test_several_kinds_of_files_for_one_image_are_ambiguous(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "a_points.csv", "a_RoiSet.zip")
    with pytest.raises(PairingError, match=r"Two points files fit: a_points\.csv and a_RoiSet\.zip"):
        pair(images, images)


def test_results_can_be_annotations(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif", "b.tif")
    points = np.random.default_rng(0).uniform(0, 500, (40, 2)).astype(np.float32)
    for name, moved in (("a", 0.0), ("b", 1.0)):
        write_points_csv(images / f"{name}.csv", Points(points, np.zeros(40, np.int32)))
        write_points_rois(images / f"{name}.zip", Points(points[::-1] + moved, np.zeros(40, np.int32)))
    with pytest.raises(PairingError, match=r"Two points files fit: b\.csv and b\.zip"):
        pair(images, images)
    (images / "b.csv").unlink()
    assert names(pair(images, images)) == [("a.tif", "a.csv"), ("b.tif", "b.zip")]


def test_places_beyond_all_bounds_are_not_the_same(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif")
    (images / "a.csv").write_text("y,x\n1,1\n1e39,1\n")
    write_points_rois(images / "a.zip", Points(np.ones((2, 2), np.float32), np.zeros(2, np.int32)))
    with pytest.raises(PairingError, match=r"Two points files fit: a\.csv and a\.zip"):
        pair(images, images)


def test_label_images_are_no_points(tmp_path: Path) -> None:
    images = touch(tmp_path / "x", "a.tif")
    with pytest.raises(PairingError, match=r"holds no files of points.*\.csv, \.tsv, \.txt, \.roi, \.zip, \.xml"):
        pair(images, touch(tmp_path / "y", "a.tif"))
    with pytest.raises(PairingError, match="There is no such file or folder"):
        pair(images, tmp_path / "none")
    with pytest.raises(ImageReadError, match="holds no images"):
        pair(touch(tmp_path / "z", "a.csv"), tmp_path / "z")
    with pytest.raises(PairingError, match=r"No points file has the name of an image.*additions such as _points"):
        pair(images, touch(tmp_path / "w", "b.csv"))
