"""Which weights of a run are kept: the last average, or the best on validation where that was clearly better."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor


class Best(NamedTuple):
    """The weights that were best on validation so far, with all that was measured of them."""

    value: float
    weights: Mapping[str, Tensor]
    options: Mapping[str, Any]
    metrics: Mapping[str, float]
    step: int
    symptom: str = ""
    tallies: Mapping[str, Mapping[str, float]] = {}


class Final(NamedTuple):
    """What is kept of a run: weights, and what is true of them; tallies are of each image kept aside."""

    weights: Mapping[str, Tensor]
    options: Mapping[str, Any]
    metrics: Mapping[str, float]
    step: int
    symptom: str
    tallies: Mapping[str, Mapping[str, float]] = {}


def kept_of(best: Best | None, now: Final, monitor: tuple[str, str], noise: float) -> Final:
    """Give what is true now, or of the best where that was better by more than chance.

    Parameters
    ----------
    monitor
        Name of the metric that decides, and "max" or "min".
    noise
        By which part of it that metric varies for no reason.
    """
    name, direction = monitor
    if best is None or name not in now.metrics:
        return now
    lost = (best.value - now.metrics[name]) * (1 if direction == "max" else -1)
    return Final(*best[1:]) if lost > noise * abs(best.value) else now
