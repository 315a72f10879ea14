"""Outlines of every kind become the label images they stand for; what is cut, hidden or not understood is told."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from roifile import ROI_TYPE, ImagejRoi

from microforge.data.loading import load_samples
from microforge.errors import AnnotationError, NotEnoughDataError, PairingError
from microforge.io.outlines import read_outlines
from microforge.io.pairing import pair_drawn, pair_folders
from microforge.tasks.instances.task import Instances
from microforge.tasks.segmentation import Segmentation
from microforge.types import Array, Image


def image(shape: tuple[int, ...] = (40, 50), axes: str = "YX") -> Image:
    return Image("a", np.zeros(shape, np.uint8), axes, source="somewhere/a.tif")


def box(top: int, left: int, bottom: int, right: int) -> list[list[int]]:
    """Give the corners x, y of a rectangle of whole pixels."""
    return [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]


def feature(*rings: Any, kind: str = "Polygon", **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": list(rings), **more}, "properties": {}}


def save(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def pixels(labels: Image) -> list[int]:
    return np.bincount(np.asarray(labels.data).ravel())[1:].tolist()


SQUARE, OTHER = box(2, 3, 12, 13), box(20, 20, 30, 40)


@pytest.mark.parametrize("form", ["list", "collection"])
def test_geojson_of_qupath_with_holes_and_pieces(tmp_path: Path, form: str) -> None:
    ring = feature(SQUARE, box(4, 5, 8, 9))
    pieces = feature([OTHER], [box(35, 1, 38, 4)], kind="MultiPolygon")
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [3, 4]}}
    features = [ring, point, pieces]
    content = features if form == "list" else {"type": "FeatureCollection", "features": features}
    labels = read_outlines(save(tmp_path / "a.geojson", content), image())
    assert pixels(labels) == [84, 209]
    assert np.all(labels.data[4:8, 5:9] == 0)
    assert np.all(labels.data[35:38, 1:4] == 2)
    assert labels.notes == ()


def test_overlaps_cuts_and_what_is_hidden_are_counted(tmp_path: Path) -> None:
    outside, beyond = box(100, 100, 110, 110), box(35, 45, 60, 60)
    content = [feature(one) for one in (SQUARE, box(7, 8, 17, 18), beyond, outside)]
    labels = read_outlines(save(tmp_path / "a.geojson", content), image())
    assert pixels(labels) == [75, 100, 25]
    assert labels.notes == (
        "Outlines overlap in 25 pixels: the later one in the file lies on top.",
        "2 of 4 outlines reach beyond the image and were cut there.",
        "1 of 4 outlines hold no pixel: they lie outside or below others.",
    )


def test_ellipses_have_the_area_of_ellipses(tmp_path: Path) -> None:
    labels = read_outlines(save(tmp_path / "a.geojson", [feature(OTHER, isEllipse=True)]), image())
    assert pixels(labels)[0] == pytest.approx(np.pi * 5 * 10, rel=0.04)


def test_outlines_lie_in_their_plane_and_frame(tmp_path: Path) -> None:
    content = [feature(SQUARE, plane={"c": -1, "z": 1, "t": 2}), feature(OTHER, plane={"z": 0, "t": 0})]
    labels = read_outlines(save(tmp_path / "a.geojson", content), image((3, 2, 40, 50), "TZYX"))
    assert sorted(set(zip(*(at.tolist() for at in np.nonzero(labels.data)[:2]), strict=True))) == [(0, 0), (2, 1)]


def test_rois_of_imagej_in_the_order_of_the_file(tmp_path: Path) -> None:
    square = ImagejRoi.frompoints(np.array(SQUARE[:4], np.float32))
    square.roitype = ROI_TYPE.POLYGON
    oval = ImagejRoi(roitype=ROI_TYPE.OVAL, top=20, left=20, bottom=30, right=40)
    with zipfile.ZipFile(tmp_path / "a_RoiSet.zip", "w") as file:
        file.writestr("1.roi", square.tobytes())
        file.writestr("2.roi", oval.tobytes())
    labels = read_outlines(tmp_path / "a_RoiSet.zip", image())
    assert pixels(labels)[0] == 100
    assert pixels(labels)[1] == pytest.approx(np.pi * 5 * 10, rel=0.04)


def runs_of(mask: Array) -> list[int]:
    flat = np.concatenate([[0], mask.T.ravel(), [0]]).astype(int)
    turns = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate([[0], turns, [mask.size]])).tolist()


def packed(runs: list[int]) -> str:
    """Write runs as pycocotools does."""
    text = ""
    for place, run in enumerate(runs):
        value = run - (runs[place - 2] if place > 2 else 0)
        more = True
        while more:
            bits, value = value & 0x1F, value >> 5
            more = value != (-1 if bits & 0x10 else 0)
            text += chr((bits | (0x20 if more else 0)) + 48)
    return text


def coco(*segmentations: Any) -> dict[str, Any]:
    annotations = [{"image_id": 7, "segmentation": one, "category_id": 1} for one in segmentations]
    other = {"image_id": 8, "segmentation": [[0, 0, 9, 0, 9, 9]], "category_id": 1}
    images = [{"id": 7, "file_name": "train/a.tif"}, {"id": 8, "file_name": "b.tif"}]
    return {"images": images, "annotations": [*annotations, other]}


def test_coco_polygons_and_masks_as_runs(tmp_path: Path) -> None:
    mask = np.zeros((40, 50), bool)
    mask[20:30, 20:40] = True
    mask[22:25, 25:28] = False
    flat = [number for corner in SQUARE for number in corner]
    runs = runs_of(mask)
    for counts in (runs, packed(runs)):
        content = coco([flat], {"size": [40, 50], "counts": counts})
        path = save(tmp_path / f"coco_{type(counts).__name__}.json", content)
        labels = read_outlines(path, image())
        assert pixels(labels) == [100, 191]
        np.testing.assert_array_equal(labels.data == 2, mask)


def test_labelme_shapes_and_groups(tmp_path: Path) -> None:
    shapes = [
        {"label": "cell", "points": SQUARE[:4], "shape_type": "polygon", "group_id": 1},
        {"label": "cell", "points": [[30, 2], [35, 7]], "shape_type": "rectangle", "group_id": 1},
        {"label": "cell", "points": [[25, 25], [25, 31]], "shape_type": "circle", "group_id": None},
        {"label": "point", "points": [[1, 1]], "shape_type": "point"},
    ]
    labels = read_outlines(save(tmp_path / "a.json", {"shapes": shapes, "imagePath": "a.tif"}), image())
    assert pixels(labels)[0] == 125
    assert pixels(labels)[1] == pytest.approx(np.pi * 36, rel=0.06)


@pytest.mark.parametrize(
    "content",
    [
        "{", "[1, 2]", "{}", "[" * 100_000, '{"images": [], "annotations": []}',
        '{"type": "FeatureCollection"}', '{"shapes": [{"points": [[1, 2]]}]}',
        '[{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[1e99, 2], [3, 4], [5, 6]]]}}]',
        json.dumps(coco({"size": [40, 50], "counts": [1, -1]})),
        json.dumps(coco({"size": [4, 5], "counts": [20]})),
    ],
)  # fmt: skip
def test_what_is_no_outline_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(AnnotationError, match="outlines cannot be read") as raised:
        read_outlines(tmp_path / "a.json", image())
    assert "GeoJSON" in raised.value.remedy


def images_in(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        tifffile.imwrite(folder / name, np.zeros((40, 50), np.uint8))
    return folder


@pytest.mark.parametrize("beside", [True, False])
def test_outlines_are_learnt_from_as_objects(tmp_path: Path, beside: bool) -> None:
    images = images_in(tmp_path / "images", "a.tif", "b.tif")
    folder = images if beside else tmp_path / "outlines"
    folder.mkdir(exist_ok=True)
    for name in ("a.geojson", "b_outlines.geojson"):
        save(folder / name, [feature(SQUARE), feature(OTHER)])
    pairing = pair_folders(images, folder, find=pair_drawn)
    loaded = load_samples(pairing, Instances())
    assert [int(np.max(one.annotation)) for one in loaded.samples if one.annotation is not None] == [2, 2]
    with pytest.raises(NotEnoughDataError, match="Outlines are annotations of objects"):
        load_samples(pairing, Segmentation())


def test_one_coco_file_is_for_all_images_it_names(tmp_path: Path) -> None:
    images = images_in(tmp_path / "images", "a.tif", "b.tif", "c.tif")
    pairing = pair_folders(images, save(tmp_path / "all.json", coco([[0, 0, 9, 0, 9, 9]])), find=pair_drawn)
    assert [pair.image.name for pair in pairing.pairs] == ["a.tif", "b.tif"]
    assert len(load_samples(pairing, Instances()).samples) == 2


def test_files_of_cellpose_are_named_with_the_way_to_export(tmp_path: Path) -> None:
    images = images_in(tmp_path / "images", "im0.tif")
    (images / "im0_seg.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(PairingError, match=r"im0_seg.npy is Cellpose's own file.*Save masks as PNG"):
        pair_folders(images, images, find=pair_drawn)
    other = tmp_path / "labels"
    other.mkdir()
    (other / "im0_seg.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(PairingError, match=r"im0_seg.npy is Cellpose's own file"):
        pair_folders(images, other, find=pair_drawn)
