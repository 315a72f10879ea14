"""How far annotation has come: what there is, what is missing, and whether it is enough for a model.

Come here for the sentence and the meter that tell a person whether to go on annotating.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Goals:
    """How much must be annotated for a model that is worth looking at, and for one that is good.

    Attributes
    ----------
    first, good
        So many of `unit`, from which on more changes little.
    unit
        What is counted, as one of it is called.
    of_each
        Whether so many are needed of each class rather than of all together.
    """

    first: float
    good: float
    unit: str
    of_each: bool = False


@dataclass(frozen=True)
class Headway:
    """How much there is of what a good model needs.

    Attributes
    ----------
    share
        0..1; from `first` on it is enough for a first model.
    advice
        What more would do, in words.
    """

    share: float
    first: float
    advice: str

    @property
    def enough(self) -> bool:
        """Whether a model learnt from it is worth looking at."""
        return self.share >= self.first


@dataclass(frozen=True)
class Readiness:
    """What the annotations hold, in words, and what is missing before training can start.

    Attributes
    ----------
    headway
        None where nobody can say how much is needed.
    """

    text: str
    missing: str = ""
    headway: Headway | None = None

    @property
    def in_words(self) -> str:
        """What there is, and what more would do."""
        advice = "" if self.headway is None or self.missing else self.headway.advice
        return "\n".join(part for part in (self.text, advice) if part)

    @property
    def ready(self) -> bool:
        """Whether training can start."""
        return not self.missing

    @property
    def enough(self) -> bool:
        """Whether training is worth starting."""
        return self.ready and (self.headway is None or self.headway.enough)


def headway_of(counts: Mapping[str, float], goals: Goals) -> Headway:
    """Compare what is annotated with what is needed.

    Parameters
    ----------
    counts
        How much of each class.
    """
    least = min(counts, key=lambda name: counts[name], default="") if goals.of_each else ""
    have = counts.get(least, 0.0) if goals.of_each else sum(counts.values())
    return Headway(min(have / goals.good, 1.0), goals.first / goals.good, _advice(have, goals, least))


def _advice(have: float, goals: Goals, of: str) -> str:
    if have >= goals.good:
        return "Enough for a good model."
    if have < goals.first:
        return f"Annotate about {_more(goals.first - have, goals.unit, of)} for a first model."
    return f"A first model; about {_more(goals.good - have, goals.unit, of)} will help."


def _more(number: float, unit: str, of: str) -> str:
    """Write how many more are needed, as a person would estimate it."""
    rounded = max(1, round(number)) if number < 10 else 5 * round(number / 5)
    return f"{rounded} more {unit}{'s' * (rounded != 1)}" + (f" of {of}" if of else "")
