"""Confidence that means something: the share of objects like this one that are right; come here for how it is learnt.

What speaks for an object is weighed by a logistic function, fitted to objects on images kept aside of which is known
whether they are right (Platt 1999; several inputs, those beside the first held small, as few objects say little of
them). It has as many numbers as there are inputs, so that a few dozen objects are enough; a curve of steps (isotonic
regression) needs hundreds, and was no better with thousands (benchmarks/confidence.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from microforge.config import Settings
from microforge.types import Array, Floats

#: Fewer objects than this, or fewer images, say nothing that could be told in numbers.
FEWEST_JUDGED = 30
#: How strongly the weights are held small: of the first input, and of the others.
_HELD, _OTHERS_HELD = 1.0, 30.0
_MOST_ROUNDS, _SMALL_STEP = 50, 1e-6
#: Beyond it a probability differs from 0 or 1 by nothing.
_FARTHEST = 30.0
_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """Objects of which is known whether they are right.

    Attributes
    ----------
    evidence
        What speaks for each and against it, ``(n,)`` per name; the most telling comes first.
    right
        bool ``(n,)``.
    """

    evidence: Mapping[str, Array]
    right: npt.NDArray[np.bool_]


class Calibration(Settings):
    """How evidence is weighed, found on images kept aside."""

    inputs: tuple[str, ...] = Field(description="Names of what is weighed.")
    middles: tuple[float, ...] = Field(description="Mean of each input.")
    spreads: tuple[float, ...] = Field(description="Standard deviation of each input.")
    weights: tuple[float, ...] = Field(description="Weight of each input, in units of its spread.")
    offset: float = Field(description="What is added to the weighed sum.")
    objects: int = Field(ge=1, description="Number of objects it was found on.")
    right: int = Field(ge=0, description="How many of them were right.")

    def confidence(self, evidence: Mapping[str, Array]) -> Floats:
        """Give the probability that each object is right, float32 ``(n,)`` from 0 to 1."""
        inputs = _columns(evidence, self.inputs)
        weighed = (inputs - self.middles) / self.spreads @ np.array(self.weights) + self.offset
        return _logistic(weighed).astype(np.float32)


def fit_calibration(judged: Sequence[Judged]) -> Calibration | None:
    """Find how to weigh evidence; None where there are too few objects to tell."""
    known = [one for one in judged if len(one.right)]
    right = np.concatenate([one.right for one in known]) if known else np.zeros(0, bool)
    if len(right) < FEWEST_JUDGED:
        return None
    names = tuple(known[0].evidence)
    inputs = np.concatenate([_columns(one.evidence, names) for one in known])
    middles, spreads = inputs.mean(0), inputs.std(0)
    # What is the same for all these objects says nothing, whatever it is for others.
    told = spreads > 1e-6
    spreads = np.where(told, spreads, 1.0)
    weights = _fitted((inputs - middles) / spreads * told, right)
    return Calibration(
        inputs=names,
        middles=tuple(middles.tolist()),
        spreads=tuple(spreads.tolist()),
        weights=tuple((weights[1:] * told).tolist()),
        offset=float(weights[0]),
        objects=len(right),
        right=int(right.sum()),
    )


def calibration_text(calibration: Calibration | None, called: str = "objects") -> str:
    """Say what a confidence is worth; `called` is what was found."""
    return "not calibrated" if calibration is None else f"calibrated on {calibration.objects:,} {called}"


def calibration_error(confidence: Array, right: npt.NDArray[np.bool_], bins: int = 10) -> float:
    """Give the expected calibration error, 0 to 1: by how much confidence and share that is right differ on average.

    Bins are of equal width, each weighs as many objects as it holds (Naeini et al. 2015).
    """
    if not len(right):
        return 0.0
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    off = [np.bincount(place, values, minlength=bins) for values in (confidence, right.astype(float))]
    return float(np.abs(off[0] - off[1]).sum() / len(right))


def _fitted(inputs: _Doubles, right: npt.NDArray[np.bool_]) -> _Doubles:
    """Give offset and weights of the logistic function that explains best which are right, by Newton's method."""
    rows = np.column_stack([np.ones(len(inputs)), inputs])
    # As Platt does: never so sure that one object more could not change it.
    wanted = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))
    held = np.array([1e-6, _HELD, *[_OTHERS_HELD] * (inputs.shape[1] - 1)])
    weights: _Doubles = np.zeros(rows.shape[1])
    for _ in range(_MOST_ROUNDS):
        found = _logistic(rows @ weights)
        slope = rows.T @ (found - wanted) + held * weights
        bend = (rows * (found * (1 - found))[:, None]).T @ rows + np.diag(held)
        step = np.linalg.solve(bend, slope)
        weights = weights - step
        if np.abs(step).max() < _SMALL_STEP:
            break
    return weights


def _columns(evidence: Mapping[str, Array], names: Sequence[str]) -> _Doubles:
    return np.column_stack([np.asarray(evidence[name], np.float64) for name in names])


def _logistic(values: Any) -> _Doubles:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -_FARTHEST, _FARTHEST))), np.float64)
