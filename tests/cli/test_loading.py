"""Which images a table lets train and measure."""

from pathlib import Path

import numpy as np
import pytest

from microforge.cli.inputs import TrainingFiles
from microforge.cli.loading import load_training_data
from microforge.config import TrainingConfig
from microforge.io.writing import write_image, write_labels


def folders(place: Path, names: str) -> tuple[Path, Path]:
    images, labels = place / "images", place / "labels"
    for folder in (images, labels):
        folder.mkdir()
    drawn = np.zeros((16, 16), np.uint32)
    drawn[3:9, 3:9] = 1
    for name in names:
        write_image(images / f"{name}.tif", drawn.astype(np.float32), "YX", None)
        write_labels(labels / f"{name}.tif", drawn, "YX", None)
    return images, labels


@pytest.mark.parametrize(
    ("rows", "learnt"),
    [
        ("a,training b,training c,val d,test", {"a", "b"}),
        ("a,train b,fold2 c,val d,test", {"a"}),
        ("a,fold1 b,fold2 c,val d,fold3", {"a", "b", "d"}),
        ("c,val d,test", {"a", "b"}),
    ],
)
def test_images_that_are_to_test_the_model_are_not_learnt_from(tmp_path: Path, rows: str, learnt: set[str]) -> None:
    images, labels = folders(tmp_path, "abcd")
    table = tmp_path / "split.csv"
    table.write_text("\n".join(["name,split", *rows.split()]))
    files = TrainingFiles(images, (labels,), f"{table}:val", None, None)
    data = load_training_data(TrainingConfig(), files, lambda _: None)
    assert {sample.name.removesuffix(".tif") for sample in data.training} == learnt
    assert data.validation is not None
    assert [sample.name.removesuffix(".tif") for sample in data.validation] == ["c"]
