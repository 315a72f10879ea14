"""Which images a table lets train and measure."""

from pathlib import Path

import numpy as np
import pytest

from microforge.cli.loading import load_training_data
from microforge.config import TrainingConfig
from microforge.data.split import make_split
from microforge.io.writing import write_image, write_labels
from microforge.training.history.repeat import TrainingFiles


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


def test_a_table_says_which_images_stay_together(tmp_path: Path) -> None:
    images, labels = folders(tmp_path, "abcde")
    table = tmp_path / "images.csv"
    table.write_text("name,slide\na,S1\nb.tif,S1\nc,S2\nd,S2\n")
    told: list[str] = []
    files = TrainingFiles(images, (labels,), groups=f"{table}:slide")
    data = load_training_data(TrainingConfig(), files, told.append)
    assert {sample.name: sample.group for sample in data.training} == {
        "a": "S1",
        "b": "S1",
        "c": "S2",
        "d": "S2",
        "e": "",
    }
    assert told[1:3] == [
        "By the table: 2 groups of images that stay together.",
        "1 image not in the table, each by itself: e.tif.",
    ]
    split = make_split(data.training, 0.4, 0)
    assert split.roles.keys() == {"S1", "S2", "e"}
    assert split.role(data.training[0]) == split.role(data.training[1])
