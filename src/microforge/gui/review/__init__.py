"""The tab *Review*: evaluate a model against ground truth; come here to add the review of a new kind of answer.

Each panel compares answers of some kinds with the truth; `register_review` adds one.
"""

from collections.abc import Callable
from typing import NamedTuple

from qtpy.QtWidgets import QWidget

from microforge.answers import CELLS, IMAGE_CLASS, OBJECTS, PIXEL_CLASSES, PREDICTED_IMAGE, AnswerKind
from microforge.gui.review.by_image.object_cases import ObjectCaseReview
from microforge.gui.review.counts import CountReview
from microforge.gui.review.image_classes import ClassReview
from microforge.gui.review.images import ImageReview
from microforge.gui.review.objects import ReviewPanel
from microforge.gui.session.state import Session
from microforge.inference.protocols import MakePredictor, SamplePredictor

__all__ = ["Review", "known_reviews", "register_review"]


class Review(NamedTuple):
    """A panel: what it compares, in words, the answers it is for, and how it is made."""

    title: str
    answers: tuple[AnswerKind, ...]
    make: Callable[[Session, MakePredictor[SamplePredictor] | None], QWidget]


_REVIEWS = [
    Review("objects", (OBJECTS, PIXEL_CLASSES), lambda session, _: ReviewPanel(session)),
    Review("objects, image by image", (), ObjectCaseReview),
    Review("images", (PREDICTED_IMAGE,), lambda session, _: ImageReview(session)),
    Review("counts of cells", (CELLS,), CountReview),
    Review("classes of images", (IMAGE_CLASS,), ClassReview),
]


def register_review(review: Review) -> None:
    """Add a panel; tabs made from now on have it."""
    _REVIEWS.append(review)


def known_reviews() -> tuple[Review, ...]:
    """Give all panels, in the order of the list they are chosen from."""
    return tuple(_REVIEWS)
