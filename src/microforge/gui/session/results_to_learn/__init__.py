"""Learn from what a network found: it is added to what a person painted or clicked, which stays as it is.

Come here when something of hers changes, or something is taken twice. Which objects are taken, and where, is decided
by `microforge.label_editing`.
"""

from microforge.gui.session.results_to_learn.checking import Checking
from microforge.gui.session.results_to_learn.object_checking import ObjectChecking
from microforge.gui.session.results_to_learn.objects import (
    Laid,
    ObjectTaking,
    as_annotation,
    as_classes,
    asked_about,
    confident_ones,
    lay,
    said_background,
    said_objects,
)
from microforge.gui.session.results_to_learn.point_checking import PointChecking
from microforge.gui.session.results_to_learn.points import learn_from_points

__all__ = [
    "Checking",
    "Laid",
    "ObjectChecking",
    "ObjectTaking",
    "PointChecking",
    "as_annotation",
    "as_classes",
    "asked_about",
    "confident_ones",
    "lay",
    "learn_from_points",
    "said_background",
    "said_objects",
]
