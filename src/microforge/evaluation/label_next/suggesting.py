"""Look at images that are not annotated yet, and say which of them, or where in them, to annotate next."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from microforge.errors import MicroforgeError, SettingsError
from microforge.evaluation.label_next.looks import Look, look_into, objects_in
from microforge.evaluation.label_next.ranking import ORDERS, Places
from microforge.evaluation.label_next.regions import USUAL, side_for, windows_of
from microforge.types import Floats, Sample, Window

if TYPE_CHECKING:
    from microforge.inference.predictor import Predictor

#: About so many windows are looked at, a tenth of a second each on a processor; of more images some are drawn.
MOST_LOOKS = 600
#: In one image never more than so many, and when images are compared as wholes.
MOST_IN_ONE, MOST_OF_WHOLE = 64, 4
#: So many images tell how large objects are.
_MEASURED = 6
#: What is annotated by so much needs no more.
_MOSTLY = 0.5
#: The part of all places that stands out in doubt, or in being unlike what is annotated.
_OUTSTANDING = 1 / 3


@dataclass(frozen=True, eq=False)
class Part:
    """A time point of an image, and where it is annotated already: bool ``(Z)YX``, or all of it, or nothing."""

    sample: Sample
    known: npt.NDArray[np.bool_] | bool = False


@dataclass(frozen=True, eq=False)
class Candidate:
    """An image that could be annotated; `parts` opens it, and is asked for again rather than kept."""

    name: str
    parts: Callable[[], Sequence[Part]]


@dataclass(frozen=True)
class Suggestion:
    """An image or a region to annotate next.

    Attributes
    ----------
    number, name
        Which candidate it is, counted from 0, and its name.
    time
        The time point.
    window
        Slices ``(Z)YX``: the region; of a whole image that with which to begin.
    disagreement
        As of a `Look`, in units of the mean over all that was looked at.
    reason
        Why, in words.
    """

    number: int
    name: str
    time: int
    window: Window
    disagreement: float
    reason: str


@dataclass(frozen=True)
class Looked:
    """So many of all images were looked at; `problem` says in words why the last one could not be."""

    done: int
    total: int
    name: str = ""
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network says of all that was looked at; `ranked` makes lists of it.

    Attributes
    ----------
    names
        Of all candidates.
    looks
        Of each candidate that was looked at, by its number: what was seen of some windows of it.
    whole
        Whether images are to be compared rather than regions of them.
    """

    names: tuple[str, ...]
    looks: Mapping[int, Sequence[Look]]
    whole: bool

    def each(self) -> Iterator[tuple[int, Look]]:
        """Give each look, with the number of its candidate."""
        return ((number, look) for number, looks in self.looks.items() for look in looks)


