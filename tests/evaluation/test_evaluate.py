"""Evaluation over folders, with a network that knows the answer, or half of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from microforge.errors import ModelMismatchError, NotEnoughDataError
from microforge.evaluation.evaluate import evaluate_pairs
from microforge.io.pairing import pair_folders
from microforge.tasks import Task, get_task
from microforge.types import Prediction, Sample
from support.discs import draw_discs


class Knowing:
    """Stands for a predictor: gives the annotation, without the objects of `misses`; refuses two channels."""

    def __init__(self, misses: int = 0) -> None:
        self.task: Task = get_task("instances")()
        self.misses = misses

    def predict(self, image: Sample) -> Prediction:
        if image.image.shape[0] != 1:
            raise ModelMismatchError("The image has other channels.", remedy="Choose another.")
        labels = np.array(image.annotation)
        labels[labels <= self.misses] = 0
        return Prediction(labels=labels)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    for seed in range(3):
        image, truth = draw_discs(seed=seed)
        tifffile.imwrite(images / f"d{seed}.tif", image)
        tifffile.imwrite(labels / f"d{seed}.tif", truth.astype(np.uint16))
    return images, labels


def test_perfect_predictions_score_one(folders: tuple[Path, Path]) -> None:
    result = evaluate_pairs(Knowing(), pair_folders(*folders))
    assert result["images"] == 3
    assert result["metrics"]["AP@0.5"] == 1
    assert [one["name"] for one in result["per_image"]] == ["d0", "d1", "d2"]
    assert result["failed"] == []


def test_counts_are_pooled_over_images(folders: tuple[Path, Path]) -> None:
    result = evaluate_pairs(Knowing(misses=3), pair_folders(*folders))
    objects = sum(len(np.unique(tifffile.imread(path))) - 1 for path in folders[1].iterdir())
    assert result["metrics"]["AP@0.5"] == pytest.approx((objects - 9) / objects)


def test_objects_are_measured_beside_a_threshold(folders: tuple[Path, Path]) -> None:
    (folders[0] / "d0.tif").write_bytes(b"")
    result = evaluate_pairs(Knowing(), pair_folders(*folders))
    assert result["annotation"] == "labels"
    assert result["baseline"]["name"] == "Otsu threshold and distance watershed (bright objects)"
    assert 0.3 < result["baseline"]["metrics"]["AP@0.5"] < 1
    assert "confusion" not in result


def test_what_went_wrong_with_which_object_is_listed(folders: tuple[Path, Path]) -> None:
    result = evaluate_pairs(Knowing(misses=2), pair_folders(*folders))
    for one in result["per_image"]:
        truth = tifffile.imread(folders[1] / f"{one['name']}.tif")
        assert {error["label"] for error in one["errors"]} == {1, 2}
        for error in one["errors"]:
            assert (error["kind"], error["where"], error["partners"], error["iou"]) == ("missed", "truth", [], 0.0)
            inside = truth == error["label"]
            assert error["centre"] == pytest.approx([float(places.mean()) for places in np.nonzero(inside)])
            assert error["size"] == inside.sum()
    assert json.loads(json.dumps(result)) == result
    perfect = evaluate_pairs(Knowing(), pair_folders(*folders))
    assert [one["errors"] for one in perfect["per_image"]] == [[], [], []]


def test_classes_of_pixels_are_no_objects(folders: tuple[Path, Path]) -> None:
    knowing = Knowing()
    knowing.task = get_task("segmentation").from_options({"classes": {k: str(k) for k in range(1, 60)}})
    assert all("errors" not in one for one in evaluate_pairs(knowing, pair_folders(*folders))["per_image"])


def test_failures_and_files_alone_are_named(folders: tuple[Path, Path]) -> None:
    (folders[0] / "d0.tif").write_bytes(b"")
    tifffile.imwrite(folders[0] / "d1.tif", np.zeros((2, 96, 96), np.uint8), metadata={"axes": "CYX"}, ome=True)
    (folders[0] / "extra.tif").write_bytes(b"")
    (folders[1] / "more.tif").write_bytes(b"")
    calls: list[Any] = []
    result = evaluate_pairs(Knowing(), pair_folders(*folders), progress=lambda *done: calls.append(done))
    assert [one["name"] for one in result["failed"]] == ["d0.tif", "d1.tif"]
    assert "other channels" in result["failed"][1]["reason"]
    assert result["images_without_annotation"] == ["extra.tif"]
    assert result["annotations_without_image"] == ["more.tif"]
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_nothing_measured_is_an_error(folders: tuple[Path, Path]) -> None:
    for path in folders[0].iterdir():
        path.write_bytes(b"")
    with pytest.raises(NotEnoughDataError, match=r"None of the 3 images.*first reason: d0.tif.*0 bytes"):
        evaluate_pairs(Knowing(), pair_folders(*folders))
