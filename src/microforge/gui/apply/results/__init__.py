"""What can be done with predictions: view, measure, compare, correct, save; come here to show a new kind of answer.

Each part takes what a prediction holds for it; `register_results` adds one.
"""

from microforge.gui.apply.results.base import Added, MakeResults, ResultsPart
from microforge.gui.apply.results.counts import CountResults
from microforge.gui.apply.results.image_classes import ClassResults
from microforge.gui.apply.results.images import ImageResults
from microforge.gui.apply.results.objects import ObjectResults

__all__ = ["Added", "ResultsPart", "known_results", "register_results"]

_PARTS: list[MakeResults] = [CountResults, ClassResults, ImageResults, ObjectResults]


def register_results(make: MakeResults) -> None:
    """Add a part that is asked before the others; panels made from now on have it."""
    _PARTS.insert(0, make)


def known_results() -> tuple[MakeResults, ...]:
    """Give what makes the parts, in the order in which they are asked."""
    return tuple(_PARTS)