def look_around(
    predictor: "Predictor", candidates: Sequence[Candidate], *, whole: bool = True, seed: int = 0
) -> Iterator[Looked | Seen]:
    """Look at images; yields progress and, last, what was seen; close the generator to cancel.

    An image that cannot be read, or does not fit the model, is told of and left out.

    Parameters
    ----------
    candidates
        Also those annotated wholly or in part: what looks like them need not be annotated again.
    whole
        Whether images are to be compared rather than regions of them: then less of each is looked at.
    """
    numbers = np.arange(len(candidates))
    if len(numbers) > MOST_LOOKS:
        numbers = np.sort(np.random.default_rng(seed).choice(numbers, MOST_LOOKS, replace=False))
    each = int(np.clip(MOST_LOOKS // max(len(numbers), 1), 1, MOST_OF_WHOLE if whole else MOST_IN_ONE))
    side = _side(predictor, [candidates[number] for number in numbers.tolist()], seed)
    looks: dict[int, Sequence[Look]] = {}
    for done, number in enumerate(numbers.tolist(), start=1):
        problem = ""
        try:
            looks[number] = list(_looks(predictor, candidates[number], side, each, (seed, number)))
        except MicroforgeError as error:
            problem = str(error)
        yield Looked(done, len(numbers), candidates[number].name, problem)
    yield Seen(tuple(one.name for one in candidates), looks, whole)


def _looks(predictor: "Predictor", candidate: Candidate, side: int, most: int, seed: Sequence[int]) -> Iterator[Look]:
    """Look at some windows of an image, spread over its time points."""
    rng, parts = np.random.default_rng(seed), candidate.parts()
    times = np.sort(rng.choice(len(parts), min(most, len(parts)), replace=False))
    for time in times.tolist():
        sample = parts[time].sample
        predictor.check(sample)
        for window in windows_of(tuple(sample.image.shape[1:]), side, max(1, most // len(times)), rng):
            yield look_into(predictor, sample, window, parts[time].known, time)


def _side(predictor: "Predictor", candidates: Sequence[Candidate], seed: int) -> int:
    """Give the side of regions, for objects as large as those in some of the images."""
    rng, found = np.random.default_rng(seed), []
    for number in rng.permutation(len(candidates))[:_MEASURED].tolist():
        # What cannot be read is told of when its turn comes.
        with suppress(MicroforgeError):
            sample = candidates[number].parts()[0].sample
            predictor.check(sample)
            window = windows_of(tuple(sample.image.shape[1:]), USUAL, 1, rng)[0]
            found.append(objects_in(predictor, sample, window))
    return side_for([labels for labels in found if labels is not None])


def ranked(seen: Seen, order: str = "spread", most: int = 10, seed: int = 0) -> tuple[Suggestion, ...]:
    """Give the images, or regions, to annotate next, best first.

    Parameters
    ----------
    order
        One of `ORDERS`.
    most
        How long the list is at most.
    seed
        Decides where chance does.

    Raises
    ------
    SettingsError
        If there is no such order.
    """
    if order not in ORDERS:
        raise SettingsError(f"There is no order '{order}'.", remedy=f"Choose one of: {', '.join(ORDERS)}.")
    left = [(number, look) for number, look in seen.each() if look.known < _MOSTLY]
    if not left:
        return ()
    groups = _by_image(left) if seen.whole else [(number, [look]) for number, look in left]
    places = _places(groups, [look.features for _, look in seen.each() if look.known >= _MOSTLY])
    reasons = _Reasons(places, order)
    chosen = ORDERS[order](places, most, np.random.default_rng(seed)).tolist()
    return tuple(_suggestion(seen, groups[k][0], groups[k][1], reasons.doubt[k], reasons.of(k)) for k in chosen)


def _by_image(looks: Sequence[tuple[int, Look]]) -> list[tuple[int, list[Look]]]:
    found: dict[int, list[Look]] = {}
    for number, look in looks:
        found.setdefault(number, []).append(look)
    return list(found.items())


def _places(groups: Sequence[tuple[int, Sequence[Look]]], annotated: Sequence[Floats]) -> Places:
    features = np.stack([np.mean([look.features for look in looks], axis=0) for _, looks in groups])
    doubt = np.array([np.mean([look.disagreement for look in looks]) for _, looks in groups])
    return Places(doubt, features, np.reshape(annotated, (len(annotated), features.shape[1])))


def _suggestion(seen: Seen, number: int, looks: Sequence[Look], doubt: float, reason: str) -> Suggestion:
    first = max(looks, key=lambda look: look.disagreement)
    return Suggestion(number, seen.names[number], first.time, first.window, float(doubt), reason)


class _Reasons:
    """Says in words why a place was chosen."""

    def __init__(self, places: Places, order: str) -> None:
        self.order = order
        mean = float(places.disagreement.mean())
        self.doubt = places.disagreement / mean if mean > 0 else np.zeros(len(places.disagreement))
        self.unsure = _outstanding(self.doubt)
        apart = places.distances[1]
        self.new = _outstanding(apart.min(axis=1)) if apart.shape[1] else np.zeros(len(apart), bool)

    def of(self, place: int) -> str:
        if self.order == "random":
            return "drawn at random"
        reasons = ["many places it is not sure of"] if self.unsure[place] and self.order != "spread" else []
        reasons += ["looks like nothing annotated yet"] if self.new[place] else []
        return ", ".join(reasons) or ("stands for others like it" if len(self.doubt) > 1 else "not annotated yet")


def _outstanding(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = values > np.quantile(values, 1 - _OUTSTANDING)
    return found
