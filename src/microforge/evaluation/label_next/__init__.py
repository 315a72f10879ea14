"""Which images and regions to annotate next; the only door."""

from microforge.evaluation.label_next.ranking import ORDERS
from microforge.evaluation.label_next.suggesting import (
    Candidate,
    Looked,
    Part,
    Seen,
    Suggestion,
    look_around,
    ranked,
)

__all__ = ["ORDERS", "Candidate", "Looked", "Part", "Seen", "Suggestion", "look_around", "ranked"]
