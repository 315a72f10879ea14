"""Is an object of confidence p right p of the time, on other images? Prints one JSON line.

    python benchmarks/confidence.py MODEL DATA [--splits 20] [--split val]

MODEL finds objects or cells and has not learnt from these images of DATA (``images/``, ``labels/`` or ``points/``,
``split.csv``). They are cut
into halves at random, again and again: the calibration is found on one half and the expected calibration error (ten
bins of equal width) measured on the other. ``chance`` is the error that a perfect calibration would show there, as the
objects are few. ``isotonic`` is a curve of steps through the same confidences.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from microforge.config import PredictionConfig
from microforge.evaluation.cases import CaseFailed, samples_of_pair
from microforge.inference.predictor import Predictor
from microforge.inference.redecode import KeptOutputs
from microforge.tasks.abilities import judged_by
from microforge.tasks.confidence import Calibration, Judged, calibration_error, fit_calibration
from microforge.types import Floats, Prediction, Sample

_DRAWS = 200


def known_images(
    model: Path, data: Path, split: str, device: str
) -> Iterator[tuple[Predictor, Floats, Prediction, Sample]]:
    """Predict the images of a split; give what the network answered, the prediction and what is true."""
    predictor = Predictor(model, PredictionConfig(device=device))
    kind = predictor.task.answer.truth
    truth = next(data / name for name in ("labels", "points") if (data / name).is_dir())
    for pair in kind.pair_truth(data / "images", (truth,), split=f"{data / 'split.csv'}:{split}").pairs:
        for one in samples_of_pair(pair, predictor.task):
            if isinstance(one, CaseFailed):
                raise SystemExit(f"{one.name}: {one.reason}")
            predictor.keeps = KeptOutputs()
            prediction = predictor.predict(one[1])
            yield predictor, predictor.keeps.outputs[0], prediction, one[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--split", default="val")
    parser.add_argument("--device", default="cpu")
    a = parser.parse_args()
    judged = [
        judged_by(one.task, output, prediction, sample)["calibration"]
        for one, output, prediction, sample in known_images(a.model, a.data, a.split, a.device)
    ]
    measured = np.array([_split(judged, np.random.default_rng(seed)) for seed in range(a.splits)])
    right = np.concatenate([one.right for one in judged])
    everything = ("ece", "chance", "isotonic", "auroc")
    line = {"benchmark": "confidence", "data": a.data.name, "model": a.model.name, "images": len(judged)}
    line |= {"objects": len(right), "right": round(float(right.mean()), 3), "splits": a.splits}
    for name, values in zip(everything, measured.T, strict=True):
        line[name] = [round(float(value), 3) for value in (values.mean(), values.min(), values.max())]
    print(json.dumps(line))


def _split(judged: list[Judged], rng: np.random.Generator) -> tuple[float, float, float, float]:
    order = rng.permutation(len(judged))
    half, others = ([judged[k] for k in part] for part in np.array_split(order, 2))
    calibration = fit_calibration(half)
    assert calibration is not None
    learnt, said = (_confidences(calibration, part) for part in (half, others))
    was, right = (np.concatenate([one.right for one in part]) for part in (half, others))
    stepped = np.interp(said, *_steps(learnt, was))
    return calibration_error(said, right), _chance(said, rng), calibration_error(stepped, right), _auroc(said, right)


def _confidences(calibration: Calibration, judged: list[Judged]) -> npt.NDArray[np.float64]:
    return np.concatenate([calibration.confidence(one.evidence) for one in judged]).astype(float)


def _chance(said: npt.NDArray[np.float64], rng: np.random.Generator) -> float:
    """Give the error that chance alone makes where each object is right with the probability said."""
    return float(np.mean([calibration_error(said, rng.random(len(said)) < said) for _ in range(_DRAWS)]))


def _steps(said: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], ...]:
    """Give the isotonic regression of right on said, by joining neighbours that violate the order."""
    order, blocks = np.argsort(said), []
    for value in right[order].astype(float):
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (one, few), (other, many) = blocks[-2:]
            blocks[-2:] = [[(one * few + other * many) / (few + many), few + many]]
    return said[order], np.concatenate([np.full(int(count), value) for value, count in blocks])


def _auroc(said: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> float:
    """Give the probability that an object that is right is trusted more than one that is wrong."""
    ranks = np.searchsorted(np.sort(said), said, "left") + np.searchsorted(np.sort(said), said, "right")
    good, bad = int(right.sum()), int((~right).sum())
    return float((ranks[right].sum() / 2 + good / 2 - good * (good + 1) / 2) / max(good * bad, 1))


if __name__ == "__main__":
    main()
