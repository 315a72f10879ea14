"""Kinds of annotation in the window, one entry for each: come here with a new kind.

An entry says which layers belong to an image, how they become samples, and what the panels say of them. Its tools are
in `gui.annotate.tools`; its files are known to the engine (`microforge.annotations`).
"""

from microforge.annotations import AnnotationKind
from microforge.gui.session.annotated_image import Annotated
from microforge.gui.session.annotations.base import ListWords, WindowAnnotation
from microforge.gui.session.annotations.image_classes import ClassesInWindow
from microforge.gui.session.annotations.image_pairs import PairsInWindow
from microforge.gui.session.annotations.labels import LabelsInWindow
from microforge.gui.session.annotations.nothing import NothingInWindow
from microforge.gui.session.annotations.points import PointsInWindow

__all__ = ["ListWords", "WindowAnnotation", "is_learnt_from", "register_annotation", "serves", "window_annotation"]

_ENTRIES: dict[AnnotationKind, WindowAnnotation] = {}


def register_annotation(entry: WindowAnnotation) -> None:
    """Make a kind of annotation known to the window; a later entry for the same kind replaces the earlier."""
    _ENTRIES[entry.kind] = entry


def window_annotation(kind: AnnotationKind) -> WindowAnnotation:
    """Give the entry of a kind."""
    return _ENTRIES[kind]


def serves(item: Annotated, kind: AnnotationKind) -> bool:
    """Tell whether an image has what tasks of a kind learn from; never where the window does not know the kind."""
    return kind in _ENTRIES and _ENTRIES[kind].is_given(item)


def is_learnt_from(item: Annotated) -> bool:
    """Tell whether an image has anything that any task learns from."""
    return any(entry.is_given(item) for entry in _ENTRIES.values())


for _entry in (LabelsInWindow(), PointsInWindow(), ClassesInWindow(), PairsInWindow(), NothingInWindow()):
    register_annotation(_entry)
