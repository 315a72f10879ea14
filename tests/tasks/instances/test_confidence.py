"""How sure the model is of each object, and where it nearly found another one."""

import numpy as np
import pytest

from microforge.io.model_file import ModelCard
from microforge.tasks.abilities import judged_by, suspected_by, trusting
from microforge.tasks.instances.task import Instances, normalised_depth
from microforge.types import Sample
from support.discs import draw_discs


def _answer(labels: np.ndarray, sure: dict[int, float] | None = None) -> np.ndarray:
    """What a network would answer that sees these objects, each as probable as is said."""
    probable = np.zeros(int(labels.max()) + 1, np.float32)
    probable[1:] = 0.95
    for label, value in (sure or {}).items():
        probable[label] = value
    return np.stack([probable[labels], normalised_depth(labels) * (probable[labels] > 0)]).astype(np.float32)


def _grid(count: int = 5, size: int = 9, step: int = 20) -> np.ndarray:
    labels = np.zeros((count * step, count * step), np.int32)
    for k in range(count * count):
        row, column = (step // 2 - size // 2 + step * place for place in divmod(k, count))
        labels[row : row + size, column : column + size] = k + 1
    return labels


def test_evidence_tells_objects_in_doubt_from_clear_ones() -> None:
    labels = _grid()
    labels[labels == 2] = 1
    labels[7:14, 14:27] = 1
    labels[0:8, 86:95] = 5
    found = Instances().decode(_answer(labels, {7: 0.5}))
    assert len(found.measurements["label"]) == 24
    clear, unsure, long = (int(found.labels[at]) - 1 for at in ((50, 50), (30, 30), (10, 20)))
    evidence = found.evidence
    assert {len(values) for values in evidence.values()} == {24}
    assert evidence["probability"][clear] == pytest.approx(0.95)
    assert (evidence["doubted"][unsure], evidence["doubted"][clear]) == (1, 0)
    assert evidence["large"][long] > np.log(2)
    assert (evidence["large"][clear], evidence["small"][clear]) == (0, 0)
    assert evidence["uneven"][long] > evidence["uneven"][clear]
    assert evidence["notch"][long] > evidence["notch"][clear] == 0
    assert evidence["cut"].sum() == 1


def test_evidence_tells_touching_objects() -> None:
    labels = np.zeros((30, 40), np.int32)
    labels[10:20, 5:15], labels[10:20, 15:25], labels[10:20, 28:36] = 1, 2, 3
    evidence = Instances().decode(_answer(labels)).evidence
    assert np.allclose(evidence["shared"], [10 / 36, 10 / 36, 0])
    assert evidence["cleft"][2] == 1
    assert (evidence["cleft"][:2] < 1).all()


@pytest.mark.parametrize("shape", [(96, 96), (20, 48, 48)])
def test_objects_that_are_less_probable_are_trusted_less_once_that_was_learnt(shape: tuple[int, ...]) -> None:
    rng, judged, task = np.random.default_rng(0), [], Instances()
    for seed in range(12):
        _, labels = draw_discs(shape, 12, seed)
        sure = {label: float(rng.uniform(0.45, 0.99)) for label in range(1, 13)}
        truth = np.where(
            np.isin(labels, [label for label, p in sure.items() if rng.random() < 1.4 * p - 0.4]), labels, 0
        )
        sample, output = Sample("discs", np.zeros((1, *shape)), truth), _answer(labels, sure)
        judged.append(judged_by(task, output, task.decode(output), sample))
    learnt = trusting(task, judged)
    assert isinstance(learnt, Instances)
    calibration = learnt.options.calibration
    assert calibration is not None
    assert calibration.objects == sum(len(one["calibration"].right) for one in judged)
    before, after = (one.decode(output) for one in (task, learnt))
    assert np.array_equal(before.labels, after.labels)
    assert np.corrcoef(after.measurements["confidence"], after.evidence["probability"])[0, 1] > 0.8
    assert learnt.learnt()["confidence"] == f"calibrated on {calibration.objects} objects"


def test_objects_outside_what_is_annotated_are_not_judged() -> None:
    labels, task = _grid(), Instances()
    mask = np.zeros(labels.shape, bool)
    mask[:60] = True
    output = _answer(labels)
    judged = task.judge(output, task.decode(output), Sample("part", np.zeros((1, *labels.shape)), labels, mask))
    assert (len(judged["calibration"].right), judged["calibration"].right.all()) == (15, True)


def test_models_of_before_are_not_calibrated_and_say_what_they_said() -> None:
    options = Instances().options.model_dump(mode="json", exclude={"calibration", "missed"})
    task = Instances.from_options(ModelCard.model_fields["task_options"].default_factory() | options)
    output = _answer(_grid(), {3: 0.5})
    found = task.decode(output)
    heights = [float(output[1][found.labels == label].max()) for label in found.measurements["label"]]
    assert np.allclose(found.measurements["confidence"], heights)
    assert task.learnt()["confidence"] == "not calibrated"


def test_where_an_object_was_nearly_found_is_told_the_likeliest_first() -> None:
    labels = _grid()
    output = _answer(labels, {7: 0.3, 13: 0.2, 19: 0.05})
    task = Instances()
    found = task.decode(output)
    near = suspected_by(task, output, found)
    assert [one.start for one in near] == [(26, 26), (46, 46)]
    assert [one.mask.sum() for one in near] == [81, 81]
    assert near[0].confidence > near[1].confidence > 0


def test_a_rim_of_an_object_is_no_place_of_another() -> None:
    labels = np.zeros((40, 40), np.int32)
    labels[12:28, 12:28] = 1
    output = _answer(labels)
    output[0, 11:29, 11:29] = np.maximum(output[0, 11:29, 11:29], 0.3)
    task = Instances()
    assert suspected_by(task, output, task.decode(output)) == ()


def test_how_often_a_place_nearly_found_is_an_object_is_learnt() -> None:
    rng, judged, task = np.random.default_rng(1), [], Instances()
    for _ in range(6):
        sure = {label: float(rng.uniform(0.13, 0.34)) for label in range(1, 26)}
        output, truth = _answer(_grid(), sure), _grid()
        truth[np.isin(truth, [label for label, p in sure.items() if p < 0.25])] = 0
        judged.append(judged_by(task, output, task.decode(output), Sample("g", np.zeros((1, *truth.shape)), truth)))
    learnt = trusting(task, judged)
    likely = [one.confidence for one in suspected_by(learnt, output, learnt.decode(output))]
    assert len(likely) == 25
    assert likely == sorted(likely, reverse=True)
    right = int(sum(p >= 0.25 for p in sure.values()))
    assert np.mean(likely[:right]) > 0.75
    assert np.mean(likely[right:]) < 0.25


def test_objects_that_are_several_are_doubted_though_they_overlap_a_true_one() -> None:
    """A large object with a small one merged into it counts as found; a person wants to see it all the same."""
    judged, task = [], Instances()
    for seed in range(8):
        truth = _grid(size=11)
        odd = np.random.default_rng(seed).choice(np.arange(1, 26), 8, replace=False)
        found = truth.copy()
        for label in odd:
            row, column = (int(places.min()) for places in np.nonzero(truth == label))
            truth[row + 3 : row + 7, column + 11 : column + 15] = 100 + label
            found[row + 3 : row + 7, column + 11 : column + 15] = label
        output = _answer(found)
        judged.append(judged_by(task, output, task.decode(output), Sample("g", np.zeros((1, *truth.shape)), truth)))
    assert all(one["calibration"].right.all() for one in judged)
    assert [int((~one["whole"].right).sum()) for one in judged] == [8] * 8
    learnt = trusting(task, judged)
    prediction = learnt.decode(output)
    assert prediction.measurements["confidence"].min() > 0.9
    doubted = {
        int(prediction.labels[tuple(np.add(one.start, 2))]) for one in suspected_by(learnt, output, prediction)[:8]
    }
    assert doubted == {int(prediction.labels[truth == label][0]) for label in odd}


def test_pieces_of_one_object_are_not_whole() -> None:
    truth, found = np.zeros((40, 60), np.int32), np.zeros((40, 60), np.int32)
    truth[10:30, 10:40] = 1
    found[10:30, 10:24], found[10:30, 25:40] = 1, 2
    task, output = Instances(), _answer(found)
    judged = task.judge(output, task.decode(output), Sample("g", np.zeros((1, *truth.shape)), truth))
    assert not judged["whole"].right.any()
