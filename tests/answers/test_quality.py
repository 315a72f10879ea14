"""Quality in plain words."""

from math import nan

import pytest

from microforge.answers.quality import Quality, false_text, share_text
from microforge.tasks import available_tasks, get_task


def words(task: str, **metrics: float) -> Quality:
    quality = get_task(task).in_words({name.replace("__", "@").replace("_", " "): v for name, v in metrics.items()})
    assert quality is not None
    return quality


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "none of the"),
        (0.01, "hardly any of the"),
        (0.3, "3 of 10"),
        (0.9, "9 of 10"),
        (0.95, "19 of 20"),
        (0.997, "nearly all of the"),
        (1, "all"),
    ],
)
def test_parts_are_said_as_people_count(share: float, text: str) -> None:
    assert share_text(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "all it finds are objects"),
        (0.01, "nearly all it finds are objects"),
        (0.05, "1 in 20 it finds is none"),
        (0.25, "1 in 4 it finds is none"),
        (0.6, "6 in 10 it finds are none"),
    ],
)
def test_false_objects(share: float, text: str) -> None:
    assert false_text(share) == text


def test_objects() -> None:
    good = get_task("instances").in_words({"F1@0.5": 0.92, "recall@0.5": 0.9, "precision@0.5": 0.95, "PQ": 0.78})
    assert good == Quality(
        "finds 9 of 10 objects", "Finds 9 of 10 objects; 1 in 20 it finds is none; borders fit well.", "ok"
    )
    none = get_task("instances").in_words({"F1@0.5": 0.0, "recall@0.5": 0.0, "precision@0.5": 0.0, "PQ": 0.0})
    assert none == Quality("finds none of the objects", "Finds none of the objects.", "warning")


def test_models_of_before_tell_by_their_f1() -> None:
    old = get_task("instances").in_words({"AP@0.5": 0.66, "F1@0.5": 0.8, "PQ": 0.5})
    assert old is not None
    assert old.text == "Finds 8 of 10 objects; 1 in 5 it finds is none; borders fit roughly."


def test_the_words_of_objects_are_made_of_what_was_counted() -> None:
    tally = {f"{name}@{t}": n for t in (0.5, 0.7, 0.8) for name, n in (("hits", 18), ("extra", 2), ("missed", 2))}
    metrics = get_task("instances")().summarise(tally | {"iou": 18 * 0.85})
    assert (metrics["recall@0.5"], metrics["precision@0.5"]) == (0.9, 0.9)
    quality = get_task("instances").in_words(metrics)
    assert quality is not None
    assert quality.text == "Finds 9 of 10 objects; 1 in 10 it finds is none; borders fit well."


def test_a_class_that_is_not_found_is_a_warning() -> None:
    quality = words("segmentation", Dice=0.63, Dice_background=0.97, Dice_membrane=0.0, Dice_nucleus=0.92)
    assert quality == Quality(
        "finds membrane not at all", "Finds background, nucleus very well; membrane not at all.", "warning"
    )
    assert words("segmentation", Dice=0.9, Dice_a=0.95, Dice_b=0.8).brief == "finds all 2 classes well"


def test_counts() -> None:
    quality = words("counting", MAE=3.2, MAPE=0.06, bias=-2.5, F1=0.93)
    assert quality.text == "Counts are off by 6 % (3 cells) on average, rather too low; 19 of 20 points are on a cell."
    assert words("counting", MAE=30, MAPE=0.4, bias=0).severity == "warning"


def test_classes_of_images() -> None:
    quality = words("classification", accuracy=0.9, found_good=1, found_bad=0.6)
    assert quality.text == "Right for 9 of 10 images; of those that are bad, for 6 of 10."
    assert words("classification", accuracy=0.8, found_good=1, found_bad=0.0).severity == "warning"


def test_images() -> None:
    assert words("restoration", SSIM_after_linear_fit=0.9).text == "Much like the target."
    assert words("label-free", Pearson_r=0.3) == Quality(
        "hardly like the real stain", "Hardly like the real stain.", "warning"
    )
    noise = {"error on unseen pixels (%)": 4.2, "residual correlation": 0.05}
    quality = get_task("denoising").in_words(noise)
    assert quality is not None
    assert quality.text.startswith("What it removes looks like noise; it guesses pixels it cannot see to within 4 %")
    more = get_task("denoising").in_words(noise | {"residual correlation": 0.5})
    assert more is not None
    assert (more.brief, more.severity) == ("it may remove more than noise", "warning")


@pytest.mark.parametrize("task", available_tasks())
@pytest.mark.parametrize("metrics", [{}, {"AP@0.5": nan, "F1@0.5": nan, "MAPE": nan, "accuracy": nan, "Dice a": nan}])
def test_nothing_is_said_of_what_is_not_known(task: str, metrics: dict[str, float]) -> None:
    assert get_task(task).in_words(metrics) is None
